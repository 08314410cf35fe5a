//! An import killed at any moment is completed by the next, with nothing lost and nothing twice.

use crate::import::{import, osv};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tracker_jobs::Input;
use tracker_store::Store;
use tracker_testkit::on_both_databases;

const RECORDS: usize = 12_000;

/// The example program `import`, which `cargo test` builds beside the tests.
fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().with_file_name("examples/import");
    assert!(
        program.exists(),
        "{} is built by `cargo test --package tracker-jobs`",
        program.display()
    );
    program
}

fn start(url: &str, feed: &Path) -> Child {
    Command::new(program())
        .arg(url)
        .arg(feed)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

async fn held(store: &Store) -> usize {
    store.known_digests().await.unwrap().len()
}

on_both_databases! {
    async fn nothing_is_lost_and_nothing_is_there_twice(database) {
        let folder = tempfile::tempdir().unwrap();
        let feed = folder.path().join("feed.jsonl");
        let lines: Vec<String> = (0..RECORDS)
            .map(|number| osv(&format!("X-{number}"), 0, "a title of some words"))
            .collect();
        std::fs::write(&feed, lines.join("\n")).unwrap();
        let store = database.open().await;

        // Killed as soon as a further share is written: in the middle of a batch, wherever that is.
        let mut before = 0;
        for share in [1, RECORDS / 4, RECORDS / 2] {
            let mut child = start(database.url(), &feed);
            let deadline = Instant::now() + Duration::from_mins(2);
            while held(&store).await < share {
                assert!(Instant::now() < deadline, "the import makes no headway");
                assert_eq!(child.try_wait().unwrap(), None, "the import ended by itself");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            // SIGKILL.
            child.kill().unwrap();
            child.wait().unwrap();
            let now = held(&store).await;
            assert!(now >= before && now < RECORDS, "{before}, {now}");
            before = now;
        }

        let input = || vec![Input::Path(feed.clone())];
        let total = import(&store, input()).await.total();
        assert_eq!(total.added, (RECORDS - before) as u64);
        assert_eq!(total.unchanged, before as u64);
        let overview = store.overview().await.unwrap();
        assert_eq!(overview.vulnerabilities, RECORDS as u64);
        assert_eq!(overview.sources[0].records, RECORDS as u64);
        let again = import(&store, input()).await.total();
        assert_eq!((again.added, again.changed, again.unchanged), (0, 0, RECORDS as u64));
    }
}
