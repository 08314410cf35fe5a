//! Nixpkgs' `packages.json`: a channel release's own file, older evaluations in its shape, and package indexes
//! without `meta`.
//!
//! Shape: `{"version": 2, "packages": {ATTRIBUTE: {name, pname, version, outputs, drvPath?, meta?}}}`, members in
//! any order. Invariant: streamed, so that only the packages' own fields are ever held; an entry without a name is
//! refused by attribute, a member of a wrong type is absent.

use crate::error::InventoryError;
use crate::inventory::{Header, Inventory, Sink};
use crate::lenient::{GITHUB, Object, URL, Words};
use crate::package::Package;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use std::fmt;
use std::io::Read;

/// Reader of `packages.json`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nixpkgs;

impl Inventory for Nixpkgs {
    fn read(
        &self,
        input: &mut dyn Read,
        each: &mut dyn FnMut(Package),
    ) -> Result<Header, InventoryError> {
        let mut sink = Sink::new(each);
        let mut found = false;
        let mut json = serde_json::Deserializer::from_reader(input);
        let seed = File {
            sink: &mut sink,
            found: &mut found,
        };
        let expected = "a packages.json of a Nixpkgs channel";
        let read = seed.deserialize(&mut json);
        let wrong = |error| InventoryError::from_json(error, expected);
        read.map_err(wrong)?;
        if !found {
            return Err(InventoryError::Kind {
                expected,
                found: "an object without `packages`".into(),
            });
        }
        json.end().map_err(wrong)?;
        Ok(sink.header)
    }
}

/// Reader of what `nix-env --query --available --json` prints: an object of packages by attribute.
#[derive(Debug, Clone, Copy, Default)]
pub struct NixEnv;

impl Inventory for NixEnv {
    fn read(
        &self,
        input: &mut dyn Read,
        each: &mut dyn FnMut(Package),
    ) -> Result<Header, InventoryError> {
        let mut sink = Sink::new(each);
        let mut json = serde_json::Deserializer::from_reader(input);
        Packages { sink: &mut sink }
            .deserialize(&mut json)
            .and_then(|()| json.end())
            .map_err(|error| InventoryError::from_json(error, "the output of nix-env --json"))?;
        Ok(sink.header)
    }
}

/// The whole file.
struct File<'a, 'b> {
    sink: &'a mut Sink<'b>,
    found: &'a mut bool,
}

impl<'de> DeserializeSeed<'de> for File<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for File<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `packages`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                "packages" => {
                    *self.found = true;
                    members.next_value_seed(Packages {
                        sink: &mut *self.sink,
                    })?;
                }
                "channel" => self.sink.header.channel = members.next_value::<Words<URL>>()?.first(),
                "commit" | "revision" => {
                    self.sink.header.revision = members.next_value::<Words<URL>>()?.first();
                }
                "commitDate" | "date" => {
                    self.sink.header.date = members.next_value::<Words<URL>>()?.first();
                }
                _ => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// An object of packages by attribute.
struct Packages<'a, 'b> {
    sink: &'a mut Sink<'b>,
}

impl<'de> DeserializeSeed<'de> for Packages<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Packages<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of packages by attribute")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(attribute) = members.next_key::<String>()? {
            let entry = members.next_value::<Object<Entry>>()?.0;
            let package = entry.into_package(&attribute).ok_or(NAMELESS);
            if !self.sink.put(&attribute, package) {
                return Err(A::Error::custom("too many packages"));
            }
        }
        Ok(())
    }
}

/// Why an entry without a name is refused.
pub(crate) const NAMELESS: &str = "it has neither `pname` nor `name`";

/// A package as the file has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Entry {
    name: Words<URL>,
    pname: Words<URL>,
    version: Words<URL>,
    #[serde(rename = "drvPath")]
    drv_path: Words<URL>,
    #[serde(rename = "outputName")]
    output_name: Words<URL>,
    outputs: Object<Outputs>,
    meta: Object<Meta>,
}

/// Store paths of the outputs that matter here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Outputs {
    out: Words<URL>,
    bin: Words<URL>,
    lib: Words<URL>,
    dev: Words<URL>,
}

/// The members of `meta` that are used.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Meta {
    description: Words<URL>,
    homepage: Words<URL>,
    position: Words<URL>,
    maintainers: Words<GITHUB>,
    #[serde(rename = "knownVulnerabilities")]
    known_vulnerabilities: Words<URL>,
    identifiers: Object<Identifiers>,
}

/// `meta.identifiers`: only what the package states; `possibleCPEs` are guesses and are not read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Identifiers {
    cpe: Words<URL>,
    purl: Words<URL>,
    purls: Words<URL>,
    v1: Object<IdentifiersV1>,
}

/// The versioned form of the identifiers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct IdentifiersV1 {
    cpe: Words<URL>,
    purl: Words<URL>,
    purls: Words<URL>,
}

impl Entry {
    /// The package; `None` if it has no name.
    pub(crate) fn into_package(self, attribute: &str) -> Option<Package> {
        let name = self.name.first();
        let (pname, version) = match (self.pname.first(), self.version.first(), &name) {
            (Some(pname), version, _) => (pname, version),
            (None, version, Some(name)) => {
                let (pname, cut) = nix_version::nix::split_name(name);
                let version = version.or((!cut.is_empty()).then(|| cut.to_owned()));
                (pname.to_owned(), version)
            }
            (None, _, None) => return None,
        };
        let meta = self.meta.0;
        let outputs = self.outputs.0;
        let output = match self.output_name.first().as_deref() {
            Some("bin") => outputs.bin.0,
            Some("lib") => outputs.lib.0,
            Some("dev") => outputs.dev.0,
            _ => outputs.out.0,
        };
        let identifiers = meta.identifiers.0;
        let v1 = identifiers.v1.0;
        Some(Package {
            attribute: attribute.to_owned(),
            pname,
            version,
            description: meta.description.first(),
            homepages: meta.homepage.0,
            position: meta.position.first(),
            maintainers: meta.maintainers.0,
            known_vulnerabilities: meta.known_vulnerabilities.0,
            cpes: union(identifiers.cpe.0, v1.cpe.0),
            purls: union(
                union(identifiers.purl.0, identifiers.purls.0),
                union(v1.purl.0, v1.purls.0),
            ),
            derivation: self.drv_path.first().map(base_name),
            output: output.into_iter().next().map(base_name),
            ..Package::default()
        })
    }
}

/// Both lists, each text once.
fn union(mut left: Vec<String>, right: Vec<String>) -> Vec<String> {
    for text in right {
        if !left.contains(&text) {
            left.push(text);
        }
    }
    left
}

/// The last component of a store path.
fn base_name(path: String) -> String {
    match path.rsplit_once('/') {
        Some((_, base)) => base.to_owned(),
        None => path,
    }
}
