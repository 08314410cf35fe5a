//! Debian's versions: `[EPOCH:]UPSTREAM[-REVISION]`.
//!
//! Source: Debian Policy Manual, section 5.6.12, and `deb-version(7)`. Invariant: [`compare`] is a total preorder
//! on all texts; a text that is no version of Debian is compared as its upstream part.

use crate::number::{compare_numbers, split_digits};
use std::cmp::Ordering;

/// A version in its parts, borrowing its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version<'a> {
    /// Digits before the first colon.
    pub epoch: Option<&'a str>,
    /// The version of the software.
    pub upstream: &'a str,
    /// What follows the last dash: the packaging's own count.
    pub revision: Option<&'a str>,
}

impl<'a> Version<'a> {
    /// Cuts a text into its parts.
    pub fn split(text: &'a str) -> Version<'a> {
        let text = text.trim();
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) if split_digits(epoch).1.is_empty() && !epoch.is_empty() => {
                (Some(epoch), rest)
            }
            _ => (None, text),
        };
        let (upstream, revision) = match rest.rsplit_once('-') {
            Some((upstream, revision)) => (upstream, Some(revision)),
            None => (rest, None),
        };
        Version {
            epoch,
            upstream,
            revision,
        }
    }
}

/// The version of the software itself: without epoch and revision, and without what tells that files were left out
/// of its sources (`+dfsg`).
///
/// ```
/// assert_eq!(nix_version::debian::upstream("1:5.2.15+dfsg1-2+b1"), "5.2.15");
/// ```
pub fn upstream(text: &str) -> &str {
    let whole = Version::split(text).upstream;
    let marks = ["+dfsg", "~dfsg", "+ds", "+repack"];
    let end = marks.iter().filter_map(|mark| whole.find(mark)).min();
    &whole[..end.unwrap_or(whole.len())]
}

/// Compares two versions as `dpkg --compare-versions` does.
///
/// ```
/// use std::cmp::Ordering;
/// use nix_version::debian::compare;
/// assert_eq!(compare("1.0~rc1-1", "1.0-1"), Ordering::Less);
/// assert_eq!(compare("1:0.9-1", "2.0-1"), Ordering::Greater);
/// assert_eq!(compare("1.0-1", "1.0-1+deb12u1"), Ordering::Less);
/// ```
pub fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (Version::split(left), Version::split(right));
    compare_numbers(left.epoch.unwrap_or("0"), right.epoch.unwrap_or("0"))
        .then_with(|| compare_part(left.upstream, right.upstream))
        .then_with(|| compare_part(left.revision.unwrap_or(""), right.revision.unwrap_or("")))
}

/// Compares upstream parts or revisions: runs of other characters and of digits, in turn.
pub(crate) fn compare_part(mut left: &str, mut right: &str) -> Ordering {
    while !(left.is_empty() && right.is_empty()) {
        let (words, left_rest) = split_words(left);
        let (others, right_rest) = split_words(right);
        let order = compare_words(words, others);
        if order.is_ne() {
            return order;
        }
        let (number, left_rest) = split_digits(left_rest);
        let (other, right_rest) = split_digits(right_rest);
        let order = compare_numbers(number, other);
        if order.is_ne() {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
    Ordering::Equal
}

fn split_words(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(|b| !b.is_ascii_digit()).count();
    text.split_at(end)
}

/// `~` comes before the end, the end before letters, letters before everything else.
fn compare_words(left: &str, right: &str) -> Ordering {
    fn rank(byte: Option<&u8>) -> u16 {
        match byte {
            Some(b'~') => 0,
            None => 1,
            Some(letter) if letter.is_ascii_alphabetic() => 1 + u16::from(*letter),
            Some(other) => 257 + u16::from(*other),
        }
    }
    let (left, right) = (left.as_bytes(), right.as_bytes());
    (0..left.len().max(right.len()))
        .map(|index| rank(left.get(index)).cmp(&rank(right.get(index))))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}
