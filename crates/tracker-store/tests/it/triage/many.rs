//! A decision about hundreds of matches by name, each vulnerability by any of its ids.

use super::{CHANNEL, alice, decide, follows, item, queue};
use tracker_match::FindingStatus::Affected;
use tracker_record::Source;
use tracker_store::view::PageRequest;
use tracker_store::{Act, ItemId, Store, StoreError, Targets, Undo};
use tracker_testkit::fixture::{derived, finding, incoming, matched, package, record, release};
use tracker_testkit::on_both_databases;
use tracker_triage::Action;
use tracker_triage::state::Dismissal;

/// More than one statement carries.
const MANY: u64 = 600;

fn public(number: u64) -> String {
    format!("CVE-2024-{}", 10_000 + number)
}

fn other(number: u64) -> String {
    format!("GHSA-2222-3333-{}", 2000 + number)
}

/// As many vulnerabilities with two ids, each matched to one package.
async fn filled(store: &Store) {
    let batch = (0..MANY).map(|number| {
        let mut one = record(Source::Nvd, &public(number), "Flaw");
        one.aliases = vec![other(number)];
        incoming(one)
    });
    store.put_records(batch.collect()).await.unwrap();
    let packages = vec![package("musl", "musl", "1.1.22")];
    let release = release(CHANNEL, "aaa", "2024-01-01T00:00:00Z");
    store.put_release(&release, packages).await.unwrap();
    let inventory = store.current_packages("nixpkgs").await.unwrap();
    let due = store.due(&inventory, MANY as u32).await.unwrap();
    let found = due.vulnerabilities.iter().map(|due| {
        let musl = finding(CHANNEL, "musl", "1.1.22", Affected);
        derived(&due.id, vec![matched(&due.id, "musl", 0.9, vec![musl])])
    });
    let found = found.collect();
    store
        .put_derivation("nixpkgs", found, due.mark)
        .await
        .unwrap();
}

/// How many matches stand so, and how many vulnerabilities affect the package.
async fn counts(store: &Store, query: &str) -> (u64, u64) {
    let request = PageRequest::default();
    let packages = store.packages(Some("musl"), &request).await.unwrap();
    let affected = packages.rows[0].affected;
    (queue(store, query).await.total.unwrap(), affected.into())
}

on_both_databases! {
    async fn many_are_decided_by_any_of_their_ids_and_counted_right(database) {
        let store = database.open().await;
        filled(&store).await;
        let mut items: Vec<ItemId> = (0..MANY)
            .map(|number| item(&if number % 2 == 0 { public(number) } else { other(number) }, "musl"))
            .collect();
        // Named twice, decided once.
        items.push(item(&other(0), "musl"));
        assert_eq!(counts(&store, "state:dismissed").await, (0, MANY));
        let dismiss = Action::Dismiss(Dismissal::WrongPackage);
        let done = decide(&store, Targets::Items(items.clone()), dismiss.clone()).await;
        let mut changed: Vec<String> = done.changed.into_iter().map(|item| item.vulnerability).collect();
        changed.sort_unstable();
        assert_eq!(changed, (0..MANY).map(public).collect::<Vec<_>>());
        assert_eq!(counts(&store, "state:dismissed").await, (MANY, 0));
        follows(&store).await;
        store.undo(&alice(), Undo::Act(done.act.unwrap()), None, false).await.unwrap();
        assert_eq!(counts(&store, "state:dismissed").await, (0, MANY));
        follows(&store).await;

        items.push(item("CVE-2024-9999", "musl"));
        let act = Act { targets: Targets::Items(items), action: dismiss, reason: None, dry_run: false };
        let refused = store.decide(&alice(), &act).await;
        assert!(
            matches!(&refused, Err(StoreError::NoItem { vulnerability, .. }) if vulnerability == "CVE-2024-9999"),
            "{refused:?}"
        );
        assert_eq!(counts(&store, "state:dismissed").await, (0, MANY), "all or nothing");
    }
}
