//! Guesses about why two files differ: from the text around the first byte that does, and from what both have in common.

use serde::Serialize;
use std::fmt;

/// Bytes around a difference that are looked at.
const AROUND: usize = 64;
/// Largest file whose lines are sorted.
const MAX_SORTED: usize = 64 << 20;
/// Seconds since 1970 that look like a time stamp: 2000 to 2040.
const STAMPS: std::ops::Range<u64> = 946_684_800..2_208_988_800;
/// Names of months and days, as dates have them.
const DATE_WORDS: [&str; 19] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Mon",
    "Tue", "Wed", "Thu", "Fri", "Sat", "Sun",
];

/// What usually makes such a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The time of the build.
    TimeStamp,
    /// The directory of the build.
    Path,
    /// The order in which things were read.
    Order,
    /// The language and country of the builder's user.
    Locale,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cause::TimeStamp => "a time stamp",
            Cause::Path => "a path",
            Cause::Order => "the order in which something was read",
            Cause::Locale => "the locale",
        })
    }
}

/// Guesses from two files and the first byte in which they differ.
pub fn cause(left: &[u8], right: &[u8], offset: usize) -> Option<Cause> {
    if let Some(cause) = same_lines(left, right) {
        return Some(cause);
    }
    let (one, other) = (word(left, offset), word(right, offset));
    if one.contains('/') && other.contains('/') {
        return Some(Cause::Path);
    }
    if is_date(&around(left, offset)) && is_date(&around(right, offset)) {
        return Some(Cause::TimeStamp);
    }
    let seconds = |bytes| {
        let text = run(bytes, offset, u8::is_ascii_digit);
        text.parse()
            .is_ok_and(|number: u64| STAMPS.contains(&number))
    };
    let in_text = seconds(left) && seconds(right);
    if in_text || (is_stamp(left, offset) && is_stamp(right, offset)) {
        return Some(Cause::TimeStamp);
    }
    let spelled = |text: &str| {
        text.chars()
            .map(|c| if c == ',' { '.' } else { c })
            .collect::<String>()
    };
    let decimal = one != other && spelled(&one) == spelled(&other);
    (decimal || one.is_ascii() != other.is_ascii()).then_some(Cause::Locale)
}

/// The same lines in another order; if one order ignores case, the locale sorted them.
fn same_lines(left: &[u8], right: &[u8]) -> Option<Cause> {
    if left.len() != right.len() || left.len() > MAX_SORTED {
        return None;
    }
    let lines = |bytes: &[u8]| {
        bytes
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
    };
    let (one, other) = (lines(left), lines(right));
    let sorted = |lines: &[Vec<u8>]| {
        let mut lines = lines.to_vec();
        lines.sort();
        lines
    };
    if one.len() < 2 || sorted(&one) != sorted(&other) {
        return None;
    }
    let by_case = |lines: &[Vec<u8>]| lines.is_sorted_by_key(|line| line.to_ascii_lowercase());
    let by_bytes = |lines: &[Vec<u8>]| lines.is_sorted();
    let locale = (by_case(&one) && by_bytes(&other)) || (by_bytes(&one) && by_case(&other));
    Some(if locale { Cause::Locale } else { Cause::Order })
}

/// The printable text around an offset.
fn around(bytes: &[u8], offset: usize) -> String {
    run(bytes, offset, |byte| (0x20..0x7f).contains(byte))
}

/// The text around an offset up to blanks and other separators; bytes that are not ASCII belong to it.
fn word(bytes: &[u8], offset: usize) -> String {
    let part = |byte: &u8| *byte > 0x20 && *byte != 0x7f && !b"\"'()=<>".contains(byte);
    run(bytes, offset, part)
}

/// The bytes of a kind around an offset.
fn run(bytes: &[u8], offset: usize, part: impl Fn(&u8) -> bool) -> String {
    let offset = offset.min(bytes.len());
    let (before, after) = bytes.split_at(offset);
    let before = before.iter().rev().take(AROUND);
    let start = before.take_while(|byte| part(byte)).count();
    let after = after.iter().take(AROUND);
    let end = after.take_while(|byte| part(byte)).count();
    String::from_utf8_lossy(&bytes[offset - start..offset + end]).into_owned()
}

/// A time of day, a date by numbers, or a month's or day's name beside a number.
fn is_date(text: &str) -> bool {
    let shape: Vec<u8> = text
        .bytes()
        .map(|byte| if byte.is_ascii_digit() { b'9' } else { byte })
        .collect();
    let has = |pattern: &[u8]| shape.windows(pattern.len()).any(|window| window == pattern);
    let words = text.split(|c: char| !c.is_ascii_alphabetic());
    let named = words.into_iter().any(|word| DATE_WORDS.contains(&word))
        && text.contains(|c: char| c.is_ascii_digit());
    has(b"99:99:99") || has(b"9999-99-99") || has(b"99/99/9999") || named
}

/// A number of seconds in 4 bytes, in either order, that has this byte in it and is no text.
fn is_stamp(bytes: &[u8], offset: usize) -> bool {
    (0..4).any(|back| {
        let start = offset.checked_sub(back);
        let four = start.and_then(|start| bytes.get(start..start + 4));
        four.and_then(|four| <[u8; 4]>::try_from(four).ok())
            .is_some_and(|four| {
                let text = four.iter().all(|byte| (0x20..0x7f).contains(byte));
                !text
                    && (STAMPS.contains(&u64::from(u32::from_le_bytes(four)))
                        || STAMPS.contains(&u64::from(u32::from_be_bytes(four))))
            })
    })
}
