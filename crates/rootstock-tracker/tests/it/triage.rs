//! The team's work at the command line: list, decide, undo, rules, and that all of it follows from the log.

use crate::flow::Tracker;
use tracker_testkit::{Database, on_both_databases};

on_both_databases! {
    async fn the_queue_is_worked_through_from_the_command_line(database) {
        work_through(&database);
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one person's work, from the list to the rebuild"
)]
fn work_through(database: &Database) {
    let folder = tempfile::tempdir().unwrap();
    let tracker = Tracker {
        folder: folder.path(),
        url: database.url(),
    };
    let missing = tracker.run(&["triage", "show", "CVE-2019-14697", "musl"]);
    assert_ne!(missing.code, 0);
    tracker.fill();
    let list = |query: &str| {
        tracker
            .run(&["triage", "list", query, "--json"])
            .expect(0)
            .json()
    };
    let open = list("is:open");
    let rows = open["rows"].as_array().unwrap();
    let ranks: Vec<i64> = rows
        .iter()
        .map(|row| row["rank"]["total"].as_i64().unwrap())
        .collect();
    assert!(
        ranks.len() > 1 && ranks.is_sorted_by(|a, b| a >= b),
        "{ranks:?}"
    );
    let text = tracker.run(&["triage", "list"]).expect(0).out;
    assert!(text.contains("in all"), "{text}");

    let id = "CVE-2019-14697";
    let shown = tracker.run(&["triage", "show", id, "musl"]).expect(0).out;
    assert!(
        shown.contains("rank ") && shown.contains("musl in nixpkgs: proposed"),
        "{shown}"
    );
    tracker
        .run(&[
            "triage",
            "dismiss",
            id,
            "musl",
            "--why",
            "wrong-package",
            "--dry-run",
        ])
        .expect(0);
    assert_eq!(
        list(&format!("id:{id} family:musl state:dismissed"))["total"],
        0
    );
    let done = tracker
        .run(&[
            "triage",
            "dismiss",
            id,
            "musl",
            "--why",
            "wrong-package",
            "--reason",
            "not ours",
            "--as",
            "alice",
            "--json",
        ])
        .expect(0)
        .json();
    let act = done["act"].as_u64().unwrap().to_string();
    assert_eq!(
        list(&format!("id:{id} family:musl state:dismissed"))["total"],
        1
    );
    let log = tracker.run(&["triage", "log", id]).expect(0).out;
    assert!(
        log.contains("alice: dismissed for musl in nixpkgs: wrong package (not ours)"),
        "{log}"
    );
    tracker.run(&["triage", "undo", &act]).expect(0);
    assert_eq!(
        list(&format!("id:{id} family:musl state:dismissed"))["total"],
        0
    );
    let again = tracker.run(&["triage", "undo", &act]).expect(1);
    assert!(again.err.contains("undone already"), "{}", again.err);

    tracker
        .run(&[
            "triage",
            "state",
            id,
            "musl",
            "will-not-fix",
            "--channel",
            "nixos-19.09",
        ])
        .expect(0);
    assert_eq!(list("status:will-not-fix")["total"], 1);
    tracker
        .run(&[
            "triage",
            "state",
            id,
            "musl",
            "--withdraw",
            "--channel",
            "nixos-19.09",
        ])
        .expect(0);
    tracker
        .run(&["triage", "comment", id, "musl", "Asked upstream."])
        .expect(0);
    tracker
        .run(&["triage", "assign", id, "musl", "--to", "bob"])
        .expect(0);
    assert_eq!(list("assignee:bob")["total"], 1);
    tracker.run(&["triage", "snooze", id, "musl"]).expect(0);
    tracker.run(&["triage", "confirm", id, "nowhere"]).expect(4);
    let wrong = tracker.run(&["triage", "list", "severty:high"]).expect(2);
    assert!(
        wrong
            .err
            .contains("column 1: `severty` is no field; did you mean `severity`?"),
        "{}",
        wrong.err
    );
    let wrong = tracker
        .run(&["triage", "dismiss", id, "musl", "--why", "boredom"])
        .expect(2);
    assert!(
        wrong.err.contains("known are wrong-package"),
        "{}",
        wrong.err
    );

    let bulk = tracker
        .run(&["triage", "bulk", "is:open", "--confirm", "--json"])
        .expect(0)
        .json();
    assert!(bulk["changed"].as_array().unwrap().len() > 1);
    let act = bulk["act"].as_u64().unwrap().to_string();
    tracker.run(&["triage", "undo", "--act", &act]).expect(0);
    assert_eq!(list("state:confirmed")["total"], 0);

    let expires = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48)).to_string();
    let add = [
        "triage",
        "rule",
        "add",
        "family:musl",
        "--expires",
        &expires,
        "--json",
    ];
    let preview = tracker
        .run(&[&add[..], &["--dry-run"]].concat())
        .expect(0)
        .json();
    assert!(!preview["would_hide"].as_array().unwrap().is_empty());
    assert_eq!(preview["severe"], 1, "{preview}");
    let refused = tracker.run(&add).expect(1);
    assert!(
        refused.err.contains("--hide-severe") && refused.err.contains("1 severe"),
        "{}",
        refused.err
    );
    let add = [&add[..], &["--hide-severe"]].concat();
    let rule = tracker.run(&add).expect(0).json()["rule"]
        .as_u64()
        .unwrap()
        .to_string();
    assert_eq!(list("is:suppressed -family:musl")["total"], 0);
    assert_ne!(list("is:suppressed")["total"], 0);
    let rules = tracker.run(&["triage", "rule", "list"]).expect(0).out;
    assert!(rules.contains("family:musl"), "{rules}");
    tracker.run(&["triage", "rule", "end", &rule]).expect(0);
    tracker.run(&["triage", "rule", "end", &rule]).expect(4);
    assert_eq!(list("is:suppressed")["total"], 0);

    tracker
        .run(&[
            "triage",
            "view",
            "save",
            "urgent",
            "kev:yes   is:open",
            "--shared",
        ])
        .expect(0);
    assert!(
        tracker
            .run(&["triage", "view", "list"])
            .expect(0)
            .out
            .contains("kev:yes is:open")
    );
    tracker.run(&["triage", "view", "drop", "urgent"]).expect(0);
    tracker.run(&["triage", "view", "drop", "urgent"]).expect(4);
    merge_and_split(&tracker, id);
    tracker.run(&["triage", "settle"]).expect(0);
    let checked = tracker
        .run(&["triage", "rebuild", "--check", "--json"])
        .expect(0)
        .json();
    assert_eq!(checked["problems"].as_array().unwrap().len(), 0);
    let rebuilt = tracker
        .run(&["triage", "rebuild", "--json"])
        .expect(0)
        .json();
    assert_eq!(rebuilt["findings_moved"], 0);
    let fields = crate::program::run(folder.path(), &["triage", "fields"]).expect(0);
    assert!(fields.out.contains("maintainer"));
}

/// Merges musl into another matched family, splits a member off, and takes both back; the worker's matching agrees.
fn merge_and_split(tracker: &Tracker<'_>, id: &str) {
    let found = |query: &str| {
        let listed = tracker.run(&["triage", "list", query, "--json"]);
        listed.expect(0).json()["total"].as_u64().unwrap()
    };
    let show = |family: &str| {
        let shown = tracker.run(&["triage", "family", "show", family, "--json"]);
        shown.expect(0).json()
    };
    let change = |arguments: &[&str]| {
        let all = [&["triage", "family"][..], arguments, &["--json"]].concat();
        tracker.run(&all).expect(0).json()
    };
    tracker
        .run(&["triage", "family", "show", "nowhere"])
        .expect(4);
    tracker
        .run(&["triage", "family", "merge", "musl", "nowhere"])
        .expect(4);
    let members = show("musl")["members"].as_array().unwrap().len();
    let listed = tracker.run(&["triage", "list", "--json"]).expect(0).json();
    let rows = listed["rows"].as_array().unwrap().iter();
    let mut families = rows.map(|row| row["family"].as_str().unwrap().to_owned());
    let other = families.find(|family| family != "musl").unwrap();
    let before = (found("family:musl"), found(&format!("family:{other}")));
    let merge = ["merge", "musl", other.as_str(), "--reason", "one team"];
    let dry = change(&[&merge[..], &["--dry-run"]].concat());
    assert_eq!(dry["members"].as_array().unwrap().len(), members);
    assert_eq!(found("family:musl"), before.0);
    let merged = change(&merge);
    assert_eq!(found("family:musl"), 0);
    tracker.run(&["match"]).expect(0);
    assert_eq!(found(&format!("family:{other} id:{id}")), 1);
    assert_eq!(show("musl")["heirs"][0], other.as_str());
    let event = merged["act"].as_u64().unwrap().to_string();
    let split = ["split", other.as_str(), "musl", "--into", "musl-again"];
    let apart = change(&split)["act"].as_u64().unwrap().to_string();
    tracker.run(&["match"]).expect(0);
    assert_eq!(found(&format!("family:musl-again id:{id}")), 1);
    let refused = tracker.run(&["triage", "family", "undo", &event]).expect(1);
    assert!(
        refused
            .err
            .contains(&format!("event {apart} changed these families since")),
        "{}",
        refused.err
    );
    change(&["undo", &apart]);
    let undone = tracker.run(&["triage", "family", "undo", &event]).expect(0);
    assert!(undone.out.contains("moved back"), "{}", undone.out);
    tracker.run(&["match"]).expect(0);
    assert_eq!(
        (found("family:musl"), found(&format!("family:{other}"))),
        before
    );
    let shown = tracker
        .run(&["triage", "family", "show", "musl"])
        .expect(0)
        .out;
    assert!(
        shown.contains("(undone)") && shown.contains("one team"),
        "{shown}"
    );
}
