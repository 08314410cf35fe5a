//! One line of a listing: reading and writing its columns. Invariant: writing what was read gives
//! the same bytes, labels, annotation and prose.

use super::{BASE, Dialect, ListingError, Problem};
use crate::x86::encode::Item;
use crate::x86::operand;
use std::collections::BTreeMap;
use std::fmt;

/// A line, taken apart.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// The whole text of a line that has neither bytes nor an annotation.
    pub verbatim: Option<String>,
    /// Labels defined before the bytes.
    pub labels: Vec<String>,
    /// The bytes and references.
    pub items: Vec<Item>,
    /// What they are.
    pub annotation: Option<Annotation>,
    /// Why they are there.
    pub prose: Option<String>,
}

/// What the bytes of a line are said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Annotation {
    /// An instruction.
    Instruction(String),
    /// `u8`, `u16`, `u32`, `u64`, `zero`, `text` or `row`, and its value.
    Data(String, String),
}

impl fmt::Display for Annotation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Annotation::Instruction(text) => out.write_str(text),
            Annotation::Data(kind, value) => write!(out, "{kind} {value}"),
        }
    }
}

/// Splits at the first ` ; ` that is in no quotes.
fn split_prose(text: &str) -> (&str, Option<&str>) {
    let mut quote = None;
    let bytes = text.as_bytes();
    for (index, byte) in bytes.iter().enumerate() {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), byte) if open == *byte => quote = None,
            (None, b';') => return (text[..index].trim(), Some(text[index + 1..].trim())),
            _ => {}
        }
    }
    (text.trim(), None)
}

impl Line {
    /// Reads all lines of a listing.
    pub fn read_all(text: &str, dialect: Dialect) -> Result<Vec<Line>, ListingError> {
        text.lines()
            .enumerate()
            .map(|(number, line)| {
                Line::read(line, dialect).map_err(|problem| ListingError {
                    line: number + 1,
                    problem,
                })
            })
            .collect()
    }

    fn read(text: &str, dialect: Dialect) -> Result<Line, Problem> {
        if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(Problem::Text);
        }
        let mut line = Line::default();
        if text.trim().is_empty() || text.starts_with(';') {
            line.verbatim = Some(text.to_owned());
            if let (Some(name), Dialect::Hex) = (text.strip_prefix("; :"), dialect) {
                line.labels.push(name.trim().to_owned());
            }
            return Ok(line);
        }
        let mut rest = text.trim_start();
        while !rest.is_empty() && !rest.starts_with(';') {
            rest = line.token(rest, dialect)?.trim_start();
        }
        if line.items.is_empty() && rest.is_empty() {
            line.verbatim = Some(text.to_owned());
        }
        if let Some(comment) = rest.strip_prefix(';') {
            let (annotation, prose) = split_prose(comment);
            let (kind, value) = annotation.split_once(' ').unwrap_or((annotation, ""));
            line.annotation = Some(match kind {
                "u8" | "u16" | "u32" | "u64" | "zero" | "text" | "row" => {
                    Annotation::Data(kind.to_owned(), value.trim().to_owned())
                }
                _ => Annotation::Instruction(annotation.to_owned()),
            });
            line.prose = prose.map(str::to_owned);
        }
        Ok(line)
    }

    /// Reads one token of the bytes' column and returns what follows it.
    fn token<'text>(&mut self, text: &'text str, dialect: Dialect) -> Result<&'text str, Problem> {
        let end = text.find(' ').unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        let wrong = || Problem::Token(word.to_owned());
        if dialect == Dialect::Linked {
            if let Some(string) = text.strip_prefix('"') {
                let (string, rest) = string.split_once('"').ok_or_else(wrong)?;
                self.items.extend(string.bytes().map(Item::Byte));
                return Ok(rest);
            }
            if let Some(sigil) = word.chars().next().filter(|first| ":.%&#".contains(*first)) {
                let name = word[1..].to_owned();
                match sigil {
                    ':' => self.labels.push(name),
                    '.' => self.items.push(Item::Rel8(name)),
                    '%' => self.items.push(Item::Rel32(name)),
                    '&' => self.items.push(Item::Abs32(name)),
                    _ => self.items.push(Item::Offset32(name)),
                }
                return Ok(rest);
            }
        }
        let bytes = crate::hex::decode(word.as_bytes()).map_err(|_| wrong())?;
        self.items.extend(bytes.into_iter().map(Item::Byte));
        Ok(rest)
    }

    /// Writes the line with these items in the bytes' column.
    pub(super) fn write(&self, items: &[Item], out: &mut String) {
        if let Some(text) = &self.verbatim {
            out.push_str(text);
            out.push('\n');
            return;
        }
        let mut column = String::new();
        for label in &self.labels {
            column.push(':');
            column.push_str(label);
            column.push(' ');
        }
        match &self.annotation {
            Some(Annotation::Data(kind, value)) if kind == "row" => {
                let name = value.split(' ').next().unwrap_or_default();
                let rest = show(items.get(name.len()..).unwrap_or_default());
                column = format!("{column}\"{name}\" {rest}");
            }
            Some(Annotation::Data(kind, value))
                if kind == "text" && column.is_empty() && value.len() > 12 =>
            {
                column.push_str(value);
            }
            _ => column.push_str(&show(items)),
        }
        let Some(annotation) = &self.annotation else {
            out.push_str(column.trim_end());
            out.push('\n');
            return;
        };
        let prose = self.prose.as_ref().map(|prose| format!(" ; {prose}"));
        let mut text = format!("{column:<23} ; {annotation}");
        if let Some(prose) = prose {
            text = format!("{text:<47}{prose}");
        }
        out.push_str(&text);
        out.push('\n');
    }
}

/// The items as the bytes' column shows them.
pub(super) fn show(items: &[Item]) -> String {
    let words = items.iter().map(|item| match item {
        Item::Byte(byte) => format!("{byte:02X}"),
        Item::Rel8(name) => format!(".{name}"),
        Item::Rel32(name) => format!("%{name}"),
        Item::Abs32(name) => format!("&{name}"),
        Item::Offset32(name) => format!("#{name}"),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The items of a data annotation. In plain hexadecimal a label is its address, `size` the file's size and
/// `base` the load address; in S1's language `#label` is an offset.
pub(super) fn data(
    kind: &str,
    value: &str,
    labels: &BTreeMap<String, usize>,
    size: usize,
    dialect: Dialect,
) -> Option<Vec<Item>> {
    let bytes = |list: &[u8]| list.iter().copied().map(Item::Byte).collect::<Vec<_>>();
    let width = match kind {
        "u8" => 1,
        "u16" => 2,
        "u32" => 4,
        "u64" => 8,
        "row" => return row(value).map(|row| bytes(&row)),
        "zero" => return Some(vec![Item::Byte(0); value.parse::<u16>().ok()?.into()]),
        _ => {
            let text = value.strip_prefix('"')?.strip_suffix('"')?;
            return (!text.contains('"')).then(|| bytes(text.as_bytes()));
        }
    };
    let fits =
        |number: i64| width == 8 || (-(1 << (width * 8 - 1))..1 << (width * 8)).contains(&number);
    if let Some(number) = operand::number(value).filter(|number| fits(*number)) {
        return Some(bytes(&number.to_le_bytes()[..width]));
    }
    let reference = match (dialect, value) {
        (_, "base") => return Some(bytes(&BASE.to_le_bytes()[..width])),
        (Dialect::Hex, "size") => return Some(bytes(&size.to_le_bytes()[..width])),
        (Dialect::Hex, name) => {
            let address = labels.get(name).map_or(0, |offset| *offset as i64 + BASE);
            return Some(bytes(&address.to_le_bytes()[..width]));
        }
        (Dialect::Linked, name) => match name.strip_prefix('#') {
            Some(name) => Item::Offset32(name.to_owned()),
            None if operand::is_name(name) => Item::Abs32(name.to_owned()),
            None => return None,
        },
    };
    let mut items = vec![reference];
    items.extend(vec![Item::Byte(0); width.checked_sub(4)?]);
    Some(items)
}

/// A row of S2's instruction table: `name operands form field opcode...`, 16 bytes.
fn row(text: &str) -> Option<[u8; 16]> {
    let mut words = text.split_whitespace();
    let mut row = [0; 16];
    let name = words.next()?.as_bytes();
    if name.len() > 8 {
        return None;
    }
    row[..name.len()].copy_from_slice(name);
    let kinds = words.next()?.as_bytes();
    if kinds != b"-" {
        row.get_mut(8..8 + kinds.len())?.copy_from_slice(kinds);
    }
    row[10] = words.next()?.parse().ok()?;
    row[11] = words.next()?.parse().ok()?;
    for word in words {
        let place = 13 + usize::from(row[12]);
        *row.get_mut(place)? = u8::from_str_radix(word, 16).ok()?;
        row[12] += 1;
    }
    (kinds.len() <= 2).then_some(row)
}
