//! Go modules' versions: Semantic Versioning behind a `v`, and pseudo-versions that name a commit's moment.
//!
//! Source: the Go modules reference, sections "Versions" and "Pseudo-versions". Invariant: [`compare`] answers
//! only for versions of that grammar, with or without the `v`.

use crate::semver::SemVer;
use std::cmp::Ordering;

/// Compares two versions as `semver.Compare` of `golang.org/x/mod` does; `None` if one is none.
///
/// ```
/// use std::cmp::Ordering;
/// use nix_version::go::compare;
/// assert_eq!(compare("v1.2.3+incompatible", "1.2.3"), Some(Ordering::Equal));
/// assert_eq!(compare("v1.2", "v1.2.0-rc.1"), Some(Ordering::Greater));
/// assert_eq!(compare("v0.0.0-20240101000000-abcdefabcdef", "v0.0.1"), Some(Ordering::Less));
/// assert_eq!(compare("v1", "master"), None);
/// ```
pub fn compare(left: &str, right: &str) -> Option<Ordering> {
    let (left, right) = (whole(left)?, whole(right)?);
    let (left, right) = (SemVer::parse(&left)?, SemVer::parse(&right)?);
    Some(left.precedence(&right))
}

/// The day of a pseudo-version's commit as eight digits: `v1.2.4-0.20240131000000-abcdefabcdef` is of 20240131.
pub fn pseudo_day(version: &str) -> Option<u32> {
    let version = version.split('+').next()?;
    let (rest, commit) = version.rsplit_once('-')?;
    let moment = rest.rsplit(['-', '.']).next()?;
    let hex = commit.len() == 12 && commit.bytes().all(|b| b.is_ascii_hexdigit());
    let digits = moment.len() == 14 && moment.bytes().all(|b| b.is_ascii_digit());
    (hex && digits).then(|| crate::snapshot::day(&moment[..8]))?
}

/// Without the `v`, with the numbers that a shorthand leaves out.
fn whole(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (core, rest) = text.split_at(end);
    let dots = core.bytes().filter(|b| *b == b'.').count();
    // `v1-pre` is no shorthand: only a bare `v1` or `v1.2` is one.
    match (dots, rest.is_empty()) {
        (2, _) => Some(text.to_owned()),
        (1, true) => Some(format!("{core}.0")),
        (0, true) => Some(format!("{core}.0.0")),
        _ => None,
    }
}
