//! One fixture of our own facts a feed, and what each reader must make of it.

mod limits;
mod trackers;

use super::*;
use crate::record::{Exploitation, RecordState, Source};
use nix_version::{Bound, Range, Status};
use proptest::prelude::*;

const CVE5: &str = include_str!("../../fixtures/cve5.json");
const OSV: &str = include_str!("../../fixtures/osv.json");
const OVERLAY: &str = include_str!("../../fixtures/overlay.json");

/// The elements of a fixture's list.
fn elements(fixture: &str, list: &str) -> Vec<String> {
    let value: serde_json::Value = serde_json::from_str(fixture).unwrap();
    let elements = value[list].as_array().unwrap();
    elements.iter().map(ToString::to_string).collect()
}

fn nvd11() -> String {
    elements(include_str!("../../fixtures/nvd-1.1.json"), "CVE_Items").remove(0)
}

fn nvd2() -> String {
    elements(
        include_str!("../../fixtures/nvd-2.0.json"),
        "vulnerabilities",
    )
    .remove(0)
}

fn kev() -> String {
    elements(include_str!("../../fixtures/kev.json"), "vulnerabilities").remove(0)
}

fn read(raw: &str) -> Reading {
    read_document(raw.as_bytes()).unwrap()
}

fn texts_of(warnings: &[Warning]) -> Vec<String> {
    warnings.iter().map(ToString::to_string).collect()
}

fn range(scheme: &str, lower: Bound, upper: Bound) -> Range {
    Range {
        scheme: scheme.to_owned(),
        lower,
        upper,
        status: Status::Affected,
        changes: Vec::new(),
    }
}

fn exact(scheme: &str, version: &str) -> Range {
    let bound = Bound::Inclusive(version.to_owned());
    range(scheme, bound.clone(), bound)
}

#[test]
fn cve5_keeps_its_containers_apart() {
    let Reading { record, warnings } = read(CVE5);
    assert_eq!(warnings, []);
    assert_eq!(
        (record.source, record.id.as_str()),
        (Source::CveList, "CVE-2024-3094")
    );
    assert_eq!(record.state, RecordState::Published);
    assert_eq!(record.titles[0].origin, "cna:redhat");
    assert!(record.descriptions[0].value.is_english());
    // The ADP's container is newer than the record's own date.
    assert_eq!(record.modified.unwrap().to_string(), "2024-09-01T10:00:00Z");
    assert_eq!(record.cvss[0].value.score_tenths, 100);
    assert_eq!(record.weaknesses[0].value, "CWE-506");
    assert_eq!(record.references[0].value.tags, ["mailing-list"]);

    let [cna, adp] = &record.affected[..] else {
        panic!("placeholders make no statement: {:?}", record.affected);
    };
    assert_eq!(cna.value.vendor, None);
    assert_eq!(cna.value.package_name.as_deref(), Some("xz"));
    assert_eq!(cna.value.default_status, Status::Unaffected);
    assert_eq!(
        cna.value.ranges,
        [exact("custom", "5.6.0"), exact("custom", "5.6.1")]
    );
    assert_eq!(adp.origin, "adp:CISA-ADP");
    let both = range(
        "semver",
        Bound::Inclusive("5.6.0".into()),
        Bound::Inclusive("5.6.1".into()),
    );
    assert_eq!(adp.value.ranges, [both]);
    assert!(
        matches!(&record.exploitation[0].value, Exploitation::Ssvc { technical_impact, .. } if technical_impact == "total")
    );
    assert!(matches!(
        record.exploitation[1].value,
        Exploitation::Kev { .. }
    ));
}

#[test]
fn nvd11_reads_what_must_run_underneath() {
    let Reading { record, warnings } = read(&nvd11());
    assert_eq!(warnings, []);
    assert_eq!(
        (record.source, record.id.as_str()),
        (Source::Nvd, "CVE-2019-14697")
    );
    assert_eq!(
        record.published.unwrap().to_string(),
        "2019-08-06T16:15:00Z"
    );
    let scores: Vec<u8> = record.cvss.iter().map(|c| c.value.score_tenths).collect();
    assert_eq!(scores, [98, 75]);
    assert_eq!(
        record.references[0].value.tags,
        ["mailing-list", "third-party-advisory"]
    );
    let [musl] = &record.affected[..] else {
        panic!("one product: {:?}", record.affected);
    };
    assert_eq!(musl.value.vendor.as_deref(), Some("musl-libc"));
    assert_eq!(
        musl.value.cpes,
        ["cpe:2.3:a:musl-libc:musl:*:*:*:*:*:*:*:*"]
    );
    assert_eq!(
        musl.value.running_on,
        ["cpe:2.3:h:intel:i386:-:*:*:*:*:*:*:*"]
    );
    assert_eq!(
        musl.value.ranges,
        [range(
            "cpe",
            Bound::Unbounded,
            Bound::Inclusive("1.1.23".into())
        )]
    );
}

#[test]
fn nvd2_keeps_authors_and_drops_a_wrong_score() {
    let Reading { record, warnings } = read(&nvd2());
    assert_eq!(
        texts_of(&warnings),
        [
            "cve.metrics.cvssMetricV2[0].cvssData.baseScore: score 70 contradicts the vector, whose score is 10.0"
        ]
    );
    assert_eq!(record.state, RecordState::Disputed);
    assert_eq!(record.cvss[1].value.score_tenths, 100);
    let weaknesses: Vec<&str> = record.weaknesses.iter().map(|w| w.value.as_str()).collect();
    assert_eq!(weaknesses, ["CWE-78"]);
    assert_eq!(record.references[0].origin, "security@debian.org");
    assert_eq!(
        record.affected[0].value.ranges,
        [
            range(
                "cpe",
                Bound::Inclusive("1.0".into()),
                Bound::Exclusive("4.4".into())
            ),
            exact("cpe", "4.4:beta")
        ]
    );
    assert!(matches!(
        record.exploitation[0].value,
        Exploitation::Kev { due: Some(_), .. }
    ));
}

#[test]
fn nvd2_is_read_bare_too() {
    let wrapped: serde_json::Value = serde_json::from_str(&nvd2()).unwrap();
    let bare = read(&wrapped["cve"].to_string());
    assert_eq!(bare.record, read(&nvd2()).record);
}

#[test]
fn osv_keeps_git_apart_and_related_is_no_alias() {
    let Reading { record, warnings } = read(OSV);
    assert_eq!(
        texts_of(&warnings),
        ["affected[0].ranges[2].type: STAR: the kind of range is not known, so it is left out"]
    );
    assert_eq!(record.aliases, ["CVE-2018-18074", "GHSA-x84v-xcm2-53pg"]);
    assert_eq!(record.cvss[0].value.score_tenths, 75);
    let [versions, git] = &record.affected[..] else {
        panic!("two statements: {:?}", record.affected);
    };
    assert_eq!(versions.origin, "osv:PYSEC");
    assert_eq!(
        versions.value.ranges,
        [
            range("PyPI", Bound::Unbounded, Bound::Exclusive("2.20.0".into())),
            exact("PyPI", "2.19.1")
        ]
    );
    // A fix on each of two branches ends the same stretch.
    assert_eq!(git.value.ranges.len(), 2);
    assert_eq!(
        git.value.repository.as_deref(),
        Some("https://github.com/psf/requests")
    );
    assert_eq!(record.weaknesses[0].value, "CWE-522");
}

#[test]
fn osv_without_ranges_says_nothing_of_versions() {
    let raw = r#"{"id":"X-1","modified":"2020-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"p"}}]}"#;
    let record = read(raw).record;
    assert_eq!(record.affected[0].value.default_status, Status::Unknown);
    let raw =
        r#"{"id":"X-1","modified":"0001-01-01T00:00:00Z","withdrawn":"2020-01-01T00:00:00Z"}"#;
    let record = read(raw).record;
    assert_eq!(
        (record.state, record.modified),
        (RecordState::Withdrawn, None)
    );
}

#[test]
fn kev_and_overlay_and_epss() {
    let record = read(&kev()).record;
    assert!(matches!(
        record.exploitation[0].value,
        Exploitation::Kev {
            ransomware: true,
            ..
        }
    ));
    assert_eq!(record.references.len(), 2);

    let record = read(OVERLAY).record;
    assert_eq!(record.source, Source::CpeOverlay);
    let [bash] = &record.affected[..] else {
        panic!("the null product is no statement: {:?}", record.affected);
    };
    assert_eq!(bash.value.product.as_deref(), Some("bash"));

    let table = include_bytes!("../../fixtures/epss.csv");
    let (head, length) = Epss::head(table).unwrap();
    let mut rows = table[length..].split(|byte| *byte == b'\n');
    let reading = read_document(&head.document(rows.next().unwrap())).unwrap();
    assert_eq!(reading.record.id, "CVE-2014-6271");
    assert_eq!(
        reading.record.exploitation[0].value,
        Exploitation::Epss {
            probability_ppm: 942_210,
            percentile_ppm: 999_310,
            day: Some(jiff::civil::date(2026, 11, 20)),
        }
    );
    let second = read_document(&head.document(rows.next().unwrap())).unwrap();
    assert!(matches!(
        second.record.exploitation[0].value,
        Exploitation::Epss {
            probability_ppm: 12_346,
            ..
        }
    ));
    for (row, expected) in rows.zip([
        "epss \"1.5\" is no number between 0 and 1",
        "1 fields instead of 3",
    ]) {
        let error = read_document(&head.document(row)).unwrap_err();
        assert_eq!(error.to_string(), format!("no EPSS row: {expected}"));
    }
}

#[test]
fn rejected_and_old_marks() {
    let raw = r#"{"cveMetadata":{"cveId":"cve-2020-0001","state":"REJECTED"},"containers":{"cna":{"rejectedReasons":[{"lang":"en","value":"twice"}],"replacedBy":["CVE-2020-0002"]}}}"#;
    let Reading { record, warnings } = read(raw);
    assert_eq!(record.id, "CVE-2020-0001");
    assert_eq!(record.state, RecordState::Rejected);
    assert_eq!(record.descriptions[0].value.text, "twice");
    assert_eq!(warnings.len(), 1);
    let raw = r#"{"cve":{"CVE_data_meta":{"ID":"CVE-2007-0001"},"description":{"description_data":[{"lang":"en","value":"** DISPUTED ** x"}]}}}"#;
    assert_eq!(read(raw).record.state, RecordState::Disputed);
}

#[test]
fn whole_documents_that_are_refused_say_why() {
    for (raw, expected) in [
        (
            "",
            "no valid JSON at byte 0 of the record: EOF while parsing a value",
        ),
        (
            "{\"cveMetadata\":",
            "no valid JSON at byte 15 of the record: EOF while parsing a value",
        ),
        (
            "{\n\"a\": tru\n}",
            "no valid JSON at byte 11 of the record: expected ident",
        ),
        ("[1]", "a list where a record belongs"),
        ("{}", "no known kind of record; its keys are none"),
        (
            "{\"event\":1,\"record\":{}}",
            "no known kind of record; its keys are event, record",
        ),
        (
            "{\"cveMetadata\":{\"cveId\":7}}",
            "no id in cveMetadata.cveId",
        ),
        ("{\"cveMetadata\":7}", "no id in cveMetadata.cveId"),
        (
            "{\"cveMetadata\":{\"cveId\":\"CVE-2020-1\"}}",
            "\"CVE-2020-1\" in cveMetadata.cveId is no id",
        ),
        (
            "{\"dataVersion\":\"6.0\",\"cveMetadata\":{\"cveId\":\"CVE-2020-0001\"}}",
            "CVE JSON version \"6.0\" is not supported",
        ),
        (
            "{\"id\":\"A 1\",\"modified\":\"\"}",
            "\"A 1\" in id is no id",
        ),
        (
            "{\"id\":\"A-1\",\"modified\":\"\",\"schema_version\":\"2.0\"}",
            "OSV version \"2.0\" is not supported",
        ),
    ] {
        let error = read_document(raw.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{raw}");
    }
    let latin1 = b"{\"id\":\"A-1\",\"modified\":\"\",\"summary\":\"caf\xe9\"}";
    let error = read_document(latin1).unwrap_err();
    assert!(error.to_string().contains("invalid unicode"), "{error}");
    let deep = format!(
        "{}{}",
        "{\"a\":".repeat(MAX_DEPTH + 1),
        "}".repeat(MAX_DEPTH + 1)
    );
    let error = read_document(deep.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("recursion limit"), "{error}");
}

#[test]
fn a_wrong_type_costs_the_field_and_not_the_record() {
    let raw = CVE5.replace("\"Two releases", "7, \"x\": \"Two releases");
    let Reading { record, warnings } = read(&raw);
    assert_eq!(
        texts_of(&warnings),
        ["containers.cna.descriptions[1].value: a number where a text belongs"]
    );
    assert_eq!(record.descriptions.len(), 1);
    assert_eq!(record.affected.len(), 2);
}

#[test]
fn the_id_of_a_broken_record_is_guessed() {
    assert_eq!(
        guess_id(b"{\"id\": \"CVE-2020-0001\", "),
        Some("CVE-2020-0001".into())
    );
    assert_eq!(guess_id(b"{\"id\": \"CVE-x\""), None);
}

/// A fixture with one of its values replaced by something of any type.
fn damaged() -> impl Strategy<Value = String> {
    let mut documents = vec![
        CVE5.to_owned(),
        OSV.to_owned(),
        OVERLAY.to_owned(),
        nvd11(),
        nvd2(),
        kev(),
    ];
    for fixture in [
        trackers::EUVD,
        trackers::CSAF,
        trackers::DEBIAN,
        trackers::ALPINE,
    ] {
        documents.extend(trackers::documents(fixture));
    }
    let values = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("-1e300".to_owned()),
        Just("[[]]".to_owned()),
        Just("{\"a\":{}}".to_owned()),
        Just("\"CVE-2020-12345\"".to_owned()),
        Just("\"\"".to_owned()),
    ];
    (
        proptest::sample::select(documents),
        any::<prop::sample::Index>(),
        values,
    )
        .prop_map(|(document, place, value)| {
            let mut tree: serde_json::Value = serde_json::from_str(&document).unwrap();
            let count = count(&tree);
            replace(&mut tree, &mut place.index(count), &value);
            tree.to_string()
        })
}

fn count(value: &serde_json::Value) -> usize {
    1 + match value {
        serde_json::Value::Array(list) => list.iter().map(count).sum(),
        serde_json::Value::Object(map) => map.values().map(count).sum(),
        _ => 0,
    }
}

fn replace(value: &mut serde_json::Value, left: &mut usize, by: &str) -> bool {
    if *left == 0 {
        *value = serde_json::from_str(by).unwrap();
        return true;
    }
    *left -= 1;
    match value {
        serde_json::Value::Array(list) => list.iter_mut().any(|child| replace(child, left, by)),
        serde_json::Value::Object(map) => map.values_mut().any(|child| replace(child, left, by)),
        _ => false,
    }
}

proptest! {
    #[test]
    fn damage_is_survived_and_the_normal_form_keeps(raw in damaged()) {
        if let Ok(reading) = read_document(raw.as_bytes()) {
            // Reading is a function, and the normal form survives the way to the database and back.
            prop_assert_eq!(&read_document(raw.as_bytes()).unwrap(), &reading);
            let stored = serde_json::to_string(&reading.record).unwrap();
            let back: Record = serde_json::from_str(&stored).unwrap();
            prop_assert_eq!(back, reading.record);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(raw in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_document(&raw);
        let _ = guess_id(&raw);
    }
}
