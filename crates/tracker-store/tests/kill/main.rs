//! What was acknowledged survives a kill: a child process writes batches and derives, is killed at any moment, and
//! the next one completes its work without loss or double. Without a harness, because the child is this program.
//!
//! Invariant: the parent counts only what the child acknowledged in writing before it was killed.
#![allow(
    clippy::print_stdout,
    reason = "acknowledgements and the result go to standard output"
)]

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;
use tracker_match::FindingStatus;
use tracker_record::Source;
use tracker_store::view::{PageRequest, VulnerabilityFilter};
use tracker_store::{Derived, Store};
use tracker_testkit::{Database, Kind, fixture};

const BATCHES: usize = 40;
const BATCH: usize = 25;
const CHANNEL: &str = "nixos-24.05";

fn id(number: usize) -> String {
    format!("CVE-2024-{number:05}")
}

/// A batch and the word that only its records have.
fn batch(number: usize) -> Vec<tracker_store::IncomingRecord> {
    let numbers = number * BATCH..(number + 1) * BATCH;
    let record = |number| fixture::record(Source::Nvd, &id(number), "Overflow in musl");
    numbers
        .map(|number| fixture::incoming(record(number)))
        .collect()
}

fn found(id: &str) -> Derived {
    let finding = fixture::finding(CHANNEL, "musl", "1", FindingStatus::Affected);
    fixture::derived(id, vec![fixture::matched(id, "musl", 0.9, vec![finding])])
}

/// Writes all batches, acknowledging each, and derives after each.
async fn write(url: &str, acknowledge: impl Fn(usize)) {
    let store = Store::open(url).await.expect("the database opens");
    let release = fixture::release(CHANNEL, "aaa", "2024-01-01T00:00:00Z");
    let packages = vec![fixture::package("musl", "musl", "1")];
    store
        .put_release(&release, packages)
        .await
        .expect("the release is kept");
    for number in 0..BATCHES {
        store
            .put_records(batch(number))
            .await
            .expect("the batch is kept");
        acknowledge(number);
        derive(&store).await;
    }
}

async fn derive(store: &Store) {
    let inventory = store
        .current_packages("nixpkgs")
        .await
        .expect("the packages can be read");
    loop {
        let due = store
            .due(&inventory, 10)
            .await
            .expect("what is due can be read");
        if due.vulnerabilities.is_empty() {
            break;
        }
        let found = due
            .vulnerabilities
            .iter()
            .map(|due| found(&due.id))
            .collect();
        let kept = store.put_derivation("nixpkgs", found, due.mark).await;
        kept.expect("the matches are kept");
    }
}

/// Runs the child, kills it a moment after it acknowledged some batches, gives how many those were.
fn killed_after(url: &str, batches: usize, pause: Duration) -> usize {
    let program = std::env::current_exe().expect("this program has a path");
    let mut child = Command::new(program)
        .args(["--write", url])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the child starts");
    let lines = BufReader::new(child.stdout.take().expect("the pipe was asked for")).lines();
    let mut acknowledged = 0;
    for line in lines {
        let number: usize = line
            .expect("the pipe can be read")
            .parse()
            .expect("a number");
        acknowledged = number + 1;
        if acknowledged == batches {
            std::thread::sleep(pause);
            child.kill().expect("the child can be killed");
        }
    }
    child.wait().expect("the child ends");
    acknowledged
}

/// What must hold after any kill.
async fn check(database: &Database, acknowledged: usize) {
    let store = database.open().await;
    let overview = store.overview().await.expect("the overview can be read");
    let held = overview.vulnerabilities as usize;
    assert_eq!(held % BATCH, 0, "batches are whole");
    assert!(
        held >= acknowledged * BATCH,
        "{held} held, {acknowledged} batches acknowledged"
    );
    let records = overview.sources.first().map_or(0, |source| source.records);
    assert_eq!(records as usize, held);
    for number in 0..held {
        let detail = store
            .vulnerability(&id(number))
            .await
            .expect("it can be read");
        let detail = detail.expect("every number up to the last is held");
        assert_eq!(detail.records.len(), 1);
        assert_eq!(
            detail.history.len(),
            1 + detail.matches.len(),
            "{:?}",
            detail.history
        );
    }
    // Each is matched or due, and the search index holds exactly what the list holds.
    let inventory = store
        .current_packages("nixpkgs")
        .await
        .expect("the packages can be read");
    let due = store
        .due(&inventory, 100_000)
        .await
        .expect("what is due can be read");
    assert_eq!(overview.matches as usize + due.vulnerabilities.len(), held);
    let search = VulnerabilityFilter {
        text: Some("overflow".to_owned()),
        ..VulnerabilityFilter::default()
    };
    for filter in [VulnerabilityFilter::default(), search] {
        let page = store
            .vulnerabilities(&filter, &PageRequest::default())
            .await;
        assert_eq!(page.expect("the list can be read").total, Some(held as u64));
    }
    store.close().await;
}

async fn survive(kind: Kind) {
    let database = Database::new(kind).await;
    for (round, batches) in [1, 3, 7, 12, 20, 30].into_iter().enumerate() {
        let pause = Duration::from_micros(900 * round as u64);
        let acknowledged = killed_after(database.url(), batches, pause);
        assert!(
            acknowledged >= batches && acknowledged < BATCHES,
            "{acknowledged} of {BATCHES}"
        );
        check(&database, acknowledged).await;
    }
    write(database.url(), |_| ()).await;
    check(&database, BATCHES).await;
    let store = database.open().await;
    let overview = store.overview().await.expect("the overview can be read");
    assert_eq!(
        (overview.vulnerabilities, overview.matches),
        ((BATCHES * BATCH) as u64, (BATCHES * BATCH) as u64)
    );
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, url] = arguments.as_slice()
        && flag == "--write"
    {
        return write(url, |number| println!("{number}")).await;
    }
    for kind in [Kind::Sqlite, Kind::Postgres] {
        survive(kind).await;
        println!("kill: {kind:?} survived");
    }
}
