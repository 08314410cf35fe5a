//! What pages and the API read: each type is one page's or one row's data, and its `.json` twin.
//!
//! Invariant: a view is complete for its page, so that a page never asks the store twice for a row.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracker_match::{FindingStatus, Reason};
use tracker_record::{Record, RecordState, Severity, Source};

/// The kinds of state that the list can be filtered by: the worst finding of a vulnerability on any current release.
pub use tracker_match::FindingStatus as State;

/// What the list of vulnerabilities is narrowed to; the empty filter is everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VulnerabilityFilter {
    /// Words that must occur in id, alias, title or description; an id finds itself.
    #[serde(default)]
    pub text: Option<String>,
    /// Any of these severities.
    #[serde(default)]
    pub severities: Vec<Severity>,
    /// Only those in the KEV catalogue.
    #[serde(default)]
    pub exploited: bool,
    /// Only those with a finding on this channel.
    #[serde(default)]
    pub channel: Option<String>,
    /// Only those matched to this package attribute or family.
    #[serde(default)]
    pub package: Option<String>,
    /// Only those with a finding in any of these states (on `channel` if given).
    #[serde(default)]
    pub states: Vec<FindingStatus>,
    /// Only those that have a match at all (the default of the web list when channels exist).
    #[serde(default)]
    pub matched: bool,
}

/// Order of the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Exploited first, then severity, then newest.
    #[default]
    Urgency,
    /// Newest publication first.
    Published,
    /// Latest change first.
    Modified,
}

/// A page of a list by seek: `after` and `before` are opaque tokens from the previous page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// Rows wanted, 1 to 200.
    pub limit: u32,
    /// Token of the last row of the page before.
    pub after: Option<String>,
    /// Token of the first row of the page after.
    pub before: Option<String>,
    /// The order.
    pub order: Order,
}

/// A page of rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Token for the next page, if there is one.
    pub next: Option<String>,
    /// Token for the previous page, if there is one.
    pub previous: Option<String>,
    /// How many rows match in all, counted up to 10,000; `None` beyond.
    pub total: Option<u64>,
}

impl<T> Page<T> {
    /// A page of a list with nothing in it.
    pub fn empty() -> Page<T> {
        Page {
            rows: Vec::new(),
            next: None,
            previous: None,
            total: Some(0),
        }
    }
}

/// A vulnerability in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VulnerabilityRow {
    /// Public id.
    pub id: String,
    /// Title, or the beginning of the description.
    pub title: String,
    /// Severity of the leading CVSS statement.
    pub severity: Severity,
    /// Its score in tenths.
    pub score_tenths: Option<u8>,
    /// In the KEV catalogue.
    pub exploited: bool,
    /// EPSS probability in millionths.
    pub epss_ppm: Option<u32>,
    /// State of the record.
    pub state: RecordState,
    /// First publication.
    pub published: Option<Timestamp>,
    /// Last change.
    pub modified: Option<Timestamp>,
    /// Matched families, best first, at most five.
    pub families: Vec<String>,
    /// How many families match in all.
    pub family_count: u32,
    /// Worst status per channel that has a finding.
    pub channels: Vec<ChannelStatus>,
}

/// The worst status on a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelStatus {
    /// Channel name.
    pub channel: String,
    /// Worst status of any matched package there.
    pub status: FindingStatus,
}

/// One vulnerability, whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VulnerabilityDetail {
    /// The row as in lists.
    pub summary: VulnerabilityRow,
    /// Full description, English preferred, with who wrote it.
    pub description: Option<String>,
    /// Other ids.
    pub aliases: Vec<String>,
    /// Records by source, in normal form.
    pub records: Vec<RecordView>,
    /// Matches with reasons.
    pub matches: Vec<MatchView>,
    /// What happened, newest first.
    pub history: Vec<HistoryEntry>,
}

/// A record and when it was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordView {
    /// Normal form.
    pub record: Record,
    /// When this version of it was imported.
    pub imported: Timestamp,
    /// Size of the raw document in bytes.
    pub raw_bytes: u64,
    /// When its source took it back, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Timestamp>,
}

/// A match of the vulnerability, with the matrix of findings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MatchView {
    /// Distribution.
    pub distribution: String,
    /// Package family.
    pub family: String,
    /// Probability, 0 to 1.
    pub score: f64,
    /// Why.
    pub reasons: Vec<Reason>,
    /// A finding per channel and attribute, on the current release of each channel.
    pub findings: Vec<FindingView>,
}

/// A cell of the matrix.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FindingView {
    /// Vulnerability.
    pub vulnerability: String,
    /// Channel.
    pub channel: String,
    /// Attribute.
    pub attribute: String,
    /// Version there.
    pub version: Option<String>,
    /// Verdict.
    pub status: FindingStatus,
    /// Deciding statement first.
    pub evidence: Vec<String>,
    /// Since which release the verdict holds, if it changed.
    pub since: Option<Timestamp>,
}

/// One line of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryEntry {
    /// When.
    pub at: Timestamp,
    /// Stable kind (`record-added`, `record-changed`, `record-withdrawn`, `matched`, `finding-changed`, …).
    pub kind: String,
    /// The sentence that is shown.
    pub text: String,
}

/// A package and everything known of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PackageDetail {
    /// Distribution.
    pub distribution: String,
    /// Attribute.
    pub attribute: String,
    /// Name without version.
    pub pname: String,
    /// Family.
    pub family: String,
    /// Description, home pages, maintainers, position: from the newest release that has it.
    pub description: Option<String>,
    /// Home pages.
    pub homepages: Vec<String>,
    /// GitHub handles.
    pub maintainers: Vec<String>,
    /// Where it is defined.
    pub position: Option<String>,
    /// Version on each channel's releases, newest first.
    pub versions: Vec<PackageVersion>,
    /// Vulnerabilities with their findings for this attribute, urgent first.
    pub vulnerabilities: Vec<PackageVulnerability>,
    /// Other members of its family.
    pub relatives: Vec<String>,
}

/// A package in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageRow {
    /// Distribution.
    pub distribution: String,
    /// Attribute.
    pub attribute: String,
    /// Name without version.
    pub pname: String,
    /// Family.
    pub family: String,
    /// Description, from one of the current releases.
    pub description: Option<String>,
    /// Version on the latest release of each channel that has it, by channel name.
    pub versions: Vec<ChannelVersion>,
    /// Vulnerabilities that affect it on some channel.
    pub affected: u32,
}

/// A package's version on a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelVersion {
    /// Channel name.
    pub channel: String,
    /// Version.
    pub version: Option<String>,
}

/// A version of a package in a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageVersion {
    /// Channel.
    pub channel: String,
    /// Revision of the release.
    pub revision: String,
    /// Date of the release.
    pub released: Timestamp,
    /// Version.
    pub version: Option<String>,
    /// Patches named after a vulnerability.
    pub patches: Vec<String>,
    /// `meta.knownVulnerabilities`.
    pub known_vulnerabilities: Vec<String>,
}

/// A vulnerability on a package page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PackageVulnerability {
    /// Row.
    pub summary: VulnerabilityRow,
    /// Score of the match.
    pub score: f64,
    /// Finding on each channel.
    pub findings: Vec<FindingView>,
}

/// A channel in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelSummary {
    /// Distribution.
    pub distribution: String,
    /// Name.
    pub name: String,
    /// Current revision.
    pub revision: String,
    /// Date of the current release.
    pub released: Timestamp,
    /// Releases known.
    pub releases: u32,
    /// Packages in the current one.
    pub packages: u32,
    /// The end of the last day on which it gets fixes; `None` where no end is known.
    pub supported_until: Option<Timestamp>,
    /// Findings by status on the current release, each counted per vulnerability.
    pub counts: Vec<(FindingStatus, u32)>,
}

/// What is affected in the current release of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AffectedRelease {
    /// Channel.
    pub channel: String,
    /// Revision of the release.
    pub revision: String,
    /// When it was released.
    pub released: Timestamp,
    /// Whether all of it is here; there is a limit to what one answer holds.
    pub complete: bool,
    /// Packages that something affects, by attribute.
    pub packages: Vec<AffectedPackage>,
}

/// A package with what affects it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AffectedPackage {
    /// Attribute.
    pub attribute: String,
    /// Name without version.
    pub pname: String,
    /// Version.
    pub version: Option<String>,
    /// What affects it, by id.
    pub vulnerabilities: Vec<AffectedBy>,
}

/// A vulnerability in few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AffectedBy {
    /// Public id.
    pub id: String,
    /// Band of its leading score.
    pub severity: Severity,
    /// In the catalogue of exploited vulnerabilities.
    pub exploited: bool,
}

/// A channel page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChannelDetail {
    /// The row.
    pub summary: ChannelSummary,
    /// Its releases, newest first.
    pub releases: Vec<ReleaseRow>,
    /// What is most urgent there now.
    pub urgent: Vec<VulnerabilityRow>,
}

/// At which revision a channel was, since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DatedRevision {
    /// Channel.
    pub channel: String,
    /// Revision.
    pub revision: String,
    /// Date.
    pub released: Timestamp,
}

/// A release of a channel and what it changed against the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleaseRow {
    /// Revision.
    pub revision: String,
    /// Date.
    pub released: Timestamp,
    /// Packages.
    pub packages: u32,
    /// Packages new in it; `None` for the first.
    pub added: Option<u32>,
    /// Packages gone.
    pub removed: Option<u32>,
    /// Packages whose version moved.
    pub moved: Option<u32>,
}

/// A package whose version moved, came or went between two releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageMove {
    /// Attribute.
    pub attribute: String,
    /// Version before; `None` if the package is new or has none.
    pub from: Option<String>,
    /// Version after; `None` if the package is gone or has none.
    pub to: Option<String>,
    /// `added`, `removed` or `moved`.
    pub change: &'static str,
}

/// A data source on the about page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceStatus {
    /// Feed.
    pub source: Source,
    /// Records held.
    pub records: u64,
    /// Last import.
    pub imported: Option<Timestamp>,
    /// Latest change stated by the source itself.
    pub newest: Option<Timestamp>,
    /// Documents refused by the last import.
    pub rejected: u64,
}

/// The start page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overview {
    /// Vulnerabilities held.
    pub vulnerabilities: u64,
    /// Packages known, distinct attributes.
    pub packages: u64,
    /// Matches.
    pub matches: u64,
    /// Channels.
    pub channels: Vec<ChannelSummary>,
    /// Most urgent affected vulnerabilities.
    pub urgent: Vec<VulnerabilityRow>,
    /// Open (affected) by severity.
    pub affected_by_severity: Vec<(Severity, u32)>,
    /// Feeds.
    pub sources: Vec<SourceStatus>,
}
