//! The way a change took to the trunk: which merges carried it on, and when.
//!
//! A merge carries a commit on when its first parent does not contain the commit and another parent does. From the trunk's
//! merge the way goes back into the branch that was merged, to the merge that brought the commit into that branch, and so on.
//! Invariant: each hop contains the commit and its first parent does not.

use crate::ancestry::Ancestry;
use crate::graph::{CommitNumber, Graph};

/// A branch of this length is walked back at most; longer ones end the way with what is known.
pub const MAX_CHAIN: usize = 200_000;

/// A merge that carried the commit on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    /// The merge.
    pub merge: CommitNumber,
    /// When it was made, in seconds since 1970.
    pub time: i64,
}

/// The merges that brought `commit` to the trunk, first to last. Empty if it was made on the trunk, or is not there.
pub fn to_trunk(graph: &Graph, ancestry: &Ancestry, commit: CommitNumber) -> Vec<Hop> {
    let arrival = ancestry.landed(commit).filter(|landed| *landed != commit);
    way(graph, ancestry, arrival, commit)
}

/// The merges that brought `commit` to the branch that ends at `tip`, first to last; empty if it was made on that branch.
/// `None` if the branch does not contain it. What the branch has from the trunk took the trunk's way.
pub fn to_branch(
    graph: &Graph,
    ancestry: &Ancestry,
    tip: CommitNumber,
    commit: CommitNumber,
) -> Option<Vec<Hop>> {
    if !ancestry.contains(graph, tip, commit) {
        return None;
    }
    let (entry, anchor) = (ancestry.entry(commit), ancestry.anchor(tip));
    if entry <= anchor && anchor != u32::MAX {
        return Some(to_trunk(graph, ancestry, commit));
    }
    let arrival = entered(graph, ancestry, tip, commit);
    Some(way(graph, ancestry, arrival, commit))
}

/// The way back from the merge at which the commit arrived.
fn way(
    graph: &Graph,
    ancestry: &Ancestry,
    mut arrival: Option<CommitNumber>,
    commit: CommitNumber,
) -> Vec<Hop> {
    let mut hops = Vec::new();
    while let Some(merge) = arrival {
        hops.push(Hop {
            merge,
            time: graph.time(merge),
        });
        // The branch that was merged: the first of the other parents that has the commit.
        let mut others = graph.parents(merge).iter().skip(1);
        let branch = others.find(|parent| ancestry.contains(graph, **parent, commit));
        arrival = branch.and_then(|tip| entered(graph, ancestry, *tip, commit));
    }
    hops.reverse();
    hops
}

/// The commit of `tip`'s chain of first parents at which `commit` came in; `None` if it was made on that chain.
fn entered(
    graph: &Graph,
    ancestry: &Ancestry,
    tip: CommitNumber,
    commit: CommitNumber,
) -> Option<CommitNumber> {
    // Numbers fall along the chain, so it cannot contain the commit beyond the commit's own number.
    let mut chain = vec![tip];
    while let Some(parent) = chain.last().and_then(|last| graph.parents(*last).first()) {
        if *parent < commit || chain.len() >= MAX_CHAIN {
            break;
        }
        chain.push(*parent);
    }
    // Along the chain the answer changes once: newer ones contain the commit, older ones do not.
    let containing = chain.partition_point(|step| ancestry.contains(graph, *step, commit));
    let oldest = chain.get(containing.checked_sub(1)?).copied()?;
    (oldest != commit).then_some(oldest)
}
