//! Fields: name, kind and meaning. The tables that are made of them drive the reader, the strict check and the schema.

use nix_store_path::StoreDir;
use serde_json::Value;

/// Longest text, in bytes; a kernel takes command lines of 2 to 4 KiB.
pub const MAX_TEXT: usize = 64 * 1024;
/// Most items of one list or map.
pub const MAX_ITEMS: usize = 4096;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One line of text, not empty.
    Text,
    /// A platform such as `x86_64-linux`.
    Platform,
    /// An absolute path; a document should name store paths.
    StorePath,
    /// An absolute path on the running machine.
    Path,
    /// A list of [`Kind::StorePath`].
    StorePaths,
    /// A list of words without blanks outside of quotes, each one parameter of the kernel.
    Words,
    /// A whole number from 0.
    Number,
    /// 64 lower-case hexadecimal digits.
    Sha256,
}

/// One field of an object.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
    /// What it means; the description in the schema.
    pub about: &'static str,
}

impl Field {
    /// A field that must be there.
    pub(crate) const fn required(name: &'static str, kind: Kind, about: &'static str) -> Field {
        Field {
            name,
            kind,
            required: true,
            about,
        }
    }

    /// A field that may be left out.
    pub(crate) const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Field {
        Field {
            name,
            kind,
            required: false,
            about,
        }
    }
}

/// How bad a finding is: the wrong shape is never read, a broken recommendation only in lenient reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    /// Can't be read.
    Shape(String),
    /// Is read leniently.
    Rule(String),
}

impl Kind {
    /// What is wrong with `value`; findings inside of lists carry their index.
    pub(crate) fn check(self, value: &Value, report: &mut dyn FnMut(Option<usize>, Finding)) {
        match self {
            Kind::StorePaths | Kind::Words => {
                let Value::Array(items) = value else {
                    return report(None, shape("a list", value));
                };
                if items.len() > MAX_ITEMS {
                    let why = format!("{} items, more than the limit of {MAX_ITEMS}", items.len());
                    return report(None, Finding::Shape(why));
                }
                for (index, item) in items.iter().enumerate() {
                    if let Err(finding) = self.check_item(item) {
                        report(Some(index), finding);
                    }
                }
            }
            Kind::Number => {
                if value.as_u64().is_none() {
                    report(None, shape("a whole number from 0", value));
                }
            }
            _ => {
                if let Err(finding) = self.check_item(value) {
                    report(None, finding);
                }
            }
        }
    }

    fn check_item(self, value: &Value) -> Result<(), Finding> {
        let Value::String(text) = value else {
            return Err(shape("a string", value));
        };
        let wrong = |why: &str| Err(Finding::Shape(why.to_owned()));
        if text.len() > MAX_TEXT {
            return wrong("longer than 64 KiB");
        }
        if text.contains(['\0', '\n', '\r']) {
            return wrong("a NUL or a line break in it");
        }
        if text.is_empty() {
            return wrong("empty; leave an optional field out instead");
        }
        match self {
            Kind::StorePath | Kind::StorePaths | Kind::Path => {
                if !text.starts_with('/') {
                    return wrong("a path must be absolute");
                }
                if text.split('/').any(|part| part == "..") {
                    return wrong("`..` in a path");
                }
                if self != Kind::Path && StoreDir::default().parse_within(text).is_err() {
                    return Err(Finding::Rule(format!(
                        "`{text}` is not in the store: what it holds may change under the document"
                    )));
                }
            }
            Kind::Platform => {
                let part = |part: &str| {
                    !part.is_empty()
                        && part
                            .bytes()
                            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
                };
                if !text
                    .split_once('-')
                    .is_some_and(|(cpu, os)| part(cpu) && part(os))
                {
                    return Err(Finding::Rule(
                        "not of the form CPU-SYSTEM, such as `x86_64-linux`".to_owned(),
                    ));
                }
            }
            Kind::Words => {
                let mut quoted = false;
                for character in text.chars() {
                    match character {
                        '"' => quoted = !quoted,
                        ' ' | '\t' if !quoted => {
                            return Err(Finding::Rule(format!(
                                "`{text}`: a blank outside of quotes makes several parameters of it"
                            )));
                        }
                        _ => {}
                    }
                }
                if quoted {
                    return Err(Finding::Rule(format!(
                        "`{text}`: a quotation mark is not closed, so it would swallow the next parameters"
                    )));
                }
            }
            Kind::Sha256 => {
                let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
                if text.len() != 64 || !text.bytes().all(digit) {
                    return wrong("not 64 lower-case hexadecimal digits");
                }
            }
            Kind::Text | Kind::Number => {}
        }
        Ok(())
    }
}

fn shape(expected: &str, value: &Value) -> Finding {
    let found = match value {
        Value::Null => "null (an optional field is left out, never null)",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Finding::Shape(format!("expected {expected}, found {found}"))
}
