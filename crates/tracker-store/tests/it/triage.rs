//! Decisions, the queue and rules in the database, each test on both.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail as its body does")]

mod answers;
mod deciding;
mod families;
mod histories;
mod many;
mod once;
mod reading;
mod rules;
mod two;

use jiff::{SignedDuration, Timestamp};
use tracker_match::FindingStatus::{self, Affected};
use tracker_record::Source;
use tracker_store::view::{Page, PageRequest};
use tracker_store::{Act, ActOutcome, ItemId, NewRule, QueueRow, Store, Targets, TriageDetail};
use tracker_testkit::fixture::{
    self, derived, finding, incoming, matched, package, record, release,
};
use tracker_triage::query::Query;
use tracker_triage::{Action, Actor, ActorKind};

const CHANNEL: &str = "nixos-19.09";

fn alice() -> Actor {
    Actor::new(ActorKind::Person, "alice")
}

fn item(vulnerability: &str, family: &str) -> ItemId {
    ItemId {
        vulnerability: vulnerability.to_owned(),
        distribution: "nixpkgs".to_owned(),
        family: family.to_owned(),
    }
}

/// A rule until tomorrow that may hide anything.
fn rule(query: &str) -> NewRule<'_> {
    NewRule {
        query,
        expires: tomorrow(),
        reason: None,
        hides_severe: true,
    }
}

/// Three vulnerabilities, musl and zlib on one channel.
async fn prepared(store: &Store) {
    let batch = (1..=3).map(|number| {
        let mut one = record(
            Source::Nvd,
            &format!("CVE-2024-000{number}"),
            &format!("Flaw {number}"),
        );
        one.cvss.push(fixture::cvss(30 * number));
        incoming(one)
    });
    store.put_records(batch.collect()).await.unwrap();
    let packages = vec![
        package("musl", "musl", "1.1.22"),
        package("zlib", "zlib", "1.2"),
        package("curl", "curl", "8.0"),
    ];
    store
        .put_release(&release(CHANNEL, "aaa", "2024-01-01T00:00:00Z"), packages)
        .await
        .unwrap();
}

/// Derives what is due: musl in every vulnerability, with a status; zlib in the first, affected.
async fn derive(store: &Store, status: FindingStatus) {
    let inventory = store.current_packages("nixpkgs").await.unwrap();
    let due = store.due(&inventory, 100).await.unwrap();
    let found = due.vulnerabilities.iter().map(|due| {
        let musl = finding(CHANNEL, "musl", "1.1.22", status);
        let mut matches = vec![matched(&due.id, "musl", 0.9, vec![musl])];
        if due.id.ends_with('1') {
            let zlib = finding(CHANNEL, "zlib", "1.2", Affected);
            matches.push(matched(&due.id, "zlib", 0.5, vec![zlib]));
        }
        derived(&due.id, matches)
    });
    store
        .put_derivation("nixpkgs", found.collect(), due.mark)
        .await
        .unwrap();
}

/// Makes everything due again.
async fn release_again(store: &Store, revision: &str, released: &str) {
    let packages = vec![
        package("musl", "musl", "1.1.24"),
        package("zlib", "zlib", "1.2"),
        package("curl", "curl", "8.0"),
    ];
    store
        .put_release(&release(CHANNEL, revision, released), packages)
        .await
        .unwrap();
}

async fn queue(store: &Store, query: &str) -> Page<QueueRow> {
    let query = Query::parse(query).unwrap();
    let request = PageRequest {
        limit: 100,
        ..PageRequest::default()
    };
    store
        .queue(&query, Timestamp::now(), Some("alice"), &request)
        .await
        .unwrap()
}

/// What a query finds, as `1/musl`, in order.
async fn found(store: &Store, query: &str) -> Vec<String> {
    let page = queue(store, query).await;
    assert_eq!(page.total, Some(page.rows.len() as u64));
    page.rows
        .iter()
        .map(|row| format!("{}/{}", &row.id.vulnerability[12..], row.id.family))
        .collect()
}

async fn detail(store: &Store, vulnerability: &str, family: &str) -> TriageDetail {
    let found = store
        .triage_item(&item(vulnerability, family), Timestamp::now())
        .await
        .unwrap();
    found.expect("it is in the queue")
}

async fn decide(store: &Store, targets: Targets, action: Action) -> ActOutcome {
    let act = Act {
        targets,
        action,
        reason: Some("so it is".to_owned()),
        dry_run: false,
    };
    store.decide(&alice(), &act).await.unwrap()
}

fn one(vulnerability: &str, family: &str) -> Targets {
    Targets::Items(vec![item(vulnerability, family)])
}

fn tomorrow() -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(24)
}

/// That everything stored follows from the log, and making it anew changes nothing.
async fn follows(store: &Store) {
    assert_eq!(store.check_triage(&mut || {}).await.unwrap(), []);
    assert_eq!(store.rebuild_triage(&mut || {}).await.unwrap(), 0);
    assert_eq!(store.check(true, &mut || {}).await.unwrap(), []);
}
