//! Declared provenance (`meta.sourceProvenance` of Nixpkgs) against what was found.
//!
//! The declarations are read from a channel's `packages.json`: `packages.ATTR.{name, meta.sourceProvenance}`,
//! each a list of `{shortName, isSource}`. No declaration means "from source", as in Nixpkgs.

use crate::{Audit, Root, Verdict};
use nix_derivation::Node;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;

/// What packages say of themselves, by name (`hello-2.12`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declarations {
    /// The kinds of provenance that are no source, by package name; empty for "from source".
    by_name: BTreeMap<String, Vec<String>>,
}

/// A package whose declaration does not fit what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disagreement {
    /// It says "from source", but takes a seed directly.
    Undeclared {
        /// The package.
        node: Node,
        /// The seed it takes.
        seed: Node,
    },
    /// It says that it takes binaries, but no direct input was found to be one.
    Overdeclared {
        /// The package.
        node: Node,
        /// What it says.
        declared: Vec<String>,
    },
}

#[derive(Debug, Deserialize)]
struct Document {
    packages: BTreeMap<String, Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: Option<String>,
    #[serde(default)]
    meta: Meta,
}

#[derive(Debug, Default, Deserialize)]
struct Meta {
    #[serde(default, rename = "sourceProvenance")]
    provenance: Vec<Provenance>,
}

#[derive(Debug, Deserialize)]
struct Provenance {
    #[serde(rename = "shortName")]
    short_name: Option<String>,
    #[serde(default, rename = "isSource")]
    is_source: bool,
}

impl Declarations {
    /// Reads a `packages.json`.
    ///
    /// # Errors
    /// What serde says, with line and column.
    pub fn read(stream: impl Read) -> Result<Declarations, serde_json::Error> {
        let document: Document = serde_json::from_reader(stream)?;
        let named = document.packages.into_values().filter_map(|package| {
            let binary = package
                .meta
                .provenance
                .into_iter()
                .filter(|one| !one.is_source);
            let binary = binary.map(|one| one.short_name.unwrap_or_else(|| "unnamed".to_owned()));
            Some((package.name?, binary.collect()))
        });
        Ok(Declarations {
            by_name: named.collect(),
        })
    }

    /// Compares with an audit: of packages with a declaration, each that does not fit. A made node is compared by
    /// its direct roots; where those were only named, a declaration of binaries is not called wrong.
    pub fn compare(&self, audit: &Audit) -> Vec<Disagreement> {
        let by_node: BTreeMap<Node, &Root> =
            audit.roots.iter().map(|root| (root.node, root)).collect();
        let mut found = Vec::new();
        for node in audit.graph.nodes() {
            let Some(declared) = self.by_name.get(audit.name(node)) else {
                continue;
            };
            let direct: Vec<&Root> = audit
                .graph
                .inputs(node)
                .iter()
                .filter_map(|input| by_node.get(input).copied())
                .collect();
            let seed = direct.iter().find(|root| root.verdict() == Verdict::Opaque);
            match seed {
                Some(seed) if declared.is_empty() => found.push(Disagreement::Undeclared {
                    node,
                    seed: seed.node,
                }),
                None if !declared.is_empty()
                    && direct
                        .iter()
                        .all(|root| root.verdict() != Verdict::Unverified) =>
                {
                    found.push(Disagreement::Overdeclared {
                        node,
                        declared: declared.clone(),
                    });
                }
                _ => {}
            }
        }
        found
    }
}
