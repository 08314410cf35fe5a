//! Which order answers for a scheme word, and the partial comparison that ranges are evaluated with.
//!
//! Invariant: [`Scheme::compare`] answers `None` where the two texts are not on one line of versions: a date
//! against a number, a commit against anything else, a snapshot against a release that may come after it.

use crate::semver::SemVer;
use crate::{alpine, debian, go, maven, nix, pep440, rpm, rubygems, snapshot, upstream};
use std::cmp::Ordering;

/// An order of versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `builtins.compareVersions`.
    Nix,
    /// Semantic Versioning, where both texts follow its grammar; [`Scheme::Upstream`] where one does not.
    SemVer,
    /// Python's (PEP 440).
    Pep440,
    /// Maven's.
    Maven,
    /// RubyGems'.
    RubyGems,
    /// Go modules'.
    Go,
    /// Debian's, also of what derives from it.
    Debian,
    /// RPM's.
    Rpm,
    /// Alpine's.
    Alpine,
    /// As projects number releases: for sources that name no scheme.
    Upstream,
    /// Commit ids: equal or incomparable.
    Commit,
    /// Texts that are no versions: never comparable.
    Prose,
}

impl Scheme {
    /// The order for a source's own word: CVE 5.1 `versionType`, an OSV range type or ecosystem (with or without
    /// the release that follows a colon), `cpe`.
    pub fn of(word: &str) -> Self {
        // The commonest words, which nothing need be copied for.
        if matches!(word, "cpe" | "custom") {
            return Scheme::Upstream;
        }
        let word = word.to_ascii_lowercase();
        match word.split(':').next().unwrap_or_default().trim() {
            "nix" => Scheme::Nix,
            "semver" | "crates.io" | "cargo" | "npm" | "hex" | "swifturl" | "pub" | "bitnami" => {
                Scheme::SemVer
            }
            "pypi" | "python" | "pep440" => Scheme::Pep440,
            "maven" => Scheme::Maven,
            "rubygems" | "gem" => Scheme::RubyGems,
            "go" | "golang" => Scheme::Go,
            "debian" | "deb" | "dpkg" | "ubuntu" | "echo" => Scheme::Debian,
            "rpm" | "red hat" | "rocky linux" | "almalinux" | "alma linux" | "opensuse"
            | "suse" | "fedora" | "mageia" | "openeuler" | "azure linux" | "photon os" => {
                Scheme::Rpm
            }
            "alpine" | "apk" | "wolfi" | "chainguard" | "minimos" => Scheme::Alpine,
            "git" | "original_commit_for_fix" => Scheme::Commit,
            "prose" => Scheme::Prose,
            _ => Scheme::Upstream,
        }
    }

    /// Compares a package's version with one that a source names; `None` if the scheme cannot.
    pub fn compare(self, version: &str, named: &str) -> Option<Ordering> {
        let (version, named) = (version.trim(), named.trim());
        if self == Scheme::Upstream && is_release(version) && is_release(named) {
            return Some(upstream::compare(version, named));
        }
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
        if self == Scheme::Go
            && let Some((day, named_day)) = commit_days(version, named)
        {
            // On the same day nobody can tell.
            let order = day.cmp(&named_day);
            return order.is_ne().then_some(order);
        }
        match (snapshot::parse(version), snapshot::parse(named)) {
            (Some(left), Some(right)) if left.after.is_none() && right.after.is_none() => {
                return Some(left.day.cmp(&right.day));
            }
            (Some(left), Some(right)) => {
                let after = self.order(left.after?, right.after?)?;
                return Some(after.then(left.day.cmp(&right.day)));
            }
            // A scheme that knows both dates and numbers puts them on one line.
            _ if self.counts_days(version) && self.counts_days(named) => {}
            (Some(left), None) => {
                // A snapshot follows its release; what it does not yet contain nobody can tell. Before the
                // first release (`0-unstable-…`) it still is at or after zero.
                let after = left.after.unwrap_or("0");
                let dated = left.after.is_none() && snapshot::day(version).is_some();
                return (!dated && self.order(after, named)?.is_ge()).then_some(Ordering::Greater);
            }
            (None, Some(right)) => {
                let order = self.order(version, right.after?)?;
                return order.is_le().then_some(Ordering::Less);
            }
            (None, None) => {}
        }
        self.order(version, named)
    }

    /// Whether a text is a version of a distribution's package, or one that begins with a year: for these a date
    /// is a number like others.
    fn counts_days(self, text: &str) -> bool {
        let year = |text: &str| {
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            let first = text.get(..4).and_then(|year| year.parse::<u16>().ok());
            matches!(digits, 4 | 8) && first.is_some_and(|year| (1980..=2100).contains(&year))
        };
        match self {
            Scheme::Debian | Scheme::Rpm | Scheme::Alpine => {
                year(text) || self.packaging(text).is_some()
            }
            Scheme::Pep440 => year(text) && pep440::Version::parse(text).is_some(),
            Scheme::RubyGems => year(text) && rubygems::Version::parse(text).is_some(),
            _ => false,
        }
    }

    /// The version of the software in a version of a distribution's package; `None` for the software's own.
    fn packaging(self, text: &str) -> Option<&str> {
        match self {
            Scheme::Debian => {
                let parts = debian::Version::split(text);
                (parts.revision.is_some() || parts.epoch.is_some()).then_some(parts.upstream)
            }
            Scheme::Rpm => {
                let parts = rpm::Version::split(text);
                (parts.release.is_some() || parts.epoch.is_some()).then_some(parts.version)
            }
            Scheme::Alpine => {
                let (version, revision) = alpine::Version::split_revision(text);
                revision.map(|_| version)
            }
            _ => None,
        }
    }

    /// Compares as the scheme does. Where one of the two is no version of the scheme, as projects number releases;
    /// a version of the software itself beside one of a distribution's package tells nothing where their
    /// software is the same, since the package may hold a fix.
    fn order(self, left: &str, right: &str) -> Option<Ordering> {
        let (left, right) = match (self.packaging(left), self.packaging(right)) {
            (Some(software), None) => {
                let order = self.within(software, right);
                return order.is_ne().then_some(order);
            }
            (None, Some(software)) => {
                let order = self.within(left, software);
                return order.is_ne().then_some(order);
            }
            _ => (left, right),
        };
        Some(self.within(left, right))
    }

    /// The order of two versions of the same kind.
    fn within(self, left: &str, right: &str) -> Ordering {
        fn parsed<T: Ord>(
            parse: impl Fn(&str) -> Option<T>,
            left: &str,
            right: &str,
        ) -> Option<Ordering> {
            Some(parse(left)?.cmp(&parse(right)?))
        }
        let answer = match self {
            Scheme::Nix => Some(nix::compare(left, right)),
            Scheme::SemVer => SemVer::parse(left)
                .zip(SemVer::parse(right))
                .map(|(left, right)| left.precedence(&right)),
            Scheme::Pep440 => parsed(pep440::Version::parse, left, right),
            Scheme::Maven => parsed(maven::Version::parse, left, right),
            Scheme::RubyGems => parsed(rubygems::Version::parse, left, right),
            Scheme::Go => go::compare(left, right),
            Scheme::Debian => Some(debian::compare(left, right)),
            Scheme::Rpm => Some(rpm::compare(left, right)),
            Scheme::Alpine => parsed(alpine::Version::parse, left, right),
            Scheme::Upstream | Scheme::Commit | Scheme::Prose => None,
        };
        answer.unwrap_or_else(|| upstream::compare(left, right))
    }
}

/// The days of a snapshot and of a Go pseudo-version's commit, which are moments on one line; `None` for any other
/// pair.
fn commit_days(version: &str, named: &str) -> Option<(u32, u32)> {
    match (snapshot::parse(version), snapshot::parse(named)) {
        (Some(left), None) => Some((left.day, go::pseudo_day(named)?)),
        (None, Some(right)) => Some((go::pseudo_day(version)?, right.day)),
        _ => None,
    }
}

/// Whether a text can be a version at all: it has a digit, no blank, and is no commit id.
pub fn is_version(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_digit())
        && !text.bytes().any(|b| b.is_ascii_whitespace())
        && !is_commit(text)
}

/// Whether a text is nothing but numbers and dots, and neither a day nor a commit: what most versions are, about which
/// nothing else need be asked.
pub(crate) fn is_plain(text: &str) -> bool {
    !matches!(text.len(), 8 | 10 | 40 | 64)
        && text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// Whether a text is written as most releases are, a stage or a patch level with it (`2.6.39:rc1`, `1.0.2k`): a wildcard,
/// a day, a commit, or a moment after a release (`unstable`) it cannot be.
pub(crate) fn is_release(text: &str) -> bool {
    !matches!(text.len(), 8 | 10 | 40 | 64)
        && text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| match b {
            b'u' | b'x' | b'X' => false,
            b'.' | b':' | b'-' => true,
            other => other.is_ascii_alphanumeric(),
        })
}

/// Whether a text is a full commit id (SHA-1 or SHA-256 in hex).
pub fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}
