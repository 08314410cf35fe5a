//! Typed records, packages and releases, each valid as it is and changed by a closure.
//!
//! Invariant: a fixture's identity is in its arguments; two calls with the same arguments are equal.

use jiff::Timestamp;
use nix_version::{Bound, Range, Status};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tracker_inventory::{Package, Release};
use tracker_match::{Finding, FindingStatus, Match, Reason};
use tracker_record::{Affected, Cvss, Exploitation, Record, Source, Stated, Text, public_ids};
use tracker_store::{ChannelFinding, Derived, DerivedMatch, IncomingRecord, ReleasePackage};

/// An instant from its RFC 3339 text.
///
/// # Panics
/// If it is none.
pub fn at(text: &str) -> Timestamp {
    text.parse().expect("the fixture's instant is valid")
}

/// A statement by the fixture's own author.
pub fn stated<T>(value: T) -> Stated<T> {
    Stated {
        origin: "fixture".to_owned(),
        value,
    }
}

/// A published record without products.
///
/// # Panics
/// Never: the form is a record's own.
pub fn record(source: Source, id: &str, title: &str) -> Record {
    let form = json!({
        "source": source,
        "id": id,
        "state": "published",
        "titles": [stated(title)],
        "descriptions": [stated(Text {
            language: "en".to_owned(),
            text: format!("{title}, as the fixture tells it."),
        })],
        "published": "2024-01-01T00:00:00Z",
        "modified": "2024-01-02T00:00:00Z",
    });
    serde_json::from_value(form).expect("the form is a record's")
}

/// A CVSS 3.1 statement with a score in tenths.
pub fn cvss(score_tenths: u8) -> Stated<Cvss> {
    stated(Cvss {
        version: "3.1".to_owned(),
        vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned(),
        score_tenths,
    })
}

/// An entry in the list of exploited vulnerabilities.
pub fn kev() -> Stated<Exploitation> {
    stated(Exploitation::Kev {
        added: jiff::civil::date(2024, 2, 1),
        due: None,
        ransomware: false,
    })
}

/// A product all of whose versions below a bound are affected.
///
/// # Panics
/// Never: the form is a statement's own.
pub fn affected(vendor: &str, product: &str, below: &str) -> Stated<Affected> {
    let range = Range {
        scheme: "custom".to_owned(),
        lower: Bound::Unbounded,
        upper: Bound::Exclusive(below.to_owned()),
        status: Status::Affected,
        changes: Vec::new(),
    };
    let form = json!({
        "vendor": vendor,
        "product": product,
        "default_status": Status::Unaffected,
        "ranges": [range],
    });
    stated(serde_json::from_value(form).expect("the form is a statement's"))
}

/// The raw document that stands for a record: its normal form as JSON.
pub fn raw(record: &Record) -> Vec<u8> {
    serde_json::to_vec(record).expect("a record has a JSON form")
}

/// A record as an import hands it over.
///
/// # Panics
/// If the document is larger than 4 GiB.
pub fn incoming(record: Record) -> IncomingRecord {
    let raw = raw(&record);
    IncomingRecord {
        digest: Sha256::digest(&raw).into(),
        raw_zstd: zstd::bulk::compress(&raw, 1).expect("memory suffices"),
        raw_len: u32::try_from(raw.len()).expect("a fixture is small"),
        vulnerabilities: public_ids(&record),
        record,
    }
}

/// A package whose family is its name.
pub fn package(attribute: &str, pname: &str, version: &str) -> ReleasePackage {
    ReleasePackage {
        package: Package {
            attribute: attribute.to_owned(),
            pname: pname.to_owned(),
            version: Some(version.to_owned()),
            description: Some(format!("What {pname} is for")),
            ..Package::default()
        },
        family: pname.to_owned(),
    }
}

/// A release of Nixpkgs.
pub fn release(channel: &str, revision: &str, released: &str) -> Release {
    Release {
        distribution: "nixpkgs".to_owned(),
        channel: channel.to_owned(),
        revision: revision.to_owned(),
        released: at(released),
    }
}

/// A finding in a channel.
pub fn finding(
    channel: &str,
    attribute: &str,
    version: &str,
    status: FindingStatus,
) -> ChannelFinding {
    ChannelFinding {
        channel: channel.to_owned(),
        finding: Finding {
            attribute: attribute.to_owned(),
            version: Some(version.to_owned()),
            status,
            evidence: vec![format!("the fixture says so of {version}")],
        },
    }
}

/// A match to a family with a score and its findings.
pub fn matched(
    vulnerability: &str,
    family: &str,
    score: f64,
    findings: Vec<ChannelFinding>,
) -> DerivedMatch {
    let mut attributes: Vec<String> = findings
        .iter()
        .map(|found| found.finding.attribute.clone())
        .collect();
    attributes.sort();
    attributes.dedup();
    DerivedMatch {
        matched: Match {
            vulnerability: vulnerability.to_owned(),
            family: family.to_owned(),
            attributes,
            score,
            reasons: vec![Reason {
                feature: "fixture".to_owned(),
                weight: 1.5,
                text: format!("the fixture matches {family}"),
            }],
        },
        findings,
        dependents: None,
    }
}

/// What matching found for a vulnerability.
pub fn derived(vulnerability: &str, matches: Vec<DerivedMatch>) -> Derived {
    Derived {
        vulnerability: vulnerability.to_owned(),
        matches,
    }
}
