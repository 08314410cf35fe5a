//! A record: what one source says about one vulnerability, in one normal form for all feeds.
//!
//! Invariant: a record is a pure function of the raw document; reading it twice gives the same value. Only a source that
//! takes a document back changes what is held of it ([`Record::withdrawn`], [`Record::without`]).

use jiff::Timestamp;
use nix_version::{Range, Status};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A feed. The text form is stable: it stands in the database, in URLs and in exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// CVE JSON 5.x of the CVE list, with CNA and ADP containers.
    CveList,
    /// NVD, API 2.0 and the retired 1.1 feeds.
    Nvd,
    /// Any OSV database; the record's id tells which.
    Osv,
    /// CISA's known exploited vulnerabilities.
    Kev,
    /// FIRST's exploit prediction scores.
    Epss,
    /// Anchore's curated CPE configurations, which override NVD's.
    CpeOverlay,
    /// The European vulnerability database.
    Euvd,
    /// Advisories of a CSAF provider.
    Csaf,
    /// Debian's security tracker, of one package each.
    Debian,
    /// Alpine's database of security fixes, of one package each.
    Alpine,
}

impl Source {
    /// All of them, in the order in which a vulnerability lists its records.
    pub const ALL: [Source; 10] = [
        Source::CveList,
        Source::Nvd,
        Source::Osv,
        Source::Kev,
        Source::Epss,
        Source::CpeOverlay,
        Source::Euvd,
        Source::Csaf,
        Source::Debian,
        Source::Alpine,
    ];

    /// The stable text form, the same that serde writes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Source::CveList => "cve-list",
            Source::Nvd => "nvd",
            Source::Osv => "osv",
            Source::Kev => "kev",
            Source::Epss => "epss",
            Source::CpeOverlay => "cpe-overlay",
            Source::Euvd => "euvd",
            Source::Csaf => "csaf",
            Source::Debian => "debian",
            Source::Alpine => "alpine",
        }
    }

    /// Whether its ids name vulnerabilities; otherwise they name its statements about a package, and the
    /// vulnerability's own id is among the aliases.
    pub const fn names_vulnerabilities(self) -> bool {
        !matches!(self, Source::Debian | Source::Alpine)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A statement together with who made it within the source (`cna:mitre`, `adp:CISA-ADP`, `nvd@nist.gov`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stated<T> {
    /// Who says so.
    pub origin: String,
    /// What is said.
    pub value: T,
}

/// Life of a record at its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordState {
    /// Valid.
    Published,
    /// The id was refused or taken back before use.
    Rejected,
    /// Valid, but somebody contests that it is a vulnerability.
    Disputed,
    /// Taken back after publication.
    Withdrawn,
}

/// A CVSS vector and the base score that its source computed from it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cvss {
    /// `2.0`, `3.0`, `3.1` or `4.0`.
    pub version: String,
    /// The vector, with its prefix where the version has one.
    pub vector: String,
    /// Base score in tenths, 0 to 100: exact, so that filters and sorting need no floats.
    pub score_tenths: u8,
}

/// A text with its language, English preferred by readers of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// BCP 47 tag.
    pub language: String,
    /// The text itself, untrusted: escaped wherever it is shown.
    pub text: String,
}

impl Text {
    /// Whether the tag is `en` or a regional English (`en-US`), or the `eng` of old CVE records.
    pub fn is_english(&self) -> bool {
        let language = self.language.as_bytes();
        language
            .get(..2)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"en"))
            && matches!(language.get(2), None | Some(b'-' | b'_' | b'g'))
    }
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// The address, untrusted: only `http` and `https` are ever made clickable.
    pub url: String,
    /// The source's tags (`patch`, `vendor-advisory`, …), lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// A product, and which of its versions are concerned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Affected {
    /// CNA vendor, or the vendor field of a CPE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// CNA product, or the product field of a CPE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// CVE 5 `packageName`, or the package's name in its OSV ecosystem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package_name: Option<String>,
    /// CVE 5 `collectionURL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection_url: Option<String>,
    /// OSV ecosystem (`PyPI`, `crates.io`, …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ecosystem: Option<String>,
    /// Source repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// CPE 2.3 formatted strings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cpes: Vec<String>,
    /// Package URL without version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purl: Option<String>,
    /// Platforms the source limits this to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    /// CPEs that must be present too (an NVD `AND` node: "running on"), never vulnerable themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub running_on: Vec<String>,
    /// What holds for versions that no range covers.
    pub default_status: Status,
    /// The ranges, in the source's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Range>,
}

/// OSV's names of distributions.
const DISTRIBUTIONS: [&str; 20] = [
    "AlmaLinux",
    "Alpaquita",
    "Alpine",
    "Azure Linux",
    "BellSoft Hardened Containers",
    "Chainguard",
    "Debian",
    "Echo",
    "FreeBSD",
    "Mageia",
    "MinimOS",
    "openEuler",
    "openSUSE",
    "Photon OS",
    "Red Hat",
    "Rocky Linux",
    "Root",
    "SUSE",
    "Ubuntu",
    "Wolfi",
];

impl Affected {
    /// A statement that names nothing yet.
    pub const fn new(default_status: Status) -> Affected {
        Affected {
            vendor: None,
            product: None,
            package_name: None,
            collection_url: None,
            ecosystem: None,
            repository: None,
            cpes: Vec::new(),
            purl: None,
            platforms: Vec::new(),
            running_on: Vec::new(),
            default_status,
            ranges: Vec::new(),
        }
    }

    /// The distribution whose package this is about, with its release where one is named (`Debian:bookworm`); its
    /// versions are that distribution's own, and say nothing of another's.
    pub fn distribution(&self) -> Option<&str> {
        let ecosystem = self.ecosystem.as_deref()?;
        let base = ecosystem.split(':').next().unwrap_or(ecosystem);
        DISTRIBUTIONS.contains(&base).then_some(ecosystem)
    }

    /// Whether the statement names something that could be found in a package list.
    pub fn names_something(&self) -> bool {
        self.product.is_some()
            || self.package_name.is_some()
            || self.purl.is_some()
            || self.repository.is_some()
            || !self.cpes.is_empty()
    }
}

/// What is known about attacks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Exploitation {
    /// Listed as exploited in the wild.
    Kev {
        /// Day of listing.
        added: jiff::civil::Date,
        /// Day by which US agencies must act.
        due: Option<jiff::civil::Date>,
        /// Whether ransomware campaigns use it.
        ransomware: bool,
    },
    /// Predicted probability of exploitation within 30 days.
    Epss {
        /// Probability in millionths, 0 to 1,000,000.
        probability_ppm: u32,
        /// Rank among all, in millionths.
        percentile_ppm: u32,
        /// Day of the prediction.
        day: Option<jiff::civil::Date>,
    },
    /// CISA's decision points.
    Ssvc {
        /// `none`, `poc` or `active`.
        exploitation: String,
        /// `yes` or `no`.
        automatable: String,
        /// `partial` or `total`.
        technical_impact: String,
    },
}

/// One source's statement about one vulnerability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The feed.
    pub source: Source,
    /// The id at the source, upper case where the scheme is (`CVE-…`); unique within the source.
    pub id: String,
    /// Other ids of the same vulnerability. `related` ids are not aliases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// State at the source.
    pub state: RecordState,
    /// Titles, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub titles: Vec<Stated<String>>,
    /// Descriptions, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub descriptions: Vec<Stated<Text>>,
    /// CVSS statements.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cvss: Vec<Stated<Cvss>>,
    /// What the source calls the vulnerability, lower case (`exclusively-hosted-service`, `disputed`, …).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Stated<String>>,
    /// CWE ids (`CWE-79`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weaknesses: Vec<Stated<String>>,
    /// Links.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Stated<Reference>>,
    /// Products and versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affected: Vec<Stated<Affected>>,
    /// Attacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exploitation: Vec<Stated<Exploitation>>,
    /// First publication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
    /// Last change at the source: the later record wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Timestamp>,
}

impl Record {
    /// A published record that says nothing yet.
    pub fn new(source: Source, id: impl Into<String>) -> Record {
        Record {
            source,
            id: id.into(),
            aliases: Vec::new(),
            state: RecordState::Published,
            titles: Vec::new(),
            descriptions: Vec::new(),
            cvss: Vec::new(),
            tags: Vec::new(),
            weaknesses: Vec::new(),
            references: Vec::new(),
            affected: Vec::new(),
            exploitation: Vec::new(),
            published: None,
            modified: None,
        }
    }

    /// What is left of a record that its source took back: its ids, and that it was.
    #[must_use]
    pub fn withdrawn(self) -> Record {
        Record {
            aliases: self.aliases,
            state: RecordState::Withdrawn,
            published: self.published,
            ..Record::new(self.source, self.id)
        }
    }

    /// The record without what one author within the source says.
    #[must_use]
    pub fn without(mut self, origin: &str) -> Record {
        fn drop_of<T>(stated: &mut Vec<Stated<T>>, origin: &str) {
            stated.retain(|one| one.origin != origin);
        }
        drop_of(&mut self.titles, origin);
        drop_of(&mut self.descriptions, origin);
        drop_of(&mut self.cvss, origin);
        drop_of(&mut self.tags, origin);
        drop_of(&mut self.weaknesses, origin);
        drop_of(&mut self.references, origin);
        drop_of(&mut self.affected, origin);
        drop_of(&mut self.exploitation, origin);
        self
    }
}
