//! Two of `serve` on one database, and one of them killed: what was acknowledged is there once, nothing twice. On
//! SQLite, which is for one, the killed one is started again.

use crate::operate::Service;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;
use tracker_people::{Actor, NewToken, Role, Scope, Secret, SecretKind};
use tracker_store::{Giver, Identity, NewProof, Store};
use tracker_testkit::scale::{self, Scale};
use tracker_testkit::{Kind, on_both_databases};
use tracker_triage::{ActorKind, Event};

const SCALE: Scale = Scale {
    vulnerabilities: 420,
    packages: 60,
};

/// When a `serve` is killed, in hundredths of the time that the whole decision takes.
const KILLS: [u32; 4] = [15, 50, 85, 100];

/// A triager's token.
async fn token(store: &Store) -> String {
    let now = Timestamp::now();
    let identity = Identity {
        provider: "local",
        subject: "triager",
        login: "triager",
    };
    let person = store.person_of(&identity, now).await.unwrap();
    let given = store.grant_role(person, Role::Triager, Giver::CommandLine, "the test's", now);
    assert!(given.await.unwrap());
    let held = store.person(person).await.unwrap().unwrap();
    let actor = Actor::in_session(held.person, Role::Triager);
    let scopes = Scope::ALL
        .into_iter()
        .filter(|scope| scope.role() <= Role::Triager);
    let token = NewToken::new("test", scopes.collect(), 1, Role::Triager, now).unwrap();
    let secret = Secret::new(SecretKind::Token, [7; 32]);
    let proof = NewProof {
        hash: secret.hash(),
        provider: "local",
        sealed: b"",
    };
    let added = store
        .add_token(actor.permit().unwrap(), &token, proof)
        .await;
    added.unwrap().unwrap();
    secret.reveal()
}

/// A decision about every match, under a key; read by [`answer`].
fn send(address: &str, token: &str, round: usize) -> TcpStream {
    let body =
        json!({ "query": "", "decision": { "do": "assign", "to": format!("round-{round}") } });
    let body = body.to_string();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /api/v1/decisions HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
         idempotency-key: \"round-{round}\"\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    stream
}

/// The answer, if one came.
fn answer(mut stream: TcpStream) -> Option<Value> {
    let mut answer = String::new();
    // Whoever is killed resets the connection.
    let _ = stream.read_to_string(&mut answer);
    let (head, body) = answer.split_once("\r\n\r\n")?;
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(body).ok()
}

/// How often each match was assigned to somebody, by the log.
async fn assigned(store: &Store) -> BTreeMap<String, BTreeMap<String, usize>> {
    let mut all: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for number in 0..SCALE.vulnerabilities {
        let id = scale::vulnerability_id(number);
        let log = store.triage_log(&id, 0, 1000).await.unwrap().unwrap();
        for entry in log {
            let by_token = entry.actor.kind == ActorKind::Token;
            if let Event::Assigned {
                subject,
                to: Some(to),
            } = entry.event
                && by_token
            {
                let times = all.entry(to).or_default();
                *times.entry(format!("{id} {}", subject.family)).or_default() += 1;
            }
        }
    }
    all
}

on_both_databases! {
    async fn a_serve_that_is_killed_within_a_decision_about_many_loses_and_doubles_nothing(database) {
        let store = database.open().await;
        scale::fill(&store, SCALE, &mut |_| ()).await.unwrap();
        let token = token(&store).await;
        let matches = store.overview().await.unwrap().matches;
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let start = |place: usize| Service::start(folders[place].path(), database.url(), &[]);
        let mut first = start(0);
        let started = Instant::now();
        let whole = answer(send(&first.pages, &token, 0)).unwrap();
        let time = started.elapsed();
        assert_eq!(whole["changed"].as_array().unwrap().len() as u64, matches);
        let mut unanswered = 0;
        for (round, share) in (1..).zip(KILLS) {
            let second = (database.kind() == Kind::Postgres).then(|| start(1));
            let stream = send(&first.pages, &token, round);
            std::thread::sleep(time * share / 100);
            first.kill();
            let acknowledged = answer(stream);
            unanswered += usize::from(acknowledged.is_none());
            let other = second.unwrap_or_else(|| start(0));
            let again = answer(send(&other.pages, &token, round)).unwrap();
            assert_eq!(again["changed"].as_array().unwrap().len() as u64, matches, "round {round}");
            if let Some(acknowledged) = acknowledged {
                assert_eq!(acknowledged, again, "round {round}");
            }
            let third = answer(send(&other.pages, &token, round)).unwrap();
            assert_eq!(third, again, "round {round}");
            first = other;
        }
        assert!(unanswered > 0, "no kill came before its answer");
        let log = assigned(&store).await;
        assert_eq!(log.len(), KILLS.len() + 1);
        for (to, times) in log {
            assert_eq!(times.len() as u64, matches, "{to}");
            assert!(times.values().all(|times| *times == 1), "{to}: {times:?}");
        }
        assert_eq!(store.check(false, &mut || ()).await.unwrap(), []);
        assert_eq!(store.check_triage(&mut || ()).await.unwrap(), []);
    }
}
