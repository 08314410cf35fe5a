//! Is this commit contained in that one? Answered from a trunk: one branch's chain of first parents.
//!
//! For every commit two numbers are kept: the first position of the trunk that contains it (*entry*), and the last
//! position of the trunk that it contains (*anchor*). A commit whose entry is at or below another's anchor is
//! contained in it; one whose entry is above the other's entry is not. Only between the two is the graph walked, and
//! the walk never leaves the stretch that the other commit's own branch has grown since it left the trunk.
//!
//! Invariant: answers equal reachability in the graph; the two numbers only shorten the walk.

use crate::graph::{CommitNumber, Graph};

/// No position.
const NOWHERE: u32 = u32::MAX;

/// Entry and anchor of every commit for one trunk.
#[derive(Debug)]
pub struct Ancestry {
    trunk: Vec<CommitNumber>,
    entry: Vec<u32>,
    anchor: Vec<u32>,
}

impl Ancestry {
    /// Indexes `graph` by the chain of first parents of `head`. Linear in the graph.
    pub fn new(graph: &Graph, head: CommitNumber) -> Ancestry {
        let mut index = Ancestry {
            trunk: Vec::new(),
            entry: Vec::new(),
            anchor: Vec::new(),
        };
        index.advance(graph, head);
        index
    }

    /// Takes in commits added since, and follows the trunk to its new head. Linear in what is new when the trunk went
    /// forward; a trunk that was rewritten is indexed anew. Says how many commits were looked at.
    pub fn advance(&mut self, graph: &Graph, head: CommitNumber) -> usize {
        let mut fresh = Vec::new();
        let known = self.trunk.last().copied();
        let mut next = Some(head);
        while let Some(commit) = next.filter(|commit| Some(*commit) != known) {
            fresh.push(commit);
            next = graph.parents(commit).first().copied();
        }
        let forward = next.is_some();
        if !forward {
            self.trunk.clear();
            self.entry.clear();
            self.anchor.clear();
        }
        let first_new = self.entry.len();
        let known_before = fresh.iter().filter(|commit| commit.index() < first_new);
        let adopted = known_before.min().copied();
        self.entry.resize(graph.len(), NOWHERE);
        let mut looked_at = fresh.len() + graph.len() - first_new;
        let mut open = Vec::new();
        for commit in fresh.into_iter().rev() {
            let position = self.trunk.len() as u32;
            self.trunk.push(commit);
            open.push(commit);
            while let Some(next) = open.pop() {
                looked_at += 1;
                match self.entry.get_mut(next.index()) {
                    Some(entry) if *entry == NOWHERE => *entry = position,
                    _ => continue,
                }
                open.extend_from_slice(graph.parents(next));
            }
        }
        // Commits known before may have become part of the trunk now: their anchor is their own position, and those that stand
        // on them follow.
        if let Some(oldest) = adopted {
            looked_at += first_new - oldest.index();
            self.refresh_anchors(graph, oldest, first_new);
        }
        for commit in graph.commits().skip(first_new) {
            let anchor = self.anchor_of(graph, commit);
            self.anchor.push(anchor);
        }
        looked_at
    }

    /// Recomputes the anchors of commits from `oldest` to before `first_new`, and thereby of what stands on them.
    fn refresh_anchors(&mut self, graph: &Graph, oldest: CommitNumber, first_new: usize) {
        let from = oldest.index();
        for commit in graph.commits().skip(from).take(first_new - from) {
            let anchor = self.anchor_of(graph, commit);
            if let Some(slot) = self.anchor.get_mut(commit.index()) {
                *slot = anchor;
            }
        }
    }

    /// The anchor of a commit whose entry and whose parents' anchors are known.
    fn anchor_of(&self, graph: &Graph, commit: CommitNumber) -> u32 {
        let entry = self.entry(commit);
        // A commit is on the trunk exactly if the trunk enters it at its own position.
        if self.trunk.get(entry as usize) == Some(&commit) {
            return entry;
        }
        let parents = graph.parents(commit).iter();
        let anchors = parents.map(|parent| self.anchor(*parent));
        anchors.filter(|a| *a != NOWHERE).max().unwrap_or(NOWHERE)
    }

    /// The head of the trunk.
    pub fn head(&self) -> Option<CommitNumber> {
        self.trunk.last().copied()
    }

    /// The commit of the trunk that first contained this one, if any does.
    pub fn landed(&self, commit: CommitNumber) -> Option<CommitNumber> {
        self.trunk.get(self.entry(commit) as usize).copied()
    }

    pub(crate) fn entry(&self, commit: CommitNumber) -> u32 {
        self.entry.get(commit.index()).copied().unwrap_or(NOWHERE)
    }

    pub(crate) fn anchor(&self, commit: CommitNumber) -> u32 {
        self.anchor.get(commit.index()).copied().unwrap_or(NOWHERE)
    }

    /// Whether the two numbers alone decide if `head` contains `commit`.
    pub(crate) fn decide(&self, commit: CommitNumber, head: CommitNumber) -> Option<bool> {
        if commit == head {
            return Some(true);
        }
        if commit > head {
            return Some(false);
        }
        let (entry, head_entry, anchor) = (self.entry(commit), self.entry(head), self.anchor(head));
        if entry != NOWHERE && anchor != NOWHERE && entry <= anchor {
            return Some(true);
        }
        // What the head contains, every trunk commit that contains the head contains too.
        if head_entry != NOWHERE && (entry == NOWHERE || entry > head_entry) {
            return Some(false);
        }
        None
    }

    /// Whether `head` contains `commit`; a commit contains itself.
    pub fn contains(&self, graph: &Graph, head: CommitNumber, commit: CommitNumber) -> bool {
        if let Some(answer) = self.decide(commit, head) {
            return answer;
        }
        let mut seen = std::collections::HashSet::new();
        let mut open = vec![head];
        while let Some(next) = open.pop() {
            for parent in graph.parents(next) {
                match self.decide(commit, *parent) {
                    Some(true) => return true,
                    Some(false) => {}
                    None => {
                        if seen.insert(*parent) {
                            open.push(*parent);
                        }
                    }
                }
            }
        }
        false
    }
}
