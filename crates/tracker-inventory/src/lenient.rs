//! Values whose type the sources do not keep to: a string or nothing, one string or several.
//!
//! Invariant: no value fails to deserialize; what does not fit is read over and is absent.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Longest text that is kept, in bytes; what is longer is cut at a character.
const MAX_TEXT: usize = 4096;

/// Most items of a list that are kept.
const MAX_ITEMS: usize = 256;

/// All strings of a value: itself, the items of a list, or, for objects in a list, the member named by `KEY`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Words<const KEY: char>(pub(crate) Vec<String>);

/// Member `github` of a maintainer, whose own text form is a handle too.
pub(crate) const GITHUB: char = 'g';
/// Member `url` of a link.
pub(crate) const URL: char = 'u';
/// Member `urls` of a source.
pub(crate) const URLS: char = 's';

fn member(key: char) -> &'static str {
    match key {
        GITHUB => "github",
        URLS => "urls",
        _ => "url",
    }
}

impl<const KEY: char> Words<KEY> {
    /// The first string, unless it is empty.
    pub(crate) fn first(self) -> Option<String> {
        self.0.into_iter().next()
    }
}

impl<'de, const KEY: char> Deserialize<'de> for Words<KEY> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut words = Words::default();
        deserializer.deserialize_any(Collect::<KEY>(&mut words.0))?;
        Ok(words)
    }
}

/// Collects strings into a list.
struct Collect<'a, const KEY: char>(&'a mut Vec<String>);

impl<const KEY: char> Collect<'_, KEY> {
    fn push(&mut self, text: &str) {
        if !text.is_empty() && self.0.len() < MAX_ITEMS {
            let end = (0..=text.len().min(MAX_TEXT))
                .rev()
                .find(|&index| text.is_char_boundary(index))
                .unwrap_or(0);
            self.0.push(text[..end].to_owned());
        }
    }
}

impl<'de, const KEY: char> Visitor<'de> for Collect<'_, KEY> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(mut self, text: &str) -> Result<(), E> {
        self.push(text);
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items
            .next_element_seed(Item::<KEY>(&mut *self.0))?
            .is_some()
        {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            if name == member(KEY) {
                members.next_value_seed(Item::<KEY>(&mut *self.0))?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// An item of a list, collected into the list's strings.
struct Item<'a, const KEY: char>(&'a mut Vec<String>);

impl<'de, const KEY: char> serde::de::DeserializeSeed<'de> for Item<'_, KEY> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(Collect::<KEY>(self.0))
    }
}

/// A value of the wished type, or its default: objects only, as everything else is read by [`Words`].
#[derive(Debug, Default)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectVisitor(std::marker::PhantomData))
    }
}

struct ObjectVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Object::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Object::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Object::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Object::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Object::default())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Object::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Object::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        T::deserialize(serde::de::value::MapAccessDeserializer::new(members)).map(Object)
    }
}
