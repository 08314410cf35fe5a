//! A database as a whole: backed up, restored, moved to the other kind, killed meanwhile, and checked.

use crate::flow::Tracker;
use crate::program::{command, run};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tracker_testkit::{Database, Kind, on_both_databases};

/// What a vulnerability's page would tell.
fn shown(folder: &Path, url: &str) -> String {
    let arguments = ["show", "CVE-2019-14697", "--json", "--database", url];
    run(folder, &arguments).expect(0).out
}

on_both_databases! {
    async fn a_backup_is_restored_into_either_database(database) {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let tracker = Tracker { folder, url: database.url() };
        tracker.fill();
        tracker.run(&["match"]).expect(0);
        let backup = tracker.run(&["backup", "backup.db"]).expect(0);
        assert!(backup.out.contains("rows backed up into backup.db"), "{}", backup.out);
        let again = tracker.run(&["backup", "backup.db"]).expect(1);
        assert!(again.err.contains("exists already"), "{}", again.err);
        for kind in [Kind::Sqlite, Kind::Postgres] {
            let fresh = Database::new(kind).await;
            let target = Tracker { folder, url: fresh.url() };
            let dry = target.run(&["restore", "backup.db", "--dry-run"]).expect(0);
            assert!(dry.out.contains("rows would be written"), "{}", dry.out);
            target.run(&["restore", "backup.db"]).expect(0);
            assert_eq!(shown(folder, fresh.url()), shown(folder, database.url()));
            let sound = target.run(&["check", "--documents"]).expect(0);
            assert!(sound.out.contains("rows hold together"), "{}", sound.out);
            let held = target.run(&["restore", "backup.db"]).expect(1);
            assert!(held.err.contains("it holds data already"), "{}", held.err);
        }
    }
}

#[test]
fn what_is_no_backup_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("notes.txt"), "no database").unwrap();
    std::fs::write(folder.join("empty.db"), "").unwrap();
    for (file, told) in [
        ("notes.txt", "is no backup of a tracker"),
        ("empty.db", "is no backup of a tracker"),
        ("absent.db", "cannot be opened"),
    ] {
        let run = run(
            folder,
            &["restore", file, "--database", "sqlite:tracker.db"],
        )
        .expect(1);
        assert!(run.err.contains(told), "{file}: {}", run.err);
        assert!(!folder.join("tracker.db").exists());
    }
}

#[tokio::test]
async fn a_move_to_postgresql_that_is_killed_is_finished_by_the_same_command() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (source, target) = (
        Database::new(Kind::Sqlite).await,
        Database::new(Kind::Postgres).await,
    );
    let tracker = Tracker {
        folder,
        url: source.url(),
    };
    tracker.fill();
    tracker.run(&["match"]).expect(0);
    let copy = ["copy", "--from", source.url(), "--to", target.url()];
    let mut killed = 0;
    for milliseconds in [30, 60, 90, 120, 180] {
        let mut child = command(folder)
            .args(copy)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        if child.try_wait().unwrap().is_some() {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        killed += 1;
    }
    assert!(killed > 0);
    let finished = run(folder, &copy);
    // A copy that was done just before it was to be killed is not begun anew.
    if finished.code != 0 {
        assert!(
            finished.err.contains("it holds data already"),
            "{}",
            finished.err
        );
    }
    assert_eq!(shown(folder, target.url()), shown(folder, source.url()));
    let checked = ["check", "--documents", "--json", "--database", target.url()];
    assert_eq!(
        run(folder, &checked).expect(0).json(),
        serde_json::json!([])
    );
}
