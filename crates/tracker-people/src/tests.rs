//! The rules of people as properties: over all roles, scopes, instants and texts.

use super::*;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::collections::BTreeSet;
use tracker_record::Severity;

fn person(id: i64) -> Person {
    Person {
        id: PersonId(id),
        handle: format!("person{id}"),
        github: None,
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn seconds(number: i64) -> SignedDuration {
    SignedDuration::from_secs(number)
}

fn roles() -> impl Strategy<Value = Role> {
    proptest::sample::select(Role::ALL.to_vec())
}

fn scopes() -> impl Strategy<Value = Scopes> {
    proptest::sample::subsequence(Scope::ALL.to_vec(), 0..=6)
        .prop_map(|scopes| scopes.into_iter().collect())
}

fn kinds() -> impl Strategy<Value = SecretKind> {
    proptest::sample::select(vec![
        SecretKind::Session,
        SecretKind::Token,
        SecretKind::Link,
        SecretKind::SignIn,
    ])
}

#[test]
fn roles_and_scopes_are_read_as_they_are_written() {
    for role in Role::ALL {
        assert_eq!(role.word().parse(), Ok(role));
    }
    assert!("root".parse::<Role>().is_err());
    assert_eq!(
        "decide read".parse::<Scopes>().unwrap().to_string(),
        "read decide"
    );
    assert!("read everything".parse::<Scopes>().is_err());
}

#[test]
fn who_may_what() {
    let may = |role: Role| -> Vec<Permission> {
        let actor = Principal::in_session(person(1), role);
        let all = Permission::ALL.iter().copied();
        all.filter(|permission| actor.may(*permission)).collect()
    };
    use Permission::{
        Administer, Comment, Decide, HandleEmbargo, KeepAccount, KeepViews, MakeTokens, Propose,
        SeeEmbargo, Suppress,
    };
    assert_eq!(may(Role::Anonymous), []);
    let maintainer = [
        Propose,
        Comment,
        KeepViews,
        KeepAccount,
        MakeTokens,
        SeeEmbargo,
    ];
    assert_eq!(may(Role::Maintainer), maintainer);
    let triager = [
        Propose,
        Comment,
        KeepViews,
        KeepAccount,
        MakeTokens,
        SeeEmbargo,
        Decide,
        Suppress,
        HandleEmbargo,
    ];
    assert_eq!(may(Role::Triager), triager);
    assert_eq!(
        may(Role::Administrator),
        [triager.as_slice(), &[Administer]].concat()
    );
}

#[test]
fn a_refusal_says_what_is_missing() {
    let said = |actor: &Principal| actor.permit::<Decide>().unwrap_err().to_string();
    assert_eq!(
        said(&Principal::anonymous()),
        "only those who are signed in may decide"
    );
    let maintainer = Principal::in_session(person(1), Role::Maintainer);
    assert_eq!(said(&maintainer), "only a triager may decide");
    let token = Principal::by_token(person(1), Role::Triager, "read propose".parse().unwrap());
    assert_eq!(said(&token), "a token needs the scope `decide` to decide");
    let denied = token.permit::<HandleEmbargo>().unwrap_err();
    assert_eq!(
        denied.to_string(),
        "a token needs the scope `embargo` to handle embargoes"
    );
    let all = Principal::by_token(
        person(1),
        Role::Administrator,
        Scope::ALL.into_iter().collect(),
    );
    let denied = all.permit::<MakeTokens>().unwrap_err();
    assert_eq!(
        denied.to_string(),
        "no token may make tokens, only a session"
    );
}

proptest! {
    #[test]
    fn a_later_role_may_all_that_an_earlier_one_may(a in roles(), b in roles(), scopes in scopes()) {
        let (least, most) = (a.min(b), a.max(b));
        for permission in Permission::ALL {
            for (less, more) in [
                (Principal::in_session(person(1), least), Principal::in_session(person(1), most)),
                (Principal::by_token(person(1), least, scopes), Principal::by_token(person(1), most, scopes)),
            ] {
                prop_assert!(!less.may(*permission) || more.may(*permission));
            }
        }
    }

    #[test]
    fn a_token_may_no_more_than_a_session_of_the_same_person(role in roles(), scopes in scopes()) {
        let session = Principal::in_session(person(1), role);
        let token = Principal::by_token(person(1), role, scopes);
        if let Ok(permit) = token.permit::<Propose>() {
            prop_assert_eq!(permit.actor(), Actor::new(ActorKind::Token, "person1"));
        }
        for permission in Permission::ALL {
            prop_assert!(!token.may(*permission) || session.may(*permission));
            prop_assert!(!token.may(*permission) || permission.scope().is_some());
        }
    }

    #[test]
    fn a_permit_is_of_whom_asked(role in roles()) {
        let actor = Principal::in_session(person(7), role);
        match actor.permit::<Propose>() {
            Ok(permit) => {
                prop_assert_eq!(permit.by(), PersonId(7));
                prop_assert_eq!(permit.actor(), Actor::new(ActorKind::Person, "person7"));
                prop_assert!(role >= Role::Maintainer);
            }
            Err(denied) => prop_assert_eq!((role, denied.lacks), (Role::Anonymous, Lacks::SignIn)),
        }
    }

    #[test]
    fn a_secret_is_read_as_it_is_given(kind in kinds(), bytes: [u8; 32], other in kinds()) {
        let secret = Secret::new(kind, bytes);
        let text = secret.reveal();
        prop_assert_eq!(Secret::read(kind, &text).unwrap().hash(), secret.hash());
        if other != kind {
            prop_assert_eq!(Secret::read(other, &text).unwrap_err(), SecretError::Kind(other));
            prop_assert!(Secret::new(other, bytes).hash() != secret.hash());
        }
        prop_assert!(secret.is_state(&secret.state()));
        // What is given to others leads neither to the secret nor to what else is made of it.
        let letters = text.strip_prefix(kind.prefix()).unwrap();
        for shown in [secret.state(), secret.verifier(), secret.nonce()] {
            prop_assert_eq!(shown.len(), 43);
            prop_assert!(!letters.contains(&shown[..10]));
        }
        prop_assert_ne!(secret.state(), secret.verifier());
        prop_assert_ne!(secret.sealing_key(), *secret.hash().as_bytes());
        let debug = format!("{secret:?} {:?}", secret.hash());
        prop_assert!(!debug.contains(&letters[..8]));
    }

    #[test]
    fn a_slip_in_a_secret_is_found(bytes: [u8; 32], place in 0_usize..48, letter in "[A-Za-z0-9_-]") {
        let text = Secret::new(SecretKind::Token, bytes).reveal();
        let place = SecretKind::Token.prefix().len() + place;
        let mut slip = text.clone();
        slip.replace_range(place..=place, &letter);
        if slip != text {
            prop_assert_eq!(Secret::read(SecretKind::Token, &slip).unwrap_err(), SecretError::Damaged);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(kind in kinds(), text in ".{0,100}") {
        prop_assert!(Secret::read(kind, &text).is_err());
        let prefixed = format!("{}{text}", kind.prefix());
        prop_assert!(Secret::read(kind, &prefixed).is_err());
        let secret = Secret::new(kind, [7; 32]);
        prop_assert!(!secret.is_state(&text));
    }

    #[test]
    fn a_session_ends_and_stays_ended(used in 0_i64..3_000_000, now in 0_i64..6_000_000, later in 0_i64..6_000_000) {
        let rules = SessionRules::default();
        let life = Lifetime { created: at(0), used: at(used), revoked: None };
        let (now, later) = (used + now, used + now + later);
        if rules.state(&life, at(now)) != SessionState::Live {
            prop_assert!(rules.state(&life, at(later)) != SessionState::Live);
        }
        let live = now < rules.absolute.as_secs() && now - used < rules.idle.as_secs();
        prop_assert_eq!(rules.state(&life, at(now)) == SessionState::Live, live);
        let revoked = Lifetime { revoked: Some(at(0)), ..life };
        prop_assert_eq!(rules.state(&revoked, at(now)), SessionState::Revoked);
        // A use is noted long before the session would be idle.
        if now - used >= rules.idle.as_secs() / 2 {
            prop_assert!(rules.is_note_due(&life, at(now)));
        }
    }

    #[test]
    fn a_token_ends(days in 0_u16..1_000, role in roles(), scopes in scopes(), after in 0_i64..50_000_000) {
        let made = NewToken::new("ci", scopes, days, role, at(0));
        let allowed = scopes.iter().all(|scope| scope.role() <= role);
        let right = !scopes.is_empty() && allowed && (1..=MAX_TOKEN_DAYS).contains(&days);
        prop_assert_eq!(made.is_ok(), right);
        if let Ok(made) = made {
            let life = made.lifetime();
            let live = after < i64::from(days) * 86_400;
            prop_assert_eq!(life.state(at(after)) == TokenState::Live, live);
            let revoked = TokenLifetime { revoked: Some(at(0)), ..life };
            prop_assert_eq!(revoked.state(at(after)), TokenState::Revoked);
        }
    }

    #[test]
    fn a_role_of_a_team_holds_for_a_time(granted in proptest::option::of(roles()), team in roles(), age in 0_i64..200_000, blocked: bool) {
        let rules = StandingRules::default();
        let standing = Standing { blocked, granted, membership: Some(Membership { role: team, confirmed: at(0) }) };
        let role = rules.role(&standing, at(age));
        if blocked {
            prop_assert_eq!(role, Role::Anonymous);
        } else {
            let team = if age < rules.hold.as_secs() { team } else { Role::Anonymous };
            let wanted = Role::Maintainer.max(granted.unwrap_or_default()).max(team);
            prop_assert_eq!(role, wanted);
        }
    }

    #[test]
    fn an_embargo_shows_to_those_it_names_and_to_all_after_it(people in proptest::collection::btree_set(1_i64..6, 0..4), until in proptest::option::of(0_i64..100), now in 0_i64..100, asked in 1_i64..6, role in roles()) {
        let named: BTreeSet<PersonId> = people.iter().copied().map(PersonId).collect();
        let embargo = Embargo { people: named, until: until.map(at) };
        let over = until.is_some_and(|until| now >= until);
        prop_assert_eq!(embargo.shows_to(&Principal::anonymous(), at(now)), over);
        let actor = Principal::in_session(person(asked), role);
        let named = people.contains(&asked) && role != Role::Anonymous;
        prop_assert_eq!(embargo.shows_to(&actor, at(now)), over || named);
    }

    #[test]
    fn one_person_is_never_two(from in proptest::option::of(0_usize..6), severity in 0_usize..6, people in proptest::collection::vec(1_i64..4, 0..5)) {
        const ALL: [Severity; 6] = [Severity::Unknown, Severity::None, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
        let rule = SecondPerson { from: from.map(|index| ALL[index]) };
        let ids: Vec<PersonId> = people.iter().copied().map(PersonId).collect();
        let distinct = people.iter().collect::<BTreeSet<_>>().len();
        let needed = from.is_some_and(|from| severity >= from);
        let enough = distinct >= if needed { 2 } else { 1 };
        prop_assert_eq!(rule.agreement(ALL[severity], &ids) == Agreement::Enough, enough);
    }

    #[test]
    fn a_rate_is_never_passed(burst in 1_u32..20, every in 1_i64..30, pauses in proptest::collection::vec(0_i64..40, 1..120)) {
        let rate = Rate { burst, every: seconds(every) };
        let (mut now, mut kept) = (0, None);
        let mut taken = Vec::new();
        for pause in pauses {
            now += pause;
            match rate.take(kept, at(now)) {
                Ok(one) => {
                    prop_assert!(one.left < burst);
                    kept = Some(one.full);
                    taken.push(now);
                }
                Err(wait) => {
                    // Who waits as long as told gets one; who comes a second early does not.
                    let told = wait.wait.as_secs();
                    prop_assert!(told >= 1 && told <= every);
                    prop_assert!(rate.take(kept, at(now + told)).is_ok());
                    prop_assert!(rate.take(kept, at(now + told - 1)).is_err());
                }
            }
        }
        for (first, from) in taken.iter().enumerate() {
            for (last, to) in taken.iter().enumerate().skip(first) {
                prop_assert!((last - first + 1) as i64 <= i64::from(burst) + (to - from) / every);
            }
        }
    }

    #[test]
    fn a_clock_that_was_set_back_locks_nobody_out(burst in 1_u32..20, every in 1_i64..30, ahead in 0_i64..1_000_000) {
        let rate = Rate { burst, every: seconds(every) };
        if let Err(wait) = rate.take(Some(at(ahead)), at(0)) {
            prop_assert!(wait.wait <= rate.every);
        }
    }
}
