//! Copies: between all kinds of databases, killed and taken up again, and refused where two would mix.

use crate::lists::filled;
use crate::{first_page, ids};
use sqlx::{Connection as _, SqliteConnection};
use tracker_record::Source;
use tracker_store::view::{Page, VulnerabilityFilter, VulnerabilityRow};
use tracker_store::{CopyPhase, CopyStep, Store, StoreError};
use tracker_testkit::{Database, Kind, fixture};

const KINDS: [Kind; 2] = [Kind::Sqlite, Kind::Postgres];

async fn searched(store: &Store, words: &str) -> Page<VulnerabilityRow> {
    let filter = VulnerabilityFilter {
        text: Some(words.to_owned()),
        ..VulnerabilityFilter::default()
    };
    first_page(store, &filter).await
}

/// The source, filled.
async fn source(kind: Kind) -> (Database, Store) {
    let database = Database::new(kind).await;
    let store = database.open().await;
    filled(&store).await;
    (database, store)
}

/// Begins a copy and drops it at the given step.
async fn begin_and_drop(source: &Store, target: &Store, at: usize) {
    let (reached, wait) = tokio::sync::oneshot::channel();
    let mut reached = Some(reached);
    let mut steps = 0;
    let mut each = |_: CopyStep| {
        steps += 1;
        if steps == at {
            let _ = reached.take().map(|reached| reached.send(()));
        }
    };
    tokio::select! {
        biased;
        _ = wait => {}
        done = source.copy_to(target, &mut each) => panic!("the copy is done: {done:?}"),
    }
}

#[tokio::test]
async fn a_copy_shows_and_finds_what_its_source_does() {
    for from in KINDS {
        let (_from, source) = source(from).await;
        for to in KINDS {
            let database = Database::new(to).await;
            let target = Store::open_target(database.url()).await.unwrap();
            let mut steps = Vec::new();
            let summary = source
                .copy_to(&target, &mut |step| steps.push(step))
                .await
                .unwrap();
            assert!(summary.rows() > 500, "{summary:?}");
            assert_eq!(summary.resumed, 0);
            for phase in [CopyPhase::Rows, CopyPhase::Words, CopyPhase::Verify] {
                let last = steps.iter().rfind(|step| step.phase == phase).unwrap();
                assert_eq!(last.done, last.total, "{phase:?}");
            }
            target.close().await;
            let target = database.open().await;
            let all = VulnerabilityFilter::default();
            let (ours, theirs) = (
                first_page(&target, &all).await,
                first_page(&source, &all).await,
            );
            assert_eq!(ours, theirs);
            let (ours, theirs) = (
                searched(&target, "overflow heap").await,
                searched(&source, "overflow heap").await,
            );
            assert!(!theirs.rows.is_empty());
            assert_eq!(ours, theirs);
            assert_eq!(
                target.overview().await.unwrap(),
                source.overview().await.unwrap()
            );
            assert_eq!(target.check(true, &mut || ()).await.unwrap(), []);
            // It goes on as a database of its own: keys are given out behind those that were copied.
            let record = fixture::record(Source::Osv, "CVE-2025-0001", "After the copy");
            target
                .put_records(vec![fixture::incoming(record)])
                .await
                .unwrap();
            assert_eq!(ids(&searched(&target, "after").await), ["CVE-2025-0001"]);
        }
    }
}

#[tokio::test]
async fn a_copy_that_was_dropped_at_any_step_is_taken_up_again() {
    for (from, to) in [
        (Kind::Sqlite, Kind::Postgres),
        (Kind::Postgres, Kind::Sqlite),
    ] {
        let (_from, source) = source(from).await;
        let mut resumed = 0;
        for at in [1, 4, 9, 20, 40] {
            let database = Database::new(to).await;
            let target = Store::open_target(database.url()).await.unwrap();
            begin_and_drop(&source, &target, at).await;
            target.close().await;
            let refused = Store::open(database.url()).await.unwrap_err();
            assert!(matches!(refused, StoreError::Unfinished), "{refused}");
            let target = Store::open_target(database.url()).await.unwrap();
            let summary = source.copy_to(&target, &mut |_| ()).await.unwrap();
            resumed = resumed.max(summary.resumed);
            assert_eq!(target.check(true, &mut || ()).await.unwrap(), []);
            let found = ids(&searched(&target, "parser").await);
            assert_eq!(found, ids(&searched(&source, "parser").await));
        }
        assert!(resumed > 300, "{resumed}");
    }
}

#[tokio::test]
async fn two_databases_are_not_mixed() {
    let (_from, source) = source(Kind::Sqlite).await;
    let refused = |error: StoreError| {
        assert!(matches!(error, StoreError::Target { .. }), "{error}");
        error.to_string()
    };
    let database = Database::new(Kind::Sqlite).await;
    let held = database.open().await;
    let record = fixture::record(Source::Nvd, "CVE-2020-0001", "Its own");
    held.put_records(vec![fixture::incoming(record)])
        .await
        .unwrap();
    let error = source.copy_to(&held, &mut |_| ()).await.unwrap_err();
    assert!(refused(error).contains("it holds data already"));

    let database = Database::new(Kind::Sqlite).await;
    let target = Store::open_target(database.url()).await.unwrap();
    begin_and_drop(&source, &target, 3).await;
    let record = fixture::record(Source::Nvd, "CVE-2020-0002", "New in the source");
    source
        .put_records(vec![fixture::incoming(record)])
        .await
        .unwrap();
    let error = source.copy_to(&target, &mut |_| ()).await.unwrap_err();
    assert!(refused(error).contains("another state of the source"));
}

#[tokio::test]
async fn a_row_that_is_not_the_same_is_named() {
    let (_from, source) = source(Kind::Postgres).await;
    let database = Database::new(Kind::Sqlite).await;
    let target = Store::open_target(database.url()).await.unwrap();
    begin_and_drop(&source, &target, 35).await;
    target.close().await;
    let mut connection = SqliteConnection::connect(database.url()).await.unwrap();
    let change = "UPDATE vulnerability SET title = 'changed' WHERE id = 'CVE-2024-0007'";
    let changed = sqlx::query(change).execute(&mut connection).await.unwrap();
    assert_eq!(changed.rows_affected(), 1);
    connection.close().await.unwrap();
    let target = Store::open_target(database.url()).await.unwrap();
    let error = source.copy_to(&target, &mut |_| ()).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Differs { table, .. } if table == "vulnerability"),
        "{error}"
    );
}
