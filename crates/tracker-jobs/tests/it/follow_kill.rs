//! A process that follows is killed again and again: it goes on where it was, without loss or double.

use crate::follow::page;
use crate::site::Site;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tracker_store::Store;
use tracker_testkit::on_both_databases;

const RECORDS: usize = 12;
const PAGE: usize = 2;

fn start(database: &str, spool: &Path, url: &str) -> Child {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().with_file_name("examples/follow");
    Command::new(program)
        .args([database, &spool.display().to_string(), url])
        .stdout(Stdio::null())
        .spawn()
        .expect("`cargo test --package tracker-jobs` builds the example")
}

async fn held(store: &Store) -> usize {
    store.known_digests().await.unwrap().len()
}

on_both_databases! {
    async fn following_survives_being_killed(database) {
        let spool = tempfile::tempdir().unwrap();
        let site = Site::start().await;
        site.api("api", |query| {
            let total = if query.contains("lastMod") { 0 } else { RECORDS };
            page(query, total, PAGE)
        });
        let store = database.open().await;
        let url = site.url("api");
        // Killed as soon as a further share is written: in the middle of a page, or before its cursor.
        for share in [1, RECORDS / 2] {
            let mut child = start(database.url(), spool.path(), &url);
            let deadline = Instant::now() + Duration::from_mins(1);
            while held(&store).await < share {
                assert!(Instant::now() < deadline, "it makes no headway");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let before = held(&store).await;
        assert!(before < RECORDS, "{before}");
        site.requests();
        let mut last = start(database.url(), spool.path(), &url);
        // The server shares this test's thread, so nothing may block it.
        let status = tokio::task::spawn_blocking(move || last.wait().unwrap()).await.unwrap();
        assert!(status.success());
        assert_eq!(held(&store).await, RECORDS);
        let requests = site.requests();
        assert!(!requests[0].contains("startIndex=0"), "it began anew: {}", requests[0]);
        assert!(requests.len() <= (RECORDS - before) / PAGE + 2, "{requests:?}");
        assert_eq!(store.overview().await.unwrap().vulnerabilities, RECORDS as u64);
    }
}
