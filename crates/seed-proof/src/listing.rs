//! Annotated listings: the sources of S0 (plain hexadecimal) and of S1 and S2 (S1's language).
//!
//! A line is `bytes ; annotation ; prose`. Invariant: a checked listing has an annotation for every
//! byte, and the bytes are one of the encodings of what the annotation says.

mod line;

pub use line::{Annotation, Line};

use crate::x86::encode::{self, Item};
use std::collections::BTreeMap;
use thiserror::Error;

/// Address at which every stage is loaded.
pub const BASE: i64 = 0x40_0000;

/// Which language the bytes' column is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// S0's: labels exist only in annotations (`; :name`).
    Hex,
    /// S1's: labels and references are part of the text.
    Linked,
}

/// What is wrong with a listing, and on which line (from 1).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct ListingError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: Problem,
}

/// The kinds of wrong lines.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// The bytes' column cannot be read.
    #[error("`{0}` is not a byte, label, reference or string")]
    Token(String),
    /// Bytes without an annotation.
    #[error("bytes without an annotation")]
    Bare,
    /// The annotation is neither an instruction of the subset nor data.
    #[error("`{0}` is no instruction or data that can be encoded")]
    Unknown(String),
    /// The bytes do not mean what the annotation says.
    #[error("`{annotation}` is `{expected}`, not `{found}`")]
    Differs {
        /// What the line claims.
        annotation: String,
        /// Its shortest encoding.
        expected: String,
        /// The bytes on the line.
        found: String,
    },
    /// A label that is not there.
    #[error("label `{0}` is not defined")]
    Undefined(String),
    /// A label defined twice.
    #[error("label `{0}` is defined twice")]
    Duplicate(String),
    /// A jump too far for one byte.
    #[error("`{0}` is too far away for a one-byte distance")]
    Far(String),
    /// Bytes outside printable ASCII.
    #[error("a byte outside printable ASCII")]
    Text,
}

/// A checked listing: what it assembles to and what stands where.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// The bytes of the file.
    pub bytes: Vec<u8>,
    /// Each label's offset.
    pub labels: BTreeMap<String, usize>,
    /// Each instruction's offset and text, in order.
    pub instructions: Vec<(usize, String)>,
    /// Ranges that are data.
    pub data: Vec<std::ops::Range<usize>>,
    /// Offset and line number of every annotated line.
    pub lines: Vec<(usize, usize)>,
}

/// Checks that every byte of `text` is what its annotation says.
pub fn check(text: &str, dialect: Dialect) -> Result<Checked, ListingError> {
    let lines = Line::read_all(text, dialect)?;
    let mut checked = Checked::default();
    layout(&lines, |line| Ok(line.items.clone()), &mut checked)?;
    let size = checked.bytes.len();
    for (number, line) in lines.iter().enumerate() {
        let at = |problem| ListingError {
            line: number + 1,
            problem,
        };
        let Some(annotation) = &line.annotation else {
            if line.items.is_empty() {
                continue;
            }
            return Err(at(Problem::Bare));
        };
        let offset = line_offset(&checked, number);
        let ways = ways(annotation, dialect, offset, &checked.labels, size);
        if ways.is_empty() {
            return Err(at(Problem::Unknown(annotation.to_string())));
        }
        if !ways.contains(&line.items) {
            return Err(at(Problem::Differs {
                annotation: annotation.to_string(),
                expected: line::show(&ways[0]),
                found: line::show(&line.items),
            }));
        }
        let end = offset + line.items.iter().map(Item::size).sum::<usize>();
        match annotation {
            Annotation::Instruction(text) => checked.instructions.push((offset, text.clone())),
            Annotation::Data(..) => checked.data.push(offset..end),
        }
    }
    Ok(checked)
}

fn line_offset(checked: &Checked, number: usize) -> usize {
    let found = checked.lines.iter().find(|(_, line)| *line == number + 1);
    found.map_or(0, |(offset, _)| *offset)
}

/// Every way to write the annotation in the dialect.
fn ways(
    annotation: &Annotation,
    dialect: Dialect,
    offset: usize,
    labels: &BTreeMap<String, usize>,
    size: usize,
) -> Vec<Vec<Item>> {
    let ways = match annotation {
        Annotation::Instruction(text) => encode::encodings(text),
        Annotation::Data(kind, value) => line::data(kind, value, labels, size, dialect)
            .into_iter()
            .collect(),
    };
    if dialect == Dialect::Linked {
        return ways;
    }
    let resolved = ways
        .into_iter()
        .filter_map(|way| resolve(&way, offset, labels).ok());
    resolved
        .map(|bytes| bytes.into_iter().map(Item::Byte).collect())
        .collect()
}

/// Places every line, collects labels, and fills in the bytes of what `items` gives for each.
fn layout(
    lines: &[Line],
    items: impl Fn(&Line) -> Result<Vec<Item>, ListingError>,
    checked: &mut Checked,
) -> Result<(), ListingError> {
    let mut placed = Vec::new();
    let mut offset = 0;
    for (number, line) in lines.iter().enumerate() {
        for label in &line.labels {
            if checked.labels.insert(label.clone(), offset).is_some() {
                return Err(ListingError {
                    line: number + 1,
                    problem: Problem::Duplicate(label.clone()),
                });
            }
        }
        let items = items(line)?;
        if !items.is_empty() {
            checked.lines.push((offset, number + 1));
        }
        let length = items.iter().map(Item::size).sum::<usize>();
        placed.push((number + 1, offset, items));
        offset += length;
    }
    for (line, offset, items) in placed {
        let bytes = resolve(&items, offset, &checked.labels)
            .map_err(|problem| ListingError { line, problem })?;
        checked.bytes.extend(bytes);
    }
    Ok(())
}

/// The bytes of items that stand at `offset`.
fn resolve(
    items: &[Item],
    mut offset: usize,
    labels: &BTreeMap<String, usize>,
) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let find = |name: &String| {
        let found = labels.get(name).map(|offset| *offset as i64);
        found.ok_or_else(|| Problem::Undefined(name.clone()))
    };
    for item in items {
        offset += item.size();
        let next = offset as i64;
        match item {
            Item::Byte(byte) => bytes.push(*byte),
            Item::Rel8(name) => {
                let distance = i8::try_from(find(name)? - next);
                bytes.push(distance.map_err(|_| Problem::Far(name.clone()))? as u8);
            }
            Item::Rel32(name) => bytes.extend(((find(name)? - next) as i32).to_le_bytes()),
            Item::Abs32(name) => bytes.extend(((find(name)? + BASE) as u32).to_le_bytes()),
            Item::Offset32(name) => bytes.extend((find(name)? as u32).to_le_bytes()),
        }
    }
    Ok(bytes)
}

/// Writes the bytes' column anew from the annotations, shortest encodings first; a jump that one byte
/// cannot reach gets four. Prose, labels and order stay.
pub fn fill(text: &str, dialect: Dialect) -> Result<String, ListingError> {
    let lines = Line::read_all(text, dialect)?;
    let mut choice = vec![0usize; lines.len()];
    loop {
        let mut checked = Checked::default();
        let size: usize = 0;
        let all: Vec<Vec<Vec<Item>>> = lines
            .iter()
            .map(|line| match &line.annotation {
                Some(Annotation::Instruction(text)) => encode::encodings(text),
                Some(Annotation::Data(kind, value)) => {
                    line::data(kind, value, &BTreeMap::new(), size, dialect)
                        .into_iter()
                        .collect()
                }
                None => vec![Vec::new()],
            })
            .collect();
        let pick = |number: usize| all[number].get(choice[number]).cloned();
        let sizes: Vec<Vec<Item>> = (0..lines.len())
            .map(|number| {
                pick(number).ok_or_else(|| ListingError {
                    line: number + 1,
                    problem: Problem::Unknown(
                        lines[number]
                            .annotation
                            .as_ref()
                            .map(ToString::to_string)
                            .unwrap_or_default(),
                    ),
                })
            })
            .collect::<Result<_, _>>()?;
        let mut offset = 0;
        let mut offsets = Vec::new();
        for (line, items) in lines.iter().zip(&sizes) {
            for label in &line.labels {
                checked.labels.insert(label.clone(), offset);
            }
            offsets.push(offset);
            offset += items.iter().map(Item::size).sum::<usize>();
        }
        let mut changed = false;
        let mut out = String::new();
        for (number, line) in lines.iter().enumerate() {
            let mut items = sizes[number].clone();
            if let Some(Annotation::Data(kind, value)) = &line.annotation {
                items = line::data(kind, value, &checked.labels, offset, dialect).unwrap_or(items);
            }
            match resolve(&items, offsets[number], &checked.labels) {
                Err(Problem::Far(_)) => {
                    choice[number] += 1;
                    changed = true;
                }
                Err(problem) => {
                    return Err(ListingError {
                        line: number + 1,
                        problem,
                    });
                }
                Ok(bytes) => {
                    let shown = match dialect {
                        Dialect::Hex => bytes.into_iter().map(Item::Byte).collect(),
                        Dialect::Linked => items,
                    };
                    line.write(&shown, &mut out);
                }
            }
        }
        if !changed {
            return Ok(out);
        }
    }
}
