//! From one raw document to one record, whatever the feed: the shape of the document says which reader.
//!
//! Invariant: the record is a function of the raw bytes alone, and what could not be used is in the warnings.

mod alpine;
mod csaf;
mod cve5;
mod debian;
mod epss;
mod euvd;
mod kev;
mod nvd11;
mod nvd2;
mod osv;
mod overlay;
mod versions;

use crate::json::{At, Node, Warning, Warnings};
use crate::record::{Record, Reference, Stated, Text};
use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;

pub use epss::Epss;
pub use versions::{CUSTOM, PROSE};

/// Changes whenever a reader reads the same document differently; part of what tells two imports apart.
pub const READER_VERSION: u8 = 2;

/// The longest id that is accepted, in bytes.
pub const MAX_ID_BYTES: usize = 200;

/// The deepest nesting of lists and objects that is read: the limit of `serde_json`.
pub const MAX_DEPTH: usize = 128;

/// A record and what was left out of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The record.
    pub record: Record,
    /// What could not be used, and why.
    pub warnings: Vec<Warning>,
}

/// Why a document is no record; the whole document is left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Not JSON, cut off, not UTF-8, or nested too deeply.
    #[error("no valid JSON at byte {offset} of the record: {reason}")]
    Syntax {
        /// From the record's first byte.
        offset: usize,
        /// What the parser says.
        reason: String,
    },
    /// JSON, but not an object.
    #[error("{kind} where a record belongs")]
    NotAnObject {
        /// What it is.
        kind: &'static str,
    },
    /// An object that none of the readers knows.
    #[error("no known kind of record; its keys are {keys}")]
    UnknownShape {
        /// The first keys.
        keys: String,
    },
    /// A version of a format that is not read.
    #[error("{format} version {version:?} is not supported")]
    UnsupportedVersion {
        /// The format.
        format: &'static str,
        /// What the document states.
        version: String,
    },
    /// The field that names the record is missing or of a wrong type.
    #[error("no id in {field}")]
    MissingId {
        /// The field.
        field: &'static str,
    },
    /// The field that names the record holds something else.
    #[error("{id:?} in {field} is no id")]
    WrongId {
        /// The field.
        field: &'static str,
        /// What it holds, shortened.
        id: String,
    },
    /// A row of the EPSS table that is none.
    #[error("no EPSS row: {reason}")]
    Row {
        /// What is wrong with it.
        reason: String,
    },
}

impl ReadError {
    /// Whether the document may well be a broken record, as opposed to something else altogether.
    pub fn is_foreign(&self) -> bool {
        matches!(
            self,
            ReadError::UnknownShape { .. } | ReadError::NotAnObject { .. }
        )
    }
}

/// Reads one raw document: one JSON object, or one EPSS row under its header.
///
/// # Errors
/// When nothing of the document can be used; a field that cannot be used is only a warning.
pub fn read_document(raw: &[u8]) -> Result<Reading, ReadError> {
    if raw.first() == Some(&b'#') {
        return epss::read(raw);
    }
    let node: Node<'_> = serde_json::from_slice(raw).map_err(|error| syntax(raw, &error))?;
    let root = At::root(&node);
    let mut warnings = Warnings::default();
    if !matches!(node, Node::Object(_)) {
        return Err(ReadError::NotAnObject { kind: root.kind() });
    }
    // Looks for the inner object of NVD's two shapes without complaining about other types of it.
    let inner = |key: &'static str| {
        let mut silent = Warnings::default();
        root.object("cve", &mut silent)
            .is_some_and(|cve| cve.has(key))
    };
    let record = if root.has("cveMetadata") {
        cve5::read(&root, &mut warnings)
    } else if root.has("_annotation") {
        overlay::read(&root, &mut warnings)
    } else if inner("CVE_data_meta") {
        nvd11::read(&root, &mut warnings)
    } else if inner("id") {
        match root.object("cve", &mut warnings) {
            Some(cve) => nvd2::read(&cve, &mut warnings),
            None => Err(ReadError::MissingId { field: "cve.id" }),
        }
    } else if root.has("id") && (root.has("vulnStatus") || root.has("sourceIdentifier")) {
        nvd2::read(&root, &mut warnings)
    } else if root.has("cveID") {
        kev::read(&root, &mut warnings)
    } else if root.has("debian_package") {
        debian::read(&root, &mut warnings)
    } else if root.has("alpine_repository") {
        alpine::read(&root, &mut warnings)
    } else if root.has("document") {
        csaf::read(&root, &mut warnings)
    } else if euvd::is_one(&root) {
        euvd::read(&root, &mut warnings)
    } else if root.has("id") && (root.has("modified") || root.has("schema_version")) {
        osv::read(&root, &mut warnings)
    } else {
        Err(ReadError::UnknownShape {
            keys: describe_keys(&root),
        })
    }?;
    Ok(Reading {
        record,
        warnings: warnings.into_vec(),
    })
}

/// The id of a record that could not be read, as far as it can be told, for the summary.
pub fn guess_id(raw: &[u8]) -> Option<String> {
    const MARK: &[u8] = b"CVE-";
    let start = raw.windows(MARK.len()).position(|window| window == MARK)?;
    let tail = &raw[start..raw.len().min(start + MAX_ID_BYTES)];
    let end = tail
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'-')
        .unwrap_or(tail.len());
    let id = std::str::from_utf8(&tail[..end]).ok()?;
    is_cve_id(id).then(|| id.to_owned())
}

fn syntax(raw: &[u8], error: &serde_json::Error) -> ReadError {
    // The parser counts lines from 1 and columns in bytes.
    let line_start = match error.line() {
        0 | 1 => 0,
        line => memchr::memchr_iter(b'\n', raw)
            .nth(line - 2)
            .map_or(0, |position| position + 1),
    };
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or(&text).to_owned();
    ReadError::Syntax {
        offset: (line_start + error.column()).min(raw.len()),
        reason,
    }
}

fn describe_keys(root: &At<'_, '_>) -> String {
    let mut keys: Vec<String> = root.keys().take(6).map(shorten).collect();
    if root.keys().nth(6).is_some() {
        keys.push("…".to_owned());
    }
    if keys.is_empty() {
        return "none".to_owned();
    }
    keys.join(", ")
}

fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// `CVE-`, a year of four digits, a number of at least four (CVE JSON 5.1, `cveId`).
pub(crate) fn is_cve_id(id: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((year, number)) = id
        .strip_prefix("CVE-")
        .and_then(|rest| rest.split_once('-'))
    else {
        return false;
    };
    year.len() == 4 && (4..=19).contains(&number.len()) && digits(year) && digits(number)
}

/// The CVE id in a field, in upper case.
fn cve_id(
    at: &At<'_, '_>,
    key: &str,
    field: &'static str,
    warnings: &mut Warnings,
) -> Result<String, ReadError> {
    let id = at
        .text(key, warnings)
        .ok_or(ReadError::MissingId { field })?;
    let upper = id.to_ascii_uppercase();
    if is_cve_id(&upper) {
        return Ok(upper);
    }
    Err(ReadError::WrongId {
        field,
        id: shorten(id),
    })
}

/// What a list states for the first time. A list that is searched for each of its elements takes hours if it has a
/// million.
fn first<T: Clone + Eq + Hash>(seen: &mut HashSet<T>, one: T) -> Option<T> {
    seen.insert(one.clone()).then_some(one)
}

/// An id of any scheme: printable, without spaces; CVE ids in upper case.
fn any_id(text: &str) -> Option<String> {
    let fine = !text.is_empty()
        && text.len() <= MAX_ID_BYTES
        && text.chars().all(|c| !c.is_whitespace() && !c.is_control());
    let upper = || text.to_ascii_uppercase();
    fine.then(|| {
        if is_cve_id(&upper()) {
            upper()
        } else {
            text.to_owned()
        }
    })
}

fn stated<T>(origin: &str, value: T) -> Stated<T> {
    Stated {
        origin: origin.to_owned(),
        value,
    }
}

/// The texts of a list of `{lang, value}`, English first.
fn texts(
    at: &At<'_, '_>,
    key: &'static str,
    origin: &str,
    warnings: &mut Warnings,
) -> Vec<Stated<Text>> {
    let mut found = Vec::new();
    for element in at.list(key, warnings) {
        if let Some(text) = element.text("value", warnings) {
            let language = element.text("lang", warnings).unwrap_or("und").to_owned();
            let text = text.to_owned();
            found.push(stated(origin, Text { language, text }));
        }
    }
    found.sort_by_key(|text| !text.value.is_english());
    found
}

/// A link of `{url, tags}`. Tags in one spelling (`third-party-advisory`); what CVE converters note about
/// their own work (`x_…`) is no tag of the link.
fn link(at: &At<'_, '_>, origin: &str, warnings: &mut Warnings) -> Option<Stated<Reference>> {
    let url = at.text("url", warnings)?.to_owned();
    let mut tags: Vec<String> = at
        .texts("tags", warnings)
        .into_iter()
        .map(|tag| tag.to_ascii_lowercase().replace(' ', "-"))
        .filter(|tag| !tag.starts_with("x_"))
        .collect();
    tags.dedup();
    Some(stated(origin, Reference { url, tags }))
}

/// `CWE-` and a number at the beginning of a text; placeholders (`NVD-CWE-noinfo`, `n/a`) are none.
fn weakness(text: &str) -> Option<String> {
    let number = text.trim().strip_prefix("CWE-")?;
    let end = number
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(number.len());
    (1..=6)
        .contains(&end)
        .then(|| format!("CWE-{}", &number[..end]))
}

/// Marks that old records carry in their description instead of a state.
fn legacy_state(descriptions: &[Stated<Text>]) -> Option<crate::RecordState> {
    descriptions.iter().find_map(|description| {
        let text = description.value.text.trim_start();
        if text.starts_with("** REJECT **") || text.starts_with("Rejected reason:") {
            Some(crate::RecordState::Rejected)
        } else if text.starts_with("** DISPUTED **") {
            Some(crate::RecordState::Disputed)
        } else {
            None
        }
    })
}

impl fmt::Display for Reading {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.record.source, self.record.id)
    }
}

#[cfg(test)]
mod tests;
