//! When one branch was merged into another, along the chain of first parents of the one that took it.
//!
//! Walked when it is first asked for; a branch that went forward is walked as far as it was walked before.
//! Invariant: what is told is what a walk of the whole chain would tell, to [`MAX_FEED_WALK`] commits.

use super::{LandingIndex, MAX_FEED_WALK};
use crate::eta::Move;
use crate::graph::{CommitNumber, Graph};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The merges known so far, by (from, into).
#[derive(Debug, Default)]
pub(super) struct Feeds(Mutex<HashMap<(String, String), Fed>>);

#[derive(Debug)]
struct Fed {
    /// Where the branch was.
    head: CommitNumber,
    /// Oldest first.
    moves: Vec<Move>,
}

impl LandingIndex {
    /// When `from` was merged into `into`, oldest first.
    pub fn feed(&self, from: &str, into: &str) -> Vec<Move> {
        let Some(head) = self.branches.get(into).copied() else {
            return Vec::new();
        };
        // A question that panicked has kept nothing.
        let mut known = self.feeds.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fed = known
            .entry((from.to_owned(), into.to_owned()))
            .or_insert(Fed {
                head,
                moves: Vec::new(),
            });
        if fed.head != head || fed.moves.is_empty() {
            // A release branch begins at the trunk; what lies before was fed to the trunk.
            let is_release = self.trunk.as_deref() != Some(into) && into.starts_with("release-");
            let ancestry = self.ancestry.as_ref().filter(|_| is_release);
            let on_trunk =
                |commit| ancestry.is_some_and(|known| known.landed(commit) == Some(commit));
            fed.walk(&self.graph, from, head, on_trunk);
        }
        fed.moves.clone()
    }
}

impl Fed {
    /// Walks back from `head` to where the branch was, or to its beginning if it was rewritten.
    fn walk(
        &mut self,
        graph: &Graph,
        from: &str,
        head: CommitNumber,
        ends: impl Fn(CommitNumber) -> bool,
    ) {
        let mut fresh = Vec::new();
        let mut next = Some(head);
        for _ in 0..MAX_FEED_WALK {
            let Some(step) = next.filter(|step| !ends(*step)) else {
                break;
            };
            if step == self.head && step != head {
                break;
            }
            let merged = graph.mentions(step).and_then(|m| m.merge.as_ref());
            if merged.is_some_and(|merged| merged.from == from)
                && let Some(tip) = graph.parents(step).get(1)
            {
                fresh.push(Move {
                    at: graph.time(step),
                    contains_until: graph.time(*tip),
                });
            }
            next = graph.parents(step).first().copied();
        }
        if next != Some(self.head) {
            self.moves.clear();
        }
        self.moves.extend(fresh.into_iter().rev());
        self.head = head;
    }
}
