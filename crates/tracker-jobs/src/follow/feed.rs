//! The feeds that can be followed, where they are, and how often they are asked.
//!
//! Invariant: names are unique and stable: the cursor in the database belongs to the name.

use super::file::Content;
use crate::fetch::Secret;

/// A feed.
#[derive(Debug, Clone)]
pub struct Feed {
    /// Its name.
    pub name: String,
    /// How its server speaks.
    pub kind: FeedKind,
    /// Where it is: a file, or what addresses begin with.
    pub url: String,
    /// A key that the server knows.
    pub key: Option<Secret>,
    /// Minutes between two passes.
    pub minutes: u32,
}

/// How a feed's server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedKind {
    /// One file that is replaced by newer ones.
    File(Content),
    /// The CVE list: a log of changes, a file a record, an archive of all.
    CveList,
    /// NVD's API 2.0.
    Nvd,
    /// An ecosystem's folder in OSV's bucket: a table of changes, a file a record, an archive of all.
    Osv,
    /// The European vulnerability database's API.
    Euvd,
    /// A repository on GitHub with a file a record: its newest commit, what changed since another, an archive.
    Repository(&'static str),
    /// A CSAF provider: its metadata, a list of its documents with their times, a file an advisory.
    Csaf,
}

/// The ecosystems of OSV from which distributions package software.
const ECOSYSTEMS: [&str; 16] = [
    "Bitnami",
    "CRAN",
    "crates.io",
    "GHC",
    "GIT",
    "Go",
    "Hackage",
    "Hex",
    "Maven",
    "npm",
    "NuGet",
    "OSS-Fuzz",
    "Packagist",
    "Pub",
    "PyPI",
    "RubyGems",
];

/// All feeds at their usual places. A repository's folder is that of the records which are wanted of it.
pub fn feeds() -> Vec<Feed> {
    let feed = |name: &str, kind, url: &str, minutes| Feed {
        name: name.to_owned(),
        kind,
        url: url.to_owned(),
        key: None,
        minutes,
    };
    let mut feeds = vec![
        feed(
            "cve-list",
            FeedKind::CveList,
            "https://raw.githubusercontent.com/CVEProject/cvelistV5/main/cves/",
            30,
        ),
        feed(
            "nvd",
            FeedKind::Nvd,
            "https://services.nvd.nist.gov/rest/json/cves/2.0",
            120,
        ),
        feed(
            "kev",
            FeedKind::File(Content::Kev),
            "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
            60,
        ),
        feed(
            "epss",
            FeedKind::File(Content::Epss),
            "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz",
            360,
        ),
        feed(
            "euvd",
            FeedKind::Euvd,
            "https://euvdservices.enisa.europa.eu/api/search",
            120,
        ),
        feed(
            "vulnrichment",
            FeedKind::Repository(""),
            "https://api.github.com/repos/cisagov/vulnrichment/",
            120,
        ),
        feed(
            "github-advisories",
            FeedKind::Repository("advisories/github-reviewed/"),
            "https://api.github.com/repos/github/advisory-database/",
            60,
        ),
        feed(
            "debian",
            FeedKind::File(Content::Debian),
            "https://security-tracker.debian.org/tracker/data/json",
            360,
        ),
        feed(
            "alpine-main",
            FeedKind::File(Content::Alpine),
            "https://secdb.alpinelinux.org/edge/main.json",
            360,
        ),
        feed(
            "alpine-community",
            FeedKind::File(Content::Alpine),
            "https://secdb.alpinelinux.org/edge/community.json",
            360,
        ),
        feed(
            "csaf-redhat",
            FeedKind::Csaf,
            "https://security.access.redhat.com/data/meta/v1/provider-metadata.json",
            120,
        ),
    ];
    for ecosystem in ECOSYSTEMS {
        let name = format!("osv-{}", ecosystem.to_ascii_lowercase());
        let url = format!("https://osv-vulnerabilities.storage.googleapis.com/{ecosystem}/");
        feeds.push(feed(&name, FeedKind::Osv, &url, 60));
    }
    feeds
}
