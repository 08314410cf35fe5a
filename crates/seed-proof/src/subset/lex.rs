//! Bytes to tokens. Invariant: every byte of every file is part of a token, a space or a comment, or is refused.

use super::{Place, Refusal, Source, limit};

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) place: Place,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Keyword or identifier.
    Word(String),
    /// Value, and whether it is a hexadecimal one that C makes `unsigned int`.
    Number {
        value: i64,
        unsigned: bool,
    },
    Character(u8),
    /// Length without the zero.
    Text(usize),
    Punct(&'static str),
    End,
}

/// Longest first.
const PUNCTS: [&str; 29] = [
    "<<", ">>", "==", "!=", "<=", ">=", "&&", "||", "+", "-", "*", "/", "%", "&", "|", "^", "~",
    "!", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ";",
];

/// All files as one list of tokens that ends with [`Kind::End`].
pub(super) fn lex(sources: &[Source<'_>]) -> Result<Vec<Token>, Refusal> {
    let mut place = Place { file: 0, line: 1 };
    let total: usize = sources.iter().map(|source| source.text.len()).sum();
    if sources.len() > limit::FILES {
        return Err(place.refuse(sources, "more than 64 files"));
    }
    if total > limit::SOURCE {
        return Err(place.refuse(sources, "more than 1 MiB of source"));
    }
    let mut tokens = Vec::new();
    for (file, source) in sources.iter().enumerate() {
        place = Place { file, line: 1 };
        let mut rest = source.text;
        while let Some((&byte, after)) = rest.split_first() {
            let refuse = |rule: &str| place.refuse(sources, rule);
            match byte {
                b'\n' => {
                    place.line += 1;
                    rest = after;
                }
                b' ' | b'\t' => rest = after,
                b'/' if after.first() == Some(&b'/') => {
                    let end = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
                    if rest[..end]
                        .iter()
                        .any(|&b| b != b'\t' && !(32..127).contains(&b))
                    {
                        return Err(refuse("a byte outside the character set"));
                    }
                    rest = &rest[end..];
                }
                _ => {
                    let (kind, length) = token(rest).map_err(refuse)?;
                    tokens.push(Token { kind, place });
                    rest = &rest[length..];
                }
            }
        }
    }
    tokens.push(Token {
        kind: Kind::End,
        place,
    });
    Ok(tokens)
}

/// The token at the beginning of `rest`, which is not empty, and its length.
fn token(rest: &[u8]) -> Result<(Kind, usize), &'static str> {
    let byte = rest[0];
    let run = |accept: fn(u8) -> bool| rest.iter().position(|&b| !accept(b)).unwrap_or(rest.len());
    if byte.is_ascii_alphabetic() || byte == b'_' {
        let length = run(|b| b.is_ascii_alphanumeric() || b == b'_');
        if length > limit::NAME {
            return Err("a name of more than 31 bytes");
        }
        let name = String::from_utf8_lossy(&rest[..length]).into_owned();
        return Ok((Kind::Word(name), length));
    }
    if byte.is_ascii_digit() {
        let length = run(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.');
        return Ok((number(&rest[..length])?, length));
    }
    if byte == b'\'' {
        let (value, length) = character(&rest[1..], b'\'')?;
        if rest.get(1 + length) != Some(&b'\'') {
            return Err("a character literal that is not one character");
        }
        return Ok((Kind::Character(value), length + 2));
    }
    if byte == b'"' {
        let mut at = 1;
        let mut count = 0;
        while rest.get(at) != Some(&b'"') {
            at += character(&rest[at..], b'"')?.1;
            count += 1;
        }
        return Ok((Kind::Text(count), at + 1));
    }
    PUNCTS
        .into_iter()
        .find(|punct| rest.starts_with(punct.as_bytes()))
        .map(|punct| (Kind::Punct(punct), punct.len()))
        .ok_or("a character that begins no token of the subset")
}

fn number(text: &[u8]) -> Result<Kind, &'static str> {
    let (digits, radix) = match text {
        [b'0', b'x', hex @ ..] => (hex, 16),
        [b'0', _, ..] => return Err("a decimal number that begins with 0"),
        _ => (text, 10),
    };
    let allowed = |b: &u8| b.is_ascii_digit() || (radix == 16 && (b'a'..=b'f').contains(b));
    if digits.is_empty() || !digits.iter().all(allowed) {
        return Err("a number the subset does not have");
    }
    let digits = std::str::from_utf8(digits).map_err(|_| "a number the subset does not have")?;
    let value =
        i64::from_str_radix(digits, radix).map_err(|_| "a number above 0x7fffffffffffffff")?;
    let unsigned = radix == 16 && value > i64::from(i32::MAX) && value <= i64::from(u32::MAX);
    Ok(Kind::Number { value, unsigned })
}

/// One character, maybe escaped, of a literal in `quote`s: its value and length in the source.
fn character(rest: &[u8], quote: u8) -> Result<(u8, usize), &'static str> {
    match rest {
        [b'\\', escape, ..] => {
            let value = match escape {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'0' => 0,
                b'\\' | b'\'' | b'"' => *escape,
                _ => return Err("an escape the subset does not have"),
            };
            if *escape == b'0' && rest.get(2).is_some_and(u8::is_ascii_digit) {
                return Err("an octal escape");
            }
            Ok((value, 2))
        }
        [byte, ..] if (32..127).contains(byte) && *byte != quote => Ok((*byte, 1)),
        _ => Err("a literal that does not end on its line"),
    }
}
