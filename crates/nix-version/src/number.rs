//! Numbers in versions: digits of any length, compared by value.
//!
//! Invariant: no number overflows, because none is ever converted into a machine's integer.

use std::cmp::Ordering;

/// A number without its leading zeros; zero is the empty text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Number(String);

impl Number {
    /// From a run of ASCII digits; the empty run is zero.
    pub(crate) fn new(digits: &str) -> Number {
        Number(digits.trim_start_matches('0').to_owned())
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// The number after this one.
    pub(crate) fn next(&self) -> Number {
        let nines = self.0.len() - self.0.trim_end_matches('9').len();
        let (head, tail) = self.0.split_at(self.0.len() - nines);
        let zeros = "0".repeat(tail.len());
        let next = match head.as_bytes().last() {
            None => format!("1{zeros}"),
            Some(last) => {
                let rest = &head[..head.len() - 1];
                format!("{rest}{}{zeros}", char::from(last + 1))
            }
        };
        Number(next)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        compare_numbers(&self.0, &other.0)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares digit strings of any length by value.
pub(crate) fn compare_numbers(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// The digits that a text begins with, and the rest.
pub(crate) fn split_digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at(end)
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_zero() { "0" } else { &self.0 })
    }
}
