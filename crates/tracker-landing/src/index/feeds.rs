//! When one branch was merged into another, along the chain of first parents of the one that took it.
//!
//! Walked when it is first asked for; a branch that went forward is walked as far as it was walked before. A merge takes all that
//! was in the other branch then: where nothing was added to it between the commit that was merged and the merge, whatever else
//! had come until then would have been taken too.
//! Invariant: what is told is what a walk of the whole chain would tell, to [`MAX_FEED_WALK`] commits.

use super::{LandingIndex, MAX_FEED_WALK, first_parents};
use crate::eta::Move;
use crate::graph::{CommitNumber, Graph};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The merges known so far, by (from, into).
#[derive(Debug, Default)]
pub(super) struct Feeds(Mutex<HashMap<(String, String), Fed>>);

#[derive(Debug)]
struct Fed {
    /// Where the branch that took the merges was, and the one that was merged.
    heads: (CommitNumber, Option<CommitNumber>),
    /// Each merge and the commit that it took, oldest first.
    merges: Vec<(CommitNumber, CommitNumber)>,
    moves: Vec<Move>,
}

impl LandingIndex {
    /// When `from` was merged into `into`, oldest first.
    pub fn feed(&self, from: &str, into: &str) -> Vec<Move> {
        let Some(head) = self.branches.get(into).copied() else {
            return Vec::new();
        };
        let heads = (head, self.branches.get(from).copied());
        // A question that panicked has kept nothing.
        let mut known = self.feeds.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fed = known
            .entry((from.to_owned(), into.to_owned()))
            .or_insert(Fed {
                heads,
                merges: Vec::new(),
                moves: Vec::new(),
            });
        if fed.heads != heads || fed.merges.is_empty() {
            // A release branch begins at the trunk; what lies before was fed to the trunk.
            let is_release = self.trunk.as_deref() != Some(into) && into.starts_with("release-");
            let ancestry = self.ancestry.as_ref().filter(|_| is_release);
            let on_trunk =
                |commit| ancestry.is_some_and(|known| known.landed(commit) == Some(commit));
            fed.walk(&self.graph, from, head, on_trunk);
            fed.heads = heads;
            fed.moves = moves(&self.graph, &fed.merges, heads.1);
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
        let before = self.heads.0;
        let mut fresh = Vec::new();
        let mut next = Some(head);
        for _ in 0..MAX_FEED_WALK {
            let Some(step) = next.filter(|step| !ends(*step)) else {
                break;
            };
            if step == before && !self.merges.is_empty() {
                break;
            }
            let merged = graph.mentions(step).and_then(|m| m.merge.as_ref());
            if merged.is_some_and(|merged| merged.from == from)
                && let Some(tip) = graph.parents(step).get(1)
            {
                fresh.push((step, *tip));
            }
            next = graph.parents(step).first().copied();
        }
        if next != Some(before) {
            self.merges.clear();
        }
        self.merges.extend(fresh.into_iter().rev());
    }
}

/// The merges as moves; `head` is where the branch that was merged is now.
fn moves(
    graph: &Graph,
    merges: &[(CommitNumber, CommitNumber)],
    head: Option<CommitNumber>,
) -> Vec<Move> {
    let chain = head.into_iter().flat_map(|head| first_parents(graph, head));
    // When each commit of the branch got its successor.
    let mut succeeded: HashMap<CommitNumber, Option<i64>> = HashMap::new();
    let mut successor = None;
    for commit in chain.take(MAX_FEED_WALK) {
        succeeded.insert(commit, successor);
        successor = Some(graph.time(commit));
    }
    let step = |(merge, tip): &(CommitNumber, CommitNumber)| {
        let (at, made) = (graph.time(*merge), graph.time(*tip));
        let idle = succeeded
            .get(tip)
            .is_some_and(|next| next.is_none_or(|next| next > at));
        Move {
            at,
            contains_until: if idle { at.max(made) } else { made },
        }
    };
    merges.iter().map(step).collect()
}
