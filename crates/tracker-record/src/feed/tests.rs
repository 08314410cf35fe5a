//! Every way in which feeds arrange their records, whole and broken, under any division into blocks.

use super::*;
use proptest::prelude::*;

/// A reader that gives a few bytes at a time.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(self.0.len()).min(into.len());
        into[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

/// Documents as texts, skipped parts as `!reason`.
fn split(feed: &[u8], step: usize) -> Vec<String> {
    let show = |item: Result<Document, Skipped>| match item {
        Ok(document) => {
            let start = document.offset as usize;
            if document.raw.first() != Some(&b'#') {
                assert_eq!(
                    feed[start..start + document.raw.len()],
                    document.raw,
                    "offset"
                );
            }
            String::from_utf8_lossy(&document.raw).into_owned()
        }
        Err(skipped) => format!("!{}: {}", skipped.offset, skipped.reason),
    };
    match Feed::open(Slow(feed, step)) {
        Ok(feed) => feed.map(show).collect(),
        Err(refusal) => vec![format!("!!{refusal}")],
    }
}

#[test]
fn the_arrangements_of_feeds() {
    let cases: [(&str, &[&str]); 13] = [
        (
            "{\"a\":1}\n{\"b\":\"}\\\"\"}\n",
            &["{\"a\":1}", "{\"b\":\"}\\\"\"}"],
        ),
        (
            "{\"a\":1}{\"b\":[2]} {}",
            &["{\"a\":1}", "{\"b\":[2]}", "{}"],
        ),
        ("{\n  \"a\": {\n} }\n", &["{\n  \"a\": {\n} }"]),
        (
            "[{\"a\":[1,{}]} ,\n {\"b\":\"]\"}]",
            &["{\"a\":[1,{}]}", "{\"b\":\"]\"}"],
        ),
        ("[]", &[]),
        ("[1, \"x]\", tru, null]", &["1", "\"x]\"", "tru", "null"]),
        (
            "{\"n\":[0],\"CVE_Items\" : [ {\"a\":1}, {\"b\":2} ],\"t\":{\"x\":[]}}",
            &["{\"a\":1}", "{\"b\":2}"],
        ),
        (
            "{\"vulnerabilities\":[]}{\"vulnerabilities\":[{\"a\":1}]}",
            &["{\"a\":1}"],
        ),
        // An envelope a line.
        (
            "{\"vulnerabilities\":[{\"a\":1},{}]}\n{\"x\":\"vulns\"}\n",
            &["{\"a\":1}", "{}", "{\"x\":\"vulns\"}"],
        ),
        // The word in another place is no envelope.
        (
            "{\"a\":{\"vulns\":[1]},\"b\":\"vulns\"}",
            &["{\"a\":{\"vulns\":[1]},\"b\":\"vulns\"}"],
        ),
        ("\u{feff}{\"a\":1}", &["{\"a\":1}"]),
        (
            "#m,score_date:2026-01-02T00:00:00Z\ncve,epss,percentile\nCVE-1,0,1\n\nCVE-2,0,1",
            &[
                "#score_date:2026-01-02\ncve,epss,percentile\nCVE-1,0,1",
                "#score_date:2026-01-02\ncve,epss,percentile\nCVE-2,0,1",
            ],
        ),
        ("cve,epss,percentile\nx\n", &["#\ncve,epss,percentile\nx"]),
    ];
    for (feed, expected) in cases {
        for step in [1, 2, 3, 7, 1 << 20] {
            assert_eq!(split(feed.as_bytes(), step), expected, "{feed} by {step}");
        }
    }
}

#[test]
fn a_broken_record_costs_itself() {
    // Of lines: whatever is wrong ends with the line.
    assert_eq!(
        split(b"{\"a\":\n{\"b\":\"\n{\"c\":1}\n", 5),
        ["{\"a\":", "{\"b\":\"", "{\"c\":1}"]
    );
    // Of a list: brackets in balance are enough to go on.
    assert_eq!(split(b"[{a,b},{\"c\":1}]", 5), ["{a,b}", "{\"c\":1}"]);
    // Between values.
    assert_eq!(
        split(b"{\"a\":1} oops\n {\"b\":2}", 5),
        [
            "{\"a\":1}",
            "!8: \"oops\" where a record should begin",
            "{\"b\":2}"
        ]
    );
}

#[test]
fn a_feed_that_breaks_off_says_where() {
    let cut = "the feed ends before the record does";
    for (feed, expected) in [
        (
            "[{\"a\":1},{\"b\":",
            vec!["{\"a\":1}".to_owned(), format!("!9: {cut}")],
        ),
        (
            "[{\"a\":1}",
            vec!["{\"a\":1}".to_owned(), format!("!8: {cut}")],
        ),
        ("{\"a\":\"", vec![format!("!0: {cut}")]),
        (
            "{\"vulns\":[{}],\"x\":",
            vec!["{}".to_owned(), format!("!12: {cut}")],
        ),
    ] {
        assert_eq!(split(feed.as_bytes(), 3), expected, "{feed}");
    }
}

#[test]
fn what_is_no_feed_is_refused_with_its_reason() {
    let mut tar = vec![b'x'; 512];
    tar[257..262].copy_from_slice(b"ustar");
    for (feed, expected) in [
        (b"" as &[u8], "is empty"),
        (b" \n ", "is empty"),
        (
            &tar,
            "is a tar archive, not a feed: unpack it and name the files",
        ),
        (
            b"vendor,product\na,b\n",
            "is a table whose first line is \"vendor,product\", not EPSS's",
        ),
        (
            b"# note\nvendor,product\n",
            "is a table whose first line is \"# note\", not EPSS's",
        ),
        (
            b"cve,score\n",
            "is a table whose first line is \"cve,score\", not EPSS's",
        ),
        (b"\xff\xfe{\0", "is UTF-16 or UTF-32 text; feeds are UTF-8"),
        (b"{\0\"\0", "is UTF-16 or UTF-32 text; feeds are UTF-8"),
        (b"\x7fELF\x02\x01,", "is no JSON and no table"),
        (b"hello", "is no JSON and no table"),
    ] {
        assert_eq!(split(feed, 100), [format!("!!{expected}")]);
    }
}

#[test]
fn a_giant_is_passed_over_without_being_held() {
    struct Giant(usize);
    impl Read for Giant {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.min(into.len());
            into[..count].fill(b'a');
            self.0 -= count;
            Ok(count)
        }
    }
    let before: &[u8] = b"[{\"a\":1},\"";
    let after: &[u8] = b"\",{\"b\":2}]";
    let feed = before.chain(Giant(3 * MAX_DOCUMENT_BYTES)).chain(after);
    let mut feed = Feed::open(feed).unwrap();
    assert_eq!(feed.next().unwrap().unwrap().raw, b"{\"a\":1}");
    assert_eq!(
        feed.next().unwrap().unwrap_err().reason,
        SplitError::TooLarge
    );
    let last = feed.next().unwrap().unwrap();
    assert_eq!(
        (last.index, last.raw.as_slice()),
        (2, b"{\"b\":2}" as &[u8])
    );
    assert!(feed.next().is_none());
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<i32>().prop_map(Into::into),
        "[\\\\\"\\[\\]{}a,: é\n]{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::Array),
            proptest::collection::vec(("[a-z\"\\\\{]{1,4}", inner), 0..4)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn elements_come_back_whole(
        elements in proptest::collection::vec(any_json(), 0..5),
        envelope in any::<bool>(),
        pretty in any::<bool>(),
        step in 1usize..40,
    ) {
        let list = serde_json::Value::Array(elements.clone());
        let whole = if envelope { serde_json::json!({"a": [], "vulns": list, "z": "]"}) } else { list };
        let text = if pretty { serde_json::to_string_pretty(&whole) } else { serde_json::to_string(&whole) };
        let back: Vec<serde_json::Value> = Feed::open(Slow(text.unwrap().as_bytes(), step))
            .unwrap()
            .map(|document| serde_json::from_slice(&document.unwrap().raw).unwrap())
            .collect();
        prop_assert_eq!(back, elements);
    }

    #[test]
    fn any_bytes_end_and_blocks_play_no_part(
        bytes in proptest::collection::vec(
            prop_oneof![proptest::sample::select(b"{}[]\",:\\\n a1vulns".to_vec()), any::<u8>()], 0..120),
        step in 1usize..20,
    ) {
        prop_assert_eq!(split(&bytes, step), split(&bytes, 1 << 20));
    }
}
