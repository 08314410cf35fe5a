//! RPM's versions: `[EPOCH:]VERSION[-RELEASE]`.
//!
//! Source: the RPM manual, "Dependencies: Versioning", whose rules this follows. Invariant: [`compare`] is
//! reversible on all texts, and where both name a release or neither does it is a total preorder.

use crate::number::{compare_numbers, split_digits};
use std::cmp::Ordering;

/// A version in its parts, borrowing its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version<'a> {
    /// Digits before the first colon.
    pub epoch: Option<&'a str>,
    /// The version of the software.
    pub version: &'a str,
    /// What follows the last dash: the packaging's own count.
    pub release: Option<&'a str>,
}

impl<'a> Version<'a> {
    /// Cuts a text into its parts.
    pub fn split(text: &'a str) -> Version<'a> {
        let parts = crate::debian::Version::split(text);
        Version {
            epoch: parts.epoch,
            version: parts.upstream,
            release: parts.revision,
        }
    }
}

/// Compares epoch, version, and the releases where both have one: a version without release means all of them.
///
/// ```
/// use std::cmp::Ordering;
/// use nix_version::rpm::compare;
/// assert_eq!(compare("1.0~rc1-1", "1.0-1"), Ordering::Less);
/// assert_eq!(compare("1.0^20240101-1", "1.0-1"), Ordering::Greater);
/// assert_eq!(compare("1.0-3.el9", "1.0"), Ordering::Equal);
/// ```
pub fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (Version::split(left), Version::split(right));
    let release = || match (left.release, right.release) {
        (Some(left), Some(right)) => compare_part(left, right),
        _ => Ordering::Equal,
    };
    compare_numbers(left.epoch.unwrap_or("0"), right.epoch.unwrap_or("0"))
        .then_with(|| compare_part(left.version, right.version))
        .then_with(release)
}

/// Compares two versions or two releases, segment by segment.
pub fn compare_part(mut left: &str, mut right: &str) -> Ordering {
    loop {
        left = left.trim_start_matches(is_separator);
        right = right.trim_start_matches(is_separator);
        match (left.strip_prefix('~'), right.strip_prefix('~')) {
            (Some(l), Some(r)) => {
                (left, right) = (l, r);
                continue;
            }
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) => {}
        }
        // A caret follows the release that it is attached to, and precedes the next.
        match (left.strip_prefix('^'), right.strip_prefix('^')) {
            (Some(l), Some(r)) => {
                (left, right) = (l, r);
                continue;
            }
            (Some(_), None) if right.is_empty() => return Ordering::Greater,
            (None, Some(_)) if left.is_empty() => return Ordering::Less,
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) => {}
        }
        if left.is_empty() || right.is_empty() {
            return left.len().min(1).cmp(&right.len().min(1));
        }
        let (left_segment, left_rest) = segment(left);
        let (right_segment, right_rest) = segment(right);
        let numeric = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let order = match (numeric(left_segment), numeric(right_segment)) {
            (true, true) => compare_numbers(left_segment, right_segment),
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => left_segment.cmp(right_segment),
        };
        if order.is_ne() {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
}

fn is_separator(c: char) -> bool {
    !c.is_ascii_alphanumeric() && c != '~' && c != '^'
}

/// The run of digits or of letters at the beginning.
fn segment(text: &str) -> (&str, &str) {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return split_digits(text);
    }
    let end = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    text.split_at(end)
}
