//! Every step by hand, on both databases: feeds, channels, matching, and what comes of it.

use crate::program::{Run, command, run, snapshot};
use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use tracker_testkit::{Database, on_both_databases};

pub(crate) struct Tracker<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) url: &'a str,
}

impl Tracker<'_> {
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        run(
            self.folder,
            &[arguments, &["--database", self.url]].concat(),
        )
    }

    fn release(&self, channel: &str, day: &str, derivations: bool, revision: &str) -> Run {
        let packages = snapshot(&format!("{channel}-{day}.packages.json"));
        let graph = snapshot(&format!("{channel}-{day}.derivations.jsonl"));
        let mut arguments = vec![
            "channel",
            "import",
            channel,
            "--packages",
            &packages,
            "--revision",
            revision,
            "--released",
            day,
        ];
        if derivations {
            arguments.extend(["--derivations", &graph]);
        }
        self.run(&arguments)
    }

    pub(crate) fn fill(&self) {
        let feeds = ["nvd.json", "cve-list.jsonl", "osv.jsonl", "kev.json"].map(snapshot);
        let feeds: Vec<&str> = feeds.iter().map(String::as_str).collect();
        self.run(&[&["feed", "import"][..], &feeds].concat())
            .expect(0);
        self.release("nixos-19.09", "2019-10-03", true, "one")
            .expect(0);
        self.release("nixos-19.09", "2019-11-17", true, "two")
            .expect(0);
        self.release("nixos-unstable", "2026-05-03", false, "three")
            .expect(0);
        self.run(&["match"]).expect(0);
    }
}

fn finding<'a>(
    shown: &'a serde_json::Value,
    channel: &str,
    attribute: &str,
) -> &'a serde_json::Value {
    let matches = shown["matches"].as_array().unwrap().iter();
    matches
        .flat_map(|matched| matched["findings"].as_array().unwrap())
        .find(|finding| finding["channel"] == channel && finding["attribute"] == attribute)
        .unwrap_or_else(|| panic!("no finding for {attribute} on {channel}: {shown:#}"))
}

on_both_databases! {
    async fn feeds_and_channels_lead_to_findings(database) {
        let folder = tempfile::tempdir().unwrap();
        let tracker = Tracker { folder: folder.path(), url: database.url() };
        tracker.fill();

        let musl = tracker.run(&["show", "CVE-2019-14697"]).expect(0).out;
        let section = musl.split("nixos-19.09\n").nth(1).unwrap_or_else(|| panic!("{musl}"));
        let section = section.split("\n\n").next().unwrap();
        assert!(section.contains("musl 1.1.22: affected"), "{musl}");
        assert!(section.contains("1.1.23"), "the deciding range: {musl}");
        assert!(musl.contains("match: musl (nixpkgs)"), "{musl}");
        let json = tracker.run(&["show", "cve-2019-14697", "--json"]).expect(0).json();
        let affected = finding(&json, "nixos-19.09", "musl");
        assert_eq!((&affected["status"], &affected["version"]), (&"affected".into(), &"1.1.22".into()));
        assert!(affected["evidence"][0].as_str().unwrap().contains("1.1.23"), "{affected}");
        assert!(!json["matches"][0]["reasons"].as_array().unwrap().is_empty());

        let a2ps = tracker.run(&["show", "CVE-2001-1593", "--json"]).expect(0).json();
        let fixed = finding(&a2ps, "nixos-19.09", "a2ps");
        assert_eq!((&fixed["status"], &fixed["version"]), (&"fixed".into(), &"4.14".into()));
        let evidence = fixed["evidence"].as_array().unwrap();
        assert!(evidence.iter().any(|text| text.as_str().unwrap().contains("09_CVE-2001-1593.diff")), "{fixed}");

        let absent = tracker.run(&["show", "CVE-2019-1469"]).expect(4);
        assert!(absent.err.contains("hint: there is CVE-2019-14697"), "{}", absent.err);
    }

    async fn a_second_run_changes_nothing(database) {
        let folder = tempfile::tempdir().unwrap();
        let tracker = Tracker { folder: folder.path(), url: database.url() };
        tracker.fill();
        let again = tracker.run(&["feed", "import", &snapshot("nvd.json"), "--json"]).expect(0).json();
        let all = again["sources"].as_object().unwrap().values();
        for counts in all {
            assert_eq!((counts["added"].as_u64(), counts["changed"].as_u64()), (Some(0), Some(0)), "{again}");
        }
        let matched = tracker.run(&["match", "--json"]).expect(0).json();
        assert_eq!(matched["distributions"][0]["findings_changed"], 0, "{matched}");
        let release = tracker.release("nixos-19.09", "2019-11-17", true, "two").expect(0).out;
        assert!(release.contains("known before"), "{release}");
    }

    async fn channels_are_listed_and_compared(database) {
        let folder = tempfile::tempdir().unwrap();
        let tracker = Tracker { folder: folder.path(), url: database.url() };
        tracker.fill();
        let list = tracker.run(&["channel", "list", "--json"]).expect(0).json();
        let names: Vec<_> = list.as_array().unwrap().iter().map(|channel| channel["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["nixos-19.09", "nixos-unstable"]);
        let list = tracker.run(&["channel", "list"]).expect(0).out;
        assert!(list.lines().any(|line| line.starts_with("nixos-19.09 ") && line.ends_with("two")), "{list}");
        let diff = tracker.run(&["channel", "diff", "nixos-19.09", "--json"]).expect(0).json();
        assert_eq!((&diff["from"], &diff["to"]), (&"one".into(), &"two".into()));
        assert!(!diff["changes"].as_array().unwrap().is_empty(), "{diff}");
        let none = tracker.run(&["channel", "diff", "nixos-unstable"]).expect(4);
        assert!(none.err.contains("no earlier release"), "{}", none.err);
        tracker.run(&["channel", "diff", "nixos-19.09", "--from", "zero"]).expect(4);
        tracker.run(&["channel", "diff", "nowhere"]).expect(4);
    }

    async fn pages_are_timed(database) {
        let folder = tempfile::tempdir().unwrap();
        let tracker = Tracker { folder: folder.path(), url: database.url() };
        tracker.fill();
        let times = tracker.run(&["bench", "pages", "--rounds", "3", "--json"]).expect(0).json();
        let pages: Vec<_> = times.as_array().unwrap().iter().map(|row| row["page"].as_str().unwrap()).collect();
        assert_eq!(pages, ["overview", "list", "search", "of a package", "queue", "match", "log", "vulnerability", "package", "find packages", "channel"]);
        let table = tracker.run(&["bench", "pages", "--rounds", "1"]).expect(0).out;
        assert!(table.lines().any(|line| line.starts_with("vulnerability ")), "{table}");
    }
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::new(tracker_testkit::Kind::Sqlite).await;
    let tracker = Tracker {
        folder: folder.path(),
        url: database.url(),
    };
    tracker.fill();
    let mut child = command(folder.path())
        .args([
            "show",
            "CVE-2019-14697",
            "--json",
            "--database",
            database.url(),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}
