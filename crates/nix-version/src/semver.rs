//! Semantic Versioning 2.0.0: grammar of section 2, 9 and 10, precedence of section 11.
//!
//! Invariant: what [`SemVer::parse`] accepts is exactly the grammar; precedence ignores build metadata and is
//! otherwise total. Numbers are compared as texts, so their size is not limited.

use crate::number::compare_numbers;
use std::cmp::Ordering;

/// A parsed version, borrowing its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SemVer<'a> {
    numbers: [&'a str; 3],
    pre_release: Vec<&'a str>,
}

impl<'a> SemVer<'a> {
    /// Parses `major.minor.patch[-pre][+build]`; `None` for anything else.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (text, build) = match text.split_once('+') {
            Some((text, build)) => (text, Some(build)),
            None => (text, None),
        };
        if build.is_some_and(|build| !build.split('.').all(is_identifier)) {
            return None;
        }
        let (core, pre_release) = match text.split_once('-') {
            Some((core, pre)) => (core, pre.split('.').collect()),
            None => (text, Vec::new()),
        };
        let valid = |part: &&str| {
            is_identifier(part) && (!is_number(part) || *part == "0" || !part.starts_with('0'))
        };
        if !pre_release.iter().all(valid) {
            return None;
        }
        let mut parts = core.split('.');
        let numbers = [parts.next()?, parts.next()?, parts.next()?];
        let whole = parts.next().is_none() && numbers.iter().all(|n| is_number(n) && valid(n));
        whole.then_some(SemVer {
            numbers,
            pre_release,
        })
    }

    /// Whether it announces a release.
    pub fn is_pre_release(&self) -> bool {
        !self.pre_release.is_empty()
    }

    /// Whether the three numbers are the same.
    pub(crate) fn same_release(&self, other: &Self) -> bool {
        self.numbers == other.numbers
    }

    /// Precedence. Not `Ord`: two versions that differ in build metadata alone have the same precedence.
    pub fn precedence(&self, other: &Self) -> Ordering {
        let core = self
            .numbers
            .iter()
            .zip(&other.numbers)
            .map(|(left, right)| compare_numbers(left, right))
            .find(|order| order.is_ne());
        core.unwrap_or_else(
            || match (self.pre_release.is_empty(), other.pre_release.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => self.compare_pre_release(other),
            },
        )
    }

    fn compare_pre_release(&self, other: &Self) -> Ordering {
        for (left, right) in self.pre_release.iter().zip(&other.pre_release) {
            let order = match (is_number(left), is_number(right)) {
                (true, true) => compare_numbers(left, right),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => left.cmp(right),
            };
            if order.is_ne() {
                return order;
            }
        }
        self.pre_release.len().cmp(&other.pre_release.len())
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
