//! Each packing, packings inside packings, and bombs.

use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::io::Write;

const FEED: &[u8] = b"{\"id\":\"A-1\",\"modified\":\"2020-01-01T00:00:00Z\"}\n";

/// The feed above, by the reference encoder of brotli 1.0 (quality 5).
const FEED_BROTLI: &[u8] = include_bytes!("../../fixtures/osv-line.json.br");

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Members with their bytes, or with what went wrong.
fn members(name: &str, file: &[u8]) -> Vec<(String, Result<Vec<u8>, String>)> {
    let mut found = Vec::new();
    let whole = unpack(name, Cursor::new(file), |member, reader| {
        let bytes = reader
            .map_err(|error| error.to_string())
            .and_then(|reader| {
                let mut bytes = Vec::new();
                let read = reader.read_to_end(&mut bytes);
                read.map(|_| bytes).map_err(|error| error.to_string())
            });
        found.push((member.to_owned(), bytes));
    });
    if let Err(error) = whole {
        found.push(("whole".to_owned(), Err(error.to_string())));
    }
    found
}

fn only(name: &str, file: &[u8]) -> Result<Vec<u8>, String> {
    let mut found = members(name, file);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0).1
}

#[test]
fn each_packing_is_recognised_by_content() {
    let zstd = zstd::encode_all(FEED, 3).unwrap();
    for file in [FEED, &gzip(FEED), &zstd, FEED_BROTLI] {
        assert_eq!(only("feed", file).as_deref(), Ok(FEED));
    }
    assert_eq!(only("feed", &gzip(&zstd)).as_deref(), Ok(FEED));
    assert_eq!(only("feed", b"").as_deref(), Ok(b"" as &[u8]));
    assert_eq!(
        only("feed.csv", b"vendor,product\n").as_deref(),
        Ok(b"vendor,product\n" as &[u8])
    );
    let empty = zip(&[]);
    assert_eq!(members("x.zip", &empty), []);
}

#[test]
fn members_of_an_archive_come_one_by_one() {
    let archive = zip(&[("a/", b""), ("a/1.json", FEED), ("2.json.gz", &gzip(FEED))]);
    let found = members("x.zip", &archive);
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a/1.json", "2.json.gz"]);
    assert!(found.iter().all(|(_, bytes)| bytes.as_deref() == Ok(FEED)));
}

#[test]
fn a_window_of_27_bits_is_accepted_and_a_larger_one_is_not() {
    for (log, fine) in [(27, true), (30, false)] {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.long_distance_matching(true).unwrap();
        encoder.window_log(log).unwrap();
        encoder.write_all(FEED).unwrap();
        assert_eq!(only("x", &encoder.finish().unwrap()).is_ok(), fine, "{log}");
    }
}

#[test]
fn what_cannot_be_unpacked_says_why() {
    for (file, expected) in [
        (
            b"\xfd7zXZ\0" as &[u8],
            "packed by xz, which is not read: unpack it first",
        ),
        (
            b"BZh91AY",
            "packed by bzip2, which is not read: unpack it first",
        ),
        (b"PK\x03\x04", "zip archive: "),
        (
            &gzip(&gzip(&gzip(&gzip(FEED)))),
            "more than 3 layers of compression",
        ),
        (
            &gzip(&zip(&[("a", FEED)])),
            "packed by zip inside another packing, which is not read: unpack it first",
        ),
    ] {
        let error = only("x", file).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
    let cut = gzip(&FEED.repeat(100));
    assert!(only("x", &cut[..cut.len() - 9]).is_err());
}

#[test]
fn bombs_are_refused_early() {
    const TEN_GB: usize = 10_000_000_000;
    // Reads on until it fails, holding nothing, and counts.
    let drain = |file: &[u8]| {
        let mut outcome = (0, String::new());
        unpack("bomb", Cursor::new(file), |_, reader| match reader {
            Ok(reader) => {
                let mut block = vec![0; 1 << 16];
                loop {
                    match reader.read(&mut block) {
                        Ok(0) => break,
                        Ok(count) => outcome.0 += count,
                        Err(error) => {
                            outcome.1 = error.to_string();
                            break;
                        }
                    }
                }
            }
            Err(error) => outcome.1 = error.to_string(),
        })
        .unwrap();
        outcome
    };
    // A thousand streams of 10 MB each, one after another, are one stream of 10 GB.
    let block = vec![0; 10_000_000];
    for bomb in [gzip(&block), zstd::encode_all(&block[..], 3).unwrap()] {
        let (read, problem) = drain(&bomb.repeat(TEN_GB / block.len()));
        assert!(read as u64 <= RATIO_FREE_BYTES, "{read}");
        assert!(problem.contains("over the limit"), "{problem}");
    }

    // An archive whose directory states 10 GB is refused before a byte is unpacked; the field is patched,
    // because writing such an archive takes as long as it sounds.
    let mut archive = zip(&[("a.json", &b" ".repeat(100_000))]);
    let directory = memchr::memmem::rfind(&archive, b"PK\x01\x02").unwrap();
    archive[directory + 24..directory + 28].copy_from_slice(&4_000_000_000u32.to_le_bytes());
    let (read, problem) = drain(&archive);
    assert_eq!(read, 0);
    assert!(
        problem.starts_with("unpacks to 4000000000 bytes"),
        "{problem}"
    );
}

proptest! {
    #[test]
    fn any_bytes_are_unpacked_or_refused(
        mark in proptest::sample::select(vec![&b""[..], b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"\x0b"]),
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let file = [mark, &bytes].concat();
        let _ = members("x", &file);
    }
}
