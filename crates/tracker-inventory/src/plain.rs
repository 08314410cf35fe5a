//! A plain JSON list of packages, for distributions without a format of their own here; Guix's `packages.json` is
//! such a list.
//!
//! Shape: `[{"name": …, "version"?, "attribute"?, "description"?, "homepage"?, "maintainers"?, "cpe"?, "purl"?}]`.
//! Guix says `variable_name`, `synopsis`, `location` and `source`, a list of `{"type": "url", "urls": […]}`.
//! Invariant: the attribute is the name where none is given, and is unique.

use crate::error::InventoryError;
use crate::inventory::{Header, Inventory, Sink};
use crate::lenient::{GITHUB, Object, URL, URLS, Words};
use crate::package::Package;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use std::fmt;
use std::io::Read;

/// Reader of a plain list.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainList;

impl Inventory for PlainList {
    fn read(
        &self,
        input: &mut dyn Read,
        each: &mut dyn FnMut(Package),
    ) -> Result<Header, InventoryError> {
        let mut sink = Sink::new(each);
        let mut json = serde_json::Deserializer::from_reader(input);
        let list = List { sink: &mut sink };
        list.deserialize(&mut json)
            .and_then(|()| json.end())
            .map_err(|error| InventoryError::from_json(error, "a JSON list of packages"))?;
        Ok(sink.header)
    }
}

/// The whole file.
struct List<'a, 'b> {
    sink: &'a mut Sink<'b>,
}

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of packages")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut index = 0_usize;
        while let Some(Object(item)) = items.next_element::<Object<Item>>()? {
            index += 1;
            let package = item.into_package().ok_or("it has no `name`");
            if !self.sink.put(&format!("item {index}"), package) {
                return Err(A::Error::custom("too many packages"));
            }
        }
        Ok(())
    }
}

/// A package as the list has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Item {
    name: Words<URL>,
    attribute: Words<URL>,
    variable_name: Words<URL>,
    version: Words<URL>,
    description: Words<URL>,
    synopsis: Words<URL>,
    homepage: Words<URL>,
    maintainers: Words<GITHUB>,
    cpe: Words<URL>,
    purl: Words<URL>,
    location: Words<URL>,
    source: Words<URLS>,
}

impl Item {
    fn into_package(self) -> Option<Package> {
        let pname = self.name.first()?;
        Some(Package {
            attribute: self
                .attribute
                .first()
                .or(self.variable_name.first())
                .unwrap_or_else(|| pname.clone()),
            pname,
            version: self.version.first(),
            description: self.description.first().or(self.synopsis.first()),
            homepages: self.homepage.0,
            maintainers: self.maintainers.0,
            cpes: self.cpe.0,
            purls: self.purl.0,
            position: self.location.first(),
            source_urls: self.source.0,
            ..Package::default()
        })
    }
}
