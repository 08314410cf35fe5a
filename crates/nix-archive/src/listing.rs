//! What an archive holds, without its contents; in JSON as in a binary cache's `.ls` files and `nix nar ls`.

use crate::limits::MAX_LISTED;
use crate::{Error, Event, Reader};
use bstr::BString;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::Read;

/// A file, link or directory of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// A file.
    File {
        /// Is its executable bit set?
        executable: bool,
        /// Its size in bytes.
        size: u64,
        /// Where its bytes start in the archive.
        offset: u64,
    },
    /// A symbolic link and where it points.
    Link(BString),
    /// A directory by name.
    Directory(BTreeMap<BString, Listing>),
}

impl Listing {
    /// JSON of `nix nar ls --json --recursive` (2.8); names that are not UTF-8 are written with replacements.
    pub fn to_json(&self) -> Value {
        match self {
            Listing::File {
                executable,
                size,
                offset,
            } => {
                let mut value = json!({ "type": "regular", "size": size, "narOffset": offset });
                if *executable {
                    value["executable"] = true.into();
                }
                value
            }
            Listing::Link(target) => json!({ "type": "symlink", "target": target.to_string() }),
            Listing::Directory(entries) => {
                let entries = entries
                    .iter()
                    .map(|(name, node)| (name.to_string(), node.to_json()));
                json!({ "type": "directory", "entries": entries.collect::<Map<_, _>>() })
            }
        }
    }

    /// The node at a relative path, `""` being this one.
    pub fn find(&self, path: &str) -> Option<&Listing> {
        let parts = path.split('/').filter(|part| !part.is_empty());
        parts.into_iter().try_fold(self, |node, part| match node {
            Listing::Directory(entries) => entries.get(part.as_bytes()),
            _ => None,
        })
    }
}

/// Lists a whole archive; contents are skipped as they stream by.
///
/// # Errors
/// As for [`Reader::next_event`]; [`Error::TooLarge`] past [`MAX_LISTED`] entries.
pub fn list<R: Read>(reader: &mut Reader<R>) -> Result<Listing, Error> {
    let mut open: Vec<(BString, BTreeMap<BString, Listing>)> = Vec::new();
    let mut name = BString::default();
    let mut count = 0;
    while let Some(event) = reader.next_event()? {
        let node = match event {
            Event::Entry { name: next } => {
                count += 1;
                if count > MAX_LISTED {
                    let limit = MAX_LISTED as u64;
                    return Err(Error::TooLarge {
                        offset: reader.offset(),
                        what: "the number of entries",
                        length: limit + 1,
                        limit,
                    });
                }
                name = next;
                continue;
            }
            Event::Directory => {
                open.push((std::mem::take(&mut name), BTreeMap::new()));
                continue;
            }
            Event::File {
                executable,
                size,
                offset,
            } => Listing::File {
                executable,
                size,
                offset,
            },
            Event::Link { target } => Listing::Link(target),
            Event::Leave => {
                let (of_directory, entries) = open.pop().expect("events are well nested");
                name = of_directory;
                Listing::Directory(entries)
            }
        };
        match open.last_mut() {
            Some((_, entries)) => _ = entries.insert(std::mem::take(&mut name), node),
            None => {
                reader.next_event()?;
                return Ok(node);
            }
        }
    }
    Err(Error::Truncated {
        offset: reader.offset(),
    })
}
