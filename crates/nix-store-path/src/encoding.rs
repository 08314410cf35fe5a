//! The three digit encodings of hashes: base16, Nix base32, base64.
//!
//! Invariants: `decode(encode(bytes)) == bytes`; a decoder accepts exactly one text for given bytes, except that
//! base16 digits may be upper case; nothing is allocated beyond the caller's array or the encoded text.

use crate::Error;
use crate::error::shown;

/// The digits of Nix base32, in order of value.
pub const BASE32_ALPHABET: &[u8; 32] = b"0123456789abcdfghijklmnpqrsvwxyz";
const BASE16: &[u8; 16] = b"0123456789abcdef";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// No digit of an alphabet has this value.
const NONE: u8 = 0xff;
const BASE32_VALUES: [u8; 256] = values(BASE32_ALPHABET);
const BASE64_VALUES: [u8; 256] = values(BASE64);

const fn values<const N: usize>(alphabet: &[u8; N]) -> [u8; 256] {
    let mut table = [NONE; 256];
    let mut value = 0;
    while value < N {
        table[alphabet[value] as usize] = value as u8;
        value += 1;
    }
    table
}

/// Is this byte a digit of Nix base32?
pub const fn is_base32(byte: u8) -> bool {
    BASE32_VALUES[byte as usize] != NONE
}

/// How many base32 digits `bytes` bytes take.
pub const fn base32_len(bytes: usize) -> usize {
    (bytes * 8).div_ceil(5)
}

/// How many base64 characters `bytes` bytes take, padding included.
pub const fn base64_len(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// Lower-case base16.
pub fn to_base16(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(BASE16[usize::from(value)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// Nix base32: the bytes as a little-endian number, most significant digit first.
pub fn to_base32(bytes: &[u8]) -> String {
    (0..base32_len(bytes.len()))
        .rev()
        .map(|digit| {
            let (byte, shift) = (digit * 5 / 8, digit * 5 % 8);
            let low = u32::from(bytes[byte]) >> shift;
            let high = bytes
                .get(byte + 1)
                .map_or(0, |next| u32::from(*next) << (8 - shift));
            char::from(BASE32_ALPHABET[((low | high) & 31) as usize])
        })
        .collect()
}

/// Standard base64 with padding.
pub fn to_base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(base64_len(bytes.len()));
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().enumerate().fold(0u32, |word, (i, byte)| {
            word | u32::from(*byte) << (16 - 8 * i)
        });
        for digit in 0..4 {
            text.push(if digit <= chunk.len() {
                char::from(BASE64[(word >> (18 - 6 * digit) & 63) as usize])
            } else {
                '='
            });
        }
    }
    text
}

/// Reads base16 into an array of exactly the expected size.
pub fn from_base16(text: &str, out: &mut [u8]) -> Result<(), Error> {
    let digits = text.as_bytes();
    if digits.len() != out.len() * 2 {
        return Err(length("base16", text, out.len()));
    }
    let value = |offset: usize| {
        char::from(digits[offset])
            .to_digit(16)
            .map(|value| value as u8)
            .ok_or_else(|| digit("base16", text, offset))
    };
    for (i, byte) in out.iter_mut().enumerate() {
        *byte = value(2 * i)? << 4 | value(2 * i + 1)?;
    }
    Ok(())
}

/// Reads Nix base32 into an array of exactly the expected size; unused bits must be zero.
pub fn from_base32(text: &str, out: &mut [u8]) -> Result<(), Error> {
    let digits = text.as_bytes();
    if digits.len() != base32_len(out.len()) {
        return Err(length("base32", text, out.len()));
    }
    out.fill(0);
    for (place, &character) in digits.iter().rev().enumerate() {
        let value = BASE32_VALUES[usize::from(character)];
        if value == NONE {
            return Err(digit("base32", text, digits.len() - 1 - place));
        }
        let (byte, shift) = (place * 5 / 8, place * 5 % 8);
        let wide = u16::from(value) << shift;
        out[byte] |= wide as u8;
        let carry = (wide >> 8) as u8;
        match out.get_mut(byte + 1) {
            Some(next) => *next |= carry,
            None if carry != 0 => return Err(length("base32", text, out.len())),
            None => {}
        }
    }
    Ok(())
}

/// Reads padded base64 into an array of exactly the expected size; unused bits must be zero.
pub fn from_base64(text: &str, out: &mut [u8]) -> Result<(), Error> {
    let characters = text.as_bytes();
    if characters.len() != base64_len(out.len()) {
        return Err(length("base64", text, out.len()));
    }
    for (group, chunk) in out.chunks_mut(3).enumerate() {
        let mut word = 0u32;
        for place in 0..4 {
            let offset = group * 4 + place;
            let character = characters[offset];
            let value = BASE64_VALUES[usize::from(character)];
            let padding = place > chunk.len();
            if padding && character != b'=' || !padding && value == NONE {
                return Err(digit("base64", text, offset));
            }
            word = word << 6 | if padding { 0 } else { u32::from(value) };
        }
        let bytes = [(word >> 16) as u8, (word >> 8) as u8, word as u8];
        chunk.copy_from_slice(&bytes[..chunk.len()]);
        if bytes[chunk.len()..].iter().any(|byte| *byte != 0) {
            return Err(length("base64", text, out.len()));
        }
    }
    Ok(())
}

fn digit(encoding: &'static str, text: &str, offset: usize) -> Error {
    Error::Digit {
        encoding,
        text: shown(text),
        offset,
    }
}

fn length(encoding: &'static str, text: &str, bytes: usize) -> Error {
    Error::Length {
        encoding,
        text: shown(text),
        length: text.len(),
        bytes,
    }
}
