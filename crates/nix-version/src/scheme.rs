//! Which order answers for a scheme word, and the partial comparison that ranges are evaluated with.
//!
//! Invariant: [`Scheme::compare`] answers `None` where the two texts are not on one line of versions: a date
//! against a number, a commit against anything else, a snapshot against a release that may come after it.

use crate::semver::SemVer;
use crate::{nix, snapshot, upstream};
use std::cmp::Ordering;

/// An order of versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `builtins.compareVersions`.
    Nix,
    /// Semantic Versioning, where both texts follow its grammar; [`Scheme::Upstream`] where one does not.
    SemVer,
    /// As projects number releases: for sources that name no scheme.
    Upstream,
    /// Commit ids: equal or incomparable.
    Commit,
    /// Texts that are no versions: never comparable.
    Prose,
}

impl Scheme {
    /// The order for a source's own word: CVE 5.1 `versionType`, an OSV range type or ecosystem, `cpe`.
    pub fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "nix" => Scheme::Nix,
            "semver" | "crates.io" | "npm" | "hex" | "swifturl" => Scheme::SemVer,
            "git" | "original_commit_for_fix" => Scheme::Commit,
            "prose" => Scheme::Prose,
            _ => Scheme::Upstream,
        }
    }

    /// Compares a package's version with one that a source names; `None` if the scheme cannot.
    pub fn compare(self, version: &str, named: &str) -> Option<Ordering> {
        let (version, named) = (version.trim(), named.trim());
        if self == Scheme::Prose {
            return None;
        }
        if self == Scheme::Commit {
            return (is_commit(version) && version == named).then_some(Ordering::Equal);
        }
        if version == named {
            return Some(Ordering::Equal);
        }
        if !is_version(version) || !is_version(named) {
            return None;
        }
        match (snapshot::parse(version), snapshot::parse(named)) {
            (Some(left), Some(right)) if left.after.is_none() && right.after.is_none() => {
                return Some(left.day.cmp(&right.day));
            }
            (Some(left), Some(right)) => {
                let after = self.order(left.after?, right.after?);
                return Some(after.then(left.day.cmp(&right.day)));
            }
            (Some(left), None) => {
                // A snapshot follows its release; what it does not yet contain nobody can tell. Before the
                // first release (`0-unstable-…`) it still is at or after zero.
                let after = left.after.unwrap_or("0");
                let dated = left.after.is_none() && snapshot::day(version).is_some();
                return (!dated && self.order(after, named).is_ge()).then_some(Ordering::Greater);
            }
            (None, Some(right)) => {
                let order = self.order(version, right.after?);
                return order.is_le().then_some(Ordering::Less);
            }
            (None, None) => {}
        }
        Some(self.order(version, named))
    }

    /// The total order below the three-valued comparison.
    fn order(self, left: &str, right: &str) -> Ordering {
        match self {
            Scheme::Nix => nix::compare(left, right),
            Scheme::SemVer => match (SemVer::parse(left), SemVer::parse(right)) {
                (Some(left), Some(right)) => left.precedence(&right),
                _ => upstream::compare(left, right),
            },
            Scheme::Upstream | Scheme::Commit | Scheme::Prose => upstream::compare(left, right),
        }
    }
}

/// Whether a text can be a version at all: it has a digit, no blank, and is no commit id.
pub fn is_version(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_digit())
        && !text.bytes().any(|b| b.is_ascii_whitespace())
        && !is_commit(text)
}

/// Whether a text is a full commit id (SHA-1 or SHA-256 in hex).
pub fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}
