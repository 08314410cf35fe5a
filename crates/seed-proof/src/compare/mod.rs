//! Where two ELF files differ: section, symbol, instruction.
//!
//! Invariant: two files without a difference are equal byte for byte; whatever cannot be attributed to a section is still reported.

#[cfg(test)]
mod tests;

use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Differences reported in full; the rest is only counted.
pub const MAX_REPORTED: usize = 64;

/// Bytes of each side that a difference shows.
const SHOWN: usize = 16;

/// One place where the files differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Name of the section, or `(file)` outside all sections.
    pub section: String,
    /// Function or variable, where the files name it.
    pub symbol: Option<String>,
    /// What differs.
    pub what: What,
    /// Distance of the first differing byte from the beginning of the symbol, or of the section if there is none.
    pub offset: u64,
    /// What each file has there, as text: the instruction, or bytes in hexadecimal.
    pub left: String,
    /// See `left`.
    pub right: String,
}

/// Kinds of difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// Only the left file has the symbol or section.
    OnlyLeft,
    /// Only the right file has it.
    OnlyRight,
    /// Its sizes differ.
    Size,
    /// Its bytes differ.
    Content,
}

/// The result of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// True if the files are equal byte for byte.
    pub equal: bool,
    /// Different sizes first, then different contents, each in file order; at most [`MAX_REPORTED`].
    pub differences: Vec<Difference>,
    /// How many there are in all.
    pub total: usize,
}

/// One file does not parse as ELF.
#[derive(Debug, thiserror::Error)]
#[error("{side} file is not an ELF file that can be compared: {source}")]
pub struct Error {
    /// `left` or `right`.
    pub side: &'static str,
    source: object::Error,
}

/// A symbol with its bytes.
struct Part<'a> {
    section: String,
    address: u64,
    bytes: &'a [u8],
    code: bool,
}

/// A file taken apart.
struct Parts<'a> {
    sections: BTreeMap<String, Part<'a>>,
    /// By section and name; a name that occurs more than once is numbered.
    symbols: BTreeMap<(String, String), Part<'a>>,
}

/// Compares two ELF files.
///
/// # Errors
/// One of two unequal files cannot be parsed.
pub fn compare(left: &[u8], right: &[u8]) -> Result<Comparison, Error> {
    if left == right {
        return Ok(Comparison {
            equal: true,
            ..Comparison::default()
        });
    }
    let a = parts(left).map_err(|source| Error {
        side: "left",
        source,
    })?;
    let b = parts(right).map_err(|source| Error {
        side: "right",
        source,
    })?;
    let mut found = Vec::new();
    for (name, part) in &a.sections {
        match b.sections.get(name) {
            None => found.push(lonely(part, None, What::OnlyLeft)),
            // A section whose symbols tell more is left to them.
            Some(other) if covered(&a, name) && covered(&b, name) => {
                if part.bytes.len() == other.bytes.len() && part.bytes != other.bytes {
                    found.extend(content(part, other, None).into_iter().take(1));
                }
            }
            Some(other) => found.extend(content(part, other, None)),
        }
    }
    found.extend(
        b.sections
            .iter()
            .filter(|(name, _)| !a.sections.contains_key(*name))
            .map(|(_, part)| lonely(part, None, What::OnlyRight)),
    );
    for ((section, name), part) in &a.symbols {
        match b.symbols.get(&(section.clone(), name.clone())) {
            None => found.push(lonely(part, Some(name), What::OnlyLeft)),
            Some(other) => found.extend(content(part, other, Some(name))),
        }
    }
    found.extend(
        b.symbols
            .iter()
            .filter(|(key, _)| !a.symbols.contains_key(*key))
            .map(|((_, name), part)| lonely(part, Some(name), What::OnlyRight)),
    );
    if found.is_empty() {
        found.push(outside(left, right));
    }
    // What changes in size moves everything behind it, so it is the likelier cause.
    found.sort_by_key(|difference| {
        (
            difference.what == What::Content,
            difference.symbol.is_none(),
        )
    });
    let total = found.len();
    found.truncate(MAX_REPORTED);
    Ok(Comparison {
        equal: false,
        differences: found,
        total,
    })
}

fn parts(bytes: &[u8]) -> Result<Parts<'_>, object::Error> {
    let file = object::File::parse(bytes)?;
    let mut sections = BTreeMap::new();
    for section in file.sections() {
        let name = section.name().unwrap_or("?").to_owned();
        let code = section.kind() == object::SectionKind::Text;
        let part = Part {
            section: name.clone(),
            address: section.address(),
            bytes: section.data()?,
            code,
        };
        sections.insert(name, part);
    }
    let mut symbols = BTreeMap::new();
    for symbol in file.symbols() {
        let section = symbol
            .section_index()
            .and_then(|index| file.section_by_index(index).ok());
        let (Some(section), Ok(name)) = (section, symbol.name()) else {
            continue;
        };
        let Some(bytes) = section.data_range(symbol.address(), symbol.size())? else {
            continue;
        };
        if bytes.is_empty() || name.is_empty() {
            continue;
        }
        let in_section = section.name().unwrap_or("?").to_owned();
        let mut key = (in_section.clone(), name.to_owned());
        let mut number = 1;
        while symbols.contains_key(&key) {
            number += 1;
            key.1 = format!("{name}#{number}");
        }
        let part = Part {
            section: in_section,
            address: symbol.address(),
            bytes,
            code: symbol.kind() == SymbolKind::Text,
        };
        symbols.insert(key, part);
    }
    Ok(Parts { sections, symbols })
}

/// Does the file name functions or variables in this section?
fn covered(parts: &Parts<'_>, section: &str) -> bool {
    parts.symbols.keys().any(|(of, _)| of == section)
}

fn lonely(part: &Part<'_>, symbol: Option<&String>, what: What) -> Difference {
    let shown = show(part, 0);
    let (left, right) = match what {
        What::OnlyLeft => (shown, String::new()),
        _ => (String::new(), shown),
    };
    Difference {
        section: part.section.clone(),
        symbol: symbol.cloned(),
        what,
        offset: 0,
        left,
        right,
    }
}

/// The difference of two parts of the same name, if there is one.
fn content(left: &Part<'_>, right: &Part<'_>, symbol: Option<&String>) -> Option<Difference> {
    if left.bytes == right.bytes {
        return None;
    }
    let common = left.bytes.len().min(right.bytes.len());
    let at = (0..common)
        .find(|&at| left.bytes[at] != right.bytes[at])
        .unwrap_or(common);
    let what = if left.bytes.len() == right.bytes.len() {
        What::Content
    } else {
        What::Size
    };
    Some(Difference {
        section: left.section.clone(),
        symbol: symbol.cloned(),
        what,
        offset: at as u64,
        left: show(left, at),
        right: show(right, at),
    })
}

/// The first difference outside all sections: a header.
fn outside(left: &[u8], right: &[u8]) -> Difference {
    let common = left.len().min(right.len());
    let at = (0..common)
        .find(|&at| left[at] != right[at])
        .unwrap_or(common);
    Difference {
        section: "(file)".to_owned(),
        symbol: None,
        what: if left.len() == right.len() {
            What::Content
        } else {
            What::Size
        },
        offset: at as u64,
        left: hex(left, at),
        right: hex(right, at),
    }
}

/// What stands at `at`: in code, the instruction that covers it, decoded from the beginning of the part.
fn show(part: &Part<'_>, at: usize) -> String {
    if !part.code {
        return hex(part.bytes, at);
    }
    let mut decoder = Decoder::with_ip(64, part.bytes, part.address, DecoderOptions::NONE);
    while decoder.can_decode() {
        let instruction = decoder.decode();
        if decoder.position() > at {
            let mut text = String::new();
            IntelFormatter::new().format(&instruction, &mut text);
            return text;
        }
    }
    hex(part.bytes, at)
}

fn hex(bytes: &[u8], at: usize) -> String {
    let end = bytes.len().min(at + SHOWN);
    let shown: Vec<String> = bytes
        .get(at..end)
        .unwrap_or_default()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if shown.is_empty() {
        return "(end)".to_owned();
    }
    shown.join(" ")
}
