//! Two of each program on one database, and one of them killed: what was acknowledged is there once, nothing twice.
//! On SQLite, which is for one of each, the killed one is started again.

use crate::operate::Service;
use crate::program::command;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use tracker_people::{NewToken, Principal, Role, Scope, Secret, SecretKind};
use tracker_store::{Giver, Identity, NewProof, Store};
use tracker_testkit::scale::{self, Scale};
use tracker_testkit::{Database, Kind, on_both_databases};
use tracker_triage::{ActorKind, Event};

const SCALE: Scale = Scale {
    vulnerabilities: 420,
    packages: 60,
};

/// When a `serve` is killed, in hundredths of the time that the whole decision takes.
const KILLS: [u32; 4] = [15, 50, 85, 100];

/// A triager's token.
pub(crate) async fn token(store: &Store) -> String {
    let now = Timestamp::now();
    let identity = Identity {
        provider: "local",
        subject: "triager",
        login: "triager",
    };
    let person = store.person_of(&identity, now).await.unwrap();
    let given = store.grant_role(
        person,
        Role::Triager,
        Giver::CommandLine,
        "the test's",
        None,
        now,
    );
    assert!(given.await.unwrap());
    let held = store.person(person).await.unwrap().unwrap();
    let asks = Principal::in_session(held.person, Role::Triager);
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
    let added = store.add_token(asks.permit().unwrap(), &token, proof).await;
    added.unwrap().unwrap();
    secret.reveal()
}

/// A decision about every match, under a key; read by [`answer`].
pub(crate) fn send(address: &str, token: &str, round: usize) -> TcpStream {
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
pub(crate) fn answer(mut stream: TcpStream) -> Option<Value> {
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

    async fn a_worker_that_is_killed_within_an_import_is_taken_over(database) {
        let feed = Feed::start();
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        // Undisturbed, for comparison.
        let control = Database::new(Kind::Sqlite).await;
        let expected = control.open().await;
        let alone = feed.worker(folders[0].path(), control.url(), "alone");
        until(&expected, ENTRIES).await;
        drop(alone);

        let store = database.open().await;
        let first = feed.worker(folders[0].path(), database.url(), "first");
        until(&store, 1).await;
        let two = database.kind() == Kind::Postgres;
        let second = two.then(|| feed.worker(folders[1].path(), database.url(), "second"));
        drop(first);
        let held = store.known_digests().await.unwrap().len();
        assert!(held < ENTRIES, "it was done already");
        let second = second.unwrap_or_else(|| feed.worker(folders[1].path(), database.url(), "second"));
        until(&store, ENTRIES).await;
        drop(second);
        assert_eq!(rows(&store).await, rows(&expected).await);
        assert_eq!(store.check(true, &mut || ()).await.unwrap(), []);
    }
}

/// Entries of the feed: several transactions.
const ENTRIES: usize = 6000;

fn entry(number: usize) -> String {
    format!("CVE-2020-{:05}", 10_000 + number)
}

/// A server of one feed.
struct Feed {
    url: String,
}

impl Feed {
    /// Starts one, which ends with the process.
    fn start() -> Feed {
        let mut text = format!(
            r#"{{"title":"t","catalogVersion":"2025.01.01","dateReleased":"2025-01-01T00:00:00.0000Z","count":{ENTRIES},"vulnerabilities":["#
        );
        for number in 0..ENTRIES {
            let comma = if number == 0 { "" } else { "," };
            let id = entry(number);
            let _ = write!(
                text,
                r#"{comma}{{"cveID":"{id}","vendorProject":"v","product":"p","dateAdded":"2024-01-01","dueDate":"2024-02-01","knownRansomwareCampaignUse":"Unknown"}}"#
            );
        }
        text.push_str("]}");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("kev=http://{}/kev.json", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = [0; 4096];
                let _ = stream.read(&mut head);
                let length = text.len();
                // Whoever asked may be killed before the end.
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
                );
            }
        });
        Feed { url }
    }

    fn worker(&self, folder: &Path, database: &str, name: &str) -> Worker {
        let arguments = [
            "worker",
            "--feed",
            "kev",
            "--feed-url",
            &self.url,
            "--database",
            database,
        ];
        let pace = [
            "--lease", "2", "--poll", "1", "--name", name, "--spool", "spool",
        ];
        let mut command = command(folder);
        command.args(arguments).args(pace);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Worker(command.spawn().unwrap())
    }
}

/// Waits until so many records are held.
async fn until(store: &Store, records: usize) {
    let started = Instant::now();
    while store.known_digests().await.unwrap().len() < records {
        assert!(
            started.elapsed() < Duration::from_mins(2),
            "it makes no headway"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A worker, which is killed (SIGKILL) when it is dropped.
struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        let killed = self.0.kill().and_then(|()| self.0.wait());
        killed.expect("it is a child of this process");
    }
}

/// All that is held of every vulnerability, times aside.
async fn rows(store: &Store) -> Vec<String> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = store.all_vulnerabilities(after, 1000).await.unwrap();
        if page.vulnerabilities.is_empty() {
            break;
        }
        rows.extend(page.vulnerabilities.iter().map(|one| format!("{one:?}")));
        after = Some(page.mark);
    }
    assert_eq!(rows.len(), ENTRIES);
    for number in (0..ENTRIES).step_by(100) {
        let detail = store.vulnerability(&entry(number)).await.unwrap().unwrap();
        rows.push(format!("{:?} {}", detail.summary, detail.history.len()));
    }
    rows.sort_unstable();
    rows
}
