//! What more than one person does, at the command line: suggestions and their answers, histories, rules that are looked at
//! again, views taken back, embargoes, people.

use crate::flow::Tracker;
use serde_json::{Value, json};
use tracker_testkit::{Database, on_both_databases};

const ID: &str = "CVE-2019-14697";

on_both_databases! {
    async fn suggestions_are_answered_and_told(database) {
        suggestions(&database);
    }

    async fn rules_are_reviewed_and_views_taken_back(database) {
        rules(&database);
    }

    async fn embargoes_and_people_are_kept(database) {
        embargoes(&database);
    }
}

fn time(hours: i64) -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours)).to_string()
}

#[expect(
    clippy::too_many_lines,
    reason = "one suggestion after another, and the log of all"
)]
fn suggestions(database: &Database) {
    let folder = tempfile::tempdir().unwrap();
    let tracker = Tracker {
        folder: folder.path(),
        url: database.url(),
    };
    tracker.fill();
    let suggest = [
        "triage",
        "suggest",
        ID,
        "musl",
        "--confirm",
        "--as",
        "alice",
    ];
    tracker.run(&suggest).expect(0);
    let withdrawn = tracker.run(&["triage", "withdraw", ID, "musl", "--as", "bob"]);
    assert!(withdrawn.expect(1).err.contains("nothing is suggested"));
    tracker
        .run(&["triage", "withdraw", ID, "musl", "--as", "alice"])
        .expect(0);
    tracker.run(&suggest).expect(0);
    let declined = [
        "triage", "decline", ID, "musl", "--as", "bob", "--reason", "no",
    ];
    tracker
        .run(&[&declined[..], &["--dry-run"]].concat())
        .expect(0);
    tracker.run(&declined).expect(0);
    tracker
        .run(&["triage", "agree", ID, "musl", "--as", "bob"])
        .expect(1);
    // Two of the team.
    tracker.run(&["triage", "second-person", "high"]).expect(0);
    let waits = tracker
        .run(&["triage", "confirm", ID, "musl", "--as", "alice"])
        .expect(0);
    assert!(
        waits
            .out
            .contains("1 of them hold when a second person agrees"),
        "{}",
        waits.out
    );
    let log = tracker
        .run(&[
            "triage",
            "log",
            "--kind",
            "suggested",
            "--actor",
            "alice",
            "--json",
        ])
        .expect(0)
        .json();
    let event = log["rows"][0]["sequence"].to_string();
    tracker
        .run(&[
            "triage",
            "agree",
            ID,
            "musl",
            "--suggestion",
            &event,
            "--as",
            "bob",
        ])
        .expect(0);
    let kinds = |arguments: &[&str]| -> Vec<String> {
        let page = tracker
            .run(&[arguments, &["--json"]].concat())
            .expect(0)
            .json();
        let rows = page["rows"].as_array().unwrap().iter();
        rows.map(|row| row["event"]["kind"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = kinds(&["triage", "log"]);
    assert_eq!(
        all,
        [
            "confirmed",
            "suggested",
            "second-person-asked",
            "declined",
            "suggested",
            "suggestion-withdrawn",
            "suggested"
        ]
    );
    assert_eq!(
        kinds(&["triage", "log", "--actor", "operator:bob"]),
        ["confirmed", "declined"]
    );
    assert_eq!(
        kinds(&["triage", "log", "--kind", "declined"]),
        ["declined"]
    );
    let told = tracker
        .run(&["triage", "log", "--kind", "nonsense"])
        .expect(2)
        .err;
    assert!(
        told.contains("`nonsense` is no kind of event; the kinds are record-added,"),
        "{told}"
    );
    let history = kinds(&["triage", "history", ID, "musl", "--limit", "200"]);
    assert!(
        history.contains(&"matched".to_owned()) && history[0] == "confirmed",
        "{history:?}"
    );
    tracker.run(&["triage", "history", ID, "nowhere"]).expect(4);
    tracker.run(&["triage", "log", "CVE-1999-0001"]).expect(4);
    tracker
        .run(&["triage", "maintainer", "nobody at all"])
        .expect(4);
}

fn rules(database: &Database) {
    let folder = tempfile::tempdir().unwrap();
    let tracker = Tracker {
        folder: folder.path(),
        url: database.url(),
    };
    tracker.fill();
    let add = [
        "triage",
        "rule",
        "add",
        "family:musl",
        "--hide-severe",
        "--reason",
        "old",
        "--json",
    ];
    let expires = time(48);
    let old = tracker
        .run(&[&add[..], &["--expires", &expires]].concat())
        .expect(0)
        .json()["rule"]
        .to_string();
    let review = || {
        tracker
            .run(&["triage", "rule", "review", "--json"])
            .expect(0)
            .json()
    };
    let told = review();
    assert_eq!(told["due"], Value::Array(Vec::new()));
    assert_eq!(told["hidden_severe"]["rows"][0]["family"], "musl", "{told}");
    let later = time(96);
    let renew = ["triage", "rule", "renew", &old, "--expires", &later];
    let dry = tracker
        .run(&[&renew[..], &["--dry-run"]].concat())
        .expect(0);
    assert!(dry.out.contains("1 of them severe"), "{}", dry.out);
    assert!(tracker.run(&renew).expect(1).err.contains("--hide-severe"));
    let new = tracker
        .run(&[&renew[..], &["--hide-severe", "--json"]].concat())
        .expect(0)
        .json()["rule"]
        .to_string();
    let list = tracker
        .run(&["triage", "rule", "list", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (list.as_array().unwrap().len(), list[0]["rule"].to_string()),
        (1, new.clone())
    );
    assert_eq!(list[0]["reason"], "old");
    tracker
        .run(&[&renew[..], &["--hide-severe"]].concat())
        .expect(4);
    tracker.run(&["triage", "undo", "--act", &new]).expect(0);
    let list = tracker
        .run(&["triage", "rule", "list", "--json"])
        .expect(0)
        .json();
    assert_eq!(list[0]["rule"].to_string(), old, "one undo takes both back");

    views(&tracker);
}

/// A view is saved, dropped and taken back; a dry run says the same and changes nothing.
fn views(tracker: &Tracker<'_>) {
    let view = |arguments: &[&str], code| {
        let line = [&["triage", "view"], arguments, &["--json"]].concat();
        let done = tracker.run(&line).expect(code);
        if code == 0 { done.json() } else { Value::Null }
    };
    let save = ["save", "urgent", "kev:yes"];
    let would = json!({ "changes": true, "event": null, "dry_run": true });
    assert_eq!(view(&[&save[..], &["--dry-run"]].concat(), 0), would);
    view(&["drop", "urgent", "--dry-run"], 4);
    let saved = view(&save, 0);
    assert_eq!(
        (&saved["changes"], &saved["dry_run"]),
        (&json!(true), &json!(false))
    );
    let event = saved["event"].to_string();
    assert_eq!(view(&save, 0)["changes"], false, "it stands so");
    assert_eq!(
        view(&[&save[..], &["--dry-run"]].concat(), 0)["changes"],
        false
    );
    assert_eq!(view(&["drop", "urgent", "--dry-run"], 0), would);
    assert_eq!(view(&["undo", &event, "--dry-run"], 0), would);
    let told = tracker
        .run(&["triage", "view", "undo", &event])
        .expect(0)
        .out;
    let undo = told.trim().rsplit(' ').next().unwrap();
    view(&["drop", "urgent"], 4);
    view(&["undo", &event, "--dry-run"], 1);
    view(&["undo", &event], 1);
    view(&["undo", undo], 0);
    assert!(view(&["drop", "urgent"], 0)["event"].is_u64());
}

#[expect(
    clippy::too_many_lines,
    reason = "one item's life, and whom it is told to"
)]
fn embargoes(database: &Database) {
    let folder = tempfile::tempdir().unwrap();
    let tracker = Tracker {
        folder: folder.path(),
        url: database.url(),
    };
    tracker.fill();
    for account in ["alice", "bob", "root"] {
        tracker
            .run(&["admin", "bootstrap", "--account", account])
            .expect(0);
    }
    let role = |name: &str, role: &str| {
        tracker
            .run(&[
                "admin",
                "people",
                "role",
                name,
                role,
                "--reason",
                "as agreed",
            ])
            .expect(0);
    };
    role("alice", "triager");
    role("bob", "anonymous");
    let people = tracker
        .run(&["admin", "people", "list", "--json"])
        .expect(0)
        .json();
    let roles = people.as_array().unwrap().iter();
    let roles: Vec<&str> = roles.map(|one| one["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["triager", "maintainer", "administrator"]);
    let shown = tracker.run(&["admin", "people", "show", "alice"]).expect(0);
    assert!(
        shown.out.contains("triager by the command line: as agreed"),
        "{}",
        shown.out
    );

    let create = [
        "embargo",
        "create",
        "ROOT-2026-1",
        "--title",
        "Quiet",
        "--family",
        "musl",
        "--as",
        "alice",
    ];
    let dry = tracker
        .run(&[&create[..], &["--dry-run"]].concat())
        .expect(0);
    assert!(
        dry.out.contains("would be held: ROOT-2026-1"),
        "{}",
        dry.out
    );
    let list = |who: &str| {
        let listed = tracker
            .run(&["embargo", "list", "--as", who, "--json"])
            .expect(0);
        listed.json().as_array().unwrap().len()
    };
    assert_eq!(list("alice"), 0);
    let name = tracker.run(&create).expect(0).out.trim().to_owned();
    assert_eq!((list("alice"), list("bob"), list("root")), (1, 0, 0));
    let embargo = |arguments: &[&str], code: i32| {
        tracker
            .run(&[&["embargo"], arguments].concat())
            .expect(code)
    };
    embargo(&["show", &name, "--as", "root"], 4);
    embargo(&["release", &name, "--as", "root"], 4);
    embargo(&["add", &name, "bob", "--as", "alice", "--dry-run"], 0);
    assert_eq!(list("bob"), 0);
    embargo(&["add", &name, "bob", "--as", "alice"], 0);
    embargo(&["comment", &name, "Seen.", "--as", "bob"], 0);
    // Whoever is named and of no team does not let go.
    let denied = embargo(&["release", &name, "--as", "bob"], 1);
    assert!(denied.err.contains("only a triager"), "{}", denied.err);
    embargo(&["until", &name, "2040-01-01", "--as", "alice"], 0);
    let shown = embargo(&["show", &name, "--as", "bob"], 0).out;
    assert!(
        shown.contains("known to alice, bob") && shown.contains("comment Seen."),
        "{shown}"
    );
    assert!(
        shown.contains("nixos-19.09: musl") && shown.contains("2040-01-01"),
        "{shown}"
    );
    embargo(&["remove", &name, "bob", "--as", "alice"], 0);
    embargo(&["show", &name, "--as", "bob"], 4);
    tracker.run(&["show", "ROOT-2026-1"]).expect(4);
    embargo(&["release", &name, "--as", "alice"], 0);
    tracker.run(&["show", "ROOT-2026-1"]).expect(0);
    embargo(&["release", &name, "--as", "alice"], 1);

    tracker
        .run(&["admin", "people", "block", "bob", "--dry-run"])
        .expect(0);
    let blocked = || {
        tracker
            .run(&["admin", "people", "show", "bob", "--json"])
            .expect(0)
            .json()["blocked"]
            .clone()
    };
    assert_eq!(blocked(), false);
    tracker.run(&["admin", "people", "block", "bob"]).expect(0);
    assert_eq!(blocked(), true);
    embargo(&["list", "--as", "bob"], 1);
    tracker
        .run(&["admin", "people", "unblock", "bob"])
        .expect(0);
    tracker
        .run(&["admin", "people", "sign-out", "bob"])
        .expect(0);
    let sessions = tracker
        .run(&["admin", "sessions", "list", "alice", "--json"])
        .expect(0)
        .json();
    assert_eq!(sessions, Value::Array(Vec::new()));
    tracker
        .run(&["admin", "sessions", "end", "alice", "7"])
        .expect(4);
    tracker.run(&["admin", "tokens", "list", "alice"]).expect(0);
    tracker
        .run(&["admin", "tokens", "end", "alice", "7"])
        .expect(4);
}
