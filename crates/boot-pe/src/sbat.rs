//! SBAT: the generation numbers by which a family of boot files is revoked, and the level that a machine demands.
//!
//! Source: shim's `SBAT.md`. A component is `name,generation[,vendor,package,version,url]`; the first line is `sbat,1`.
//! A file is refused when any of its components has a generation below the level's entry of the same name; names that
//! only one side has do not matter.

use crate::{Error, Result};
use serde::Serialize;
use std::fmt;

/// Longest SBAT text that is read; real ones have a few hundred bytes.
pub const MAX_LENGTH: usize = 64 * 1024;

/// One component of a boot file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Component {
    /// The name that generations are compared under, such as `grub.debian`.
    pub name: String,
    /// The generation; raised once per disclosed flaw.
    pub generation: u32,
    /// Vendor, package, version and URL: for people, not compared. Empty in a level.
    pub details: Vec<String>,
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.name, self.generation)?;
        self.details
            .iter()
            .try_for_each(|text| write!(f, ",{text}"))
    }
}

/// The `.sbat` section of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Sbat {
    /// Components in file order, `sbat` itself first.
    pub components: Vec<Component>,
}

/// What the `SbatLevel` variable demands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SbatLevel {
    /// The date stamp of the `sbat` line, such as `2024040900`; empty when the line has none.
    pub datestamp: String,
    /// Least generation by name, `sbat` itself first.
    pub minimum: Vec<Component>,
}

/// Why a level refuses a file: one component is older than demanded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Revoked {
    /// The component's name.
    pub name: String,
    /// The file's generation.
    pub found: u32,
    /// The level's least generation.
    pub minimum: u32,
}

fn lines(text: &[u8]) -> Result<Vec<(usize, Vec<String>)>> {
    if text.len() > MAX_LENGTH {
        return Err(Error::Limit {
            what: "SBAT length",
            found: text.len() as u64,
            limit: MAX_LENGTH as u64,
        });
    }
    // The data may be padded with NUL, as a whole section or in a variable.
    let end = text.iter().position(|b| *b == 0).unwrap_or(text.len());
    let wrong = |line, why| Error::Sbat { line, why };
    let text = std::str::from_utf8(&text[..end]).map_err(|_| wrong(1, "it is not UTF-8 text"))?;
    let text = text.trim_start_matches('\u{feff}');
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_end_matches('\r');
        if line.is_empty() {
            continue;
        }
        let fields: Vec<String> = line.split(',').map(str::to_owned).collect();
        found.push((index + 1, fields));
    }
    Ok(found)
}

fn component(line: usize, fields: &[String]) -> Result<Component> {
    let wrong = |why| Error::Sbat { line, why };
    let [name, generation, details @ ..] = fields else {
        return Err(wrong(
            "it needs a name and a generation, separated by a comma",
        ));
    };
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(wrong("the name must be printable ASCII without spaces"));
    }
    let digits = !generation.is_empty() && generation.bytes().all(|b| b.is_ascii_digit());
    let generation = generation.parse().ok().filter(|n| digits && *n > 0);
    Ok(Component {
        name: name.clone(),
        generation: generation.ok_or_else(|| wrong("the generation must be a positive number"))?,
        details: details.to_vec(),
    })
}

impl Sbat {
    /// Reads the data of an `.sbat` section. Every line must have six fields, the first must be `sbat,1`.
    pub fn parse(data: &[u8]) -> Result<Sbat> {
        let mut components = Vec::new();
        for (line, fields) in lines(data)? {
            let found = component(line, &fields)?;
            if components.is_empty() && found.name != "sbat" {
                return Err(Error::Sbat {
                    line,
                    why: "the first line must be the component `sbat`",
                });
            }
            if fields.len() != 6 {
                return Err(Error::Sbat {
                    line,
                    why: "a component of a file has six fields: name, generation, vendor, package, version, URL",
                });
            }
            components.push(found);
        }
        if components.is_empty() {
            return Err(Error::Sbat {
                line: 1,
                why: "there is no component",
            });
        }
        Ok(Sbat { components })
    }

    /// All components of `self`, then those of `other`; one that both have is kept once, with the higher generation.
    /// (A lower generation is never dropped in favour of a fix that the other part lacks: see [`SbatLevel::check`], which
    /// takes each line on its own; so equal names with different details are both kept.)
    #[must_use]
    pub fn merge(&self, other: &Sbat) -> Sbat {
        let mut merged = self.clone();
        for component in &other.components {
            let header = component.name == "sbat";
            if header || merged.components.contains(component) {
                continue;
            }
            merged.components.push(component.clone());
        }
        merged
    }
}

impl fmt::Display for Sbat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.components.iter().try_for_each(|c| writeln!(f, "{c}"))
    }
}

impl SbatLevel {
    /// Reads the content of `SbatLevel`, or one of shim's built-in levels: `sbat,1,DATE` then `name,generation`.
    pub fn parse(data: &[u8]) -> Result<SbatLevel> {
        let mut level = SbatLevel::default();
        for (line, fields) in lines(data)? {
            let mut found = component(line, &fields)?;
            if level.minimum.is_empty() {
                if found.name != "sbat" {
                    return Err(Error::Sbat {
                        line,
                        why: "the first line must be the component `sbat`",
                    });
                }
                level.datestamp = found.details.first().cloned().unwrap_or_default();
            }
            found.details.clear();
            level.minimum.push(found);
        }
        if level.minimum.is_empty() {
            return Err(Error::Sbat {
                line: 1,
                why: "there is no component",
            });
        }
        Ok(level)
    }

    /// Every component of `sbat` that is older than this level demands.
    pub fn check(&self, sbat: &Sbat) -> Vec<Revoked> {
        let mut revoked = Vec::new();
        for component in &sbat.components {
            for minimum in self.minimum.iter().filter(|m| m.name == component.name) {
                if component.generation < minimum.generation {
                    revoked.push(Revoked {
                        name: component.name.clone(),
                        found: component.generation,
                        minimum: minimum.generation,
                    });
                }
            }
        }
        revoked
    }
}

impl fmt::Display for SbatLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for component in &self.minimum {
            match (component.name.as_str(), self.datestamp.as_str()) {
                ("sbat", date) if !date.is_empty() => writeln!(f, "{component},{date}")?,
                _ => writeln!(f, "{component}")?,
            }
        }
        Ok(())
    }
}
