//! A JSON document borrowed from its bytes, read leniently: a field of a wrong type is left out with a
//! warning that names its path, and the rest of the record stays.
//!
//! Invariant: a reader that asks for a field gets it, or `None`; if the field was there, a warning says why not.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// The most warnings kept of one document; one more says that there were others.
pub const MAX_WARNINGS: usize = 64;

/// The longest name, in bytes, of what a list's elements have in common.
const MAX_NAME_BYTES: usize = 1_024;

/// Something in a document that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where, as keys and indices (`containers.cna.metrics[0].cvssV3_1`).
    pub at: String,
    /// What was wrong and what became of it.
    pub problem: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.at, self.problem)
    }
}

/// The warnings of one document.
#[derive(Debug, Default)]
pub(crate) struct Warnings(Vec<Warning>);

impl Warnings {
    pub(crate) fn push(&mut self, at: &At<'_, '_>, key: &str, problem: impl Into<String>) {
        if self.0.len() < MAX_WARNINGS {
            let mut path = at.path();
            if !key.is_empty() && !path.is_empty() {
                path.push('.');
            }
            path.push_str(key);
            let problem = problem.into();
            self.0.push(Warning { at: path, problem });
        } else if self.0.len() == MAX_WARNINGS {
            self.0.push(Warning {
                at: at.path(),
                problem: "more of this record could not be used; only the first are listed"
                    .to_owned(),
            });
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Warning> {
        self.0
    }
}

/// A JSON value. Of a key that occurs twice the last value counts, as in other JSON readers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

impl Node<'_> {
    const fn kind(&self) -> &'static str {
        match self {
            Node::Null => "null",
            Node::Bool(_) => "a truth value",
            Node::Number(_) => "a number",
            Node::Text(_) => "a text",
            Node::List(_) => "a list",
            Node::Object(_) => "an object",
        }
    }
}

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Node::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Node::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Node::Number(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Owned(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((Key(key), node)) = map.next_entry()? {
            entries.push((key, node));
        }
        Ok(Node::Object(entries))
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(value)))
            }

            fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(value.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Root,
    Key(&'static str),
    Element(&'static str, usize),
}

/// A value together with the path that led to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'p, 'n> {
    node: &'n Node<'n>,
    step: Step,
    parent: Option<&'p At<'p, 'n>>,
}

impl<'p, 'n> At<'p, 'n> {
    pub(crate) const fn root(node: &'n Node<'n>) -> At<'p, 'n> {
        At {
            node,
            step: Step::Root,
            parent: None,
        }
    }

    /// The path from the root.
    pub(crate) fn path(&self) -> String {
        let mut path = self.parent.map_or_else(String::new, At::path);
        match self.step {
            Step::Root => {}
            Step::Key(key) | Step::Element(key, _) => {
                if !path.is_empty() && !key.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
        }
        if let Step::Element(_, index) = self.step {
            path.push('[');
            path.push_str(&index.to_string());
            path.push(']');
        }
        path
    }

    /// The field, unless it is absent or null.
    fn field(&self, key: &str) -> Option<&'n Node<'n>> {
        let Node::Object(entries) = self.node else {
            return None;
        };
        let (_, node) = entries.iter().rev().find(|(name, _)| name == key)?;
        (*node != Node::Null).then_some(node)
    }

    /// Whether there is such a field, null included.
    pub(crate) fn has(&self, key: &str) -> bool {
        matches!(self.node, Node::Object(entries) if entries.iter().any(|(name, _)| name == key))
    }

    /// The keys of an object, for messages.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'n str> + use<'p, 'n> {
        let entries = match self.node {
            Node::Object(entries) => entries.as_slice(),
            _ => &[],
        };
        entries.iter().map(|(key, _)| key.as_ref())
    }

    /// The members of an object that are objects, in order. Their path names the object, not the key.
    pub(crate) fn members<'c>(&'c self, warnings: &mut Warnings) -> Vec<(&'n str, At<'c, 'n>)> {
        let Node::Object(entries) = self.node else {
            return Vec::new();
        };
        let mut members = Vec::with_capacity(entries.len());
        for (key, node) in entries {
            if let Node::Object(_) = node {
                let member = At {
                    node,
                    step: Step::Root,
                    parent: Some(self),
                };
                members.push((key.as_ref(), member));
            } else {
                let problem = format!("{} where an object belongs", node.kind());
                warnings.push(self, key, problem);
            }
        }
        members
    }

    /// What kind of value this is, for messages.
    pub(crate) const fn kind(&self) -> &'static str {
        self.node.kind()
    }

    /// A text that says something: trimmed, and absent if nothing is left.
    pub(crate) fn text(&self, key: &str, warnings: &mut Warnings) -> Option<&'n str> {
        match self.field(key)? {
            Node::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            other => {
                warnings.push(self, key, format!("{} where a text belongs", other.kind()));
                None
            }
        }
    }

    /// A text that is repeated for each element of a list: one that is long is left out, or a document of some megabytes
    /// would be a record of terabytes.
    pub(crate) fn name(&self, key: &str, warnings: &mut Warnings) -> Option<&'n str> {
        let name = self.text(key, warnings)?;
        if name.len() > MAX_NAME_BYTES {
            let length = name.len();
            let problem =
                format!("a name of {length} bytes is left out; the limit is {MAX_NAME_BYTES}");
            warnings.push(self, key, problem);
            return None;
        }
        Some(name)
    }

    /// A truth value.
    pub(crate) fn truth(&self, key: &str, warnings: &mut Warnings) -> Option<bool> {
        match self.field(key)? {
            Node::Bool(value) => Some(*value),
            other => {
                let problem = format!("{} where a truth value belongs", other.kind());
                warnings.push(self, key, problem);
                None
            }
        }
    }

    /// A number.
    pub(crate) fn number(&self, key: &str, warnings: &mut Warnings) -> Option<f64> {
        match self.field(key)? {
            Node::Number(value) => Some(*value),
            other => {
                let problem = format!("{} where a number belongs", other.kind());
                warnings.push(self, key, problem);
                None
            }
        }
    }

    /// An object.
    pub(crate) fn object<'c>(
        &'c self,
        key: &'static str,
        warnings: &mut Warnings,
    ) -> Option<At<'c, 'n>> {
        match self.field(key)? {
            node @ Node::Object(_) => Some(At {
                node,
                step: Step::Key(key),
                parent: Some(self),
            }),
            other => {
                let problem = format!("{} where an object belongs", other.kind());
                warnings.push(self, key, problem);
                None
            }
        }
    }

    /// The elements of a list; none if it is absent.
    pub(crate) fn list<'c>(
        &'c self,
        key: &'static str,
        warnings: &mut Warnings,
    ) -> impl Iterator<Item = At<'c, 'n>> + use<'c, 'p, 'n> {
        let nodes = match self.field(key) {
            None => &[],
            Some(Node::List(nodes)) => nodes.as_slice(),
            Some(other) => {
                warnings.push(self, key, format!("{} where a list belongs", other.kind()));
                &[]
            }
        };
        nodes.iter().enumerate().map(move |(index, node)| At {
            node,
            step: Step::Element(key, index),
            parent: Some(self),
        })
    }

    /// The texts of a list, empty ones left out.
    pub(crate) fn texts(&self, key: &'static str, warnings: &mut Warnings) -> Vec<&'n str> {
        let Some(Node::List(nodes)) = self.field(key) else {
            // Reports a wrong type.
            let _ = self.list(key, warnings).count();
            return Vec::new();
        };
        let mut texts = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.iter().enumerate() {
            match node {
                Node::Text(text) if text.trim().is_empty() => {}
                Node::Text(text) => texts.push(text.trim()),
                other => {
                    let problem = format!("{} where a text belongs", other.kind());
                    warnings.push(self, &format!("{key}[{index}]"), problem);
                }
            }
        }
        texts
    }
}

#[cfg(test)]
mod tests;
