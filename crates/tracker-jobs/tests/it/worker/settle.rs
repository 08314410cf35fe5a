//! Findings move by themselves when the worker has run: a channel that moves, a patch, an end of support; and where
//! that speaks against a decision, it is work again.

use super::bench::{Bench, run};
use crate::derive::{NVD, channel, graph, packages, release};
use crate::import::{bytes, import};
use jiff::Timestamp;
use std::time::Duration;
use tracker_jobs::{Plan, Task, Worker};
use tracker_store::view::PageRequest;
use tracker_store::{Act, ItemId, Store, Targets, TriageDetail};
use tracker_testkit::on_both_databases;
use tracker_triage::query::Query;
use tracker_triage::state::{DecidedState, FindingState};
use tracker_triage::{Action, Actor, ActorKind, Place};

fn musl() -> ItemId {
    ItemId {
        vulnerability: "CVE-2019-14697".to_owned(),
        distribution: "nixpkgs".to_owned(),
        family: "musl".to_owned(),
    }
}

async fn decide(store: &Store, action: Action) {
    let act = Act {
        targets: Targets::Items(vec![musl()]),
        action,
        reason: None,
        dry_run: false,
    };
    let alice = Actor::new(ActorKind::Person, "alice");
    store.decide(&alice, &act).await.unwrap();
}

/// Lets the worker match, and tells what came of it.
async fn matched(store: &Store, worker: &Worker) -> TriageDetail {
    store
        .run_job(&Task::Match.name(), Timestamp::now())
        .await
        .unwrap();
    assert_eq!(run(worker).await.done, 1);
    store
        .triage_item(&musl(), Timestamp::now())
        .await
        .unwrap()
        .unwrap()
}

/// Supports the channel for a day more: each release that comes in sets the end that its name tells, which is long ago.
async fn supported(store: &Store) {
    let end = Timestamp::now() + jiff::SignedDuration::from_hours(24);
    store.put_support("nixos-19.09", Some(end)).await.unwrap();
}

/// A supported channel with an affected package, and the worker that has matched it.
async fn affected(bench: &Bench, store: &Store) -> Worker {
    import(store, vec![bytes("nvd.json", NVD)]).await;
    channel(store, release("aaaa", 1), packages("1.1.22"), None).await;
    supported(store).await;
    let plan = Plan::from_iter([Task::Match]);
    let worker = bench.worker_of(store, "one", Duration::from_mins(1), plan);
    assert_eq!(run(&worker).await.done, 1);
    worker
}

async fn found(store: &Store, query: &str) -> usize {
    let query = Query::parse(query).unwrap();
    let request = PageRequest {
        limit: 10,
        ..PageRequest::default()
    };
    let page = store
        .queue(&query, Timestamp::now(), None, &request)
        .await
        .unwrap();
    page.rows.len()
}

on_both_databases! {
    async fn a_version_that_moves_fixes_and_contradicts_what_was_decided(database) {
        let bench = Bench::new().await;
        let store = database.open().await;
        let worker = affected(&bench, &store).await;
        decide(&store, Action::Confirm).await;
        let state = DecidedState::Affected;
        decide(&store, Action::SetState { place: Place::ALL, state }).await;
        assert_eq!(found(&store, "is:open").await, 0, "it is decided");

        channel(&store, release("bbbb", 2), packages("1.1.24"), None).await;
        supported(&store).await;
        let moved = matched(&store, &worker).await;
        let finding = &moved.findings[0];
        assert_eq!((finding.state, finding.contradicted), (FindingState::Affected, true), "a person's decision holds");
        assert_eq!(found(&store, "is:open is:contradicted").await, 1, "and is work again");
        decide(&store, Action::WithdrawState { place: Place::ALL }).await;
        let settled = matched(&store, &worker).await;
        assert_eq!((settled.findings[0].state, settled.row.contradicted), (FindingState::FixedByVersion, false));
        assert_eq!(found(&store, "is:open").await, 0);
    }

    async fn a_patch_that_appears_fixes(database) {
        let bench = Bench::new().await;
        let store = database.open().await;
        let worker = affected(&bench, &store).await;
        assert_eq!(found(&store, "status:affected is:open").await, 1);
        let patched = Some(graph("1.1.22", "CVE-2019-14697.patch"));
        channel(&store, release("bbbb", 2), packages("1.1.22"), patched).await;
        assert_eq!(matched(&store, &worker).await.findings[0].state, FindingState::FixedByPatch);
    }

    async fn a_channel_that_ends_ends_what_is_open_on_it(database) {
        let bench = Bench::new().await;
        let store = database.open().await;
        let worker = affected(&bench, &store).await;
        assert_eq!(found(&store, "is:open").await, 1);
        let yesterday = Timestamp::now() - jiff::SignedDuration::from_hours(24);
        store.put_support("nixos-19.09", Some(yesterday)).await.unwrap();
        assert_eq!(matched(&store, &worker).await.findings[0].state, FindingState::EndOfLife);
        assert_eq!(found(&store, "is:open").await, 0);
    }
}
