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

/// Releases of Alpine that are followed unless others are named: the rolling one, which keeps every fix, and the stable
/// ones that got fixes when this list was written (November 2026).
const ALPINE: [&str; 4] = ["edge", "v3.22", "v3.23", "v3.24"];

/// The parts of a release of Alpine that have a database of fixes.
const REPOSITORIES: [&str; 2] = ["main", "community"];

/// A release's database. That of `edge` has the name of its repository alone.
fn alpine(release: &str, repository: &str) -> Feed {
    let name = match release {
        "edge" => format!("alpine-{repository}"),
        _ => format!("alpine-{release}-{repository}"),
    };
    Feed {
        name,
        kind: FeedKind::File(Content::Alpine),
        url: format!("https://secdb.alpinelinux.org/{release}/{repository}.json"),
        key: None,
        minutes: 360,
    }
}

/// A feed by its name: one of [`feeds`], or `alpine-RELEASE-REPOSITORY` for another release of Alpine (`v3.21`).
pub fn feed_named(name: &str) -> Option<Feed> {
    if let Some(feed) = feeds().into_iter().find(|feed| feed.name == name) {
        return Some(feed);
    }
    let (release, repository) = name.strip_prefix("alpine-")?.split_once('-')?;
    let (major, minor) = release.strip_prefix('v')?.split_once('.')?;
    let number = |text: &str| {
        (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let known = number(major) && number(minor) && REPOSITORIES.contains(&repository);
    known.then(|| alpine(release, repository))
}

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
            "csaf-redhat",
            FeedKind::Csaf,
            "https://security.access.redhat.com/data/meta/v1/provider-metadata.json",
            120,
        ),
    ];
    for release in ALPINE {
        feeds.extend(REPOSITORIES.iter().map(|part| alpine(release, part)));
    }
    for ecosystem in ECOSYSTEMS {
        let name = format!("osv-{}", ecosystem.to_ascii_lowercase());
        let url = format!("https://osv-vulnerabilities.storage.googleapis.com/{ecosystem}/");
        feeds.push(feed(&name, FeedKind::Osv, &url, 60));
    }
    feeds
}

#[cfg(test)]
mod tests {
    use super::{feed_named, feeds};

    #[test]
    fn feeds_are_found_by_their_names_and_another_release_of_alpine_by_its_own() {
        for feed in feeds() {
            assert_eq!(feed_named(&feed.name).unwrap().url, feed.url);
        }
        let url = |name: &str| feed_named(name).map(|feed| feed.url);
        for (name, path) in [
            ("alpine-main", "edge/main.json"),
            ("alpine-community", "edge/community.json"),
            ("alpine-v3.22-community", "v3.22/community.json"),
            ("alpine-v3.9-main", "v3.9/main.json"),
        ] {
            let wanted = format!("https://secdb.alpinelinux.org/{path}");
            assert_eq!(url(name).as_deref(), Some(wanted.as_str()));
        }
        for none in [
            "alpine",
            "alpine-v3-main",
            "alpine-v3.22-testing",
            "alpine-v3.2x-main",
            "alpine-v3.22/../x-main",
        ] {
            assert_eq!(url(none), None, "{none}");
        }
    }
}
