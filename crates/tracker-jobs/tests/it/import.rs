//! Importing: every format and packing, twice, and which version of a record stays.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tracker_jobs::{ImportSummary, Input, Progress, SourceCounts, Step, import_feeds};
use tracker_record::{Severity, Source};
use tracker_store::Store;
use tracker_testkit::on_both_databases;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tracker-record/fixtures")
}

pub(crate) async fn import(store: &Store, inputs: Vec<Input>) -> ImportSummary {
    import_feeds(store, inputs, &()).await.unwrap()
}

pub(crate) fn bytes(name: &str, content: impl AsRef<[u8]>) -> Input {
    Input::Bytes {
        name: name.to_owned(),
        bytes: content.as_ref().to_vec(),
    }
}

/// An OSV record of a package, changed at a second of 2024.
pub(crate) fn osv(id: &str, second: u8, title: &str) -> String {
    format!(r#"{{"id":"{id}","modified":"2024-01-01T00:00:{second:02}Z","summary":"{title}"}}"#)
}

#[derive(Default)]
struct Steps(Mutex<Vec<Step>>);

impl Progress for Steps {
    fn step(&self, step: Step) {
        self.0.lock().unwrap().push(step);
    }
}

on_both_databases! {
    async fn a_folder_of_every_format_is_imported_once(database) {
        let store = database.open().await;
        let steps = Steps::default();
        let inputs = vec![Input::Path(fixtures())];
        let summary = import_feeds(&store, inputs.clone(), &steps).await.unwrap();
        let added = |source| summary.sources[&source].added;
        assert_eq!(added(Source::CveList), 1);
        assert_eq!(added(Source::Nvd), 2);
        assert_eq!(added(Source::Osv), 2);
        assert_eq!(added(Source::Kev), 1);
        assert_eq!(added(Source::Epss), 2);
        assert_eq!(added(Source::CpeOverlay), 1);
        assert_eq!(summary.refused, []);
        let reasons: Vec<&str> = summary.rejected.iter().map(|r| r.reason.as_str()).collect();
        assert_eq!(
            reasons,
            [
                "no EPSS row: epss \"1.5\" is no number between 0 and 1",
                "no EPSS row: 1 fields instead of 3"
            ]
        );
        assert_eq!(summary.rejected[0].record.as_deref(), Some("CVE-2001-1593"));
        // The oddities that the fixtures have on purpose: three of CSAF's, one of Debian's, two of EUVD's, the wrong
        // score of NVD 2.0's, the unknown kind of range of OSV's.
        assert_eq!(summary.warning_count, 8, "{:#?}", summary.warnings);

        let steps = steps.0.into_inner().unwrap();
        let last = steps.last().unwrap();
        assert_eq!((last.done, last.total), (summary.bytes, summary.bytes));
        assert!(steps.windows(2).all(|pair| pair[0].done <= pair[1].done));

        let bash = store.vulnerability("CVE-2014-6271").await.unwrap().unwrap();
        let sources: Vec<Source> = bash.records.iter().map(|view| view.record.source).collect();
        assert_eq!(sources, [Source::Nvd, Source::Kev, Source::Epss, Source::CpeOverlay, Source::Debian]);
        assert!(bash.summary.exploited);
        assert_eq!(bash.summary.severity, Severity::Critical);

        let again = import(&store, inputs).await;
        let total = again.total();
        assert_eq!((total.added, total.changed, total.unchanged), (0, 0, 18));
        assert_eq!(again.rejected, summary.rejected);
        assert_eq!(again.sources[&Source::CpeOverlay].unchanged, 1);
    }

    async fn packings_are_seen_through(database) {
        let store = database.open().await;
        let line = |number: u8| osv(&format!("X-{number}"), 0, "t");
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(line(1).as_bytes()).unwrap();
        let inputs = vec![
            bytes("a", gzip.finish().unwrap()),
            bytes("b", zstd::encode_all(line(2).as_bytes(), 1).unwrap()),
            bytes("c", line(3)),
        ];
        let summary = import(&store, inputs).await;
        assert_eq!(summary.total(), SourceCounts { added: 3, ..SourceCounts::default() });
        assert!(summary.is_clean());
        let raw = store.raw_record(Source::Osv, "X-2").await.unwrap().unwrap();
        assert_eq!(String::from_utf8(raw).unwrap(), line(2));
    }

    async fn the_later_version_of_a_record_stays(database) {
        let store = database.open().await;
        let title = async || store.vulnerability("X-1").await.unwrap().unwrap().summary.title;
        let feed = [osv("X-1", 5, "five"), osv("X-1", 3, "three"), osv("X-1", 7, "seven")].join("\n");
        let total = import(&store, vec![bytes("feed", &feed)]).await.total();
        assert_eq!((total.added, total.changed, total.superseded), (1, 1, 1));
        assert_eq!(title().await, "seven");
        let total = import(&store, vec![bytes("older", osv("X-1", 6, "six"))]).await.total();
        assert_eq!(total.superseded, 1);
        let total = import(&store, vec![bytes("newer", osv("X-1", 8, "eight"))]).await.total();
        assert_eq!(total.changed, 1);
        assert_eq!(title().await, "eight");
        // The first feed again: what is older stays out.
        let total = import(&store, vec![bytes("feed", &feed)]).await.total();
        assert_eq!((total.added, total.changed, total.superseded), (0, 0, 3));
        assert_eq!(title().await, "eight");
    }

    async fn a_record_of_two_vulnerabilities_stands_in_both(database) {
        let store = database.open().await;
        let record = r#"{"id":"GO-1","modified":"2024-01-01T00:00:00Z","aliases":["CVE-2024-0001","CVE-2024-0002","GHSA-x"]}"#;
        import(&store, vec![bytes("go", record)]).await;
        for id in ["CVE-2024-0001", "CVE-2024-0002"] {
            let detail = store.vulnerability(id).await.unwrap().unwrap();
            assert_eq!(detail.summary.id, id);
            assert_eq!(detail.aliases, ["GHSA-x", "GO-1"]);
        }
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_an_error() {
    let database = tracker_testkit::Database::new(tracker_testkit::Kind::Sqlite).await;
    let store = database.open().await;
    let input = Input::Path("no-such-file.json".into());
    let error = import_feeds(&store, vec![input], &()).await.unwrap_err();
    assert_eq!(error.to_string(), "`no-such-file.json` cannot be opened");
}
