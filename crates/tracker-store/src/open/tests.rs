//! Addresses: what is refused, and that a password never stands in a message; and that nobody keeps the lock for long
//! who says nothing.

use super::Pools;
use crate::{Store, StoreError};
use sqlx::AssertSqlSafe;
use std::time::Duration;
use tracker_testkit::{Database, Kind, fixture};

#[tokio::test]
async fn an_address_of_no_database_is_refused() {
    for url in ["", "mysql://localhost/x", "sqlite:", "tracker.db"] {
        let error = Store::open(url).await.unwrap_err();
        assert!(
            matches!(error, StoreError::Address { .. }),
            "{url}: {error}"
        );
    }
}

#[tokio::test]
async fn a_password_is_left_out_of_messages() {
    let url = "postgres://tracker:secret@localhost:1/x";
    let error = Store::open(url).await.unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("postgres://tracker@localhost:1/x")
    );
    assert!(!format!("{error} {error:?}").contains("secret"));
}

#[tokio::test]
async fn whatever_may_be_a_secret_is_left_out_of_messages() {
    for (url, told) in [
        ("mysql://tracker:secret@host/x", "`mysql://tracker@host/x`"),
        ("mysql://secret@host/x", "`…@host/x`"),
        ("mysql:tracker:secret@host/x", "`…@host/x`"),
        ("secret@host", "`…@host`"),
        ("mysql://host/x?password=secret", "`mysql://host/x?…`"),
        ("mysql://a:sec@ret:secret@host/x", "`mysql://a@host/x`"),
        ("mysql://s/e:secret@host/x", "`…@host/x`"),
        (
            "POSTGRES://tracker:secret@host/x",
            "`POSTGRES://tracker@host/x`",
        ),
        (
            "postgres://tracker:secret@[host/x",
            "`postgres://tracker@[host/x`",
        ),
    ] {
        let error = Store::open(url).await.unwrap_err();
        let error = format!("{error} {error:?}");
        assert!(error.contains(told) && !error.contains("secret"), "{error}");
    }
    let url = "postgres://tracker@localhost:1/x?password=secret";
    let error = format!("{:?}", Store::open(url).await.unwrap_err());
    assert!(
        error.contains("postgres://tracker@localhost:1/x?…"),
        "{error}"
    );
    assert!(!error.contains("secret"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "no database at all\n".repeat(100);
    std::fs::write(&path, &text).unwrap();
    let error = Store::open(&format!("sqlite:{}", path.display()))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_reader_creates_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tracker.db");
    let url = format!("sqlite:{}", path.display());
    let error = Store::open_existing(&url).await.unwrap_err();
    assert!(matches!(error, StoreError::Absent { .. }), "{error}");
    assert!(error.to_string().contains("tracker.db"), "{error}");
    assert!(!path.exists());
    std::fs::write(&path, "").unwrap();
    Store::open_existing(&url).await.unwrap_err();
    Store::open(&url).await.unwrap().close().await;
    Store::open_existing(&url).await.unwrap().close().await;
}

#[tokio::test]
async fn a_database_in_memory_is_read_and_written_through_one_connection() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    store.analyze().await.unwrap();
    assert_eq!(store.last_change().await.unwrap(), None);
    assert!(store.channels().await.unwrap().is_empty());
    store.close().await;
}

/// A record as this crate's own type: the fixture's is of the library that the test kit was built with.
fn incoming(number: usize) -> crate::IncomingRecord {
    let id = format!("CVE-2024-{number:04}");
    let given = fixture::incoming(fixture::record(tracker_record::Source::Nvd, &id, "One"));
    crate::IncomingRecord {
        digest: given.digest,
        raw_zstd: given.raw_zstd,
        raw_len: given.raw_len,
        vulnerabilities: given.vulnerabilities,
        record: given.record,
    }
}

#[tokio::test]
async fn a_full_disk_is_told_loses_nothing_and_is_overcome() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("tracker.db").display());
    let store = Store::open(&url).await.unwrap();
    let Pools::Sqlite { writer, .. } = &store.pools else {
        unreachable!("the address is SQLite's");
    };
    let limit = |pages: u32| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        async move {
            sqlx::query(AssertSqlSafe(sql))
                .execute(writer)
                .await
                .unwrap()
        }
    };
    limit(80).await;
    let batch = |number: usize| (number * 100..(number + 1) * 100).map(incoming).collect();
    let mut kept = 0;
    let error = loop {
        match store.put_records(batch(kept)).await {
            Ok(outcome) => assert_eq!(outcome.added, 100),
            Err(error) => break error,
        }
        kept += 1;
    };
    assert!(matches!(error, StoreError::Full(_)), "{error:?}");
    assert_eq!(
        store.overview().await.unwrap().vulnerabilities,
        kept as u64 * 100
    );
    limit(100_000).await;
    store.put_records(batch(kept)).await.unwrap();
    assert_eq!(
        store.overview().await.unwrap().vulnerabilities,
        (kept as u64 + 1) * 100
    );
}

#[tokio::test]
async fn a_server_that_drops_its_connections_is_reached_again() {
    let database = Database::new(Kind::Postgres).await;
    let store = Store::open(database.url()).await.unwrap();
    store.put_records(vec![incoming(1)]).await.unwrap();
    let Pools::Postgres(pool) = &store.pools else {
        unreachable!("the address is PostgreSQL's");
    };
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::query(others).execute(pool).await.unwrap();
    // The one connection that was left ends itself.
    let own = sqlx::query("SELECT pg_terminate_backend(pg_backend_pid())")
        .execute(pool)
        .await;
    assert!(own.is_err());
    store.put_records(vec![incoming(2)]).await.unwrap();
    assert_eq!(store.overview().await.unwrap().vulnerabilities, 2);
}

/// As of a worker that is paused between two statements about a job.
#[tokio::test]
async fn who_is_silent_about_a_job_is_thrown_out() {
    let database = Database::new(Kind::Postgres).await;
    let silent = Store::open(database.url()).await.unwrap();
    let other = Store::open(database.url()).await.unwrap();
    let session = silent.write_briefly().await.unwrap();
    let waits = tokio::time::timeout(Duration::from_mins(1), other.write());
    let taken = waits.await.expect("the lock is free again").unwrap();
    assert!(session.commit().await.is_err(), "it was thrown out");
    taken.commit().await.unwrap();
}
