//! The nodes of the graph of trust, and what was wrong on the way to it.

use nix_derivation::{Graph, Outline, Output};
use nix_store_path::{ContentAddress, StoreDir, StorePath};
use std::fmt;

/// What names a node.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A derivation or an imported source.
    Object(StorePath),
    /// A path of the machine that builds.
    Host(String),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Object(path) => path.fmt(f),
            Key::Host(path) => write!(f, "host:{path}"),
        }
    }
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Made from its inputs: no root.
    Made,
    /// A fixed output: its content is pinned, by this hash where it is known.
    Fixed {
        /// The content.
        address: Option<ContentAddress>,
        /// Is it fetched by code inside Nix (`builtin:`)?
        builtin: bool,
    },
    /// Built with the network at hand and never pinned.
    Impure,
    /// An imported source.
    Imported,
    /// A path of the machine that builds: `/bin/sh`, `__impureHostDeps`, a builder that no derivation makes.
    Host,
}

/// A node: a derivation, a source, or a path of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name, for people.
    pub name: String,
    /// What it is.
    pub origin: Origin,
    /// Where it will lie in the store, if that is known: of the first output.
    pub output: Option<StorePath>,
    /// Where its content comes from.
    pub url: Option<String>,
}

impl Item {
    /// Is it where making ends?
    pub fn is_root(&self) -> bool {
        self.origin != Origin::Made
    }
}

/// Everything that trust flows through.
pub type Trust = Graph<Item, Key>;

/// Something that could not be read or understood; the rest was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which file, derivation or member.
    pub place: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// What one derivation adds to the graph: its item, its edges, and the items of its sources and host paths.
#[derive(Debug)]
pub(crate) struct Contribution {
    pub(crate) key: Key,
    pub(crate) item: Item,
    pub(crate) edges: Vec<Key>,
    pub(crate) leaves: Vec<(Key, Item)>,
}

/// Longest address that is kept; more is cut.
const MAX_URL: usize = 2048;

impl Contribution {
    /// Reads off a derivation what it trusts.
    pub(crate) fn of(path: &StorePath, mut derivation: Outline, store: &StoreDir) -> Contribution {
        let builtin = derivation.builder.starts_with(b"builtin:");
        let fixed = derivation.fixed_output().map(|(_, address)| *address);
        let impure = derivation
            .outputs
            .values()
            .any(|output| matches!(output, Output::Impure { .. }));
        let origin = match fixed {
            Some(address) => Origin::Fixed {
                address: Some(address),
                builtin,
            },
            None if impure => Origin::Impure,
            None => Origin::Made,
        };
        let url = ["url", "urls", "src"]
            .iter()
            .find_map(|name| derivation.variable(name));
        let url = url
            .and_then(|text| text.split_ascii_whitespace().next())
            .filter(|url| url.contains(':'));
        let item = Item {
            name: derivation.name.to_string(),
            origin,
            output: derivation.outputs.values().find_map(Output::path).cloned(),
            url: url.map(|url| url[..url.floor_char_boundary(MAX_URL)].to_owned()),
        };
        let mut contribution = Contribution {
            key: Key::Object(path.clone()),
            item,
            edges: Vec::new(),
            leaves: Vec::new(),
        };
        // What is pinned by hash cannot be changed by what fetches it.
        if fixed.is_some() {
            return contribution;
        }
        let inputs = std::mem::take(&mut derivation.derivations);
        let alone = inputs.is_empty();
        contribution.edges = inputs.into_iter().map(Key::Object).collect();
        for source in &derivation.sources {
            contribution.leaf(
                Key::Object(source.clone()),
                source.name().as_str(),
                Origin::Imported,
            );
        }
        contribution.builder(&derivation, store, builtin, alone);
        for path in derivation
            .variable("__impureHostDeps")
            .unwrap_or_default()
            .split_ascii_whitespace()
        {
            contribution.host(path);
        }
        contribution
    }

    /// `alone` says that the derivation has no other one as input.
    fn builder(&mut self, derivation: &Outline, store: &StoreDir, builtin: bool, alone: bool) {
        let Ok(builder) = std::str::from_utf8(&derivation.builder) else {
            return;
        };
        match store.parse_within(builder) {
            // Inside the store: an input made it, or it was imported; or nobody says where it is from.
            Ok((object, _)) => {
                let imported = derivation.sources.contains(&object);
                if !imported && alone {
                    self.leaf(
                        Key::Object(object.clone()),
                        object.name().as_str(),
                        Origin::Imported,
                    );
                }
            }
            Err(_) if builtin => {}
            Err(_) if builder.starts_with('/') && !builder.starts_with("/0") => self.host(builder),
            Err(_) => {}
        }
    }

    fn host(&mut self, path: &str) {
        let path = &path[..path.floor_char_boundary(MAX_URL)];
        self.leaf(Key::Host(path.to_owned()), path, Origin::Host);
    }

    fn leaf(&mut self, key: Key, name: &str, origin: Origin) {
        let output = match &key {
            Key::Object(path) => Some(path.clone()),
            Key::Host(_) => None,
        };
        let item = Item {
            name: name.to_owned(),
            origin,
            output,
            url: None,
        };
        self.edges.push(key.clone());
        self.leaves.push((key, item));
    }
}
