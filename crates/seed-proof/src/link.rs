//! The language of S1 as a specification: S0's, with labels, references and strings.
//!
//! Invariant: for every text, [`link`] and the linker agree, byte for byte or line for line of the error.

use crate::hex::digit;
use crate::listing::BASE;
use std::collections::HashMap;
use thiserror::Error;

/// The longest text that S1 reads is one byte shorter than this.
pub const LIMIT: usize = 0x40_0000;

/// Where and why the text leaves the language.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct LinkError {
    /// Line, from 1; 0 if the text is too long to be read.
    pub line: usize,
    /// Why.
    pub problem: LinkProblem,
}

/// Reasons.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LinkProblem {
    /// The text does not fit.
    #[error("the text has {0} bytes; S1 reads fewer than {LIMIT}")]
    Long(usize),
    /// The first digit of a pair stands alone.
    #[error("the pair of digits is not finished")]
    Half,
    /// A byte that begins nothing.
    #[error("`{0}` is no sign of the language")]
    Sign(char),
    /// A sign without a name.
    #[error("a name is missing")]
    Nameless,
    /// A string that does not end on its line.
    #[error("the string is not closed")]
    Open,
    /// A name that is no label.
    #[error("label `{0}` is not defined")]
    Undefined(String),
    /// A label that is defined before.
    #[error("label `{0}` is defined twice")]
    Duplicate(String),
    /// A distance that one byte does not hold.
    #[error("label `{0}` is too far away for one byte")]
    Far(String),
}

enum Token<'text> {
    Bytes(Vec<u8>),
    Label(&'text [u8]),
    Reference(u8, &'text [u8]),
}

/// What S1 writes for `text`.
pub fn link(text: &[u8]) -> Result<Vec<u8>, LinkError> {
    if text.len() >= LIMIT {
        return Err(LinkError {
            line: 0,
            problem: LinkProblem::Long(text.len()),
        });
    }
    let tokens = tokens(text)?;
    let mut labels = HashMap::new();
    let mut offset: i64 = 0;
    for (line, token) in &tokens {
        match token {
            Token::Bytes(bytes) => offset += bytes.len() as i64,
            Token::Reference(b'.', _) => offset += 1,
            Token::Reference(b'%' | b'&' | b'#', _) => offset += 4,
            Token::Reference(sign, _) => {
                return Err(LinkError {
                    line: *line,
                    problem: LinkProblem::Sign(char::from(*sign)),
                });
            }
            Token::Label(name) => {
                if labels.insert(*name, offset).is_some() {
                    return Err(LinkError {
                        line: *line,
                        problem: LinkProblem::Duplicate(show(name)),
                    });
                }
            }
        }
    }
    let mut output = Vec::new();
    for (line, token) in &tokens {
        let error = |problem| LinkError {
            line: *line,
            problem,
        };
        let next = output.len() as i64;
        match token {
            Token::Label(_) => {}
            Token::Bytes(bytes) => output.extend_from_slice(bytes),
            Token::Reference(sign, name) => {
                let target = labels.get(name).copied();
                let target = target.ok_or_else(|| error(LinkProblem::Undefined(show(name))))?;
                let value = match sign {
                    b'.' => {
                        let distance = i8::try_from(target - next - 1);
                        output
                            .push(distance.map_err(|_| error(LinkProblem::Far(show(name))))? as u8);
                        continue;
                    }
                    b'%' => target - next - 4,
                    b'&' => target + BASE,
                    _ => target,
                };
                output.extend_from_slice(&(value as i32).to_le_bytes());
            }
        }
    }
    Ok(output)
}

fn show(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// The tokens and their lines. Errors of one token come before those of later ones, as in the first pass;
/// a definition's or sign's error is found by the caller in the same order.
fn tokens(text: &[u8]) -> Result<Vec<(usize, Token<'_>)>, LinkError> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut at = 0;
    let byte = |at: usize| text.get(at).copied().unwrap_or(0);
    let fail = |tokens: &Vec<(usize, Token<'_>)>, line, problem| {
        // An earlier duplicate or unknown sign is met first.
        Err(early(tokens).unwrap_or(LinkError { line, problem }))
    };
    loop {
        let first = byte(at);
        at += 1;
        if let Some(high) = digit(first) {
            let Some(low) = digit(byte(at)) else {
                return fail(&tokens, line, LinkProblem::Half);
            };
            at += 1;
            tokens.push((line, Token::Bytes(vec![high << 4 | low])));
            continue;
        }
        match first {
            0 => return Ok(tokens),
            b'\n' => line += 1,
            1..=b' ' => {}
            b';' => {
                while byte(at) > b'\n' {
                    at += 1;
                }
                line += usize::from(byte(at) == b'\n');
                at += 1;
            }
            b'"' => {
                let start = at;
                while byte(at) > b'\n' && byte(at) != b'"' {
                    at += 1;
                }
                if byte(at) != b'"' {
                    return fail(&tokens, line, LinkProblem::Open);
                }
                tokens.push((line, Token::Bytes(text[start..at].to_vec())));
                at += 1;
            }
            sign => {
                let start = at;
                while byte(at) > b' ' {
                    at += 1;
                }
                if start == at {
                    return fail(&tokens, line, LinkProblem::Nameless);
                }
                let name = &text[start..at];
                tokens.push((
                    line,
                    match sign {
                        b':' => Token::Label(name),
                        _ => Token::Reference(sign, name),
                    },
                ));
            }
        }
    }
}

/// The first duplicate or unknown sign among tokens already read.
fn early(tokens: &[(usize, Token<'_>)]) -> Option<LinkError> {
    let mut seen = std::collections::HashSet::new();
    tokens.iter().find_map(|(line, token)| {
        let problem = match token {
            Token::Label(name) if !seen.insert(*name) => LinkProblem::Duplicate(show(name)),
            Token::Reference(sign, _) if !b".%&#".contains(sign) => {
                LinkProblem::Sign(char::from(*sign))
            }
            _ => return None,
        };
        Some(LinkError {
            line: *line,
            problem,
        })
    })
}
