//! Constraints that sources write where a version belongs: `< 1.2.3`, `>= 1.0, < 1.2`, `1.2.x`, `prior to 2.4`.
//!
//! Invariant: a text that is not wholly understood is not read at all.

use crate::range::Bound;

/// Longest expression that is read, in bytes.
pub const MAX_LENGTH: usize = 256;

/// Reads a constraint into a lower and an upper bound; `None` when it is a plain version or is not understood.
///
/// ```
/// use nix_version::{Bound, expression};
/// let (lower, upper) = expression::parse(">= 1.0, < 1.2.3").unwrap();
/// assert_eq!(lower, Bound::Inclusive("1.0".into()));
/// assert_eq!(upper, Bound::Exclusive("1.2.3".into()));
/// assert!(expression::parse("1.2.3").is_none());
/// ```
pub fn parse(text: &str) -> Option<(Bound, Bound)> {
    let text = text.trim();
    let is_number = || text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if text.len() > MAX_LENGTH || is_number() {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    if matches!(
        lower.as_str(),
        "*" | "all" | "all versions" | "any" | "any version"
    ) {
        return Some((Bound::Unbounded, Bound::Unbounded));
    }
    if let Some(bounds) = in_words(&lower) {
        return Some(bounds);
    }
    if !lower.starts_with(['<', '>', '=']) {
        return None;
    }
    let mut bounds = (Bound::Unbounded, Bound::Unbounded);
    for part in lower
        .split([',', '&'])
        .filter(|part| !part.trim().is_empty())
    {
        let (bound, version) = operator(part.trim())?;
        let version = plain(version)?;
        match bound {
            "<" => bounds.1 = Bound::Exclusive(version),
            "<=" => bounds.1 = Bound::Inclusive(version),
            ">" => bounds.0 = Bound::Exclusive(version),
            ">=" => bounds.0 = Bound::Inclusive(version),
            _ => bounds = (Bound::Inclusive(version.clone()), Bound::Inclusive(version)),
        }
    }
    Some(bounds)
}

/// The stem of a wildcard (`5.10.*`, `5.10.x`): `5.10`.
pub fn wildcard(text: &str) -> Option<&str> {
    let stem = text
        .strip_suffix(".*")
        .or_else(|| text.strip_suffix(".x"))
        .or_else(|| text.strip_suffix(".X"))?;
    stem.bytes()
        .all(|b| b.is_ascii_digit() || b == b'.')
        .then_some(stem)
        .filter(|stem| !stem.is_empty())
}

/// `prior to 1.2`, `before 1.2`, `up to 1.2`, `1.2 and earlier`, …
fn in_words(text: &str) -> Option<(Bound, Bound)> {
    const BEFORE: &[&str] = &[
        "all versions prior to ",
        "all versions before ",
        "versions prior to ",
        "versions before ",
        "prior to ",
        "before ",
        "earlier than ",
    ];
    const THROUGH: &[&str] = &[
        "all versions up to and including ",
        "up to and including ",
        "through ",
    ];
    const AND_BELOW: &[&str] = &[
        " and earlier",
        " and prior",
        " and below",
        " and older",
        " and before",
    ];
    let first = |words: &[&str]| {
        words
            .iter()
            .find_map(|word| text.strip_prefix(word))
            .and_then(plain)
    };
    if let Some(version) = first(BEFORE) {
        return Some((Bound::Unbounded, Bound::Exclusive(version)));
    }
    let through = first(THROUGH).or_else(|| {
        AND_BELOW
            .iter()
            .find_map(|word| text.strip_suffix(word))
            .and_then(plain)
    });
    through.map(|version| (Bound::Unbounded, Bound::Inclusive(version)))
}

fn operator(part: &str) -> Option<(&'static str, &str)> {
    for operator in ["<=", ">=", "==", "<", ">", "="] {
        if let Some(version) = part.strip_prefix(operator) {
            return Some((operator, version.trim_start()));
        }
    }
    None
}

/// A version without blanks and with a digit.
fn plain(text: &str) -> Option<String> {
    let text = text.trim();
    (crate::scheme::is_version(text) && !text.contains(['<', '>', '='])).then(|| text.to_owned())
}
