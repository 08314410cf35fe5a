//! Minimum cuts: a smallest set of nodes whose replacement leaves no chain from a package to a seed.
//!
//! A vertex cut by maximum flow (Dinic's algorithm) on the package's part of the graph, each node split in two by
//! an edge of capacity 1; of all smallest cuts, the one nearest to the seeds is given, as it frees most others.
//! Invariant: the cut's size equals the flow, and a property test compares it with trying all sets.

use crate::Trust;
use nix_derivation::Node;
use std::collections::VecDeque;

const FOREVER: u32 = u32::MAX / 2;

/// A smallest set of nodes to replace so that `target` stands on no seed; the target itself counts only when it
/// is a seed. Nodes for which `fixed` is true cannot be replaced. `None` when that makes it impossible.
pub fn smallest(
    graph: &Trust,
    seeds: &[bool],
    target: Node,
    fixed: impl Fn(Node) -> bool,
) -> Option<Vec<Node>> {
    if seeds[target as usize] {
        return Some(vec![target]);
    }
    let below = graph.closure(&[target]);
    let above_seeds: Vec<Node> = graph
        .nodes()
        .filter(|node| seeds[*node as usize] && below[*node as usize])
        .collect();
    let above = graph.needing(&above_seeds);
    let members: Vec<Node> = graph
        .nodes()
        .filter(|node| below[*node as usize] && above[*node as usize])
        .collect();
    if above_seeds.is_empty() {
        return Some(Vec::new());
    }
    let mut number = vec![u32::MAX; graph.len()];
    for (index, node) in members.iter().enumerate() {
        number[*node as usize] = index as u32;
    }
    // Two ends of each node, then the entry; the target's first end is the exit.
    let entry = 2 * members.len();
    let mut flow = Flow::new(entry + 1);
    let ends = |node: Node| {
        (
            2 * number[node as usize] as usize,
            2 * number[node as usize] as usize + 1,
        )
    };
    for &node in &members {
        let (inside, outside) = ends(node);
        if node != target {
            flow.edge(inside, outside, if fixed(node) { FOREVER } else { 1 });
        }
        if seeds[node as usize] {
            flow.edge(entry, inside, FOREVER);
        } else {
            for &input in graph
                .inputs(node)
                .iter()
                .filter(|input| number[**input as usize] != u32::MAX)
            {
                flow.edge(ends(input).1, inside, FOREVER);
            }
        }
    }
    let total = flow.run(entry, ends(target).0);
    if total >= FOREVER {
        return None;
    }
    let reached = flow.reached(entry);
    let cut = members.iter().copied().filter(|node| {
        let (inside, outside) = ends(*node);
        *node != target && reached[inside] && !reached[outside]
    });
    Some(cut.collect())
}

/// How many nodes stand on no seed any more once these are replaced; themselves included.
pub fn freed(graph: &Trust, order: &[Node], seeds: &[bool], cut: &[Node]) -> u32 {
    let standing = |removed: &[Node]| {
        let mut stands = vec![false; graph.len()];
        for &node in order {
            let seed = seeds[node as usize]
                || graph
                    .inputs(node)
                    .iter()
                    .any(|input| stands[*input as usize]);
            stands[node as usize] = seed && !removed.contains(&node);
        }
        stands.into_iter().filter(|stands| *stands).count() as u32
    };
    standing(&[]) - standing(cut)
}

/// A flow network; edges come in pairs, forth and back.
struct Flow {
    first: Vec<u32>,
    next: Vec<u32>,
    to: Vec<u32>,
    left: Vec<u32>,
}

const END: u32 = u32::MAX;

impl Flow {
    fn new(count: usize) -> Flow {
        Flow {
            first: vec![END; count],
            next: Vec::new(),
            to: Vec::new(),
            left: Vec::new(),
        }
    }

    fn edge(&mut self, from: usize, to: usize, capacity: u32) {
        for (from, to, capacity) in [(from, to, capacity), (to, from, 0)] {
            self.next.push(self.first[from]);
            self.first[from] = self.to.len() as u32;
            self.to.push(to as u32);
            self.left.push(capacity);
        }
    }

    fn edges(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        let start = Some(self.first[node]).filter(|edge| *edge != END);
        std::iter::successors(start, |edge| {
            Some(self.next[*edge as usize]).filter(|edge| *edge != END)
        })
        .map(|edge| edge as usize)
    }

    /// The maximum flow, or [`FOREVER`] when nothing bounds it.
    fn run(&mut self, entry: usize, exit: usize) -> u32 {
        let mut total = 0;
        loop {
            let levels = self.levels(entry);
            if levels[exit] == u32::MAX {
                return total;
            }
            let mut current = self.first.clone();
            loop {
                let pushed = self.push(entry, exit, &levels, &mut current);
                if pushed == 0 {
                    break;
                }
                total += pushed;
                if total >= FOREVER {
                    return FOREVER;
                }
            }
        }
    }

    fn levels(&self, entry: usize) -> Vec<u32> {
        let mut levels = vec![u32::MAX; self.first.len()];
        levels[entry] = 0;
        let mut open = VecDeque::from([entry]);
        while let Some(node) = open.pop_front() {
            for edge in self.edges(node) {
                let to = self.to[edge] as usize;
                if self.left[edge] > 0 && levels[to] == u32::MAX {
                    levels[to] = levels[node] + 1;
                    open.push_back(to);
                }
            }
        }
        levels
    }

    /// One more path from entry to exit along rising levels; without recursion.
    fn push(&mut self, entry: usize, exit: usize, levels: &[u32], current: &mut [u32]) -> u32 {
        let mut path: Vec<usize> = Vec::new();
        let mut node = entry;
        loop {
            if node == exit {
                let least = path.iter().map(|edge| self.left[*edge]).min().unwrap_or(0);
                for &edge in &path {
                    self.left[edge] -= least;
                    self.left[edge ^ 1] += least;
                }
                return least;
            }
            let edge = current[node];
            if edge == END {
                // A dead end: step back and try the next edge there.
                let Some(last) = path.pop() else { return 0 };
                node = self.to[last ^ 1] as usize;
                current[node] = self.next[last];
                continue;
            }
            let to = self.to[edge as usize] as usize;
            if self.left[edge as usize] > 0 && levels[to] == levels[node] + 1 {
                path.push(edge as usize);
                node = to;
            } else {
                current[node] = self.next[edge as usize];
            }
        }
    }

    /// What the entry still reaches.
    fn reached(&self, entry: usize) -> Vec<bool> {
        self.levels(entry)
            .into_iter()
            .map(|level| level != u32::MAX)
            .collect()
    }
}
