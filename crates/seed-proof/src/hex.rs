//! The language of S0 as a specification: pairs of upper-case hexadecimal digits, blanks, comments.
//!
//! Invariant: for every input, [`decode`] and the seed agree, byte for byte or error for error;
//! `prove hex` shows it over all byte values and states.

use thiserror::Error;

/// The longest text that S0 reads is one byte shorter than this, its buffer's address.
pub const LIMIT: usize = 0x80_01ED;

/// Where the text leaves the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HexError {
    /// A byte that is no digit, blank or comment.
    #[error("byte {offset}: {byte:#04x} is no hexadecimal digit, blank or comment")]
    Byte {
        /// Offset in the text.
        offset: usize,
        /// The byte.
        byte: u8,
    },
    /// The first digit of a pair stands alone.
    #[error("byte {offset}: the pair of digits is not finished")]
    Half {
        /// Offset of the byte after the digit.
        offset: usize,
    },
    /// The text does not fit the seed's buffer.
    #[error("the text has {0} bytes; S0 reads fewer than {LIMIT}")]
    Long(usize),
}

impl HexError {
    /// Offset of the byte from which S0 prints the text; `None` if it prints nothing.
    pub fn offset(&self) -> Option<usize> {
        match self {
            HexError::Byte { offset, .. } | HexError::Half { offset } => Some(*offset),
            HexError::Long(_) => None,
        }
    }
}

/// The value of an upper-case hexadecimal digit.
pub fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// What S0 writes for `text`. A zero byte outside a comment ends the text.
pub fn decode(text: &[u8]) -> Result<Vec<u8>, HexError> {
    if text.len() >= LIMIT {
        return Err(HexError::Long(text.len()));
    }
    let mut output = Vec::with_capacity(text.len() / 2);
    let mut bytes = text.iter().copied().chain([0, 0]).enumerate();
    let mut first = None;
    while let Some((offset, byte)) = bytes.next() {
        match (digit(byte), first) {
            (Some(value), None) => first = Some(value),
            (Some(value), Some(high)) => {
                output.push(high << 4 | value);
                first = None;
            }
            (None, Some(_)) => return Err(HexError::Half { offset }),
            (None, None) => match byte {
                0 => break,
                1..=b' ' => {}
                b';' => while bytes.next().is_some_and(|(_, byte)| byte > b'\n') {},
                _ => return Err(HexError::Byte { offset, byte }),
            },
        }
    }
    Ok(output)
}
