//! Alpine's versions: `1.2.3a_rc1_p2-r4`.
//!
//! Source: the Alpine package manager's documentation of `apk-package(5)`, "Package version". Invariant: what the
//! grammar does not know is not a version; versions are totally ordered.

use crate::number::{Number, split_digits};
use std::cmp::Ordering;

/// Longest text that is read, in bytes.
pub const MAX_LENGTH: usize = 256;

/// A version of a package of Alpine.
///
/// ```
/// use nix_version::alpine::Version;
/// let version = |text| Version::parse(text).unwrap();
/// assert!(version("1.0_rc1") < version("1.0"));
/// assert!(version("1.0") < version("1.0_p1"));
/// assert!(version("1.0-r9") < version("1.0-r10"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    first: Number,
    /// The numbers behind dots.
    rest: Vec<Part>,
    letter: Option<char>,
    suffixes: Vec<(Suffix, Number)>,
    revision: Option<Number>,
}

/// A number behind a dot: with leading zeros it is the digits of a fraction, and comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Fraction { zeros: usize, rest: Number },
    Number(Number),
}

impl Part {
    fn order(&self, other: &Part) -> Ordering {
        match (self, other) {
            (Part::Number(left), Part::Number(right)) => left.cmp(right),
            (Part::Fraction { .. }, Part::Number(_)) => Ordering::Less,
            (Part::Number(_), Part::Fraction { .. }) => Ordering::Greater,
            (
                Part::Fraction { zeros, rest },
                Part::Fraction {
                    zeros: others,
                    rest: other,
                },
            ) => others.cmp(zeros).then_with(|| rest.cmp(other)),
        }
    }
}

/// The suffixes in their order; those before [`Suffix::Cvs`] announce a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Suffix {
    Alpha,
    Beta,
    Pre,
    Rc,
    Cvs,
    Svn,
    Git,
    Hg,
    Patch,
}

impl Version {
    /// Reads a version.
    pub fn parse(text: &str) -> Option<Version> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let (text, revision) = match text.trim().rsplit_once("-r") {
            Some((text, digits)) => (text, Some(whole_number(digits)?)),
            None => (text.trim(), None),
        };
        // A commit's id behind a tilde tells versions apart, not before from after.
        let text = match text.split_once('~') {
            Some((text, commit)) => {
                let hex = !commit.is_empty() && commit.bytes().all(|b| b.is_ascii_hexdigit());
                hex.then_some(text)?
            }
            None => text,
        };
        let (digits, mut text) = split_digits(text);
        if digits.is_empty() {
            return None;
        }
        let mut version = Version {
            first: Number::new(digits),
            rest: Vec::new(),
            letter: None,
            suffixes: Vec::new(),
            revision,
        };
        while let Some(tail) = text.strip_prefix('.') {
            let (digits, tail) = split_digits(tail);
            version.rest.push(part(digits)?);
            text = tail;
        }
        if let Some(letter) = text.chars().next().filter(char::is_ascii_lowercase) {
            version.letter = Some(letter);
            text = &text[1..];
        }
        while let Some(tail) = text.strip_prefix('_') {
            let (suffix, tail) = suffix(tail)?;
            let (digits, tail) = split_digits(tail);
            version.suffixes.push((suffix, Number::new(digits)));
            text = tail;
        }
        text.is_empty().then_some(version)
    }

    /// The version without the packaging's own count, and that count.
    pub(crate) fn split_revision(text: &str) -> (&str, Option<&str>) {
        match text.rsplit_once("-r") {
            Some((version, digits)) if whole_number(digits).is_some() => (version, Some(digits)),
            _ => (text, None),
        }
    }

    fn order_suffixes(&self, other: &Version) -> Ordering {
        let longest = self.suffixes.len().max(other.suffixes.len());
        for index in 0..longest {
            let order = match (self.suffixes.get(index), other.suffixes.get(index)) {
                (Some(left), Some(right)) => left.cmp(right),
                (Some((suffix, _)), None) => beside_nothing(*suffix),
                (None, Some((suffix, _))) => beside_nothing(*suffix).reverse(),
                (None, None) => Ordering::Equal,
            };
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> Ordering {
        let numbers = || {
            self.rest
                .iter()
                .zip(&other.rest)
                .map(|(left, right)| left.order(right))
                .find(|order| order.is_ne())
                .unwrap_or_else(|| self.rest.len().cmp(&other.rest.len()))
        };
        self.first
            .cmp(&other.first)
            .then_with(numbers)
            .then_with(|| self.letter.cmp(&other.letter))
            .then_with(|| self.order_suffixes(other))
            .then_with(|| self.revision.cmp(&other.revision))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A suffix against the bare version.
fn beside_nothing(suffix: Suffix) -> Ordering {
    if suffix < Suffix::Cvs {
        Ordering::Less
    } else {
        Ordering::Greater
    }
}

fn part(digits: &str) -> Option<Part> {
    if digits.is_empty() {
        return None;
    }
    let zeros = digits.len() - digits.trim_start_matches('0').len();
    Some(if zeros == 0 {
        Part::Number(Number::new(digits))
    } else {
        Part::Fraction {
            zeros,
            rest: Number::new(digits),
        }
    })
}

fn suffix(text: &str) -> Option<(Suffix, &str)> {
    const WORDS: [(&str, Suffix); 9] = [
        ("alpha", Suffix::Alpha),
        ("beta", Suffix::Beta),
        ("pre", Suffix::Pre),
        ("rc", Suffix::Rc),
        ("cvs", Suffix::Cvs),
        ("svn", Suffix::Svn),
        ("git", Suffix::Git),
        ("hg", Suffix::Hg),
        ("p", Suffix::Patch),
    ];
    WORDS
        .into_iter()
        .find_map(|(word, suffix)| Some((suffix, text.strip_prefix(word)?)))
}

fn whole_number(digits: &str) -> Option<Number> {
    let (digits, rest) = split_digits(digits);
    (!digits.is_empty() && rest.is_empty()).then(|| Number::new(digits))
}
