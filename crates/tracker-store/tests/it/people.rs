//! People, roles, sessions, tokens and throttles.
//!
//! Invariant: no secret stands in the database, and what ended is found by nobody.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail as its body does")]

use jiff::{SignedDuration, Timestamp};
use sqlx::{Connection as _, PgConnection, Row as _, SqliteConnection};
use tracker_people::{
    Administer, KeepAccount, Membership, NewToken, Permit, PersonId, Principal, Rate, Role, Secret,
    SecretKind, SessionRules, SessionState, StandingRules, TokenState,
};
use tracker_store::{Conditions, Giver, HeldPerson, Identity, NewProof, Store};
use tracker_testkit::fixture::at;
use tracker_testkit::{Database, Kind, on_both_databases};
use tracker_triage::query::Query;
use tracker_triage::{Actor, ActorKind};

const NOW: &str = "2026-01-01T00:00:00Z";

fn now() -> Timestamp {
    at(NOW)
}

fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn github<'a>(subject: &'a str, login: &'a str) -> Identity<'a> {
    Identity {
        provider: "github",
        subject,
        login,
    }
}

async fn someone(store: &Store, subject: &str, login: &str) -> PersonId {
    let identity = github(subject, login);
    store.person_of(&identity, now()).await.unwrap()
}

/// Somebody as they may act in a session.
async fn actor(store: &Store, id: PersonId, at: Timestamp) -> Principal {
    let held = store.person(id).await.unwrap().unwrap();
    let role = StandingRules::default().role(&held.standing, at);
    Principal::in_session(held.person, role)
}

/// Runs a statement beside the store.
async fn run(database: &Database, statement: &'static str) {
    match database.kind() {
        Kind::Sqlite => {
            let mut connection = SqliteConnection::connect(database.url()).await.unwrap();
            sqlx::query(statement)
                .execute(&mut connection)
                .await
                .unwrap();
        }
        Kind::Postgres => {
            let mut connection = PgConnection::connect(database.url()).await.unwrap();
            sqlx::query(statement)
                .execute(&mut connection)
                .await
                .unwrap();
        }
    }
}

fn administer(actor: &Principal) -> Permit<'_, Administer> {
    actor.permit().unwrap()
}

fn keep(actor: &Principal) -> Permit<'_, KeepAccount> {
    actor.permit().unwrap()
}

fn proof(secret: &Secret) -> NewProof<'static> {
    NewProof {
        hash: secret.hash(),
        provider: "github",
        sealed: b"sealed",
    }
}

on_both_databases! {
    async fn a_person_is_who_the_provider_says_whatever_they_are_called(database) {
        let store = database.open().await;
        let first = someone(&store, "1", "old-name").await;
        let second = someone(&store, "2", "other").await;
        assert_eq!(someone(&store, "1", "new-name").await, first);
        // Somebody else who takes over a name that was given up is somebody else.
        assert_eq!(someone(&store, "2", "old-name").await, second);
        let held = store.person(first).await.unwrap().unwrap();
        // Views, the log and second words go by the name, so it stays; packages name people by the other.
        assert_eq!((held.person.handle.as_str(), held.person.github.as_deref()), ("old-name", Some("new-name")));
        let local = Identity { provider: "local", subject: "root", login: "root" };
        let local = store.person_of(&local, now()).await.unwrap();
        assert_eq!(store.person(local).await.unwrap().unwrap().person.github, None);
        let handles = async |after| -> Vec<String> {
            let people = store.people(after, 2).await.unwrap();
            people.into_iter().map(|held| held.person.handle).collect()
        };
        assert_eq!(handles(PersonId(0)).await, ["old-name", "other"]);
        assert_eq!(handles(second).await, ["root"]);
        assert!(store.person(PersonId(99)).await.unwrap().is_none());
        store.close().await;
    }

    async fn nobody_goes_by_the_name_of_another(database) {
        let store = database.open().await;
        let local = Identity { provider: "local", subject: "root", login: "root" };
        let root = store.person_of(&local, now()).await.unwrap();
        let view = Query::parse("kev:yes").unwrap();
        let owner = |held: &HeldPerson| Actor::new(ActorKind::Person, held.person.handle.as_str());
        let held = async |id| store.person(id).await.unwrap().unwrap();
        let free = Conditions::default();
        store.save_view(&owner(&held(root).await), "private", &view, false, &free).await.unwrap();
        // Another provider's, and one whose name was made up to be that of the next.
        let first = someone(&store, "1", "root-3").await;
        let second = someone(&store, "2", "root").await;
        let names = [held(root).await, held(first).await, held(second).await].map(|one| one.person.handle);
        assert_eq!(names, ["root", "root-3", "root-3-3"]);
        assert_eq!(held(second).await.person.github.as_deref(), Some("root"));
        let seen = store.views(Some(&owner(&held(second).await))).await.unwrap();
        assert_eq!(seen, [], "a view of somebody else's");
        assert_eq!(store.people_called("root").await.unwrap().len(), 1);
        // Names that were the same from before are told apart when the later one comes again.
        run(&database, "UPDATE person SET handle = 'root' WHERE key > 1").await;
        assert_eq!(someone(&store, "1", "root-3").await, first);
        assert_eq!(someone(&store, "2", "root").await, second);
        assert_eq!(store.people_called("root").await.unwrap().len(), 1);
        store.close().await;
    }

    async fn roles_are_given_and_taken_and_all_of_it_is_remembered(database) {
        let store = database.open().await;
        let root = someone(&store, "1", "root").await;
        let other = someone(&store, "2", "other").await;
        assert!(store.grant_role(root, Role::Administrator, Giver::CommandLine, "first", None, now()).await.unwrap());
        let root = actor(&store, root, now()).await;
        let giver = Giver::Administrator(administer(&root));
        assert!(store.grant_role(other, Role::Triager, giver, "joined", None, later(1)).await.unwrap());
        assert_eq!(actor(&store, other, later(2)).await.role(), Role::Triager);
        assert!(store.grant_role(other, Role::Anonymous, giver, "left", None, later(3)).await.unwrap());
        assert_eq!(actor(&store, other, later(4)).await.role(), Role::Maintainer);
        assert!(!store.grant_role(PersonId(99), Role::Triager, giver, "", None, now()).await.unwrap());
        let grants = store.grants_of(other).await.unwrap();
        let told: Vec<_> = grants.iter().map(|grant| (grant.role, grant.reason.as_str(), grant.giver.as_deref())).collect();
        assert_eq!(told, [(Role::Anonymous, "left", Some("root")), (Role::Triager, "joined", Some("root"))]);
    }

    async fn a_team_gives_a_role_until_nobody_confirms_it(database) {
        let store = database.open().await;
        let person = someone(&store, "1", "member").await;
        let membership = Membership { role: Role::Triager, confirmed: now() };
        store.note_membership(person, membership).await.unwrap();
        assert_eq!(actor(&store, person, later(60)).await.role(), Role::Triager);
        assert_eq!(actor(&store, person, later(86_400)).await.role(), Role::Maintainer);
        // Of many that want to ask again one gets to.
        let seen = store.person(person).await.unwrap().unwrap().asked;
        assert_eq!(seen, Some(now()));
        assert!(store.claim_refresh(person, seen, later(700)).await.unwrap());
        assert!(!store.claim_refresh(person, seen, later(701)).await.unwrap());
        let membership = Membership { role: Role::Anonymous, confirmed: later(702) };
        store.note_membership(person, membership).await.unwrap();
        assert_eq!(actor(&store, person, later(703)).await.role(), Role::Maintainer);
        let fresh = someone(&store, "2", "fresh").await;
        assert!(store.claim_refresh(fresh, None, now()).await.unwrap());
    }

    async fn a_session_is_found_by_its_secret_until_it_ends(database) {
        let store = database.open().await;
        let person = someone(&store, "1", "one").await;
        let other = someone(&store, "2", "two").await;
        let secrets: Vec<Secret> = (0..3).map(|number| Secret::new(SecretKind::Session, [number; 32])).collect();
        let mut keys = Vec::new();
        for secret in &secrets {
            keys.push(store.open_session(person, proof(secret), "192.0.2.1", "a browser", now()).await.unwrap());
        }
        let rules = SessionRules::default();
        let held = store.session_of(secrets[0].hash()).await.unwrap().unwrap();
        assert_eq!((held.key, held.holder.person.id, held.sealed.as_slice()), (keys[0], person, b"sealed".as_slice()));
        store.note_session(keys[0], later(600)).await.unwrap();
        store.note_session(keys[0], later(500)).await.unwrap();
        let held = store.session_of(secrets[0].hash()).await.unwrap().unwrap();
        assert_eq!(held.life.used, later(600), "an earlier use undoes nothing");
        let me = actor(&store, person, now()).await;
        assert_eq!(store.sessions_of(keep(&me)).await.unwrap().len(), 3);
        assert!(!store.end_session(other, keys[0], None, later(1)).await.unwrap(), "it is not theirs");
        assert!(store.end_session(person, keys[0], None, later(1)).await.unwrap());
        let held = store.session_of(secrets[0].hash()).await.unwrap().unwrap();
        assert_eq!(rules.state(&held.life, later(2)), SessionState::Revoked);
        assert_eq!(store.end_sessions(person, None, later(3)).await.unwrap(), 2);
        assert!(store.sessions_of(keep(&me)).await.unwrap().is_empty());
        let unknown = Secret::new(SecretKind::Session, [9; 32]);
        assert!(store.session_of(unknown.hash()).await.unwrap().is_none());
    }

    async fn tokens_are_made_listed_and_revoked(database) {
        let store = database.open().await;
        let person = someone(&store, "1", "one").await;
        let me = actor(&store, person, now()).await;
        let secret = Secret::new(SecretKind::Token, [1; 32]);
        let token = NewToken::new("ci", "read propose".parse().unwrap(), 7, me.role(), now()).unwrap();
        let key = store.add_token(me.permit().unwrap(), &token, proof(&secret)).await.unwrap().unwrap();
        store.note_token(key, later(9)).await.unwrap();
        let held = store.token_of(secret.hash()).await.unwrap().unwrap();
        assert_eq!((held.scopes, held.used, held.life.state(later(9))), (token.scopes(), Some(later(9)), TokenState::Live));
        assert_eq!(held.life.state(later(8 * 86_400)), TokenState::Expired);
        let other = someone(&store, "2", "two").await;
        let other = actor(&store, other, now()).await;
        assert!(!store.end_token(keep(&other), key, None, now()).await.unwrap(), "it is not theirs");
        assert!(store.end_token(keep(&me), key, None, now()).await.unwrap());
        let listed = store.tokens_of(keep(&me)).await.unwrap();
        assert_eq!((listed[0].name.as_str(), listed[0].life.state(now())), ("ci", TokenState::Revoked));
        let mut number: u8 = 10;
        let made = loop {
            let secret = Secret::new(SecretKind::Token, [number; 32]);
            if store.add_token(me.permit().unwrap(), &token, proof(&secret)).await.unwrap().is_none() {
                break number - 10;
            }
            number += 1;
        };
        assert_eq!(made, 50, "there is an end to it");
    }

    async fn who_is_blocked_has_nothing_left(database) {
        let store = database.open().await;
        let root = someone(&store, "1", "root").await;
        store.grant_role(root, Role::Administrator, Giver::CommandLine, "", None, now()).await.unwrap();
        let root = actor(&store, root, now()).await;
        let person = someone(&store, "2", "two").await;
        let me = actor(&store, person, now()).await;
        let (session, token) = (Secret::new(SecretKind::Session, [1; 32]), Secret::new(SecretKind::Token, [2; 32]));
        store.open_session(person, proof(&session), "", "", now()).await.unwrap();
        let new = NewToken::new("ci", "read".parse().unwrap(), 7, me.role(), now()).unwrap();
        store.add_token(me.permit().unwrap(), &new, proof(&token)).await.unwrap();
        assert!(store.set_blocked(Giver::Administrator(administer(&root)), person, true, None, later(1)).await.unwrap());
        assert!(store.session_of(session.hash()).await.unwrap().unwrap().life.revoked.is_some());
        assert!(store.token_of(token.hash()).await.unwrap().unwrap().life.revoked.is_some());
        assert_eq!(actor(&store, person, later(2)).await, Principal::anonymous());
        store.set_blocked(Giver::Administrator(administer(&root)), person, false, None, later(3)).await.unwrap();
        assert_eq!(actor(&store, person, later(4)).await.role(), Role::Maintainer);
        assert!(store.session_of(session.hash()).await.unwrap().unwrap().life.revoked.is_some(), "they sign in anew");
    }

    async fn a_sign_in_ends_once_and_in_time(database) {
        let store = database.open().await;
        let person = someone(&store, "1", "one").await;
        let secret = |number| Secret::new(SecretKind::SignIn, [number; 32]).hash();
        store.begin_sign_in(secret(1), None, later(600), now()).await.unwrap();
        store.begin_sign_in(secret(2), Some(person), later(600), now()).await.unwrap();
        store.begin_sign_in(secret(3), None, later(60), now()).await.unwrap();
        let (first, second) = tokio::join!(store.end_sign_in(secret(1), later(1)), store.end_sign_in(secret(1), later(1)));
        assert_eq!([first.unwrap(), second.unwrap()].into_iter().flatten().count(), 1);
        assert_eq!(store.end_sign_in(secret(2), later(1)).await.unwrap().unwrap().person, Some(person));
        assert!(store.end_sign_in(secret(3), later(61)).await.unwrap().is_none(), "too late");
        assert!(store.end_sign_in(secret(4), later(1)).await.unwrap().is_none(), "never begun");
    }

    async fn replicas_share_a_bucket(database) {
        let store = database.open().await;
        let rate = Rate::per(3, SignedDuration::from_secs(60));
        let ask = async |counted: &str, seconds| store.throttle(counted, &rate, later(seconds)).await.unwrap();
        let (a, b, c, d) = tokio::join!(ask("a", 0), ask("a", 0), ask("a", 0), ask("a", 0));
        assert_eq!([a, b, c, d].iter().filter(|taken| taken.is_ok()).count(), 3);
        assert!(ask("b", 0).await.is_ok(), "another is counted apart");
        assert_eq!(ask("a", 1).await.unwrap_err().seconds(), 19);
        assert!(ask("a", 20).await.is_ok());
    }
}

/// Everything that a database holds, as one text.
async fn everything(database: &Database) -> String {
    let mut all = String::new();
    for table in ["session", "api_token", "sign_in"] {
        let hash = match database.kind() {
            Kind::Sqlite => "lower(hex(hash))",
            Kind::Postgres => "encode(hash, 'hex')",
        };
        let query = format!("SELECT {hash} FROM {table}");
        let query = sqlx::AssertSqlSafe(query);
        match database.kind() {
            Kind::Sqlite => {
                let mut connection = SqliteConnection::connect(database.url()).await.unwrap();
                for row in sqlx::query(query).fetch_all(&mut connection).await.unwrap() {
                    all.push_str(row.get(0));
                }
            }
            Kind::Postgres => {
                let mut connection = PgConnection::connect(database.url()).await.unwrap();
                for row in sqlx::query(query).fetch_all(&mut connection).await.unwrap() {
                    all.push_str(row.get(0));
                }
            }
        }
    }
    all
}

on_both_databases! {
    async fn secrets_are_not_in_the_database(database) {
        let store = database.open().await;
        let person = someone(&store, "1", "one").await;
        let me = actor(&store, person, now()).await;
        let bytes = [0xab; 32];
        let (session, token, link) = (Secret::new(SecretKind::Session, bytes), Secret::new(SecretKind::Token, bytes), Secret::new(SecretKind::Link, bytes));
        store.open_session(person, proof(&session), "", "", now()).await.unwrap();
        let new = NewToken::new("ci", "read".parse().unwrap(), 7, me.role(), now()).unwrap();
        store.add_token(me.permit().unwrap(), &new, proof(&token)).await.unwrap();
        store.begin_sign_in(link.hash(), None, later(60), now()).await.unwrap();
        let all = everything(&database).await;
        assert_eq!(all.len(), 3 * 64);
        assert!(!all.contains(&"ab".repeat(32)));
    }

    async fn a_copy_keeps_people_and_signs_them_out(database) {
        let store = database.open().await;
        let person = someone(&store, "1", "one").await;
        store.grant_role(person, Role::Triager, Giver::CommandLine, "", None, now()).await.unwrap();
        let me = actor(&store, person, now()).await;
        let (session, token) = (Secret::new(SecretKind::Session, [1; 32]), Secret::new(SecretKind::Token, [2; 32]));
        store.open_session(person, proof(&session), "", "", now()).await.unwrap();
        let new = NewToken::new("ci", "read".parse().unwrap(), 7, me.role(), now()).unwrap();
        store.add_token(me.permit().unwrap(), &new, proof(&token)).await.unwrap();
        let copy = Database::new(Kind::Sqlite).await;
        let target = Store::open_target(copy.url()).await.unwrap();
        store.copy_to(&target, &mut |_| {}).await.unwrap();
        assert_eq!(actor(&target, person, now()).await.role(), Role::Triager);
        assert!(target.token_of(token.hash()).await.unwrap().is_some());
        assert!(target.session_of(session.hash()).await.unwrap().is_none());
    }
}
