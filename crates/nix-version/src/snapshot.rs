//! Versions that are moments between releases: `1.2-unstable-2024-01-01`, `2019-11-17`, `20240101`.
//!
//! Invariant: a snapshot is never said to be older than a release it might already contain.

use std::borrow::Cow;

/// A version read as a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot<'a> {
    /// The release it follows, where one is named (`1.2`); `0` names none.
    pub after: Option<&'a str>,
    /// The day as eight digits, `20240101`.
    pub day: u32,
}

/// Reads the forms that Nixpkgs uses: `VERSION-unstable-DATE`, `unstable-DATE`, and a date alone.
///
/// ```
/// let snapshot = nix_version::snapshot::parse("0-unstable-2024-01-31").unwrap();
/// assert_eq!((snapshot.after, snapshot.day), (None, 20240131));
/// assert!(nix_version::snapshot::parse("1.2.3").is_none());
/// ```
pub fn parse(version: &str) -> Option<Snapshot<'_>> {
    if let Some(day) = day(version) {
        return Some(Snapshot { after: None, day });
    }
    if !version.contains('u') {
        // Most versions are none, which takes no search for the word.
        return None;
    }
    let (head, date) = match version.rsplit_once("unstable-") {
        Some((head, date)) => (head, date),
        None => version.rsplit_once("unstable")?,
    };
    let day = day(date)?;
    let head = head.trim_end_matches(['-', '+', '.', '_']);
    let after = (!head.is_empty() && head != "0").then_some(head);
    Some(Snapshot { after, day })
}

/// A calendar day written `2024-01-31`, `2024.01.31`, `2024_01_31` or `20240131`, as the number 20240131.
pub fn day(text: &str) -> Option<u32> {
    let bytes = text.as_bytes();
    let digits: Cow<'_, str> = match bytes.len() {
        8 => text.into(),
        10 if matches!(
            (bytes[4], bytes[7]),
            (b'-', b'-') | (b'.', b'.') | (b'_', b'_')
        ) =>
        {
            text.split(['-', '.', '_']).collect::<String>().into()
        }
        _ => return None,
    };
    if digits.len() != 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: u32 = digits.parse().ok()?;
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    ((1980..=2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day))
        .then_some(number)
}
