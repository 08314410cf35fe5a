//! `worker` and `jobs`, as the program is run.

use crate::follow::serve;
use crate::program::{command, run, snapshot};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const DATABASE: [&str; 2] = ["--database", "sqlite:t.db"];

/// The jobs as JSON, by name.
fn job(folder: &Path, name: &str) -> serde_json::Value {
    let show = ["jobs", "show", name, "--json"];
    run(folder, &[&show[..], &DATABASE].concat())
        .expect(0)
        .json()
}

#[test]
fn a_feed_with_nothing_new_costs_one_request_through_the_worker() {
    let folder = tempfile::tempdir().unwrap();
    let (url, server) = serve(std::fs::read(snapshot("kev.json")).unwrap(), 2);
    let url = format!("kev={url}");
    let work = ["worker", "--once", "--feed", "kev", "--feed-url", &url];
    let work = || run(folder.path(), &[&work[..], &DATABASE].concat());
    let first = work().expect(0);
    // The feed, matching what is new, and housekeeping; matching may have begun before there was news.
    assert!(
        first
            .out
            .ends_with("runs done, 0 of them with problems; 0 failed, 0 not finished\n"),
        "{}",
        first.out
    );
    let kev = job(folder.path(), "feed:kev");
    assert!(kev["counts"]["added"].as_u64().unwrap() > 0, "{kev}");
    assert_eq!(
        (&kev["state"], &kev["attempts"]),
        (&"waiting".into(), &0.into())
    );

    assert!(
        work().expect(0).out.starts_with("0 runs done"),
        "nothing is due"
    );
    let due = run(
        folder.path(),
        &[&["jobs", "run", "feed:kev"][..], &DATABASE].concat(),
    )
    .expect(0);
    assert_eq!(due.out, "feed:kev is due\n");
    assert!(work().expect(0).out.starts_with("1 runs done"));
    assert_eq!(job(folder.path(), "feed:kev")["counts"]["requests"], 1);
    assert_eq!(
        server.join().unwrap(),
        1,
        "the second request was answered that nothing changed"
    );
}

#[test]
fn a_dead_job_is_listed_and_retried() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("t.toml"),
        "[worker]\nlanding = 'no-index'\nno-feeds = true\nattempts = 1\n",
    )
    .unwrap();
    let worker = ["worker", "--once", "--config", "t.toml", "--json"];
    let failed = run(folder.path(), &[&worker[..], &DATABASE].concat()).expect(3);
    assert_eq!(failed.json()["failed"], 1, "{}", failed.out);
    let list = || {
        run(folder.path(), &[&["jobs", "list"][..], &DATABASE].concat())
            .expect(0)
            .out
    };
    let line = |list: &str| {
        list.lines()
            .find(|line| line.starts_with("landing-join "))
            .unwrap()
            .to_owned()
    };
    let dead = line(&list());
    assert!(
        dead.contains("dead, failed once; there is no landing index in `no-index`"),
        "{dead}"
    );
    let show = run(
        folder.path(),
        &[&["jobs", "show", "landing-join"][..], &DATABASE].concat(),
    )
    .expect(0);
    assert!(show.out.contains("last went well: never\n"), "{}", show.out);
    let retried = run(
        folder.path(),
        &[&["jobs", "retry", "--all"][..], &DATABASE].concat(),
    )
    .expect(0);
    assert_eq!(retried.out, "landing-join is due\n");
    assert!(line(&list()).contains("due since"), "{}", list());
    for verb in ["show", "run", "retry"] {
        let absent = run(
            folder.path(),
            &[&["jobs", verb, "feed:none"][..], &DATABASE].concat(),
        )
        .expect(4);
        assert!(
            absent.err.contains("there is no job `feed:none`"),
            "{}",
            absent.err
        );
    }
}

#[test]
fn what_a_worker_is_told_is_checked_before_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, code, told) in [
        (&["--feed", "cve"][..], 2, "there are cve-list, nvd, kev"),
        (
            &["--no-feeds", "--channel-url", "a=http://192.0.2.1/"],
            2,
            "`a` is not among the channels",
        ),
        (
            &["--no-feeds", "--channel-distribution", "a=b"],
            2,
            "`a` is not among the channels",
        ),
        (
            &["--no-feeds", "--feed-url", "kev=http://192.0.2.1/"],
            2,
            "no feeds are followed",
        ),
        (
            &["--no-feeds", "--channel", "../x", "--landing", "l"],
            2,
            "`../x` is no channel's name",
        ),
        (&["--no-feeds", "--git-fetch"], 2, "--repository"),
        (&["--lease", "0"], 2, "1..=86400"),
    ] {
        let refused = run(
            folder.path(),
            &[&["worker", "--once"][..], arguments, &DATABASE].concat(),
        )
        .expect(code);
        assert!(refused.err.contains(told), "{arguments:?}: {}", refused.err);
    }
    assert!(!folder.path().join("t.db").exists(), "nothing was begun");
}

#[test]
fn a_worker_without_work_waits_and_ends_in_peace() {
    let folder = tempfile::tempdir().unwrap();
    let mut worker = command(folder.path())
        .args([
            "worker",
            "--no-feeds",
            "--log",
            "info",
            "--log-format",
            "json",
        ])
        .args(DATABASE)
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(folder.path().join("log")).unwrap())
        .spawn()
        .unwrap();
    let log = || std::fs::read_to_string(folder.path().join("log")).unwrap();
    let started = Instant::now();
    while log().matches("job done").count() < 2 {
        assert!(started.elapsed() < Duration::from_mins(1), "{}", log());
        std::thread::sleep(Duration::from_millis(20));
    }
    let sent = Command::new("kill")
        .args(["-TERM", &worker.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    assert_eq!(worker.wait().unwrap().code(), Some(0));
    for line in log().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_ne!(line["level"], "ERROR", "{line}");
        if line["fields"]["message"] == "job done" {
            assert!(
                line["fields"]["elapsed_us"].is_u64() && line["fields"]["job"].is_string(),
                "{line}"
            );
        }
    }
}
