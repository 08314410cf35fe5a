//! From a commit that names a vulnerability to the finding that it closes: the real program over a real repository, its worker
//! and its server.

use crate::landing::get;
use crate::program::{command, run, snapshot};
use jiff::{Timestamp, ToSpan};
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ID: &str = "CVE-2019-14697";
const DATABASE: [&str; 2] = ["--database", "sqlite:t.db"];

/// Days of history: three commits a day, and a release of nixos-unstable at the end of each.
const DAYS: i64 = 60;

/// The commit of a name in the clone.
fn revision(folder: &Path, name: &str) -> String {
    git(&folder.join("clone"), &["rev-parse", name])
        .trim()
        .to_owned()
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    let output = git.arg("-C").arg(folder).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// A clone whose master ends with the merge of a fix three hours ago, a release branch without it, and the heads of two channels
/// where they were yesterday; and the dated releases of one of them.
fn clone(folder: &Path, now: Timestamp) {
    git(
        folder,
        &[
            "init",
            "--quiet",
            "--bare",
            "--initial-branch=master",
            "clone",
        ],
    );
    let clone = folder.join("clone");
    let mut stream = String::new();
    let mut mark = 0;
    let mut commit = |branch: &str, hours_ago: i64, parents: &str, message: &str| {
        mark += 1;
        let time = now.as_second() - hours_ago * 3_600;
        writeln!(
            stream,
            "commit refs/heads/{branch}\nmark :{mark}\ncommitter a <a@example.org> {time} +0000\ndata {}\n{message}\n{parents}",
            message.len()
        )
        .unwrap();
        mark
    };
    let mut last = 0;
    for day in (1..=DAYS).rev() {
        for hour in [8, 4, 0] {
            last = commit("master", day * 24 + hour, "", "step");
        }
    }
    let from = |mark: i32| format!("from :{mark}\n");
    commit("release-25.05", 30, &from(last), "release: begin");
    let fix = format!("musl: patch an overflow\n\nFixes {ID}");
    let fixed = commit("fix", 5, &from(last), &fix);
    let merge = "Merge pull request #700 from someone/fix\n\nmusl: patch an overflow";
    commit("master", 3, &format!("merge :{fixed}\n"), merge);
    let mut import = Command::new("git");
    import
        .arg("-C")
        .arg(&clone)
        .args(["fast-import", "--quiet"]);
    let mut import = import.stdin(Stdio::piped()).spawn().unwrap();
    import
        .stdin
        .take()
        .unwrap()
        .write_all(stream.as_bytes())
        .unwrap();
    assert!(import.wait().unwrap().success());
    let yesterday = git(&clone, &["rev-parse", "master^1"]);
    for (channel, at) in [
        ("nixos-unstable", yesterday.trim()),
        ("nixos-25.05", "release-25.05"),
    ] {
        git(
            &clone,
            &["update-ref", &format!("refs/heads/{channel}"), at],
        );
    }
    // Every third commit was a release six hours later.
    let commits = git(&clone, &["rev-list", "--reverse", "master^1"]);
    let ends = commits.lines().skip(2).step_by(3).zip((1..=DAYS).rev());
    let lines = ends.map(|(name, day)| format!("{name} {:.0}\n", now - (day * 24 - 6).hours()));
    std::fs::write(folder.join("history"), lines.collect::<String>()).unwrap();
}

/// The tracker in a folder.
struct Tracker<'a>(&'a Path);

impl Tracker<'_> {
    fn run(&self, arguments: &[&str]) -> String {
        run(self.0, &[arguments, &DATABASE].concat()).expect(0).out
    }

    /// A release that ships the version that is affected: patched or not, its number stays.
    fn release(&self, channel: &str, revision: &str, released: Timestamp) {
        let packages = r#"{"packages": {"musl": {"name": "musl-1.1.22", "pname": "musl", "system": "x86_64-linux", "version": "1.1.22"}}}"#;
        std::fs::write(self.0.join("packages.json"), packages).unwrap();
        let released = released.to_string();
        let place = ["--revision", revision, "--released", &released];
        let import = ["channel", "import", channel, "--packages", "packages.json"];
        self.run(&[&import[..], &place].concat());
    }

    /// Records, a release of each channel from yesterday, the index and the past of one channel.
    fn fill(&self, now: Timestamp) {
        self.run(&[
            "feed",
            "import",
            &snapshot("nvd.json"),
            &snapshot("cve-list.jsonl"),
        ]);
        let yesterday = now - 18.hours();
        for channel in ["nixos-unstable", "nixos-25.05"] {
            self.release(channel, &revision(self.0, channel), yesterday);
        }
        let index = ["landing", "index", "--repository", "clone"];
        run(self.0, &index).expect(0);
        let history = [
            "landing",
            "history",
            "history",
            "--channel",
            "nixos-unstable",
        ];
        run(self.0, &history).expect(0);
    }

    /// What is due and what becomes due by it.
    fn work(&self) {
        let landing = ["--landing", "landing", "--repository", "clone"];
        self.run(&[&["worker", "--once", "--no-feeds"][..], &landing].concat());
    }

    fn serve(&self) -> Server {
        let serve = ["serve", "--landing", "landing", "--listen", "127.0.0.1:0"];
        let mut child = command(self.0)
            .args(serve)
            .args(DATABASE)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut said).unwrap();
        let address = said.trim().rsplit("http://").next().unwrap().to_owned();
        Server { child, address }
    }
}

/// A running server; dropped, it ends.
struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn page(&self) -> String {
        let (status, page) = get(&self.address, &format!("/vulnerabilities/{ID}"));
        assert_eq!(status, 200, "{page}");
        page
    }

    /// The twin as soon as the server has taken in that the fix is on a channel and its finding closed.
    fn once_fixed(&self, channel: &str) -> serde_json::Value {
        let until = Instant::now() + Duration::from_mins(1);
        loop {
            let twin = self.twin();
            let (finding, landing) = on(&twin, channel);
            if finding["status"] == "fixed" && landing["standing"] == "landed" {
                return twin;
            }
            assert!(Instant::now() < until, "{twin:#}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn twin(&self) -> serde_json::Value {
        let (status, answer) = get(&self.address, &format!("/vulnerabilities/{ID}.json"));
        assert_eq!(status, 200, "{answer}");
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
    }
}

/// The finding of musl on a channel, and where its fix is there.
fn on<'a>(
    twin: &'a serde_json::Value,
    channel: &str,
) -> (&'a serde_json::Value, &'a serde_json::Value) {
    let of_channel = |list: &'a serde_json::Value| {
        let mut list = list.as_array().unwrap().iter();
        list.find(|one| one["channel"] == channel)
            .unwrap_or_else(|| panic!("{channel}: {twin:#}"))
    };
    assert_eq!(twin["changes"].as_array().unwrap().len(), 1, "{twin:#}");
    (
        of_channel(&twin["matches"][0]["findings"]),
        of_channel(&twin["changes"][0]["channels"]),
    )
}

#[test]
fn a_finding_shows_when_its_fix_comes_and_is_fixed_once_it_came() {
    let folder = tempfile::tempdir().unwrap();
    let (path, now) = (folder.path(), Timestamp::now());
    let tracker = Tracker(path);
    clone(path, now);

    tracker.fill(now);
    tracker.work();

    // Merged, and in no release: where it is and when it comes stands beside the finding.
    let server = tracker.serve();
    let twin = server.twin();
    let (finding, landing) = on(&twin, "nixos-unstable");
    assert_eq!(finding["status"], "affected", "{finding:#}");
    assert_eq!(twin["changes"][0]["pull_request"], 700);
    assert_eq!(twin["changes"][0]["path"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&landing["standing"], &landing["eta"]["state"]),
        (&"waiting".into(), &"forecast".into())
    );
    let time = |name: &str| {
        landing["eta"][name]
            .as_str()
            .unwrap()
            .parse::<Timestamp>()
            .unwrap()
    };
    let (low, median, high) = (time("low"), time("median"), time("high"));
    assert!(low <= median && median <= high, "{landing:#}");
    assert!(
        (now - 1.hours()..now + 49.hours()).contains(&median),
        "it moves daily: {landing:#}"
    );
    assert!(
        landing["eta"]["record"]["changes"].as_u64().unwrap() >= 20,
        "{landing:#}"
    );
    let (finding, landing) = on(&twin, "nixos-25.05");
    assert_eq!(
        (&finding["status"], &landing["eta"]["state"]),
        (&"affected".into(), &"unknown".into())
    );
    let page = server.page();
    for part in [
        "Pull request #700",
        "has it since",
        "expected by",
        "80 %: ",
        "when is unknown: it is neither on <code>release-25.05</code>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }

    // The release that has it is out; its packages say the same version as before.
    let clone = path.join("clone");
    git(
        &clone,
        &["update-ref", "refs/heads/nixos-unstable", "master"],
    );
    tracker.release(
        "nixos-unstable",
        &revision(path, "master"),
        Timestamp::now(),
    );
    tracker.run(&["jobs", "run", "landing-index"]);
    tracker.work();
    let twin = server.once_fixed("nixos-unstable");
    let (finding, landing) = on(&twin, "nixos-unstable");
    let evidence = finding["evidence"][0].as_str().unwrap();
    assert!(
        evidence.contains(&revision(path, "master^2")[..12])
            || evidence.contains(&revision(path, "master")[..12]),
        "{evidence}"
    );
    assert!(
        evidence.contains(&format!("(#700) names {ID}")),
        "{evidence}"
    );
    assert_eq!(landing["first"]["observed"], false, "{landing:#}");
    assert_eq!(on(&twin, "nixos-25.05").0["status"], "affected");
    let page = server.page();
    assert!(
        page.contains("is in the release of") && !page.contains("expected by"),
        "{page}"
    );
}
