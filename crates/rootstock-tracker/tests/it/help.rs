//! Help, reference, completions and manual pages: all made from one command line, and none of them behind it.

use crate::program::run;
use std::path::Path;

#[test]
fn the_reference_is_up_to_date() {
    for (page, file) in [
        ("commands", "docs/reference/rootstock-tracker.md"),
        ("config", "docs/reference/tracker-config.md"),
    ] {
        let made = run(Path::new("."), &["reference", page]).expect(0).out;
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(file);
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            made == committed,
            "{file} is behind the program; make it again with\n  cargo run --package rootstock-tracker -- reference {page} > {file}"
        );
    }
}

#[test]
fn every_command_has_examples_and_exit_codes() {
    let commands = [
        "demo",
        "serve",
        "feed import",
        "channel import",
        "channel list",
        "channel diff",
        "match",
        "show",
        "triage agree",
        "triage decline",
        "triage withdraw",
        "triage log",
        "triage history",
        "triage maintainer",
        "triage rule add",
        "triage rule review",
        "triage rule renew",
        "triage rule end",
        "triage view undo",
        "embargo list",
        "embargo show",
        "embargo create",
        "embargo add",
        "embargo remove",
        "embargo until",
        "embargo comment",
        "embargo release",
        "admin people list",
        "admin people show",
        "admin people role",
        "admin people block",
        "admin people unblock",
        "admin people sign-out",
        "admin sessions list",
        "admin sessions end",
        "landing index",
        "landing history",
        "landing show",
        "landing pulls",
        "landing follow",
        "landing join",
        "landing support",
        "evaluate",
        "learn",
        "infer-cpe",
        "bench pages",
        "completions",
        "config check",
        "man",
    ];
    for command in commands {
        let mut arguments: Vec<&str> = command.split(' ').collect();
        arguments.push("--help");
        let help = run(Path::new("."), &arguments).expect(0).out;
        assert!(
            help.contains(&format!("Examples:\n  rootstock-tracker {command}")),
            "{command}: {help}"
        );
        assert!(help.contains("Exit codes:"), "{command}: {help}");
        let without = [
            "completions",
            "config check",
            "man",
            "landing index",
            "landing history",
            "evaluate",
            "learn",
            "infer-cpe",
        ];
        let database = !without.contains(&command);
        assert_eq!(help.contains("--database"), database, "{command}: {help}");
    }
}

#[test]
fn completions_and_manual_pages_come_out() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(folder.path(), &["completions", shell]).expect(0).out;
        assert!(script.contains("rootstock-tracker"), "{shell}");
    }
    let page = run(folder.path(), &["man"]).expect(0).out;
    assert!(page.contains(".TH rootstock-tracker 1"), "{page}");
    run(folder.path(), &["man", "--out", "."]).expect(0);
    for name in [
        "rootstock-tracker.1",
        "rootstock-tracker-feed-import.1",
        "rootstock-tracker-show.1",
    ] {
        let page = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{name}: {page}");
    }
}

#[test]
fn a_wrong_command_line_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["shwo"]).expect(2);
    let missing = run(folder.path(), &["show", "CVE-2019-14697"]).expect(2);
    assert!(missing.err.contains("--database"), "{}", missing.err);
    let release = [
        "channel",
        "import",
        "x",
        "--packages",
        "y",
        "--revision",
        "z",
        "--database",
        "sqlite:a.db",
    ];
    let wrong = run(
        folder.path(),
        &[&release[..], &["--released", "yesterday"]].concat(),
    )
    .expect(2);
    assert!(wrong.err.contains("2026-01-03"), "{}", wrong.err);
    assert!(!folder.path().join("a.db").exists(), "nothing was made");
}
