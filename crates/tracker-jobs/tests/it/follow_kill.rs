//! A process that follows is killed again and again: it goes on where it was, without loss or double, whatever kind of
//! cursor its feed has.

use crate::follow::{Bench, archive, cve, kev, log, page};
use crate::follow_feeds::{advisory, commit, comparison, euvd};
use crate::import::osv;
use crate::site::Site;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tracker_jobs::{Content, FeedKind};
use tracker_record::Record;
use tracker_store::Store;
use tracker_testkit::{Database, on_both_databases};

const RECORDS: usize = 12;
const PAGE: usize = 2;

/// Kills after so many requests, and so many milliseconds.
const KILLS: [(usize, u64); 5] = [(1, 0), (1, 40), (2, 10), (3, 0), (4, 25)];

fn start(database: &str, spool: &Path, kind: &str, url: &str) -> Child {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().with_file_name("examples/follow");
    Command::new(program)
        .args([database, &spool.display().to_string(), kind, url])
        .stdout(Stdio::null())
        .spawn()
        .expect("`cargo test --package tracker-jobs` builds the example")
}

async fn held(store: &Store) -> usize {
    store.known_digests().await.unwrap().len()
}

/// A feed as its server has it at first, and later.
struct Case {
    kind: &'static str,
    feed: FeedKind,
    path: &'static str,
    first: fn(&Site),
    later: fn(&Site),
}

const CASES: [Case; 6] = [
    Case {
        kind: "kev",
        feed: FeedKind::File(Content::Kev),
        path: "kev.json",
        first: |site| site.put("kev.json", kev(1, &["CVE-2026-1000", "CVE-2026-1001"])),
        later: |site| site.put("kev.json", kev(2, &["CVE-2026-1001", "CVE-2026-1002"])),
    },
    Case {
        kind: "cve-list",
        feed: FeedKind::CveList,
        path: "",
        first: |site| {
            site.put(
                "all.zip",
                archive(&[("CVE-2026-1000.json", cve("CVE-2026-1000", 1))]),
            );
            site.put("deltaLog.json", log(&[(1, &["CVE-2026-1000"], &[])]));
        },
        later: |site| {
            let ids = ["CVE-2026-1000", "CVE-2026-1001", "CVE-2026-1002"];
            for id in ids {
                site.put(&format!("2026/1xxx/{id}.json"), cve(id, 2));
            }
            site.put(
                "deltaLog.json",
                log(&[(1, &["CVE-2026-1000"], &[]), (2, &ids[1..], &ids[..1])]),
            );
        },
    },
    Case {
        kind: "osv",
        feed: FeedKind::Osv,
        path: "PyPI/",
        first: |site| {
            site.put(
                "PyPI/all.zip",
                archive(&[("CVE-2026-1000.json", osv("CVE-2026-1000", 1, "t"))]),
            );
            site.put(
                "PyPI/modified_id.csv",
                "2024-01-01T00:00:01Z,CVE-2026-1000\n",
            );
        },
        later: |site| {
            let mut table = String::new();
            for (number, second) in [(1000, 4), (1001, 3), (1002, 2)] {
                let id = format!("CVE-2026-{number}");
                site.put(&format!("PyPI/{id}.json"), osv(&id, second, "later"));
                let _ = writeln!(table, "2024-01-01T00:00:{second:02}Z,{id}");
            }
            site.put("PyPI/modified_id.csv", table);
        },
    },
    Case {
        kind: "euvd",
        feed: FeedKind::Euvd,
        path: "api/search",
        first: |site| site.api("api/search", |_| euvd(0..2, 2)),
        later: |site| {
            site.api("api/search", |query| {
                let page: usize = crate::follow::parameter(query, "page")
                    .unwrap()
                    .parse()
                    .unwrap();
                euvd(page * 100..(page * 100 + 100).min(250), 250)
            });
        },
    },
    Case {
        kind: "repository",
        feed: FeedKind::Repository("reviewed/"),
        path: "",
        first: |site| {
            site.put("commits/HEAD", format!(r#"{{"sha":"{}"}}"#, commit(1)));
            let files = ["CVE-2026-1000", "CVE-2026-1001"]
                .map(|id| (format!("x/reviewed/{id}.json"), osv(id, 1, "t")));
            let files: Vec<(&str, String)> = files
                .iter()
                .map(|(name, text)| (name.as_str(), text.clone()))
                .collect();
            site.put(&format!("zipball/{}", commit(1)), archive(&files));
        },
        later: |site| {
            site.put("commits/HEAD", format!(r#"{{"sha":"{}"}}"#, commit(2)));
            let files = [
                ("reviewed/CVE-2026-1000.json", "modified"),
                ("reviewed/CVE-2026-1002.json", "added"),
                ("reviewed/GHSA-1.json", "removed"),
            ];
            site.put(
                &format!("compare/{}...{}", commit(1), commit(2)),
                comparison("ahead", &files),
            );
            for id in ["CVE-2026-1000", "CVE-2026-1002"] {
                site.put(
                    &format!("raw/{}/reviewed/{id}.json", commit(2)),
                    osv(id, 2, "later"),
                );
            }
        },
    },
    Case {
        kind: "csaf",
        feed: FeedKind::Csaf,
        path: "provider-metadata.json",
        first: |site| {
            site.put(
                "provider-metadata.json",
                format!(
                    r#"{{"distributions":[{{"directory_url":"{}"}}]}}"#,
                    site.url("csaf/")
                ),
            );
            site.put("csaf/1.json", advisory(1, 1).replace("0001", "1000"));
            site.put("csaf/changes.csv", "1.json,2026-01-01T00:00:00Z\n");
        },
        later: |site| {
            site.put("csaf/1.json", advisory(1, 4).replace("0001", "1000"));
            site.put("csaf/2.json", advisory(2, 2).replace("0002", "1001"));
            site.put("csaf/3.json", advisory(3, 3).replace("0003", "1002"));
            site.put("csaf/changes.csv", "1.json,2026-01-04T00:00:00Z\n3.json,2026-01-03T00:00:00Z\n2.json,2026-01-02T00:00:00Z\n");
        },
    },
];

/// All records of the vulnerabilities that the cases are about.
async fn records(store: &Store) -> Vec<(Record, bool)> {
    let mut records = Vec::new();
    for number in 1000..1250 {
        let id = format!("CVE-2026-{number}");
        if let Some(detail) = store.vulnerability(&id).await.unwrap() {
            let views = detail.records.into_iter();
            records.extend(views.map(|view| (view.record, view.withdrawn.is_some())));
        }
    }
    records
}

/// Runs the program until it ended by itself or was to be killed; whether it ended.
async fn run(child: &mut Child, site: &Site, kill: Option<(usize, u64)>) -> bool {
    let deadline = Instant::now() + Duration::from_mins(2);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            return true;
        }
        if let Some((requests, milliseconds)) = kill
            && site.count() >= requests
        {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            child.kill().unwrap();
            child.wait().unwrap();
            return false;
        }
        assert!(Instant::now() < deadline, "it makes no headway");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

on_both_databases! {
    async fn every_kind_of_feed_survives_being_killed(database) {
        for Case { kind, feed, path, first, later } in CASES {
            // Undisturbed, for comparison.
            let control = Bench::new(Store::open("sqlite::memory:").await.unwrap()).await;
            let control_feed = crate::follow::feed(feed, control.site.url(path));
            first(&control.site);
            control.followed(&control_feed).await;
            later(&control.site);
            control.followed(&control_feed).await;
            let wanted = records(&control.store).await;
            assert!(wanted.len() >= 3, "{kind}");

            let database = Database::new(database.kind()).await;
            let store = database.open().await;
            let site = Site::start().await;
            let spool = tempfile::tempdir().unwrap();
            let url = site.url(path);
            first(&site);
            let mut child = start(database.url(), spool.path(), kind, &url);
            assert!(run(&mut child, &site, None).await);
            later(&site);
            let mut killed = 0;
            for kill in KILLS {
                site.requests();
                let mut child = start(database.url(), spool.path(), kind, &url);
                if run(&mut child, &site, Some(kill)).await {
                    break;
                }
                killed += 1;
            }
            assert!(killed > 0, "{kind}");
            let mut last = start(database.url(), spool.path(), kind, &url);
            assert!(run(&mut last, &site, None).await);
            assert_eq!(records(&store).await, wanted, "{kind} after {killed} kills");
            // Nothing is left to ask for.
            site.requests();
            let mut idle = start(database.url(), spool.path(), kind, &url);
            assert!(run(&mut idle, &site, None).await);
            assert_eq!(site.requests().len(), 1, "{kind}");
            assert_eq!(store.check(true, &mut || ()).await.unwrap(), []);
        }
    }

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
            let mut child = start(database.url(), spool.path(), "nvd", &url);
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
        let mut last = start(database.url(), spool.path(), "nvd", &url);
        assert!(run(&mut last, &site, None).await);
        assert_eq!(held(&store).await, RECORDS);
        let requests = site.requests();
        assert!(!requests[0].contains("startIndex=0"), "it began anew: {}", requests[0]);
        assert!(requests.len() <= (RECORDS - before) / PAGE + 2, "{requests:?}");
        assert_eq!(store.overview().await.unwrap().vulnerabilities, RECORDS as u64);
    }
}
