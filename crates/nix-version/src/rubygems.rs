//! RubyGems' versions and requirements.
//!
//! Source: the RubyGems guides, "Patterns" and the documentation of `Gem::Version` and `Gem::Requirement`.
//! Invariant: [`Version`] is totally ordered; what the grammar does not know is not a version.

use crate::number::{Number, split_digits};
use std::cmp::Ordering;

/// Longest text that is read, in bytes.
pub const MAX_LENGTH: usize = 256;

/// A version of a gem.
///
/// ```
/// use nix_version::rubygems::Version;
/// let version = |text| Version::parse(text).unwrap();
/// assert!(version("1.0.a10") < version("1.0"));
/// assert!(version("1.0.0-rc1") < version("1.0.0"));
/// assert_eq!(version("1.0"), version("1"));
/// ```
#[derive(Debug, Clone)]
pub struct Version(Vec<Segment>);

/// A word announces a release, so it comes before the number that would stand there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Word(String),
    Number(Number),
}

impl Version {
    /// Reads a version.
    pub fn parse(text: &str) -> Option<Version> {
        let text = text.trim();
        if text.len() > MAX_LENGTH {
            return None;
        }
        let (numbers, pre) = match text.split_once('-') {
            Some((numbers, pre)) => (numbers, Some(pre)),
            None => (text, None),
        };
        let alphanumeric =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
        let begins = split_digits(numbers.split('.').next()?);
        if begins.0.is_empty() || !begins.1.is_empty() || !numbers.split('.').all(alphanumeric) {
            return None;
        }
        let dashed = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if pre.is_some_and(|pre| !pre.split('.').all(dashed)) {
            return None;
        }
        let mut segments = Vec::new();
        scan(numbers, &mut segments);
        if let Some(pre) = pre {
            // A dash means `.pre.`, and so does each one behind it.
            for part in pre.split('-') {
                segments.push(Segment::Word("pre".to_owned()));
                scan(part, &mut segments);
            }
        }
        Some(Version(segments))
    }

    /// The numbers before the first word.
    fn numbers(&self) -> &[Segment] {
        let end = self.0.iter().position(|s| matches!(s, Segment::Word(_)));
        &self.0[..end.unwrap_or(self.0.len())]
    }

    /// Numbers and the rest, each without zeros at its end.
    fn canonical(&self) -> Vec<&Segment> {
        let (numbers, rest) = self.0.split_at(self.numbers().len());
        let trim = |part: &'_ [Segment]| {
            let zeros = part.iter().rev().take_while(|s| s.is_zero()).count();
            part.len() - zeros
        };
        let (numbers, rest) = (&numbers[..trim(numbers)], &rest[..trim(rest)]);
        numbers.iter().chain(rest).collect()
    }

    /// The next version that a pessimistic requirement excludes: `2.2.0` to `2.3`, `2.2` to `3`.
    fn bump(&self) -> Version {
        let mut numbers = self.numbers().to_vec();
        if numbers.len() > 1 {
            numbers.pop();
        }
        if let Some(Segment::Number(last)) = numbers.last_mut() {
            *last = last.next();
        }
        Version(numbers)
    }
}

impl Segment {
    fn is_zero(&self) -> bool {
        matches!(self, Segment::Number(number) if number.is_zero())
    }
}

fn scan(text: &str, segments: &mut Vec<Segment>) {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (digits, tail) = split_digits(rest);
        if !digits.is_empty() {
            segments.push(Segment::Number(Number::new(digits)));
            rest = tail;
        } else if first.is_ascii_alphabetic() {
            let end = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
            segments.push(Segment::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> Ordering {
        let zero = Segment::Number(Number::default());
        let (left, right) = (self.canonical(), other.canonical());
        (0..left.len().max(right.len()))
            .map(|index| {
                let left = left.get(index).copied().unwrap_or(&zero);
                left.cmp(right.get(index).copied().unwrap_or(&zero))
            })
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Version) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

/// Requirements, all of which must hold: `~> 2.2, >= 2.2.3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement(Vec<(Operator, Version)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    Unequal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Pessimistic,
}

impl Requirement {
    /// Reads requirements joined by commas.
    pub fn parse(text: &str) -> Option<Requirement> {
        const OPERATORS: [(&str, Operator); 7] = [
            ("~>", Operator::Pessimistic),
            ("!=", Operator::Unequal),
            ("<=", Operator::LessEqual),
            (">=", Operator::GreaterEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
            ("=", Operator::Equal),
        ];
        if text.len() > MAX_LENGTH {
            return None;
        }
        text.split(',')
            .map(|part| {
                let part = part.trim();
                let (word, operator) = OPERATORS
                    .into_iter()
                    .find(|(word, _)| part.starts_with(word))?;
                Some((operator, Version::parse(&part[word.len()..])?))
            })
            .collect::<Option<Vec<_>>>()
            .map(Requirement)
    }

    /// Whether a version satisfies all of them.
    pub fn holds(&self, version: &Version) -> bool {
        self.0.iter().all(|(operator, named)| match operator {
            Operator::Equal => version == named,
            Operator::Unequal => version != named,
            Operator::Less => version < named,
            Operator::LessEqual => version <= named,
            Operator::Greater => version > named,
            Operator::GreaterEqual => version >= named,
            Operator::Pessimistic => {
                let release = Version(version.numbers().to_vec());
                version >= named && release < named.bump()
            }
        })
    }
}
