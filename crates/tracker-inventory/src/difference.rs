//! What changed between two releases.
//!
//! Invariant: a package is in at most one of the three lists; the lists are in attribute order.

use crate::package::Package;
use std::collections::BTreeMap;

/// A package whose version is another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The attribute.
    pub attribute: String,
    /// Version before.
    pub from: Option<String>,
    /// Version after.
    pub to: Option<String>,
}

/// The difference of two releases, by attribute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Only in the later one.
    pub added: Vec<String>,
    /// Only in the earlier one.
    pub removed: Vec<String>,
    /// In both, with another version.
    pub moved: Vec<Move>,
}

/// Compares two releases.
pub fn difference<'a>(
    before: impl IntoIterator<Item = &'a Package>,
    after: impl IntoIterator<Item = &'a Package>,
) -> Difference {
    let versions = |package: &'a Package| (package.attribute.as_str(), &package.version);
    let before: BTreeMap<_, _> = before.into_iter().map(versions).collect();
    let after: BTreeMap<_, _> = after.into_iter().map(versions).collect();
    let mut difference = Difference::default();
    for (&attribute, &from) in &before {
        match after.get(attribute) {
            None => difference.removed.push(attribute.to_owned()),
            Some(&to) if to != from => difference.moved.push(Move {
                attribute: attribute.to_owned(),
                from: from.clone(),
                to: to.clone(),
            }),
            Some(_) => {}
        }
    }
    difference.added = after
        .keys()
        .filter(|attribute| !before.contains_key(*attribute))
        .map(|&attribute| attribute.to_owned())
        .collect();
    difference
}
