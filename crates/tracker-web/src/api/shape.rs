//! What the API answers, apart from the types of the pages, which may change with them.
//!
//! Invariant: words are those of addresses and of the twins.

use crate::error::Error;
use crate::query::{SEVERITIES, STATES, word_of};
use jiff::Timestamp;
use serde::Serialize;
use tracker_people::Principal;
use tracker_record::RecordState;
use tracker_store::view::{
    self, ChannelStatus, FindingView, MatchView, PackageDetail, PackageRow, VulnerabilityDetail,
    VulnerabilityRow,
};
use utoipa::{IntoResponses, ToSchema};

/// What went wrong (RFC 9457).
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "it is read by the description only; problems are written for pages and API alike"
)]
pub(crate) struct Problem {
    /// `about:blank`: the status says what kind it is.
    r#type: String,
    /// Short, the same for all of its kind.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What happened this time.
    detail: String,
    /// The path that was asked for.
    instance: String,
}

/// How any request can fail.
#[derive(Debug, IntoResponses)]
#[expect(dead_code, reason = "it is read by the description only")]
pub(crate) enum Failures {
    /// A parameter is not understood.
    #[response(status = 400, content_type = "application/problem+json")]
    Parameter(#[to_schema] Problem),
    /// The token does not hold.
    #[response(status = 401, content_type = "application/problem+json")]
    Token(#[to_schema] Problem),
    /// There is nothing of this name.
    #[response(status = 404, content_type = "application/problem+json")]
    Absent(#[to_schema] Problem),
    /// The address is too long.
    #[response(status = 414, content_type = "application/problem+json")]
    Long(#[to_schema] Problem),
    /// Too many requests; `Retry-After` says when there may be one again.
    #[response(status = 429, content_type = "application/problem+json")]
    Often(#[to_schema] Problem),
}

/// How a writing request can fail besides.
#[derive(Debug, IntoResponses)]
#[expect(dead_code, reason = "it is read by the description only")]
pub(crate) enum Refusals {
    /// The caller may not.
    #[response(status = 403, content_type = "application/problem+json")]
    Denied(#[to_schema] Problem),
    /// Somebody decided since.
    #[response(status = 412, content_type = "application/problem+json")]
    Moved(#[to_schema] Problem),
    /// The body took too long to come.
    #[response(status = 408, content_type = "application/problem+json")]
    Slow(#[to_schema] Problem),
    /// The body is too long.
    #[response(status = 413, content_type = "application/problem+json")]
    Large(#[to_schema] Problem),
    /// The body is no JSON.
    #[response(status = 415, content_type = "application/problem+json")]
    Kind(#[to_schema] Problem),
    /// It cannot be done; nothing was.
    #[response(status = 422, content_type = "application/problem+json")]
    Impossible(#[to_schema] Problem),
}

/// What a page would call a mistake in a form, in the words of the API.
pub(super) fn plainly(error: Error) -> Error {
    match error {
        Error::BadForm { reason } => Error::Undecidable { reason },
        other => other,
    }
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Whoami {
    /// Their name; absent without a token.
    handle: Option<String>,
    /// Their handle on GitHub.
    github: Option<String>,
    /// `anonymous`, `maintainer`, `triager` or `administrator`.
    role: &'static str,
    /// What they may, with this token.
    may: Vec<&'static str>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    /// The rows.
    pub(super) rows: Vec<T>,
    /// How many there are in all, as far as they are counted.
    pub(super) total: Option<u64>,
    /// The address of the next page.
    pub(super) next: Option<String>,
    /// The address of the page before.
    pub(super) previous: Option<String>,
}

/// A vulnerability in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Vulnerability {
    /// Public id.
    id: String,
    /// Title, or the beginning of the description.
    title: String,
    /// `critical`, `high`, `medium`, `low`, `none` or `unknown`.
    severity: &'static str,
    /// CVSS score, 0 to 10.
    score: Option<f64>,
    /// In the catalogue of exploited vulnerabilities.
    exploited: bool,
    /// EPSS probability, 0 to 1.
    epss: Option<f64>,
    /// `published`, `rejected`, `disputed` or `withdrawn`.
    state: &'static str,
    /// First publication.
    #[schema(value_type = Option<String>, format = DateTime)]
    published: Option<Timestamp>,
    /// Last change.
    #[schema(value_type = Option<String>, format = DateTime)]
    modified: Option<Timestamp>,
    /// Matched families, best first, at most five.
    families: Vec<String>,
    /// How many families match in all.
    family_count: u32,
    /// The worst state on each channel that has one.
    channels: Vec<Channel>,
}

/// The worst state on a channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Channel {
    /// Channel.
    channel: String,
    /// `affected`, `under-investigation`, `fixed` or `not-affected`.
    state: &'static str,
}

/// A vulnerability with what is told of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VulnerabilityWhole {
    /// As in lists.
    #[serde(flatten)]
    summary: Vulnerability,
    /// Its description.
    description: Option<String>,
    /// Other ids.
    aliases: Vec<String>,
    /// Sources that have a record of it.
    sources: Vec<String>,
}

/// A match with a package family.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Match {
    /// Vulnerability.
    vulnerability: String,
    /// Distribution.
    distribution: String,
    /// Family.
    family: String,
    /// Probability, 0 to 1.
    score: f64,
    /// Why, strongest first.
    reasons: Vec<Reason>,
}

/// A share of a score.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reason {
    /// Name of the feature.
    feature: String,
    /// Its share, in log-odds.
    weight: f64,
    /// The sentence that pages show.
    text: String,
}

/// Where a vulnerability stands in a package of a channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// Vulnerability.
    vulnerability: String,
    /// Channel.
    channel: String,
    /// Attribute.
    attribute: String,
    /// Version there.
    version: Option<String>,
    /// `affected`, `under-investigation`, `fixed` or `not-affected`.
    state: &'static str,
    /// Why; what decided first.
    evidence: Vec<String>,
    /// Since when, if it changed.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
}

/// What is affected in the current release of a channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AffectedRelease {
    /// Channel.
    channel: String,
    /// Revision of the release.
    revision: String,
    /// When it was released.
    #[schema(value_type = String, format = DateTime)]
    released: Timestamp,
    /// Whether all of it is here; there is a limit to what one answer holds.
    complete: bool,
    /// Packages that something affects, by attribute.
    packages: Vec<AffectedPackage>,
}

/// A package with what affects it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AffectedPackage {
    /// Attribute.
    attribute: String,
    /// Name without version.
    pname: String,
    /// Version.
    version: Option<String>,
    /// What affects it, by id.
    vulnerabilities: Vec<AffectedBy>,
}

/// A vulnerability in few words.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AffectedBy {
    /// Public id.
    id: String,
    /// `critical`, `high`, `medium`, `low`, `none` or `unknown`.
    severity: &'static str,
    /// In the catalogue of exploited vulnerabilities.
    exploited: bool,
}

impl From<view::AffectedRelease> for AffectedRelease {
    fn from(release: view::AffectedRelease) -> AffectedRelease {
        let by = |by: view::AffectedBy| AffectedBy {
            id: by.id,
            severity: word_of(by.severity, SEVERITIES),
            exploited: by.exploited,
        };
        let package = |package: view::AffectedPackage| AffectedPackage {
            attribute: package.attribute,
            pname: package.pname,
            version: package.version,
            vulnerabilities: package.vulnerabilities.into_iter().map(by).collect(),
        };
        AffectedRelease {
            channel: release.channel,
            revision: release.revision,
            released: release.released,
            complete: release.complete,
            packages: release.packages.into_iter().map(package).collect(),
        }
    }
}

/// A package in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Package {
    /// Distribution.
    distribution: String,
    /// Attribute.
    attribute: String,
    /// Name without version.
    pname: String,
    /// Family.
    family: String,
    /// Description.
    description: Option<String>,
    /// Version on the current release of each channel that has it.
    versions: Vec<Version>,
    /// Vulnerabilities that affect it on some channel.
    affected: u32,
}

/// A version on a channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Version {
    /// Channel.
    channel: String,
    /// Version.
    version: Option<String>,
}

/// A package with what is told of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PackageWhole {
    /// Distribution.
    distribution: String,
    /// Attribute.
    attribute: String,
    /// Name without version.
    pname: String,
    /// Family.
    family: String,
    /// Description.
    description: Option<String>,
    /// Home pages.
    homepages: Vec<String>,
    /// Handles on GitHub.
    maintainers: Vec<String>,
    /// Where it is defined.
    position: Option<String>,
    /// Other members of its family.
    relatives: Vec<String>,
    /// Vulnerabilities that were matched with it.
    vulnerabilities: Vec<Vulnerability>,
}

impl From<&Principal> for Whoami {
    fn from(principal: &Principal) -> Whoami {
        let person = principal.person();
        let all = tracker_people::Permission::ALL.iter();
        Whoami {
            handle: person.map(|person| person.handle.clone()),
            github: person.and_then(|person| person.github.clone()),
            role: principal.role().word(),
            may: all
                .filter(|permission| principal.may(**permission))
                .map(|permission| permission.words())
                .collect(),
        }
    }
}

impl From<&VulnerabilityRow> for Vulnerability {
    fn from(row: &VulnerabilityRow) -> Vulnerability {
        Vulnerability {
            id: row.id.clone(),
            title: row.title.clone(),
            severity: word_of(row.severity, SEVERITIES),
            score: row.score_tenths.map(|tenths| f64::from(tenths) / 10.0),
            exploited: row.exploited,
            epss: row.epss_ppm.map(|ppm| f64::from(ppm) / 1e6),
            state: match row.state {
                RecordState::Published => "published",
                RecordState::Rejected => "rejected",
                RecordState::Disputed => "disputed",
                RecordState::Withdrawn => "withdrawn",
            },
            published: row.published,
            modified: row.modified,
            families: row.families.clone(),
            family_count: row.family_count,
            channels: row.channels.iter().map(Channel::from).collect(),
        }
    }
}

impl From<&ChannelStatus> for Channel {
    fn from(status: &ChannelStatus) -> Channel {
        Channel {
            channel: status.channel.clone(),
            state: word_of(status.status, STATES),
        }
    }
}

impl From<&VulnerabilityDetail> for VulnerabilityWhole {
    fn from(detail: &VulnerabilityDetail) -> VulnerabilityWhole {
        let sources = detail.records.iter().map(|view| view.record.source);
        VulnerabilityWhole {
            summary: Vulnerability::from(&detail.summary),
            description: detail.description.clone(),
            aliases: detail.aliases.clone(),
            sources: sources
                .map(|source| crate::components::source_word(source).to_owned())
                .collect(),
        }
    }
}

impl Match {
    pub(super) fn new(vulnerability: &str, view: &MatchView) -> Match {
        let reasons = view.reasons.iter().map(|reason| Reason {
            feature: reason.feature.clone(),
            weight: reason.weight,
            text: reason.text.clone(),
        });
        Match {
            vulnerability: vulnerability.to_owned(),
            distribution: view.distribution.clone(),
            family: view.family.clone(),
            score: view.score,
            reasons: reasons.collect(),
        }
    }
}

impl From<&FindingView> for Finding {
    fn from(view: &FindingView) -> Finding {
        Finding {
            vulnerability: view.vulnerability.clone(),
            channel: view.channel.clone(),
            attribute: view.attribute.clone(),
            version: view.version.clone(),
            state: word_of(view.status, STATES),
            evidence: view.evidence.clone(),
            since: view.since,
        }
    }
}

impl From<&PackageRow> for Package {
    fn from(row: &PackageRow) -> Package {
        let versions = row.versions.iter().map(|version| Version {
            channel: version.channel.clone(),
            version: version.version.clone(),
        });
        Package {
            distribution: row.distribution.clone(),
            attribute: row.attribute.clone(),
            pname: row.pname.clone(),
            family: row.family.clone(),
            description: row.description.clone(),
            versions: versions.collect(),
            affected: row.affected,
        }
    }
}

impl From<&PackageDetail> for PackageWhole {
    fn from(detail: &PackageDetail) -> PackageWhole {
        let vulnerabilities = detail.vulnerabilities.iter();
        PackageWhole {
            distribution: detail.distribution.clone(),
            attribute: detail.attribute.clone(),
            pname: detail.pname.clone(),
            family: detail.family.clone(),
            description: detail.description.clone(),
            homepages: detail.homepages.clone(),
            maintainers: detail.maintainers.clone(),
            position: detail.position.clone(),
            relatives: detail.relatives.clone(),
            vulnerabilities: vulnerabilities
                .map(|one| Vulnerability::from(&one.summary))
                .collect(),
        }
    }
}
