//! The order of releases as projects number them, for sources that name no scheme (`custom`, CPE bounds).
//!
//! It knows what Nix' order does not: pre-releases come before the release (`1.0rc1` < `1.0`), `2.0` equals
//! `2.0.0`, a leading `v` means nothing, a letter is a later release (`1.0.2` < `1.0.2k` < `1.0.2zh`).
//! Invariant: [`compare`] is a total preorder on all texts.

use crate::number::{compare_numbers, split_digits};
use std::cmp::Ordering;

/// Longest version text that is interpreted, in bytes; longer ones are cut, as no project numbers so.
pub const MAX_LENGTH: usize = 256;

/// Compares two versions as their project would.
///
/// ```
/// use std::cmp::Ordering;
/// use nix_version::upstream::compare;
/// assert_eq!(compare("1.0rc1", "1.0"), Ordering::Less);
/// assert_eq!(compare("1.0.2k", "1.0.2"), Ordering::Greater);
/// assert_eq!(compare("v2.0", "2.0.0"), Ordering::Equal);
/// ```
pub fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (interpreted(left), interpreted(right));
    // Records name thousands of versions: most are told apart by the first number, and most of the others are nothing
    // but numbers, so that nothing is copied to compare them.
    let (first, other) = (split_digits(left).0, split_digits(right).0);
    if !first.is_empty() && !other.is_empty() {
        let order = compare_numbers(first, other);
        if order.is_ne() {
            return order;
        }
    }
    if is_numbers(left) && is_numbers(right) {
        return compare_dotted(left, right);
    }
    compare_tokens(left, right)
}

/// What of a text is interpreted.
fn interpreted(text: &str) -> &str {
    let text = truncate(text.trim());
    match text.as_bytes() {
        [b'v' | b'V', next, ..] if next.is_ascii_digit() => &text[1..],
        _ => text,
    }
}

/// Whether a text is numbers with dots between them, the first at its beginning.
fn is_numbers(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// [`compare_tokens`] for numbers alone: zeros at the end are none.
fn compare_dotted(left: &str, right: &str) -> Ordering {
    let numbers = |text| str::split(text, '.').filter(|number: &&str| !number.is_empty());
    let (mut left, mut right) = (numbers(left), numbers(right));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (left, right) => compare_numbers(left.unwrap_or("0"), right.unwrap_or("0")),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// The whole order, of what is interpreted.
fn compare_tokens(left: &str, right: &str) -> Ordering {
    let (left, right) = (tokens(left), tokens(right));
    let longest = left.len().max(right.len());
    for index in 0..longest {
        let left = left.get(index).unwrap_or(&Token::End);
        let right = right.get(index).unwrap_or(&Token::End);
        let order = left.order(right);
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// A piece of a version, declared in ascending order of its kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token<'a> {
    /// A word that announces a release: its stage, 0 (development) to 4 (release candidate).
    Before(u8),
    /// The version has ended: the release itself.
    End,
    /// A word that follows a release.
    Word(&'a str),
    /// A number.
    Number(&'a str),
}

impl Token<'_> {
    fn rank(&self) -> u8 {
        match self {
            Token::Before(_) => 0,
            Token::End => 1,
            Token::Word(_) => 2,
            Token::Number(_) => 3,
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Token::Before(left), Token::Before(right)) => left.cmp(right),
            (Token::Word(left), Token::Word(right)) => left
                .bytes()
                .map(|b| b.to_ascii_lowercase())
                .cmp(right.bytes().map(|b| b.to_ascii_lowercase())),
            (Token::Number(left), Token::Number(right)) => compare_numbers(left, right),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

/// Cuts what is interpreted of a version into tokens; zeros before a word or the end are dropped, so that `2.0` is `2.0.0`.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_digit() {
            let (number, tail) = split_while(rest, |c| c.is_ascii_digit());
            tokens.push(Token::Number(number));
            rest = tail;
        } else if first.is_alphabetic() {
            let (word, tail) = split_while(rest, char::is_alphabetic);
            drop_zeros(&mut tokens);
            if let Some(token) = word_token(word, tail) {
                tokens.push(token);
            }
            rest = tail;
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    drop_zeros(&mut tokens);
    tokens
}

/// What a word means; `None` for those that only say "this is the release".
fn word_token<'a>(word: &'a str, tail: &str) -> Option<Token<'a>> {
    let lower = word.to_ascii_lowercase();
    let numbered = tail
        .trim_start_matches(['.', '-', '_'])
        .starts_with(|c: char| c.is_ascii_digit());
    Some(match lower.as_str() {
        "dev" | "snapshot" | "nightly" => Token::Before(0),
        "alpha" => Token::Before(1),
        "beta" => Token::Before(2),
        // `1.0a1` announces 1.0, `1.0.2a` follows 1.0.2.
        "a" if numbered => Token::Before(1),
        "b" if numbered => Token::Before(2),
        "m" if numbered => Token::Before(3),
        "pre" | "preview" | "milestone" => Token::Before(3),
        "c" if numbered => Token::Before(4),
        "rc" | "cr" => Token::Before(4),
        "final" | "ga" | "release" | "stable" => return None,
        _ => Token::Word(word),
    })
}

fn drop_zeros(tokens: &mut Vec<Token<'_>>) {
    while matches!(tokens.last(), Some(Token::Number(n)) if n.bytes().all(|b| b == b'0'))
        && tokens.len() > 1
        && matches!(tokens[tokens.len() - 2], Token::Number(_))
    {
        tokens.pop();
    }
}

fn split_while(text: &str, keep: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !keep(c)).unwrap_or(text.len());
    text.split_at(end)
}

fn truncate(text: &str) -> &str {
    if text.len() <= MAX_LENGTH {
        return text;
    }
    let end = (0..=MAX_LENGTH)
        .rev()
        .find(|&index| text.is_char_boundary(index))
        .unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests;
