//! Dominators: through which node every chain to any seed leads. On the graph from seeds up to what is made from
//! them, with one virtual entry before all seeds.
//!
//! The method is the iterative one of Cooper, Harvey and Kennedy ("A Simple, Fast Dominance Algorithm", 2001):
//! in an acyclic graph, taken in build order, one pass suffices. Invariant: the result equals, for every node,
//! the definition by removal (a property test checks it on random graphs).

use crate::Trust;
use nix_derivation::Node;

/// No node: not standing on any seed, or dominated by the entry alone.
pub const NONE: Node = Node::MAX;

/// For every node, the nearest one that all its chains to seeds lead through.
#[derive(Debug, Clone)]
pub struct Dominators {
    /// Of each node standing on seeds, its nearest dominator; [`NONE`] for the entry and for nodes on no seed.
    nearest: Vec<Node>,
    stands: Vec<bool>,
    /// How many nodes each one dominates, itself included.
    counts: Vec<u32>,
}

impl Dominators {
    /// Of a graph in build order (what is made after what it is made from), with these seeds.
    pub fn new(graph: &Trust, order: &[Node], seeds: &[bool]) -> Dominators {
        let count = graph.len();
        let mut nearest = vec![NONE; count];
        let mut depth = vec![0u32; count];
        let mut stands = vec![false; count];
        for &node in order {
            let at = node as usize;
            if seeds[at] {
                (stands[at], depth[at]) = (true, 1);
                continue;
            }
            let mut common: Option<Node> = None;
            for &input in graph
                .inputs(node)
                .iter()
                .filter(|input| stands[**input as usize])
            {
                common = Some(match common {
                    None => input,
                    Some(other) => meet(other, input, &nearest, &depth),
                });
            }
            if let Some(common) = common {
                stands[at] = true;
                nearest[at] = common;
                depth[at] = if common == NONE {
                    1
                } else {
                    depth[common as usize] + 1
                };
            }
        }
        let mut counts: Vec<u32> = stands.iter().map(|stands| u32::from(*stands)).collect();
        for &node in order.iter().rev() {
            let above = nearest[node as usize];
            if above != NONE {
                counts[above as usize] += counts[node as usize];
            }
        }
        Dominators {
            nearest,
            stands,
            counts,
        }
    }

    /// Does a chain lead from this node to a seed, or is it one?
    pub fn stands_on_seed(&self, node: Node) -> bool {
        self.stands[node as usize]
    }

    /// The nearest node that all chains lead through, if there is one besides the node itself.
    pub fn nearest(&self, node: Node) -> Option<Node> {
        Some(self.nearest[node as usize]).filter(|above| *above != NONE)
    }

    /// How many nodes replacing this one would free, itself included.
    pub fn freed_by(&self, node: Node) -> u32 {
        self.counts[node as usize]
    }

    /// All dominators of a node, nearest first.
    pub fn of(&self, node: Node) -> impl Iterator<Item = Node> + '_ {
        std::iter::successors(self.nearest(node), |above| self.nearest(*above))
    }
}

/// The nearest common dominator; [`NONE`] stands for the entry.
fn meet(mut a: Node, mut b: Node, nearest: &[Node], depth: &[u32]) -> Node {
    let deep = |node: Node| {
        if node == NONE {
            0
        } else {
            depth[node as usize]
        }
    };
    while a != b {
        if deep(a) >= deep(b) {
            a = nearest[a as usize];
        } else {
            b = nearest[b as usize];
        }
    }
    a
}
