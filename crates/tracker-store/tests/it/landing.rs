//! Fixes that landed, pull requests, what channels wait for, and the event that a fix is everywhere.
//!
//! Invariant: what was put is read back on both databases, and an older telling never replaces a newer one.

use tracker_landing::hydra::{ChannelJob, JobsetState};
use tracker_landing::request::{PullRequest, RequestState};
use tracker_match::FindingStatus::{Affected, Fixed};
use tracker_record::Source;
use tracker_store::{ChannelWait, LandedFix, PullCounts, Store};
use tracker_testkit::fixture::{at, derived, finding, incoming, matched, package, record, release};
use tracker_testkit::on_both_databases;

const ID: &str = "CVE-2024-0001";

fn pull(number: u32, updated: &str, labels: &[&str]) -> PullRequest {
    PullRequest {
        number,
        title: format!("curl: fix \0 {number}"),
        author: "someone".to_owned(),
        state: RequestState::Merged,
        base: "master".to_owned(),
        head: "fix".to_owned(),
        created: at("2024-01-01T00:00:00Z"),
        updated: at(updated),
        merged: Some(at("2024-01-02T00:00:00Z")),
        merge_commit: Some(
            "00112233445566778899aabbccddeeff00112233"
                .parse()
                .expect("the fixture is valid"),
        ),
        labels: labels.iter().map(ToString::to_string).collect(),
        vulnerabilities: vec![ID.to_owned()],
        backport_of: Vec::new(),
    }
}

/// A vulnerability that affects curl on two channels.
async fn fill(store: &Store) {
    let one = record(Source::CveList, ID, "An overflow in curl");
    store
        .put_records(vec![incoming(one)])
        .await
        .expect("the fixture is valid");
    for (channel, revision) in [("nixos-24.05", "aaa"), ("nixos-unstable", "bbb")] {
        let mut curl = package("curl", "curl", "8.0");
        curl.package.maintainers.push("someone".to_owned());
        let release = release(channel, revision, "2024-06-01T00:00:00Z");
        store
            .put_release(&release, vec![curl])
            .await
            .expect("the fixture is valid");
    }
    put(store, [Affected, Affected]).await;
}

async fn put(store: &Store, statuses: [tracker_match::FindingStatus; 2]) {
    let inventory = store
        .current_packages("nixpkgs")
        .await
        .expect("the fixture is valid");
    let due = store
        .due(&inventory, 100)
        .await
        .expect("the fixture is valid");
    let findings = ["nixos-24.05", "nixos-unstable"]
        .into_iter()
        .zip(statuses)
        .map(|(channel, status)| finding(channel, "curl", "8.0", status))
        .collect();
    let found = vec![derived(ID, vec![matched(ID, "curl", 0.9, findings)])];
    store
        .put_derivation("nixpkgs", found, due.mark)
        .await
        .expect("the fixture is valid");
}

fn fix(channel: &str) -> LandedFix {
    LandedFix {
        vulnerability: ID.to_owned(),
        channel: channel.to_owned(),
        attribute: "curl".to_owned(),
        fix: "0123".to_owned(),
        pull_request: Some(7),
        release: "nixos-24.05.1".to_owned(),
        landed: at("2024-06-02T00:00:00Z"),
    }
}

async fn due(store: &Store) -> usize {
    let inventory = store
        .current_packages("nixpkgs")
        .await
        .expect("the fixture is valid");
    store
        .due(&inventory, 100)
        .await
        .expect("the fixture is valid")
        .vulnerabilities
        .len()
}

on_both_databases! {
    async fn pull_requests_are_found_by_number_and_by_labels(database) {
        let store = database.open().await;
        let both = ["security", "stable"];
        let first = [pull(1, "2024-02-01T00:00:00Z", &both), pull(2, "2024-02-02T00:00:00Z", &["security"])];
        let counts = store.put_pulls(&first).await.unwrap();
        assert_eq!(counts, PullCounts { added: 2, ..PullCounts::default() });
        // Told again, told older, told newer.
        let again = [pull(1, "2024-02-01T00:00:00Z", &[]), pull(2, "2024-01-01T00:00:00Z", &[])];
        assert_eq!(store.put_pulls(&again).await.unwrap(), PullCounts { unchanged: 2, ..PullCounts::default() });
        let held = store.pull(1).await.unwrap().unwrap();
        assert_eq!(held.title, "curl: fix \u{fffd} 1");
        assert_eq!(held.labels, both);
        let labelled = async |labels: &[&str]| {
            let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
            let pulls = store.pulls_labelled(&labels, 10).await.unwrap();
            pulls.into_iter().map(|pull| pull.number).collect::<Vec<_>>()
        };
        assert_eq!(labelled(&["security"]).await, [2, 1]);
        assert_eq!(labelled(&["security", "stable"]).await, [1]);
        assert!(labelled(&["other"]).await.is_empty() && labelled(&[]).await.is_empty());
        assert_eq!(store.put_pulls(&[pull(1, "2024-03-01T00:00:00Z", &["stable"])]).await.unwrap().changed, 1);
        assert_eq!(labelled(&["security"]).await, [2]);
        assert_eq!(store.pull_labels(9).await.unwrap(), [("security".to_owned(), 1), ("stable".to_owned(), 1)]);
        let notes = store.pull_notes().await.unwrap();
        assert_eq!(notes.iter().map(|note| note.number).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(notes[0].vulnerabilities, [ID]);
        assert_eq!(store.pulls_updated().await.unwrap(), Some(at("2024-03-01T00:00:00Z")));
        assert_eq!(store.pull(3).await.unwrap(), None);
    }

    async fn a_fix_that_comes_or_goes_makes_its_vulnerability_due(database) {
        let store = database.open().await;
        fill(&store).await;
        assert_eq!(due(&store).await, 0);
        assert_eq!(store.set_landed_fixes(vec![fix("nixos-24.05")]).await.unwrap(), 1);
        assert_eq!(due(&store).await, 1);
        put(&store, [Fixed, Affected]).await;
        assert_eq!(store.set_landed_fixes(vec![fix("nixos-24.05")]).await.unwrap(), 0);
        assert_eq!(due(&store).await, 0);
        assert_eq!(store.landed_fixes_of(vec![ID.to_owned()]).await.unwrap(), [fix("nixos-24.05")]);
        assert_eq!(store.set_landed_fixes(Vec::new()).await.unwrap(), 1);
        assert_eq!(due(&store).await, 1);
        assert!(store.landed_fixes().await.unwrap().is_empty());
        let findings = store.findings_of(vec![ID.to_owned()]).await.unwrap();
        assert_eq!(findings.len(), 2);
        assert_eq!((findings[0].family.as_str(), findings[0].attribute.as_str()), ("curl", "curl"));
    }

    async fn a_fix_in_every_supported_channel_is_an_event_once(database) {
        let store = database.open().await;
        fill(&store).await;
        put(&store, [Affected, Fixed]).await;
        assert!(store.fixed_events(10).await.unwrap().is_empty());
        put(&store, [Fixed, Fixed]).await;
        put(&store, [Fixed, Fixed]).await;
        let events = store.fixed_events(10).await.unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].text, "fixed in every supported channel: nixos-24.05, nixos-unstable");
        assert_eq!(events[0].families, ["curl"]);
        let concerned = store.concerned(vec![ID.to_owned()]).await.unwrap();
        assert!(concerned[ID].maintainers.contains("someone") && concerned[ID].channels.len() == 2);
    }

    async fn a_channel_that_has_ended_holds_no_fix_up(database) {
        let store = database.open().await;
        fill(&store).await;
        store.set_channel_support("nixos-24.05", Some(at("2024-12-31T00:00:00Z"))).await.unwrap();
        put(&store, [Affected, Fixed]).await;
        let events = store.fixed_events(10).await.unwrap();
        assert_eq!(events[0].text, "fixed in every supported channel: nixos-unstable");
        assert_eq!(store.channel_support().await.unwrap().len(), 1);
        store.set_channel_support("nixos-24.05", None).await.unwrap();
        assert!(store.channel_support().await.unwrap().is_empty());
    }

    async fn what_a_channel_waits_for_is_remembered(database) {
        let store = database.open().await;
        let mut wait = ChannelWait {
            channel: "nixos-unstable".to_owned(),
            state: JobsetState::new(ChannelJob::of("nixos-unstable").unwrap()),
            checked: at("2024-06-01T00:00:00Z"),
        };
        store.put_channel_wait(&wait).await.unwrap();
        wait.checked = at("2024-06-02T00:00:00Z");
        store.put_channel_wait(&wait).await.unwrap();
        assert_eq!(store.channel_waits().await.unwrap(), [wait]);
    }
}
