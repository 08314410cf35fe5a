//! Reading a document, strictly or leniently. Every problem is found in one pass.

use crate::document::{Any, Boot, BootV1, BootV2, Document, SPECIALISATION_DEPTH};
use crate::extension::{REGISTRY, Shape};
use crate::field::{Field, Finding, MAX_ITEMS};
use crate::{Error, Problem, Result, json};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How a document is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// For producers: every rule holds.
    Strict,
    /// For consumers of what is there: null counts as absent, unknown fields are dropped, paths may be outside of the store;
    /// each becomes a warning.
    Lenient,
}

/// A document that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The document.
    pub document: Any,
    /// Rules that it breaks without harm; empty when it was read strictly.
    pub warnings: Vec<Problem>,
}

/// Reads a document of either version. A document that has both is refused strictly; leniently version 2 counts.
pub fn read(bytes: &[u8], strictness: Strictness) -> Result<Read> {
    let mut reader = Reader {
        strict: strictness == Strictness::Strict,
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    let document = reader.root(json::parse(bytes)?);
    match document {
        Some(document) if reader.problems.is_empty() => Ok(Read {
            document,
            warnings: reader.warnings,
        }),
        _ => Err(Error::Rules(reader.problems)),
    }
}

struct Reader {
    strict: bool,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

/// `path` with one key more, as JSONPath (RFC 9535) writes it.
fn child(path: &str, key: &str) -> String {
    let plain = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    if plain(key) {
        format!("{path}.{key}")
    } else {
        format!("{path}[{}]", Value::from(key))
    }
}

impl Reader {
    /// What can't be read.
    fn problem(&mut self, path: &str, why: impl Into<String>) {
        self.problems.push(Problem {
            path: path.to_owned(),
            why: why.into(),
        });
    }

    /// What is a problem strictly and a warning leniently.
    fn rule(&mut self, path: &str, why: impl Into<String>) {
        let problem = Problem {
            path: path.to_owned(),
            why: why.into(),
        };
        if self.strict {
            self.problems.push(problem);
        } else {
            self.warnings.push(problem);
        }
    }

    fn root(&mut self, value: Value) -> Option<Any> {
        let Value::Object(map) = value else {
            self.problem("$", "a document is an object");
            return None;
        };
        let has = |key: &str| map.get(key).is_some_and(|value| !value.is_null());
        match (has(BootV1::KEY), has(BootV2::KEY)) {
            (false, false) => {
                self.problem(
                    "$",
                    format!("neither `{}` nor `{}` is there", BootV2::KEY, BootV1::KEY),
                );
                None
            }
            (true, false) => self.document(map, "$", 0).map(Any::V1),
            (false, true) => self.document(map, "$", 0).map(Any::V2),
            (true, true) => {
                self.rule(
                    &child("$", BootV1::KEY),
                    "a document has one version: two statements may differ, and each reader would boot another system",
                );
                let mut map = map;
                map.remove(BootV1::KEY);
                map.remove(BootV1::SPECIALISATIONS);
                self.document(map, "$", 0).map(Any::V2)
            }
        }
    }

    fn document<B: Boot>(
        &mut self,
        mut map: Map<String, Value>,
        path: &str,
        depth: usize,
    ) -> Option<Document<B>> {
        let boot = self.boot::<B>(map.remove(B::KEY), path);
        let specialisations = match map.remove(B::SPECIALISATIONS) {
            None => BTreeMap::new(),
            Some(value) => self.specialisations(value, &child(path, B::SPECIALISATIONS), depth),
        };
        let mut extensions = BTreeMap::new();
        for (key, value) in map {
            let here = child(path, &key);
            if let Some(value) = self.extension::<B>(&key, value, &here) {
                extensions.insert(key, value);
            }
        }
        Some(Document {
            boot: boot?,
            specialisations,
            extensions,
        })
    }

    fn boot<B: Boot>(&mut self, value: Option<Value>, path: &str) -> Option<B> {
        let here = child(path, B::KEY);
        let value = match value {
            None | Some(Value::Null) => {
                self.problem(path, format!("`{}` is missing", B::KEY));
                return None;
            }
            Some(value) => value,
        };
        let before = self.problems.len();
        let clean = self.object(value, B::FIELDS, &here)?;
        if self.problems.len() > before {
            return None;
        }
        // The table of fields and the type say the same; a test holds them together.
        match serde_json::from_value(clean) {
            Ok(boot) => Some(boot),
            Err(error) => {
                self.problem(&here, error.to_string());
                None
            }
        }
    }

    /// Checks an object against its table; nulls and unknown fields are gone from the answer.
    fn object(&mut self, value: Value, fields: &[Field], path: &str) -> Option<Value> {
        let Value::Object(map) = value else {
            self.problem(path, "expected an object");
            return None;
        };
        let mut clean = Map::new();
        for field in fields {
            if field.required && map.get(field.name).is_none_or(Value::is_null) {
                self.problem(path, format!("`{}` is missing", field.name));
            }
        }
        for (key, value) in map {
            let here = child(path, &key);
            let Some(field) = fields.iter().find(|field| field.name == key) else {
                self.rule(
                    &here,
                    "unknown field; extensions have keys of their own at the top",
                );
                continue;
            };
            if value.is_null() {
                // A required one has been reported.
                if !field.required {
                    self.rule(&here, "null; an optional field is left out instead");
                }
                continue;
            }
            self.kind(field.kind, &value, &here);
            clean.insert(key, value);
        }
        Some(Value::Object(clean))
    }

    fn kind(&mut self, kind: crate::Kind, value: &Value, path: &str) {
        kind.check(value, &mut |index, finding| {
            let here = match index {
                Some(index) => format!("{path}[{index}]"),
                None => path.to_owned(),
            };
            match finding {
                Finding::Shape(why) => self.problem(&here, why),
                Finding::Rule(why) => self.rule(&here, why),
            }
        });
    }

    fn specialisations<B: Boot>(
        &mut self,
        value: Value,
        path: &str,
        depth: usize,
    ) -> BTreeMap<String, Document<B>> {
        let mut found = BTreeMap::new();
        let map = match value {
            Value::Object(map) => map,
            Value::Null => {
                self.rule(path, "null; an optional field is left out instead");
                return found;
            }
            _ => {
                self.problem(path, "expected an object");
                return found;
            }
        };
        if map.len() > MAX_ITEMS {
            self.problem(path, format!("more than {MAX_ITEMS} specialisations"));
            return found;
        }
        if !map.is_empty() && depth > 0 {
            if B::VERSION == 1 {
                self.rule(
                    path,
                    "version 1 does not define specialisations of a specialisation",
                );
            }
            if depth >= SPECIALISATION_DEPTH {
                let why = format!("nested deeper than {SPECIALISATION_DEPTH} levels");
                self.problem(path, why);
                return found;
            }
        }
        for (name, value) in map {
            let here = child(path, &name);
            if !good_name(&name) {
                self.rule(
                    &here,
                    "a name has 1 to 128 printable characters and no slash",
                );
            }
            match value {
                Value::Object(map) => {
                    if let Some(document) = self.document(map, &here, depth + 1) {
                        found.insert(name, document);
                    }
                }
                _ => self.problem(&here, "expected a document"),
            }
        }
        found
    }

    fn extension<B: Boot>(&mut self, key: &str, value: Value, path: &str) -> Option<Value> {
        let reserved = [
            BootV1::KEY,
            BootV2::KEY,
            BootV1::SPECIALISATIONS,
            BootV2::SPECIALISATIONS,
        ];
        if reserved.contains(&key) {
            self.rule(
                path,
                format!(
                    "this is a document of version {}; one document has one version",
                    B::VERSION
                ),
            );
            return None;
        }
        if value.is_null() {
            self.rule(path, "null; an extension that says nothing is left out");
            return None;
        }
        if !key.contains('.') {
            self.rule(path, "an extension's key starts with a domain in reverse, such as `org.example.thing.v1`");
        }
        let Some(known) = REGISTRY.iter().find(|known| known.key == key) else {
            return Some(value);
        };
        match known.shape {
            Shape::Object(fields) => self.object(value, fields, path),
            Shape::Map(kind) => {
                let Value::Object(map) = &value else {
                    self.problem(path, "expected an object");
                    return None;
                };
                if map.len() > MAX_ITEMS {
                    self.problem(path, format!("more than {MAX_ITEMS} items"));
                    return None;
                }
                for (name, value) in map {
                    self.kind(kind, value, &child(path, name));
                }
                Some(value)
            }
        }
    }
}

fn good_name(name: &str) -> bool {
    (1..=128).contains(&name.len()) && !name.contains('/') && !name.chars().any(char::is_control)
}
