//! Every file of real vulnerability data, read: counts by source, and a reason for everything left out.

use nix_version::Bound;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tracker_record::feed::{Document, Feed, NotAFeed};
use tracker_record::unpack::unpack;
use tracker_record::{Reading, Record, Source, read_document};

/// Records by file, apart from the two streams of changes: 268,178 and the 1,404 of KEV.
const RECORDS: [(&str, u64); 12] = [
    ("cve5/samples-osv.dev", 22),
    ("cve5/vulnrichment", 44_130),
    ("nvd-1.1/feed-nvdcve-1.1-2021", 10_660),
    ("nvd-1.1/feed-nvdcve-1.1-2025", 12_137),
    ("nvd-1.1/nvd-", 160_829),
    ("nvd-2.0/samples-osv.dev", 23),
    ("osv/go-vulndb", 4_291),
    ("osv/haskell", 35),
    ("osv/pypi", 2_661),
    ("osv/rustsec", 1_206),
    ("other/anchore", 32_184),
    ("other/kev", 1_404),
];

/// Warnings that real records give, by their place and the beginning of their text: each is explained here, and
/// another one fails the test.
const WARNINGS: [(&str, &str); 3] = [
    // CNAs that publish a temporal score, or another typing error, as the base score.
    (".baseScore", "score "),
    // Seven configurations of 2018 say "not on this platform", which a list of platforms cannot say.
    (".negate", "negated: the node is left out"),
    // Ids that were merged into another one.
    (".replacedBy", "the record is replaced by CVE-"),
];

/// What became of a file.
#[derive(Debug, Default)]
struct Outcome {
    records: BTreeMap<Source, u64>,
    refused: Option<NotAFeed>,
    errors: Vec<String>,
    unexplained: Vec<String>,
}

fn all_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in ["cve5", "nvd-1.1", "nvd-2.0", "osv", "other"] {
        let entries = std::fs::read_dir(real_data::path("vuln").join(folder)).expect("a folder");
        files.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    files.sort();
    files
}

/// The documents of a file, each given to `each`.
fn documents(path: &Path, mut each: impl FnMut(Document)) -> Option<NotAFeed> {
    let mut refused = None;
    let file = File::open(path).expect("a file");
    unpack(&path.display().to_string(), file, |_, content| {
        let content: &mut dyn Read = content.expect("real files can be unpacked");
        match Feed::open(content) {
            Ok(feed) => feed.for_each(|part| each(part.expect("real feeds are whole"))),
            Err(refusal) => refused = Some(refusal),
        }
    })
    .expect("real files can be unpacked");
    refused
}

fn read(path: &Path) -> Outcome {
    let mut outcome = Outcome::default();
    outcome.refused = documents(path, |document| match read_document(&document.raw) {
        Ok(Reading { record, warnings }) => {
            *outcome.records.entry(record.source).or_default() += 1;
            for warning in warnings {
                let explained = WARNINGS.iter().any(|(place, problem)| {
                    warning.at.ends_with(place) && warning.problem.starts_with(problem)
                });
                if !explained {
                    outcome
                        .unexplained
                        .push(format!("{}: {warning}", record.id));
                }
            }
        }
        Err(error) => outcome.errors.push(error.to_string()),
    });
    outcome
}

/// Reads all files on two threads, largest first.
fn read_all() -> BTreeMap<String, Outcome> {
    let root = real_data::path("vuln");
    let mut open = all_files();
    open.sort_by_key(|path| path.metadata().expect("a file").len());
    let (open, done) = (Mutex::new(open), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(path) = { open.lock().expect("no panic").pop() } {
                    let name = path.strip_prefix(&root).expect("below the root");
                    let outcome = read(&path);
                    let mut done = done.lock().expect("no panic");
                    done.insert(name.display().to_string(), outcome);
                }
            });
        }
    });
    done.into_inner().expect("no panic")
}

#[test]
fn every_record_is_read_and_everything_left_out_has_its_reason() {
    let outcomes = read_all();
    let mut by_source: BTreeMap<Source, u64> = BTreeMap::new();
    for (prefix, expected) in RECORDS {
        let files = outcomes.iter().filter(|(name, _)| name.starts_with(prefix));
        let counts = files.flat_map(|(_, outcome)| &outcome.records);
        let found: u64 = counts.map(|(_, count)| count).sum();
        assert_eq!(found, expected, "{prefix}");
    }
    for (name, outcome) in &outcomes {
        assert_eq!(outcome.unexplained, Vec::<String>::new(), "{name}");
        for (source, count) in &outcome.records {
            *by_source.entry(*source).or_default() += count;
        }
        let refused = outcome.refused.as_ref().map(ToString::to_string);
        match (name.split('-').next(), refused) {
            (Some("other/cpe"), refused) => {
                let refused = refused.expect("pairs of vendor and product are no feed");
                assert!(
                    refused.starts_with("is a table whose first line is"),
                    "{refused}"
                );
            }
            (Some("other/repology"), refused) => {
                let refused = refused.expect("an archive of rules is no feed");
                assert!(refused.starts_with("is a tar archive"), "{refused}");
            }
            (_, refused) => assert_eq!(refused, None, "{name}"),
        }
        // The streams of changes wrap their records in lines of their own.
        if name.contains("/replay-") {
            assert!(outcome.records.is_empty(), "{name}");
            let reason = "no known kind of record; its keys are event";
            assert!(
                outcome.errors.iter().all(|error| error.starts_with(reason)),
                "{name}"
            );
        } else {
            assert_eq!(outcome.errors, Vec::<String>::new(), "{name}");
        }
    }
    let counts: Vec<(Source, u64)> = by_source.into_iter().collect();
    assert_eq!(
        counts,
        [
            (Source::CveList, 44_152),
            (Source::Nvd, 183_649),
            (Source::Osv, 8_193),
            (Source::Kev, 1_404),
            (Source::CpeOverlay, 32_184),
        ]
    );
    assert_eq!(
        counts.iter().map(|(_, count)| count).sum::<u64>(),
        268_178 + 1_404
    );
}

#[test]
fn records_of_the_change_streams_are_read() {
    for (name, expected) in [
        ("vuln/cve5/replay-2024-10-17-to-24.jsonl.zst", 3_638),
        ("vuln/nvd-1.1/replay-2021-03-25-to-04-09.jsonl.zst", 6_483),
    ] {
        let mut read = 0;
        documents(&real_data::path(name), |document| {
            let line: serde_json::Value = serde_json::from_slice(&document.raw).expect("JSON");
            let record = line["record"].to_string();
            read_document(record.as_bytes()).expect("a record");
            read += 1;
        });
        assert_eq!(read, expected, "{name}");
    }
}

/// The NVD record of an id.
fn nvd(year: u32, id: &str) -> Record {
    let mut found = None;
    let name = format!("vuln/nvd-1.1/nvd-{year}.jsonl.zst");
    documents(&real_data::path(&name), |document| {
        if memchr::memmem::find(&document.raw, id.as_bytes()).is_some() {
            let record = read_document(&document.raw).expect("a record").record;
            if record.id == id {
                found = Some(record);
            }
        }
    });
    found.expect("the record is in the year's file")
}

#[test]
fn the_two_records_that_decide_are_read_with_their_ranges() {
    let musl = nvd(2019, "CVE-2019-14697");
    assert_eq!(musl.affected.len(), 1);
    let affected = &musl.affected[0].value;
    assert_eq!(affected.product.as_deref(), Some("musl"));
    assert_eq!(
        affected.ranges[0].lower,
        Bound::Inclusive("0.9.12".to_owned())
    );
    assert_eq!(
        affected.ranges[0].upper,
        Bound::Inclusive("1.1.23".to_owned())
    );

    let a2ps = nvd(2001, "CVE-2001-1593");
    let ranges = &a2ps.affected[0].value.ranges;
    assert_eq!(ranges.len(), 6);
    assert_eq!(ranges[4].lower, Bound::Inclusive("4.13b".to_owned()));
    assert_eq!(ranges[5].upper, Bound::Inclusive("4.14".to_owned()));
}
