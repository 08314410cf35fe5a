//! Texts cut into words for searching: the same words on both databases, because both are handed them ready.
//!
//! Invariant: a query finds a text exactly if each of its words occurs there (the last one may be a beginning).

use std::collections::BTreeSet;

/// Words kept of one text; the rest of a longer one is not searchable.
const MAX_WORDS: usize = 2000;

/// Characters of a word; longer ones are cut.
const MAX_CHARACTERS: usize = 40;

/// Words of a query that count.
const MAX_QUERY_WORDS: usize = 12;

/// The shortest word that may stand for all words that begin with it.
const MIN_PREFIX: usize = 3;

/// Stands for everything that is not a letter or digit in pieces of names. Not ASCII, so SQLite's `ascii`
/// tokenizer keeps it.
const GAP: char = '·';

/// The words of texts, in order, each once, separated by spaces.
///
/// `CVE-2021-44228` gives `cve`, `2021`, `44228` and `cve202144228`, so that an id can be looked for whole.
pub fn index<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut words = BTreeSet::new();
    'texts: for text in texts {
        for piece in pieces(text) {
            if words.len() >= MAX_WORDS {
                break 'texts;
            }
            let parts: Vec<String> = parts(piece).collect();
            if parts.len() > 1 {
                words.insert(cut(&parts.concat()));
            }
            words.extend(parts.iter().map(|part| cut(part)));
        }
    }
    words.into_iter().collect::<Vec<_>>().join(" ")
}

/// A query, ready to be written in either database's language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    terms: Vec<String>,
    /// Whether the last term is a beginning.
    open: bool,
}

impl Query {
    /// What a person typed. `None` if there is no word in it.
    pub fn words(text: &str) -> Option<Query> {
        let terms: Vec<String> = pieces(text)
            .map(|piece| cut(&parts(piece).collect::<String>()))
            .filter(|word| !word.is_empty())
            .take(MAX_QUERY_WORDS)
            .collect();
        let last = terms.last()?;
        let open = last.chars().count() >= MIN_PREFIX;
        Some(Query { terms, open })
    }

    /// The same words, the last one whole.
    pub fn closed(&self) -> Query {
        Query {
            terms: self.terms.clone(),
            open: false,
        }
    }

    /// Parts of a name, separated by spaces: every three-letter piece of each must occur. `None` if there is
    /// no letter or digit in them.
    pub fn inside_name(text: &str) -> Option<Query> {
        let mut terms = BTreeSet::new();
        let mut short = None;
        for word in text.split_whitespace().take(MAX_QUERY_WORDS) {
            let name: Vec<char> = folded_name(word).take(MAX_CHARACTERS).collect();
            if name.iter().all(|character| *character == GAP) {
                continue;
            }
            if name.len() < 3 {
                // The beginning of a piece; one is enough, and only the last term may be open.
                short = Some(name.iter().collect::<String>());
            }
            terms.extend(
                name.windows(3)
                    .map(|three| three.iter().collect::<String>()),
            );
        }
        let open = short.is_some();
        let terms: Vec<String> = terms.into_iter().chain(short).collect();
        (!terms.is_empty()).then_some(Query { terms, open })
    }

    /// The terms, which are letters, digits and gaps only.
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    /// Whether the last term stands for all words that begin with it.
    pub const fn is_open(&self) -> bool {
        self.open
    }

    /// Whether the words of a text, as [`index`] gives them, hold every term.
    pub fn is_in(&self, words: &[&str]) -> bool {
        let last = self.terms.len() - 1;
        self.terms.iter().enumerate().all(|(position, term)| {
            let begins = self.open && position == last;
            words.iter().any(|word| {
                if begins {
                    word.starts_with(term.as_str())
                } else {
                    word == term
                }
            })
        })
    }
}

/// The three-character pieces of names, each once. Two gaps follow each name, so that a shorter query finds its end.
pub fn name_pieces<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut pieces: Vec<[char; 3]> = Vec::new();
    for name in names {
        let name: Vec<char> = folded_name(name).chain([GAP, GAP]).collect();
        pieces.extend(name.array_windows());
    }
    pieces.sort_unstable();
    pieces.dedup();
    let mut text = String::with_capacity(pieces.len() * 4);
    for piece in pieces {
        if !text.is_empty() {
            text.push(' ');
        }
        text.extend(piece);
    }
    text
}

fn folded_name(name: &str) -> impl Iterator<Item = char> {
    name.trim()
        .chars()
        .flat_map(char::to_lowercase)
        .map(|character| {
            if character.is_alphanumeric() {
                character
            } else {
                GAP
            }
        })
}

/// What spaces and most punctuation separate; what is left inside belongs together (`CVE-2021-44228`, `1.2.3`).
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !(character.is_alphanumeric() || "-_.:+".contains(character)))
        .filter(|piece| !piece.is_empty())
}

/// The words of a piece in lower case.
fn parts(piece: &str) -> impl Iterator<Item = String> {
    piece
        .split(|character: char| !character.is_alphanumeric())
        .filter(|part| !part.is_empty())
        .map(str::to_lowercase)
}

fn cut(word: &str) -> String {
    word.chars().take(MAX_CHARACTERS).collect()
}

#[cfg(test)]
mod tests;
