//! Following feeds in the shapes that their servers have: what is new is imported, what is not costs one request.

use crate::site::Site;
use std::io::{Cursor, Write};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tracker_jobs::{
    Content, Feed, FeedKind, FetchLimits, Fetcher, FollowReport, Secret, SourceCounts, feeds,
    follow,
};
use tracker_record::Source;
use tracker_store::Store;
use tracker_testkit::on_both_databases;

/// A fetcher that does not wait long.
pub(crate) fn fetcher(spool: &Path) -> Fetcher {
    let limits = FetchLimits {
        bytes: 1 << 20,
        silence: Duration::from_secs(10),
        attempts: 3,
        first_pause: Duration::from_millis(4),
        longest_pause: Duration::from_millis(40),
        between: Duration::ZERO,
        ..FetchLimits::default()
    };
    Fetcher::new(spool.to_owned(), limits).unwrap()
}

/// A feed of a site. NVD's has a key, which also allows more requests.
pub(crate) fn feed(kind: FeedKind, url: String) -> Feed {
    Feed {
        name: "feed".to_owned(),
        kind,
        url,
        key: (kind == FeedKind::Nvd).then(|| Secret("k-e-y".to_owned())),
        minutes: 60,
    }
}

pub(crate) struct Bench {
    pub(crate) site: Site,
    pub(crate) store: Store,
    fetcher: Fetcher,
    _spool: TempDir,
}

impl Bench {
    pub(crate) async fn new(store: Store) -> Bench {
        let spool = tempfile::tempdir().unwrap();
        Bench {
            site: Site::start().await,
            store,
            fetcher: fetcher(spool.path()),
            _spool: spool,
        }
    }

    pub(crate) async fn follow(&self, feed: &Feed) -> FollowReport {
        follow(&self.store, &self.fetcher, feed).await.unwrap()
    }

    pub(crate) fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }

    /// A pass that must go well; what became of the records.
    pub(crate) async fn followed(&self, feed: &Feed) -> SourceCounts {
        let report = self.follow(feed).await;
        assert_eq!(report.problem, None);
        report.records
    }

    /// A pass that must find nothing new, with one request.
    pub(crate) async fn idle(&self, feed: &Feed) {
        self.site.requests();
        assert_eq!(self.followed(feed).await, SourceCounts::default());
        assert_eq!(self.site.requests().len(), 1);
    }

    pub(crate) async fn records(&self, source: Source) -> u64 {
        let sources = self.store.sources().await.unwrap();
        sources
            .iter()
            .find(|held| held.source == source)
            .map_or(0, |held| held.records)
    }
}

pub(crate) fn kev(day: u8, ids: &[&str]) -> String {
    let entries: Vec<String> = ids
        .iter()
        .map(|id| format!(r#"{{"cveID":"{id}","vendorProject":"A","product":"B","vulnerabilityName":"N","dateAdded":"2026-01-01","shortDescription":"","requiredAction":"","dueDate":"2026-02-01","knownRansomwareCampaignUse":"Unknown"}}"#))
        .collect();
    format!(
        r#"{{"title":"T","catalogVersion":"2026.01.{day:02}","dateReleased":"2026-01-{day:02}T10:00:00.0000Z","count":{},"vulnerabilities":[{}]}}"#,
        entries.len(),
        entries.join(",")
    )
}

pub(crate) fn cve(id: &str, hour: u8) -> String {
    format!(
        r#"{{"dataType":"CVE_RECORD","dataVersion":"5.1","cveMetadata":{{"cveId":"{id}","state":"PUBLISHED","datePublished":"2026-01-01T00:00:00.000Z","dateUpdated":"2026-01-01T{hour:02}:00:00.000Z"}},"containers":{{"cna":{{"providerMetadata":{{"orgId":"o","shortName":"n"}},"descriptions":[{{"lang":"en","value":"hour {hour}"}}],"affected":[{{"vendor":"v","product":"p","versions":[{{"version":"1","status":"affected"}}]}}]}}}}}}"#
    )
}

pub(crate) fn archive(files: &[(&str, String)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The list's log of changes: an hour, and what is new and updated in it.
pub(crate) fn log(deltas: &[(u8, &[&str], &[&str])]) -> String {
    let entries = |ids: &[&str]| {
        let of = |id: &&str| {
            format!(
                r#"{{"cveId":"{id}","cveOrgLink":"http://192.0.2.1/{id}","githubLink":"http://192.0.2.1/{id}.json","dateUpdated":"2026-01-01T00:00:00.000Z"}}"#
            )
        };
        ids.iter().map(of).collect::<Vec<_>>().join(",")
    };
    let deltas: Vec<String> = deltas
        .iter()
        .rev()
        .map(|(hour, new, updated)| {
            let number = new.len() + updated.len();
            format!(
                r#"{{"fetchTime":"2026-01-01T{hour:02}:00:00.000Z","numberOfChanges":{number},"new":[{}],"updated":[{}],"error":[]}}"#,
                entries(new),
                entries(updated)
            )
        })
        .collect();
    format!("[{}]", deltas.join(","))
}

pub(crate) fn nvd(id: usize) -> String {
    format!(
        r#"{{"cve":{{"id":"CVE-2026-{:04}","sourceIdentifier":"s","published":"2026-01-01T00:00:00.000","lastModified":"2026-01-01T00:00:00.000","vulnStatus":"Analyzed","descriptions":[{{"lang":"en","value":"number {id}"}}],"metrics":{{}},"references":[]}}}}"#,
        id + 1000
    )
}

pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .into_iter()
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// A page of NVD's API over `total` records, `size` a page.
pub(crate) fn page(query: &str, total: usize, size: usize) -> String {
    page_of(query, &(0..total).collect::<Vec<_>>(), size)
}

/// The same over these records.
fn page_of(query: &str, all: &[usize], size: usize) -> String {
    let start: usize = parameter(query, "startIndex").unwrap().parse().unwrap();
    let records = all.iter().skip(start).take(size);
    let records: Vec<String> = records.map(|id| nvd(*id)).collect();
    let total = all.len();
    format!(
        r#"{{"resultsPerPage":{},"startIndex":{start},"totalResults":{total},"format":"NVD_CVE","version":"2.0","timestamp":"{:.3}","vulnerabilities":[{}]}}"#,
        records.len(),
        jiff::Timestamp::now(),
        records.join(",")
    )
}

on_both_databases! {
    async fn one_file_is_followed(database) {
        let bench = Bench::new(database.open().await).await;
        let feed = feed(FeedKind::File(Content::Kev), bench.site.url("kev.json"));
        bench.site.put("kev.json", kev(1, &["CVE-2026-0001", "CVE-2026-0002"]));
        assert_eq!(bench.followed(&feed).await.added, 2);
        bench.idle(&feed).await;
        bench.site.put("kev.json", kev(2, &["CVE-2026-0001", "CVE-2026-0002", "CVE-2026-0003"]));
        let counts = bench.followed(&feed).await;
        assert_eq!((counts.added, counts.changed, counts.unchanged), (1, 0, 2));
        bench.idle(&feed).await;
        let state = bench.store.follow_state("feed").await.unwrap();
        assert!(state.changed.unwrap() < state.checked.unwrap());
        assert!(state.next.unwrap() > state.checked.unwrap());
    }

    async fn the_cve_list_is_followed_by_its_deltas(database) {
        let bench = Bench::new(database.open().await).await;
        let feed = feed(FeedKind::CveList, bench.site.url(""));
        let site = &bench.site;
        site.put("all.zip", archive(&[
            ("cvelistV5-main/README.md", "a list".to_owned()),
            ("cvelistV5-main/cves/2026/1xxx/CVE-2026-1000.json", cve("CVE-2026-1000", 1)),
            ("cvelistV5-main/cves/2026/1xxx/CVE-2026-1001.json", cve("CVE-2026-1001", 1)),
        ]));
        let first: (u8, &[&str], &[&str]) = (1, &["CVE-2026-1001"], &[]);
        site.put("deltaLog.json", log(&[first]));
        assert_eq!(bench.followed(&feed).await.added, 2);
        bench.idle(&feed).await;

        // Two hours later: one new record, one updated twice, one that is gone again.
        site.put("2026/1xxx/CVE-2026-1000.json", cve("CVE-2026-1000", 3));
        site.put("2026/12xxx/CVE-2026-12345.json", cve("CVE-2026-12345", 2));
        let second: (u8, &[&str], &[&str]) = (2, &["CVE-2026-12345", "CVE-2026-1999"], &["CVE-2026-1000"]);
        let third: (u8, &[&str], &[&str]) = (3, &[], &["CVE-2026-1000"]);
        site.put("deltaLog.json", log(&[first, second, third]));
        let counts = bench.followed(&feed).await;
        assert_eq!((counts.added, counts.changed, counts.unchanged), (1, 1, 0));
        assert_eq!(site.requests().len(), 4, "the log and each record once");
        bench.idle(&feed).await;

        // A log that does not reach back to where we are: everything again.
        site.put("all.zip", archive(&[("CVE-2026-1002.json", cve("CVE-2026-1002", 9))]));
        site.put("deltaLog.json", log(&[(9, &["CVE-2026-1002"], &[])]));
        assert_eq!(bench.followed(&feed).await.added, 1);
        assert_eq!(bench.records(Source::CveList).await, 4);
    }

    async fn nvd_is_followed_page_by_page_and_then_by_windows(database) {
        let bench = Bench::new(database.open().await).await;
        let feed = feed(FeedKind::Nvd, bench.site.url("api"));
        bench.site.api("api", |query| page(query, 5, 2));
        assert_eq!(bench.followed(&feed).await.added, 5);
        let requests = bench.site.requests();
        assert_eq!(requests.len(), 3);
        assert!(requests.iter().all(|head| head.contains("apikey: k-e-y")), "{requests:?}");
        assert!(requests.iter().all(|head| !head.contains("lastMod")), "{requests:?}");
        bench.site.api("api", |query| page(query, 0, 2));
        bench.idle(&feed).await;
        bench.followed(&feed).await;
        let requests = bench.site.requests();
        assert!(requests[0].contains("lastModStartDate=20"), "{requests:?}");
        assert!(requests[0].contains("Z&lastModEndDate=20"), "{requests:?}");
    }

    async fn a_record_that_leaves_a_window_takes_no_other_with_it(database) {
        let bench = Bench::new(database.open().await).await;
        let feed = feed(FeedKind::Nvd, bench.site.url("api"));
        bench.site.api("api", |query| page(query, 0, 2));
        bench.idle(&feed).await;
        // While pages are asked for the first record is changed again, and the others move up by one; later two more.
        let mut window: Vec<usize> = (0..7).collect();
        let mut asked = 0;
        bench.site.api("api", move |query| {
            asked += 1;
            match asked {
                2 => drop(window.remove(0)),
                4 => drop(window.drain(..2)),
                _ => {}
            }
            page_of(query, &window, 2)
        });
        assert_eq!(bench.followed(&feed).await.added, 7, "each is in one page at least");
        assert_eq!(bench.records(Source::Nvd).await, 7);
    }

    async fn an_ecosystem_of_osv_is_followed(database) {
        let bench = Bench::new(database.open().await).await;
        let feed = feed(FeedKind::Osv, bench.site.url("PyPI/"));
        let site = &bench.site;
        let osv = |id: &str, second| crate::import::osv(id, second, "title");
        site.put("PyPI/all.zip", archive(&[("A-1.json", osv("A-1", 1)), ("A-2.json", osv("A-2", 2))]));
        site.put("PyPI/modified_id.csv", "2024-01-01T00:00:02Z,A-2\n2024-01-01T00:00:01Z,A-1\n");
        assert_eq!(bench.followed(&feed).await.added, 2);
        bench.idle(&feed).await;
        site.put("PyPI/A-3.json", osv("A-3", 4));
        site.put("PyPI/A-1.json", osv("A-1", 3));
        site.put(
            "PyPI/modified_id.csv",
            "2024-01-01T00:00:04Z,A-3\n2024-01-01T00:00:03Z,A-1\n2024-01-01T00:00:02Z,A-2\n",
        );
        let counts = bench.followed(&feed).await;
        assert_eq!((counts.added, counts.changed), (1, 1));
        assert_eq!(site.requests().len(), 3);
        bench.idle(&feed).await;
    }
}

#[test]
fn names_of_feeds_are_unique() {
    let mut names: Vec<String> = feeds().into_iter().map(|feed| feed.name).collect();
    names.sort();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(feeds().iter().all(|feed| feed.url.starts_with("https://")));
}
