//! Input that is broken, hostile or something else: named with its reason, and the rest is imported.

use crate::import::{bytes, import, osv};
use std::io::Write;
use tracker_jobs::{Input, Refused};
use tracker_record::read::MAX_DEPTH;
use tracker_record::{ReadError, read_document};
use tracker_testkit::on_both_databases;

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A list with one text of ten gigabytes, in about ten megabytes.
fn bomb() -> Vec<u8> {
    let mut bomb = gzip(b"[\"");
    bomb.extend(gzip(&vec![b'a'; 10_000_000]).repeat(1000));
    bomb
}

fn tar() -> Vec<u8> {
    let mut tar = vec![0; 1024];
    tar[..9].copy_from_slice(b"feed.json");
    tar[257..262].copy_from_slice(b"ustar");
    tar
}

on_both_databases! {
    async fn files_that_are_no_feeds_are_refused_and_the_rest_goes_on(database) {
        let store = database.open().await;
        let foreign = "{\"event\":\"add\",\"path\":\"x\"}\n".repeat(100);
        let summary = import(&store, vec![
            bytes("table.csv", "vendor,product\ngnu,bash\n"),
            bytes("rules.tar", tar()),
            bytes("utf16.json", b"\xff\xfe{\0\"\0"),
            bytes("empty.json", ""),
            bytes("picture.png", b"\x89PNG\r\n\x1a\n\0\0"),
            bytes("other.jsonl", &foreign),
            bytes("list.json.xz", b"\xfd7zXZ\0\0"),
            bytes("cut.zip", b"PK\x03\x04\x14\0"),
            bytes("good.json", osv("X-1", 0, "t")),
        ]).await;
        assert_eq!(summary.total().added, 1);
        assert!(!summary.is_clean());
        assert_eq!(summary.rejected, []);
        let refused: Vec<String> = summary
            .refused
            .iter()
            .map(|Refused { file, reason }| format!("{file}: {reason}"))
            .collect();
        let expected = [
            "table.csv: is a table whose first line is \"vendor,product\", not EPSS's",
            "rules.tar: is a tar archive, not a feed: unpack it and name the files",
            "utf16.json: is UTF-16 or UTF-32 text; feeds are UTF-8",
            "empty.json: is empty",
            "picture.png: is no JSON and no table",
            "other.jsonl: holds no record: no known kind of record; its keys are event, path",
            "list.json.xz: packed by xz, which is not read: unpack it first",
            "cut.zip: zip archive: ",
        ];
        assert_eq!(refused.len(), expected.len(), "{refused:?}");
        for (refused, expected) in refused.iter().zip(expected) {
            assert!(refused.starts_with(expected), "{refused}");
        }
    }

    async fn broken_records_are_named_and_the_rest_goes_on(database) {
        let store = database.open().await;
        let deep = format!("{}{}", "{\"a\":".repeat(MAX_DEPTH + 1), "}".repeat(MAX_DEPTH + 1));
        let lines = [
            osv("X-1", 0, "first"),
            "{\"id\":\"CVE-2024-7777\",\"modified\":".to_owned(),
            deep,
            "{\"cveMetadata\":{\"cveId\":\"CVE-2024-1\"}}".to_owned(),
            "{\"id\":7,\"modified\":\"\"}".to_owned(),
            "{\"id\":\"X-2\",\"modified\":{},\"aliases\":7,\"affected\":[{\"package\":{\"name\":\"p\",\"ecosystem\":\"Moon\"},\"ranges\":[{\"type\":\"LUNAR\",\"events\":[]}]}]}".to_owned(),
            osv("X-1", 0, "first"),
            osv("X-1", 0, "the same id again"),
        ];
        let mut feed = lines.join("\n").into_bytes();
        feed.extend_from_slice(b"\n{\"id\":\"X-3\",\"modified\":\"\",\"summary\":\"caf\xe9\"}\n");
        feed.extend_from_slice(osv("X-4", 0, "last").as_bytes());
        let summary = import(&store, vec![bytes("feed.jsonl", &feed)]).await;
        let total = summary.total();
        assert_eq!((total.added, total.changed, total.unchanged, total.rejected), (3, 1, 1, 5));
        let rejected: Vec<String> = summary
            .rejected
            .iter()
            .map(|r| format!("{} {:?}: {}", r.index, r.record.as_deref(), r.reason))
            .collect();
        let expected = [
            "1 Some(\"CVE-2024-7777\"): no valid JSON at byte 33 of the record: EOF",
            "2 None: no valid JSON at byte 636 of the record: recursion limit exceeded",
            "3 None: \"CVE-2024-1\" in cveMetadata.cveId is no id",
            "4 None: no id in id",
            "8 None: no valid JSON at byte",
        ];
        assert_eq!(rejected.len(), expected.len(), "{rejected:?}");
        for (rejected, expected) in rejected.iter().zip(expected) {
            assert!(rejected.starts_with(expected), "{rejected}");
        }
        assert_eq!(summary.rejected[0].offset, lines[0].len() as u64 + 1);
        // Wrong types, and a kind of range nobody knows: the record is kept, and what it lost is said.
        let warned: Vec<String> = summary
            .warnings
            .iter()
            .filter(|warning| warning.record == "X-2")
            .map(|warning| format!("{}: {}", warning.at, warning.problem))
            .collect();
        assert_eq!(warned, [
            "aliases: a number where a list belongs",
            "affected[0].ranges[0].type: LUNAR: the kind of range is not known, so it is left out",
            "modified: an object where a text belongs",
        ]);
    }

    async fn a_bomb_is_refused_and_the_rest_goes_on(database) {
        let store = database.open().await;
        let summary = import(&store, vec![
            bytes("bomb.json.gz", bomb()),
            bytes("good.json", osv("X-1", 0, "t")),
        ]).await;
        assert_eq!(summary.total().added, 1);
        let told = summary.rejected.iter().map(|r| &r.reason);
        let told: Vec<&String> = told.chain(summary.refused.iter().map(|r| &r.reason)).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("over the limit"), "{told:?}");
    }

    async fn a_feed_that_breaks_off_keeps_what_came_before(database) {
        let store = database.open().await;
        // Records of different content, so that the packed form is cut within the feed.
        let records: Vec<String> = (0..2000)
            .map(|number| osv(&format!("X-{number}"), 0, &format!("{:x}", number * 7919)))
            .collect();
        let packed = gzip(format!("[{}]", records.join(",")).as_bytes());
        let summary = import(&store, vec![bytes("cut.json.gz", &packed[..packed.len() / 2])]).await;
        let total = summary.total();
        assert!((1..2000).contains(&total.added), "{total:?}");
        assert_eq!(summary.rejected.len(), 1);
        assert!(summary.rejected[0].reason.starts_with("cannot be read on: "), "{summary:?}");
        // The whole file completes it.
        let rest = import(&store, vec![bytes("whole.json.gz", &packed)]).await;
        assert_eq!(rest.total().added, 2000 - total.added);
        assert_eq!(rest.total().unchanged, total.added);
    }
}

#[tokio::test]
async fn odd_things_in_a_folder_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::create_dir(path.join("below")).unwrap();
    std::fs::write(path.join("below/a.json"), osv("X-1", 0, "t")).unwrap();
    std::fs::write(path.join(".hidden"), "x").unwrap();
    std::os::unix::fs::symlink(path, path.join("below/loop")).unwrap();
    std::os::unix::fs::symlink("nowhere", path.join("below/dangling")).unwrap();
    let database = tracker_testkit::Database::new(tracker_testkit::Kind::Sqlite).await;
    let store = database.open().await;
    let summary = import(&store, vec![Input::Path(path.to_owned())]).await;
    assert_eq!((summary.files, summary.total().added), (1, 1));
    let mut reasons: Vec<&str> = summary.refused.iter().map(|r| r.reason.as_str()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(reasons[0].starts_with("cannot be read: "), "{reasons:?}");
    assert_eq!(reasons[1], "is no regular file");
}

#[test]
fn the_depth_that_is_named_is_the_depth_that_is_kept() {
    let nested = |depth: usize| {
        let lists = format!("{}{}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        format!("{{\"id\":\"X-1\",\"modified\":{lists}}}")
    };
    assert!(read_document(nested(MAX_DEPTH - 1).as_bytes()).is_ok());
    assert!(matches!(
        read_document(nested(MAX_DEPTH + 1).as_bytes()),
        Err(ReadError::Syntax { .. })
    ));
}
