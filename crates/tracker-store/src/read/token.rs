//! Positions in a list as opaque tokens: the rank and key of a row, and the list that they are of.
//!
//! Invariant: a token that the store did not give out for this kind of list is an error, never another position.

use crate::error::{Result, StoreError};

/// The longest token: a letter, two 64-bit numbers in hexadecimal, a dot.
const MAX_LENGTH: usize = 34;

/// A position: what a row is sorted by, then its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) rank: i64,
    pub(crate) key: i64,
}

impl Position {
    /// The text form. `list` is a letter for each kind and order of list.
    pub(crate) fn token(self, list: char) -> String {
        format!("{list}{:x}.{:x}", self.rank as u64, self.key as u64)
    }

    /// Reads the text form back.
    pub(crate) fn read(token: &str, list: char) -> Result<Position> {
        let read = |token: &str| {
            let numbers = token.strip_prefix(list)?;
            let (rank, key) = numbers.split_once('.')?;
            Some(Position {
                rank: number(rank)?,
                key: number(key)?,
            })
        };
        let position = (token.len() <= MAX_LENGTH).then(|| read(token)).flatten();
        position.ok_or_else(|| StoreError::Token {
            token: token.chars().take(MAX_LENGTH).collect(),
        })
    }
}

/// Lower-case hexadecimal without sign or leading zero, so that each position has one text.
fn number(text: &str) -> Option<i64> {
    let digits = text
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let canonical = digits && (text == "0" || !text.starts_with('0'));
    let value = u64::from_str_radix(text, 16).ok()?;
    canonical.then_some(value as i64)
}

#[cfg(test)]
mod tests;
