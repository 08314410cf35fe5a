//! A plain JSON list of packages, for distributions without a format of their own here.
//!
//! Shape: `[{"name": …, "version"?, "attribute"?, "description"?, "homepage"?, "maintainers"?, "cpe"?, "purl"?}]`.
//! Invariant: the attribute is the name where none is given, and is unique.

use crate::error::InventoryError;
use crate::inventory::{Header, Inventory, MAX_PACKAGES};
use crate::lenient::{GITHUB, Object, URL, Words};
use crate::package::Package;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use std::collections::HashSet;
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
        let mut header = Header::default();
        let mut json = serde_json::Deserializer::from_reader(input);
        let list = List {
            header: &mut header,
            each,
        };
        list.deserialize(&mut json)
            .and_then(|()| json.end())
            .map_err(|error| InventoryError::from_json(error, "a JSON list of packages"))?;
        Ok(header)
    }
}

/// The whole file.
struct List<'a> {
    header: &'a mut Header,
    each: &'a mut dyn FnMut(Package),
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of packages")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut seen: HashSet<String> = HashSet::new();
        let mut index = 0_usize;
        while let Some(Object(item)) = items.next_element::<Object<Item>>()? {
            index += 1;
            if index > MAX_PACKAGES {
                return Err(A::Error::custom("too many packages"));
            }
            let Some(package) = item.into_package() else {
                self.header
                    .reject(&format!("item {index}"), "it has no `name`");
                continue;
            };
            if !seen.insert(package.attribute.clone()) {
                self.header
                    .reject(&package.attribute, "the attribute occurs a second time");
                continue;
            }
            self.header.packages += 1;
            (self.each)(package);
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
    version: Words<URL>,
    description: Words<URL>,
    homepage: Words<URL>,
    maintainers: Words<GITHUB>,
    cpe: Words<URL>,
    purl: Words<URL>,
}

impl Item {
    fn into_package(self) -> Option<Package> {
        let pname = self.name.first()?;
        Some(Package {
            attribute: self.attribute.first().unwrap_or_else(|| pname.clone()),
            pname,
            version: self.version.first(),
            description: self.description.first(),
            homepages: self.homepage.0,
            maintainers: self.maintainers.0,
            cpes: self.cpe.0,
            purls: self.purl.0,
            ..Package::default()
        })
    }
}
