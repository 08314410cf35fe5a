//! Servers that fail, break off or lie: the feed says so, and what was held stays.
//!
//! Invariant: after every fault the records are those of before, and the next good answer is taken.

use crate::follow::{Bench, feed, kev, page};
use crate::site::Fault;
use tracker_jobs::{Content, FeedKind, FetchLimits, Fetcher, follow};
use tracker_record::Source;
use tracker_testkit::on_both_databases;

const IDS: [&str; 4] = [
    "CVE-2026-0001",
    "CVE-2026-0002",
    "CVE-2026-0003",
    "CVE-2026-0004",
];

on_both_databases! {
    async fn a_feed_that_lies_is_told_and_what_was_held_stays(database) {
        let bench = Bench::new(database.open().await).await;
        let feed = feed(FeedKind::File(Content::Kev), bench.site.url("kev.json"));
        let good = kev(5, &IDS);
        bench.site.put("kev.json", &good);
        bench.followed(&feed).await;
        let missing = kev(6, &IDS).replace("\"count\":4", "\"count\":5");
        let whole = kev(6, &IDS);
        for (content, problem) in [
            (kev(4, &IDS), "older than before: 2026-01-04"),
            (missing, "cut off: 4 records of 5"),
            (kev(6, &IDS[..1]), "cut off: 1 records after 4"),
            (whole[..whole.len() / 2].to_owned(), "cut off: EOF"),
            (whole.replace("vulnerabilities", "entries"), "its shape changed: missing field"),
            (whole.replace("cveID", "cve"), "its shape changed: "),
            ("<html>maintenance</html>".to_owned(), "its shape changed: expected value"),
        ] {
            bench.site.put("kev.json", content);
            let report = bench.follow(&feed).await;
            let told = report.problem.unwrap();
            assert!(told.starts_with(problem), "{told}");
            assert_eq!(report.records.added + report.records.changed, 0);
            assert_eq!(bench.records(Source::Kev).await, 4);
            let state = bench.store.follow_state("feed").await.unwrap();
            assert_eq!(state.problem, Some(told));
            assert!(state.failures > 0);
        }
        bench.site.put("kev.json", kev(7, &IDS));
        bench.followed(&feed).await;
        let state = bench.store.follow_state("feed").await.unwrap();
        assert_eq!((state.problem, state.failures), (None, 0));
    }

    async fn a_server_that_fails_is_asked_again_and_a_body_is_continued(database) {
        let bench = Bench::new(database.open().await).await;
        let feed = feed(FeedKind::File(Content::Kev), bench.site.url("kev.json"));
        bench.site.put("kev.json", kev(1, &IDS));
        bench.site.fail([Fault::Status(503, Some(0)), Fault::Cut(100)]);
        assert_eq!(bench.followed(&feed).await.added, 4);
        let requests = bench.site.requests();
        assert_eq!(requests.len(), 3);
        assert!(requests[2].contains("range: bytes=100-"), "{}", requests[2]);

        // All attempts used up, then an answer that is another version: begun anew.
        bench.site.put("kev.json", kev(2, &IDS));
        bench.site.fail([Fault::Cut(100), Fault::Status(500, None), Fault::Status(429, None)]);
        let problem = bench.follow(&feed).await.problem.unwrap();
        assert!(problem.ends_with("the server answers 429"), "{problem}");
        bench.site.put("kev.json", kev(3, &IDS));
        assert_eq!(bench.followed(&feed).await.unchanged, 4);
        bench.idle(&feed).await;

        bench.site.remove("kev.json");
        let problem = bench.follow(&feed).await.problem.unwrap();
        assert!(problem.contains("nothing at its address"), "{problem}");
    }

    async fn pages_go_on_where_they_stopped_and_secrets_are_not_told(database) {
        let bench = Bench::new(database.open().await).await;
        let feed = feed(FeedKind::Nvd, bench.site.url("api"));
        // The third page never comes, and the page after is cut off by the server's own count.
        bench.site.api("api", |query| {
            if query.contains("startIndex=4") { "{\"resultsPerPage\":2".to_owned() } else { page(query, 6, 2) }
        });
        let problem = bench.follow(&feed).await.problem.unwrap();
        assert!(problem.starts_with("cut off"), "{problem}");
        assert!(!problem.contains("k-e-y"), "{problem}");
        assert_eq!(bench.records(Source::Nvd).await, 4);
        bench.site.requests();
        bench.site.api("api", |query| {
            page(query, if query.contains("lastMod") { 0 } else { 6 }, 2)
        });
        assert_eq!(bench.followed(&feed).await.added, 2);
        let requests = bench.site.requests();
        assert_eq!(requests.len(), 2, "the page that was missing, then a window with nothing");
        assert!(requests[0].contains("startIndex=4"), "{}", requests[0]);

        bench.site.api("api", |query| page(query, 6, 2).replace("\"totalResults\":6", "\"totalResults\":9").replace("\"resultsPerPage\":2", "\"resultsPerPage\":3"));
        let problem = bench.follow(&feed).await.problem.unwrap();
        assert!(problem.starts_with("cut off: 2 records of 3"), "{problem}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let store = tracker_store::Store::open("sqlite::memory:").await.unwrap();
    let bench = Bench::new(store).await;
    let spool = tempfile::tempdir().unwrap();
    let limits = FetchLimits {
        bytes: 100,
        ..FetchLimits::default()
    };
    let fetcher = Fetcher::new(spool.path().to_owned(), limits).unwrap();
    bench.site.put("kev.json", kev(1, &IDS));
    let feed = feed(FeedKind::File(Content::Kev), bench.site.url("kev.json"));
    let report = follow(&bench.store, &fetcher, &feed).await.unwrap();
    let problem = report.problem.unwrap();
    assert!(problem.ends_with("larger than 100 bytes"), "{problem}");
}

#[tokio::test]
async fn who_asks_a_server_is_told_to_nobody_else() {
    let store = tracker_store::Store::open("sqlite::memory:").await.unwrap();
    let bench = Bench::new(store).await;
    let url = bench.site.url("kev.json?key=s-e-c-r-e-t");
    let url = url.replace("http://", "http://mirror:p-a-s-s@");
    let feed = feed(FeedKind::File(Content::Kev), url);
    bench.site.put("kev.json", kev(1, &IDS));
    assert_eq!(bench.followed(&feed).await.added, 4);
    bench.site.fail([Fault::Status(401, None)]);
    // What is told here stands on the page of the data sources.
    let problem = bench.follow(&feed).await.problem.unwrap();
    assert!(
        problem.contains("/kev.json: the server answers 401"),
        "{problem}"
    );
    for secret in ["mirror", "p-a-s-s", "s-e-c-r-e-t"] {
        assert!(!problem.contains(secret), "{problem}");
    }
}
