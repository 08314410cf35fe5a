//! Debian's package indexes, `Packages` and `Sources`: paragraphs of fields (`deb822(5)`).
//!
//! Vulnerabilities concern sources, so a binary package counts as its source. Invariant: each source once, in its
//! highest version; a paragraph without name or version is refused by its line.

use crate::error::InventoryError;
use crate::inventory::{Header, Inventory, MAX_PACKAGES, Sink};
use crate::package::Package;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

/// Longest line that is read, in bytes; the longest real one names every package of a source.
pub const MAX_LINE: u64 = 1 << 20;

/// Longest text of a field that is kept, in characters.
const MAX_TEXT: usize = 1000;

/// Whose versions the packages have.
const DEBIAN: &str = "Debian";

/// Reader of an apt index.
#[derive(Debug, Clone, Copy, Default)]
pub struct Debian;

/// The fields of a paragraph that are used.
#[derive(Debug, Default)]
struct Paragraph {
    /// Its first line, from 1; 0 before it begins.
    line: usize,
    package: Option<String>,
    source: Option<String>,
    version: Option<String>,
    description: Option<String>,
    homepage: Option<String>,
}

impl Inventory for Debian {
    fn read(
        &self,
        input: &mut dyn Read,
        each: &mut dyn FnMut(Package),
    ) -> Result<Header, InventoryError> {
        let mut input = BufReader::new(input);
        let mut sources: BTreeMap<String, Package> = BTreeMap::new();
        let mut refused = Vec::new();
        let mut paragraph = Paragraph::default();
        let (mut number, mut any) = (0, false);
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let read = (&mut input).take(MAX_LINE).read_until(b'\n', &mut bytes);
            let read = read.map_err(InventoryError::from_read)?;
            if read as u64 == MAX_LINE && !bytes.ends_with(b"\n") {
                return Err(limit("bytes in a line", MAX_LINE));
            }
            number += 1;
            let text = String::from_utf8_lossy(&bytes);
            let line = text.trim_end_matches(['\n', '\r']);
            if read > 0 && !line.trim().is_empty() {
                any |= paragraph.take(number, line);
                continue;
            }
            if paragraph.line > 0 {
                let line = paragraph.line;
                match std::mem::take(&mut paragraph).package() {
                    Some(package) => keep_highest(&mut sources, package),
                    None => refused.push(line),
                }
                if sources.len() > MAX_PACKAGES || refused.len() > MAX_PACKAGES {
                    return Err(limit("packages", MAX_PACKAGES as u64));
                }
            }
            if read == 0 {
                break;
            }
        }
        if !any {
            return Err(InventoryError::Kind {
                expected: "an index of Debian packages",
                found: "no paragraph with a `Package` field".to_owned(),
            });
        }
        let mut sink = Sink::new(each);
        for line in refused {
            let _ = sink.put(
                &format!("line {line}"),
                Err("it has no `Package` or no `Version`"),
            );
        }
        for (name, package) in sources {
            let _ = sink.put(&name, Ok(package));
        }
        Ok(sink.header)
    }
}

impl Paragraph {
    /// Takes a line; whether it names a package.
    fn take(&mut self, number: usize, line: &str) -> bool {
        if self.line == 0 {
            self.line = number;
        }
        // A line that begins with a blank continues a field; of those that are used only the first line is.
        let Some((name, value)) = line
            .split_once(':')
            .filter(|_| !line.starts_with([' ', '\t']))
        else {
            return false;
        };
        let field = match name.to_ascii_lowercase().as_str() {
            "package" => &mut self.package,
            "source" => &mut self.source,
            "version" => &mut self.version,
            "description" => &mut self.description,
            "homepage" => &mut self.homepage,
            _ => return false,
        };
        let value: String = value.trim().chars().take(MAX_TEXT).collect();
        *field = (!value.is_empty()).then_some(value);
        name.eq_ignore_ascii_case("package") && field.is_some()
    }

    /// The source; `Source: NAME (VERSION)` names it where name or version differ from the binary's.
    fn package(self) -> Option<Package> {
        let (binary, version) = (self.package?, self.version?);
        let (name, version) = match self.source {
            None => (binary, version),
            Some(source) => match source.split_once(" (") {
                Some((name, of)) => (name.to_owned(), of.trim_end_matches(')').to_owned()),
                None => (source, version),
            },
        };
        Some(Package {
            attribute: name.clone(),
            pname: name,
            version: Some(version),
            description: self.description,
            homepages: self.homepage.into_iter().collect(),
            ecosystem: Some(DEBIAN.to_owned()),
            ..Package::default()
        })
    }
}

fn keep_highest(sources: &mut BTreeMap<String, Package>, package: Package) {
    let version = |package: &Package| package.version.clone().unwrap_or_default();
    match sources.get_mut(&package.attribute) {
        Some(held) => {
            let order = nix_version::debian::compare(&version(&package), &version(held));
            if order.is_gt() {
                *held = package;
            }
        }
        None => {
            sources.insert(package.attribute.clone(), package);
        }
    }
}

fn limit(what: &'static str, limit: u64) -> InventoryError {
    InventoryError::Limit { what, limit }
}
