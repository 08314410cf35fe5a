//! Input that cannot be read: named, with its place and reason, and the rest is read.

use crate::program::{run, snapshot};
use std::fs;

#[test]
fn what_is_no_feed_is_refused_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("table.csv"), "vendor,product\ngnu,bash\n").unwrap();
    fs::write(path.join("empty.json"), "").unwrap();
    let half = fs::read(snapshot("nvd.json")).unwrap();
    fs::write(path.join("half.json"), &half[..half.len() / 2]).unwrap();
    fs::copy(snapshot("kev.json"), path.join("kev.json")).unwrap();
    let database = ["--database", "sqlite:t.db"];
    let import = run(path, &[&["feed", "import", "."][..], &database].concat()).expect(3);
    assert!(import.out.contains("table.csv"), "{}", import.out);
    assert!(import.out.contains("half.json"), "{}", import.out);
    assert!(
        import.out.lines().any(|line| line.starts_with("kev ")),
        "{}",
        import.out
    );
    // What came before the place where the file breaks off was read.
    let nvd = import
        .out
        .lines()
        .find(|line| line.starts_with("nvd "))
        .unwrap_or_else(|| panic!("{}", import.out));
    let added: u64 = nvd.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(added > 10, "{nvd}");
}

#[test]
fn a_missing_file_or_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = run(
        folder.path(),
        &[
            "feed",
            "import",
            "nothing.json",
            "--database",
            "sqlite:t.db",
        ],
    );
    assert_ne!(missing.code, 0);
    assert!(
        missing.out.contains("nothing.json") || missing.err.contains("nothing.json"),
        "{missing:?}"
    );
    let wrong = run(
        folder.path(),
        &["channel", "list", "--database", "mysql://x"],
    )
    .expect(1);
    assert!(
        wrong.err.starts_with("error: ") && wrong.err.contains("mysql"),
        "{}",
        wrong.err
    );
    let release = [
        "channel",
        "import",
        "c",
        "--packages",
        "none.json",
        "--revision",
        "r",
        "--released",
        "2026-01-01",
    ];
    let missing = run(
        folder.path(),
        &[&release[..], &["--database", "sqlite:t.db"]].concat(),
    )
    .expect(1);
    assert!(missing.err.contains("none.json"), "{}", missing.err);
}

#[test]
fn a_command_that_reads_creates_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let database = ["--database", "sqlite:absent.db"];
    for command in [
        &["show", "CVE-2019-14697"][..],
        &["channel", "list"],
        &["channel", "diff", "c"],
        &["bench", "pages"],
        &["match"],
        &["serve", "--listen", "127.0.0.1:0"],
    ] {
        let refused = run(folder.path(), &[command, &database].concat()).expect(1);
        assert!(refused.err.contains("absent.db"), "{}", refused.err);
        assert!(!folder.path().join("absent.db").exists(), "{command:?}");
    }
}

#[test]
fn what_is_wrong_and_what_is_not_there_have_codes_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let database = ["--database", "sqlite:t.db"];
    let feed = snapshot("kev.json");
    run(
        folder.path(),
        &[&["feed", "import", &feed][..], &database].concat(),
    )
    .expect(0);
    for (command, code, says) in [
        (
            &["triage", "list", "colour:red"][..],
            2,
            "`colour` is no field",
        ),
        (
            &[
                "triage",
                "rule",
                "add",
                "colour:red",
                "--reason",
                "x",
                "--expires",
                "2027-01-01T00:00:00Z",
            ],
            2,
            "`colour` is no field",
        ),
        (
            &["triage", "dismiss", "CVE-1", "x", "--why", "boring"],
            2,
            "`boring` is no reason",
        ),
        (
            &["triage", "state", "CVE-1", "x", "fine"],
            2,
            "`fine` is no state",
        ),
        (&["feed", "follow", "--once", "nope"], 2, "no feed `nope`"),
        (
            &["triage", "undo", "99999"],
            4,
            "event 99999 is not in the log",
        ),
        (
            &["admin", "people", "show", "nobody"],
            4,
            "nobody called `nobody`",
        ),
        (
            &["admin", "people", "sign-out", "nobody"],
            4,
            "nobody called `nobody`",
        ),
        (
            &["embargo", "list", "--as", "nobody"],
            4,
            "nobody called `nobody`",
        ),
    ] {
        let refused = run(folder.path(), &[command, &database].concat()).expect(code);
        assert!(refused.err.contains(says), "{command:?}: {}", refused.err);
    }
}

#[test]
fn what_others_wrote_tells_the_terminal_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let record = r#"{"schema_version":"1.6.0","id":"GHSA-aaaa-bbbb-cccc","modified":"2026-01-03T00:00:00Z",
        "summary":"A hole\u001b]52;c;cHduZWQ=\u0007\u009b2J","details":"\u001b[31mMore."}"#;
    fs::write(path.join("osv.json"), record).unwrap();
    let database = ["--database", "sqlite:t.db"];
    run(
        path,
        &[&["feed", "import", "osv.json"][..], &database].concat(),
    )
    .expect(0);
    let show = ["show", "GHSA-aaaa-bbbb-cccc"];
    let shown = run(path, &[&show[..], &database].concat()).expect(0).out;
    assert!(shown.contains("A hole"), "{shown:?}");
    let missing = run(path, &[&["show", "no\u{1b}[2Jne"][..], &database].concat()).expect(4);
    for printed in [shown, missing.out, missing.err] {
        let control = |character: char| character.is_control() && character != '\n';
        assert!(!printed.contains(control), "{printed:?}");
    }
}
