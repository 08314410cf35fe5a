//! Nix's own order: `builtins.compareVersions` and `builtins.parseDrvName`, bit for bit.
//!
//! Source: the Nix manual, section "nix-env --upgrade", and the behaviour of Nix 2.8, against which this is
//! tested. Invariant: [`compare`] is a total preorder (`1.01` and `1.1` are equal).

use std::cmp::Ordering;

/// Compares two versions as `builtins.compareVersions` does.
///
/// Components are runs of digits or of other characters, cut at `.` and `-`. Numbers compare as numbers; `pre`
/// comes before everything, then the missing component, then words, then numbers (`2.3pre1` < `2.3` < `2.3a` <
/// `2.3.1`). A number beyond 32 bits compares as a word, as it does in Nix.
///
/// ```
/// use std::cmp::Ordering;
/// assert_eq!(nix_version::nix::compare("2.3pre1", "2.3"), Ordering::Less);
/// assert_eq!(nix_version::nix::compare("2.3a", "2.3.1"), Ordering::Less);
/// ```
pub fn compare(left: &str, right: &str) -> Ordering {
    let mut left = Components(left.as_bytes());
    let mut right = Components(right.as_bytes());
    while !(left.0.is_empty() && right.0.is_empty()) {
        let order = left.component().cmp(&right.component());
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// Cuts `hello-2.12` into `hello` and `2.12` as `builtins.parseDrvName` does: at the first dash that no letter
/// follows.
///
/// ```
/// assert_eq!(nix_version::nix::split_name("nix-js-2.3"), ("nix-js", "2.3"));
/// assert_eq!(nix_version::nix::split_name("a52dec"), ("a52dec", ""));
/// ```
pub fn split_name(name: &str) -> (&str, &str) {
    let bytes = name.as_bytes();
    for (index, pair) in bytes.windows(2).enumerate() {
        if pair[0] == b'-' && !pair[1].is_ascii_alphabetic() {
            return (&name[..index], &name[index + 1..]);
        }
    }
    (name, "")
}

/// A component, declared in ascending order of its kinds.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Component<'a> {
    /// The word `pre`.
    Pre,
    /// The version has ended.
    Missing,
    /// Any other run without a digit, or a number that Nix' integer cannot hold.
    Word(&'a [u8]),
    /// A number.
    Number(i32),
}

/// What is left of a version.
struct Components<'a>(&'a [u8]);

impl<'a> Components<'a> {
    /// Takes the next component off the front.
    fn component(&mut self) -> Component<'a> {
        let separators = self.0.iter().take_while(|&&b| is_separator(b)).count();
        let rest = &self.0[separators..];
        let length = match rest.first() {
            None => 0,
            Some(first) if first.is_ascii_digit() => {
                rest.iter().take_while(|b| b.is_ascii_digit()).count()
            }
            Some(_) => rest
                .iter()
                .take_while(|&&b| !b.is_ascii_digit() && !is_separator(b))
                .count(),
        };
        let (component, rest) = rest.split_at(length);
        self.0 = rest;
        match component {
            b"" => Component::Missing,
            b"pre" => Component::Pre,
            word => match std::str::from_utf8(word).ok().and_then(|w| w.parse().ok()) {
                Some(number) if word[0].is_ascii_digit() => Component::Number(number),
                _ => Component::Word(word),
            },
        }
    }
}

fn is_separator(byte: u8) -> bool {
    byte == b'.' || byte == b'-'
}
