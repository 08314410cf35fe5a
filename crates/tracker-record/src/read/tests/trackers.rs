//! EUVD, CSAF, and the trackers of Debian and Alpine: a fixture of each, from the file to the records.

use super::*;
use crate::feed::Feed;
use crate::{Vulnerability, public_ids};

/// The documents of a fixture, as a feed is split.
pub(super) fn documents(fixture: &str) -> Vec<String> {
    let feed = Feed::open(fixture.as_bytes()).unwrap();
    feed.map(|part| String::from_utf8(part.unwrap().raw).unwrap())
        .collect()
}

pub(super) const EUVD: &str = include_str!("../../../fixtures/euvd.json");
pub(super) const CSAF: &str = include_str!("../../../fixtures/csaf.json");
pub(super) const DEBIAN: &str = include_str!("../../../fixtures/debian.json");
pub(super) const ALPINE: &str = include_str!("../../../fixtures/alpine.json");

fn until(scheme: &str, version: &str) -> Range {
    range(
        scheme,
        Bound::Unbounded,
        Bound::Exclusive(version.to_owned()),
    )
}

fn tags(record: &Record) -> Vec<&str> {
    record.tags.iter().map(|tag| tag.value.as_str()).collect()
}

#[test]
fn euvd_reads_lists_of_lines_and_moments_for_people() {
    let documents = documents(EUVD);
    let Reading { record, warnings } = read(&documents[0]);
    assert_eq!(warnings, []);
    assert_eq!(
        (record.source, record.id.as_str()),
        (Source::Euvd, "EUVD-2024-27464")
    );
    assert_eq!(record.aliases, ["CVE-2024-3094", "GHSA-rxwq-x6h5-x525"]);
    assert_eq!(public_ids(&record), ["CVE-2024-3094"]);
    assert_eq!(record.cvss[0].value.score_tenths, 100);
    assert_eq!(record.references.len(), 2);
    assert_eq!(
        record.published.unwrap().to_string(),
        "2024-03-29T16:51:12Z"
    );
    assert_eq!(record.modified.unwrap().to_string(), "2025-02-02T13:09:06Z");
    assert!(
        matches!(record.exploitation[0].value, Exploitation::Kev { added, .. } if added.to_string() == "2024-04-01")
    );
    let [xz, liblzma, utils] = &record.affected[..] else {
        panic!("three products: {:?}", record.affected);
    };
    assert_eq!(xz.value.vendor.as_deref(), Some("Tukaani"));
    let both = range(
        "custom",
        Bound::Inclusive("5.6.0".into()),
        Bound::Inclusive("5.6.1".into()),
    );
    assert_eq!(xz.value.ranges, [exact("custom", "5.6.0"), both]);
    assert_eq!(
        liblzma.value.ranges,
        [exact(PROSE, "as shipped with the system")]
    );
    assert_eq!(utils.value.ranges, []);

    let Reading { record, warnings } = read(&documents[1]);
    assert_eq!(
        texts_of(&warnings),
        [
            "aliases: \"not an id\" is no id: the alias is left out",
            "dateUpdated: \"yesterday\" is no time"
        ]
    );
    assert_eq!(record.affected[0].value.ranges, [until("custom", "2.3")]);
    assert_eq!(
        record.published.unwrap().to_string(),
        "2025-01-02T00:00:00Z"
    );
    assert_eq!((record.cvss.len(), record.modified), (0, None));
}

#[test]
fn debian_is_read_package_by_package_and_release_by_release() {
    let documents = documents(DEBIAN);
    assert_eq!(documents.len(), 3);
    let Reading { record, warnings } = read(&documents[0]);
    assert_eq!(warnings, []);
    assert_eq!(
        (record.source, record.id.as_str()),
        (Source::Debian, "bash/CVE-2014-6271")
    );
    assert_eq!(public_ids(&record), ["CVE-2014-6271"]);
    assert_eq!(
        tags(&record),
        ["no-dsa", "scope-remote", "urgency-low", "urgency-medium"]
    );
    let said: Vec<_> = record
        .affected
        .iter()
        .map(|one| {
            let one = &one.value;
            assert_eq!(one.package_name.as_deref(), Some("bash"));
            let release = one.distribution().unwrap();
            (release, one.default_status, one.ranges.clone())
        })
        .collect();
    assert_eq!(
        said,
        [
            (
                "Debian:bookworm",
                Status::Unaffected,
                vec![until("Debian", "4.3-9.1")]
            ),
            ("Debian:trixie", Status::Affected, vec![]),
            ("Debian:sid", Status::Unknown, vec![]),
        ]
    );
    // A record about a package is no other name of the vulnerability.
    let joined = Vulnerability::merge("CVE-2014-6271", [record]);
    assert_eq!(joined.aliases(), Vec::<&str>::new());
    assert_eq!(
        joined.summary().description.as_deref(),
        Some("Functions in the environment are run.")
    );

    let never = read(&documents[1]).record;
    assert_eq!(never.affected[0].value.default_status, Status::Unaffected);
    let Reading { record, warnings } = read(&documents[2]);
    assert_eq!(
        texts_of(&warnings),
        ["tracker.releases.status: \"reverted\" is not known"]
    );
    assert_eq!(public_ids(&record), ["TEMP-0000000-0D8A6F"]);
}

#[test]
fn alpine_is_read_package_by_package() {
    let documents = documents(ALPINE);
    let records: Vec<Record> = documents
        .iter()
        .map(|raw| {
            let Reading { record, warnings } = read(raw);
            assert_eq!(warnings, []);
            record
        })
        .collect();
    let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "v3.20/main/musl/CVE-2012-2114",
            "v3.20/main/musl/CVE-2019-14697",
            "v3.20/main/xen/CVE-2018-10471"
        ]
    );
    assert_eq!(
        records[0].affected[0].value.default_status,
        Status::Unaffected
    );
    assert_eq!(records[0].affected[0].value.ranges, []);
    let musl = &records[1].affected[0].value;
    assert_eq!(musl.distribution(), Some("Alpine:v3.20"));
    assert_eq!(musl.ranges, [until("Alpine", "1.1.23-r2")]);
    assert_eq!(records[2].aliases, ["CVE-2018-10471", "XSA-259"]);
    // The lower of two versions that claim the fix.
    assert_eq!(
        records[2].affected[0].value.ranges,
        [until("Alpine", "4.9.2-r1")]
    );
}

#[test]
fn csaf_says_of_all_its_vulnerabilities_only_what_holds_for_each() {
    let documents = documents(CSAF);
    assert_eq!(documents.len(), 1, "an advisory is no envelope");
    let Reading { record, warnings } = read(&documents[0]);
    assert_eq!(
        texts_of(&warnings),
        [
            "vulnerabilities: scores differ between its vulnerabilities and are left out",
            "vulnerabilities: a product's status differs between its vulnerabilities and is taken as unknown",
            "product_tree: 1 products are not in the product tree",
        ]
    );
    assert_eq!(
        (record.source, record.id.as_str()),
        (Source::Csaf, "EXSA-2024:0001")
    );
    assert_eq!(record.aliases, ["CVE-2024-0001", "EX-1", "CVE-2024-0002"]);
    assert_eq!(public_ids(&record), ["CVE-2024-0001", "CVE-2024-0002"]);
    assert_eq!(record.modified.unwrap().to_string(), "2024-04-02T08:00:00Z");
    assert_eq!(record.cvss, []);
    assert_eq!(record.descriptions.len(), 1);
    assert_eq!(record.references.len(), 2);
    let of = |product: &str| {
        let found = record
            .affected
            .iter()
            .find(|one| one.value.product.as_deref() == Some(product));
        &found.unwrap().value
    };
    let bash = of("bash");
    assert_eq!(bash.purl.as_deref(), Some("pkg:rpm/example/bash"));
    assert_eq!(bash.distribution(), Some("Red Hat"));
    assert_eq!(bash.platforms, ["Example Linux 9"]);
    let fixed = Range {
        status: Status::Unaffected,
        ..exact("rpm", "5.1.8-9")
    };
    assert_eq!(bash.ranges, [fixed]);
    let thing = of("libthing");
    let old = range(
        "generic",
        Bound::Inclusive("1.0".into()),
        Bound::Exclusive("1.4".into()),
    );
    let new = Range {
        status: Status::Unknown,
        ..exact("custom", "1.4")
    };
    assert_eq!(
        thing.ranges,
        [new, exact(PROSE, "whatever came before"), old]
    );
}

#[test]
fn csaf_of_one_vulnerability_keeps_its_score() {
    let mut tree: serde_json::Value = serde_json::from_str(CSAF).unwrap();
    tree["vulnerabilities"].as_array_mut().unwrap().pop();
    let record = read(&tree.to_string()).record;
    assert_eq!(record.cvss[0].value.score_tenths, 98);
    assert_eq!(record.cvss[0].origin, "csaf:Example Linux");
    assert_eq!(record.weaknesses[0].value, "CWE-78");
    assert_eq!(record.descriptions.len(), 2);
}

#[test]
fn other_versions_and_missing_ids_are_refused() {
    for (raw, error) in [
        (
            r#"{"document":{"csaf_version":"3.0"}}"#,
            "CSAF version \"3.0\" is not supported",
        ),
        (
            r#"{"document":{"csaf_version":"2.0","tracking":{}}}"#,
            "no id in document.tracking.id",
        ),
        (r#"{"debian_package":"bash"}"#, "no id in id"),
        (
            r#"{"alpine_repository":"v3/main","package":"a b","id":"CVE-1"}"#,
            "\"a b\" in package is no id",
        ),
        (r#"{"id":"EUVD- 1"}"#, "\"EUVD- 1\" in id is no id"),
    ] {
        let refused = read_document(raw.as_bytes()).unwrap_err();
        assert_eq!(refused.to_string(), error);
    }
}

#[test]
fn broken_trackers_cost_a_package_and_end_with_a_reason() {
    let long = "x".repeat(MAX_ID_BYTES + 1);
    let feed = format!(
        r#"{{"bash":{{"CVE-2014-6271":{{}}}},"odd":[1],"{long}":{{"CVE-1":{{}}}},"zlib":{{"CVE-2018-25032":{{}}}},"cut":{{"#
    );
    for step in [1, 7, 1 << 20] {
        let parts: Vec<String> = Feed::open(Pieces(feed.as_bytes(), step))
            .unwrap()
            .map(|part| match part {
                Ok(document) => String::from_utf8(document.raw).unwrap(),
                Err(skipped) => skipped.reason.to_string(),
            })
            .collect();
        assert_eq!(parts.len(), 5, "{parts:?}");
        assert_eq!(
            parts[0],
            r#"{"debian_package":"bash","id":"CVE-2014-6271","tracker":{}}"#
        );
        assert_eq!(parts[1], "\"\\\"odd\\\":[1]\" where a record should begin");
        assert!(parts[2].ends_with("where a record should begin"));
        assert!(parts[3].contains("CVE-2018-25032"));
        assert_eq!(parts[4], "the feed ends before the record does");
    }
    // A database of another shape stays one document, which its reader refuses.
    let odd = r#"{"distroversion":"v3","packages":[{"pkg":{"secfixes":[]}}]}"#;
    assert_eq!(documents(odd), [odd]);
    assert!(read_document(odd.as_bytes()).is_err());
}

/// A reader that gives a few bytes at a time.
struct Pieces<'a>(&'a [u8], usize);

impl std::io::Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(self.0.len()).min(into.len());
        into[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}
