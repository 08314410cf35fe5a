//! Any number of alternatives from a command that takes eight: a tree of PolicyOR.
//!
//! Invariants: no node has fewer than two or more than eight children; every leaf is at the same depth, the least that the
//! count of leaves needs; the same alternatives in the same order give the same root.

use crate::{Error, MAX_ALTERNATIVES, PolicyDigest, Result};

/// Most alternatives: four levels of eight.
pub const MAX_LEAVES: usize = 4096;

/// The tree: level by level, from the leaves to the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrTree {
    /// Each level's nodes in groups; a group is the argument of one PolicyOR, and makes one node of the next level.
    levels: Vec<Vec<Vec<PolicyDigest>>>,
    root: PolicyDigest,
}

impl OrTree {
    /// The tree over these; one alternative is its own root.
    pub fn new(leaves: &[PolicyDigest]) -> Result<OrTree> {
        if leaves.is_empty() || leaves.len() > MAX_LEAVES {
            return Err(Error::Invalid {
                what: format!("{} alternatives", leaves.len()),
                why: "a policy has one to 4096",
            });
        }
        let mut levels = Vec::new();
        let mut nodes = leaves.to_vec();
        while nodes.len() > 1 {
            let groups = groups(&nodes);
            nodes = groups
                .iter()
                .map(|group| PolicyDigest::or(group))
                .collect::<Result<_>>()?;
            levels.push(groups);
        }
        Ok(OrTree {
            levels,
            root: nodes[0],
        })
    }

    /// The digest after the last PolicyOR.
    pub fn root(&self) -> PolicyDigest {
        self.root
    }

    /// How many PolicyOR lead from a leaf to the root.
    pub fn depth(&self) -> usize {
        self.levels.len()
    }

    /// The arguments of each PolicyOR on the way from the leaf of this number to the root; none when there is no such leaf.
    pub fn path(&self, leaf: usize) -> Option<Vec<&[PolicyDigest]>> {
        let mut at = leaf;
        let mut path = Vec::new();
        for groups in &self.levels {
            let mut before = 0;
            let (number, group) = groups.iter().enumerate().find(|(_, group)| {
                let here = at < before + group.len();
                before += if here { 0 } else { group.len() };
                here
            })?;
            path.push(group.as_slice());
            at = number;
        }
        (at == 0).then_some(path)
    }
}

/// Splits nodes into as few groups of at most eight as there can be, of sizes that differ by one at most: with more than
/// eight nodes none has fewer than four.
fn groups(nodes: &[PolicyDigest]) -> Vec<Vec<PolicyDigest>> {
    let count = nodes.len().div_ceil(MAX_ALTERNATIVES);
    let (size, larger) = (nodes.len() / count, nodes.len() % count);
    let mut rest = nodes;
    (0..count)
        .map(|number| {
            let (group, after) = rest.split_at(size + usize::from(number < larger));
            rest = after;
            group.to_vec()
        })
        .collect()
}
