//! What changed between two audits: roots that came, went, or stand for something else under the same name.

use crate::{Audit, Origin, Root, Verdict};
use std::collections::BTreeMap;

/// One root that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<'a> {
    /// Only in the new graph.
    Added(&'a Root),
    /// Only in the old graph.
    Removed(&'a Root),
    /// The same name, another content.
    Changed {
        /// In the old graph.
        old: &'a Root,
        /// In the new graph.
        new: &'a Root,
    },
}

/// The difference of two audits.
#[derive(Debug)]
pub struct Difference<'a> {
    /// Each root that differs, by name.
    pub changes: Vec<(String, Change<'a>)>,
    /// Roots that are the same in both.
    pub same: usize,
}

impl<'a> Difference<'a> {
    /// Compares the roots of two audits.
    pub fn new(old: &'a Audit, new: &'a Audit) -> Difference<'a> {
        let (old_by_name, new_by_name) = (by_name(old), by_name(new));
        let mut difference = Difference {
            changes: Vec::new(),
            same: 0,
        };
        for (name, olds) in &old_by_name {
            let news = new_by_name.get(name);
            for (identity, root) in olds {
                match news {
                    Some(news) if news.contains_key(identity) => difference.same += 1,
                    // One of each name: the same thing, changed. Otherwise they cannot be paired.
                    Some(news) if olds.len() == 1 && news.len() == 1 => {
                        let new = news.values().next().expect("there is one");
                        difference
                            .changes
                            .push(((*name).to_owned(), Change::Changed { old: root, new }));
                    }
                    _ => difference
                        .changes
                        .push(((*name).to_owned(), Change::Removed(root))),
                }
            }
        }
        for (name, news) in &new_by_name {
            let olds = old_by_name.get(name);
            for (identity, root) in news {
                let known = olds.is_some_and(|olds| {
                    olds.contains_key(identity) || olds.len() == 1 && news.len() == 1
                });
                if !known {
                    difference
                        .changes
                        .push(((*name).to_owned(), Change::Added(root)));
                }
            }
        }
        difference.changes.sort_by(|a, b| a.0.cmp(&b.0));
        difference
    }

    /// Seeds that the new graph has and the old one had not, or had with other content.
    pub fn new_seeds(&self) -> impl Iterator<Item = &(String, Change<'a>)> {
        self.changes.iter().filter(|(_, change)| match change {
            Change::Added(root) | Change::Changed { new: root, .. } => {
                root.verdict() == Verdict::Opaque
            }
            Change::Removed(_) => false,
        })
    }
}

/// Roots by name and by what pins them: the hash, else the output path, else the key.
fn by_name(audit: &Audit) -> BTreeMap<&str, BTreeMap<String, &Root>> {
    let mut all: BTreeMap<&str, BTreeMap<String, &Root>> = BTreeMap::new();
    for root in &audit.roots {
        let identity = identity(audit, root);
        all.entry(audit.name(root.node))
            .or_default()
            .insert(identity, root);
    }
    all
}

/// What makes a root this one: the same in two graphs when it is the same content.
pub(crate) fn identity(audit: &Audit, root: &Root) -> String {
    let item = audit.graph.data(root.node);
    match item.map(|item| (&item.origin, &item.output)) {
        Some((
            Origin::Fixed {
                address: Some(address),
                ..
            },
            _,
        )) => address.hash.sri(),
        Some((_, Some(output))) => output.to_string(),
        _ => audit.graph.path(root.node).to_string(),
    }
}
