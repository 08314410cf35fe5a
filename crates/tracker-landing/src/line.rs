//! A line: heads that follow one another, each containing the one before; which is the first to contain a commit?
//!
//! What the trunk explains is not stored: a head contains everything that the trunk position it stands on contains.
//! Only commits beyond that (a release branch's own) are listed, with the first head that has them.
//!
//! Invariant: heads are added in order, and each contains its predecessor.

use crate::ancestry::Ancestry;
use crate::graph::{CommitNumber, Graph};
use std::collections::HashMap;

/// The heads of a branch or channel between two rollbacks.
#[derive(Debug, Default)]
pub struct Line {
    heads: Vec<CommitNumber>,
    /// How many trunk positions each head contains; never falls.
    floors: Vec<u32>,
    own: HashMap<CommitNumber, u32>,
}

impl Line {
    /// An empty line.
    pub fn new() -> Line {
        Line::default()
    }

    /// The heads so far.
    pub fn heads(&self) -> &[CommitNumber] {
        &self.heads
    }

    /// Adds the next head. It must contain the last one; [`crate::history`] starts a new line where it does not.
    pub fn push(&mut self, graph: &Graph, ancestry: &Ancestry, head: CommitNumber) {
        let position = self.heads.len() as u32;
        let before = self.floors.last().copied().unwrap_or(0);
        let floor = before.max(ancestry.anchor(head).wrapping_add(1));
        self.heads.push(head);
        self.floors.push(floor);
        let mut open = vec![head];
        while let Some(next) = open.pop() {
            // `entry < floor` is: the trunk position this head stands on contains it.
            if ancestry.entry(next) < floor || self.own.contains_key(&next) {
                continue;
            }
            self.own.insert(next, position);
            open.extend_from_slice(graph.parents(next));
        }
    }

    /// The place of the first head that contains the commit.
    pub fn first(&self, ancestry: &Ancestry, commit: CommitNumber) -> Option<usize> {
        let by_trunk = self
            .floors
            .partition_point(|floor| *floor <= ancestry.entry(commit));
        let by_trunk = (by_trunk < self.heads.len()).then_some(by_trunk);
        let own = self.own.get(&commit).map(|place| *place as usize);
        match (by_trunk, own) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Commits that are listed because the trunk does not explain them.
    pub fn own_commits(&self) -> usize {
        self.own.len()
    }
}
