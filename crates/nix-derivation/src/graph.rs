//! A compact graph of derivations: who needs whom, with any data a node.
//!
//! Invariants: nodes are numbered in the order in which they were first named; an input that was named but never
//! added is a node without data ([`Graph::missing`]); edges are stored once in each direction as plain arrays,
//! so that 100,000 derivations take tens of megabytes.

use nix_store_path::StorePath;
use std::collections::HashMap;
use std::hash::Hash;

/// A node's number.
pub type Node = u32;

/// Collects nodes and edges.
#[derive(Debug)]
pub struct GraphBuilder<T, K = StorePath> {
    numbers: HashMap<K, Node>,
    paths: Vec<K>,
    data: Vec<Option<T>>,
    edges: Vec<(Node, Node)>,
}

impl<T, K> Default for GraphBuilder<T, K> {
    fn default() -> Self {
        GraphBuilder {
            numbers: HashMap::new(),
            paths: Vec::new(),
            data: Vec::new(),
            edges: Vec::new(),
        }
    }
}

impl<T, K: Hash + Eq + Clone> GraphBuilder<T, K> {
    /// The number of a path; new ones are numbered on.
    pub fn number(&mut self, path: &K) -> Node {
        if let Some(&number) = self.numbers.get(path) {
            return number;
        }
        let number = self.paths.len() as Node;
        self.numbers.insert(path.clone(), number);
        self.paths.push(path.clone());
        self.data.push(None);
        number
    }

    /// Adds a node with its data and inputs. A path added twice keeps the first data; the result says so.
    pub fn add<'k>(&mut self, path: &K, data: T, inputs: impl IntoIterator<Item = &'k K>) -> bool
    where
        K: 'k,
    {
        let from = self.number(path);
        if self.data[from as usize].is_some() {
            return false;
        }
        self.data[from as usize] = Some(data);
        for input in inputs {
            let to = self.number(input);
            self.edges.push((from, to));
        }
        true
    }

    /// The graph of what was added.
    pub fn build(mut self) -> Graph<T, K> {
        self.edges.sort_unstable();
        self.edges.dedup();
        let count = self.paths.len();
        let inputs = Rows::new(count, self.edges.iter().copied());
        let dependents = Rows::new(count, self.edges.iter().map(|(from, to)| (*to, *from)));
        Graph {
            numbers: self.numbers,
            paths: self.paths,
            data: self.data,
            inputs,
            dependents,
        }
    }
}

/// Rows of numbers in one array.
#[derive(Debug, Clone)]
struct Rows {
    starts: Vec<u32>,
    targets: Vec<Node>,
}

impl Rows {
    /// Counting sort of pairs by their first part.
    fn new(count: usize, edges: impl Iterator<Item = (Node, Node)> + Clone) -> Rows {
        let mut starts = vec![0u32; count + 1];
        for (from, _) in edges.clone() {
            starts[from as usize + 1] += 1;
        }
        for i in 0..count {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut targets = vec![0; starts[count] as usize];
        for (from, to) in edges {
            let place = &mut next[from as usize];
            targets[*place as usize] = to;
            *place += 1;
        }
        Rows { starts, targets }
    }

    fn row(&self, node: Node) -> &[Node] {
        let node = node as usize;
        &self.targets[self.starts[node] as usize..self.starts[node + 1] as usize]
    }
}

/// A finished graph; `K` is what names a node, a store path unless other things are nodes too.
#[derive(Debug)]
pub struct Graph<T, K = StorePath> {
    numbers: HashMap<K, Node>,
    paths: Vec<K>,
    data: Vec<Option<T>>,
    inputs: Rows,
    dependents: Rows,
}

/// A set of nodes that need one another, so that none could be built first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} derivations depend on themselves, the first is number {}", .0.len(), .0[0])]
pub struct Cycle(pub Vec<Node>);

impl<T, K: Hash + Eq> Graph<T, K> {
    /// How many nodes, the missing ones included.
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Is there no node?
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Every node.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = Node> + use<T, K> {
        0..self.paths.len() as Node
    }

    /// The number of a path.
    pub fn find(&self, path: &K) -> Option<Node> {
        self.numbers.get(path).copied()
    }

    /// The path of a node.
    pub fn path(&self, node: Node) -> &K {
        &self.paths[node as usize]
    }

    /// The data of a node; `None` when it was only named as an input.
    pub fn data(&self, node: Node) -> Option<&T> {
        self.data[node as usize].as_ref()
    }

    /// What a node needs.
    pub fn inputs(&self, node: Node) -> &[Node] {
        self.inputs.row(node)
    }

    /// Who needs a node.
    pub fn dependents(&self, node: Node) -> &[Node] {
        self.dependents.row(node)
    }

    /// How many edges.
    pub fn edges(&self) -> usize {
        self.inputs.targets.len()
    }

    /// Nodes that were named as inputs but never added.
    pub fn missing(&self) -> impl Iterator<Item = Node> + '_ {
        self.nodes().filter(|node| self.data(*node).is_none())
    }

    /// Nodes that nobody needs.
    pub fn tops(&self) -> impl Iterator<Item = Node> + '_ {
        self.nodes()
            .filter(|node| self.dependents(*node).is_empty())
    }

    /// Every node after all of its inputs.
    ///
    /// # Errors
    /// [`Cycle`] with the nodes that lie on cycles or need such.
    pub fn in_build_order(&self) -> Result<Vec<Node>, Cycle> {
        let mut waiting: Vec<u32> = self
            .nodes()
            .map(|node| self.inputs(node).len() as u32)
            .collect();
        let mut order: Vec<Node> = self
            .nodes()
            .filter(|node| waiting[*node as usize] == 0)
            .collect();
        let mut done = 0;
        while let Some(&node) = order.get(done) {
            done += 1;
            for &dependent in self.dependents(node) {
                waiting[dependent as usize] -= 1;
                if waiting[dependent as usize] == 0 {
                    order.push(dependent);
                }
            }
        }
        if order.len() == self.len() {
            return Ok(order);
        }
        Err(Cycle(
            self.nodes()
                .filter(|node| waiting[*node as usize] > 0)
                .collect(),
        ))
    }

    /// Everything that `from` needs, themselves included, as one flag a node.
    pub fn closure(&self, from: &[Node]) -> Vec<bool> {
        self.reach(from, |node| self.inputs(node))
    }

    /// Everything that needs one of `from`, themselves included, as one flag a node.
    pub fn needing(&self, from: &[Node]) -> Vec<bool> {
        self.reach(from, |node| self.dependents(node))
    }

    fn reach<'g>(&'g self, from: &[Node], next: impl Fn(Node) -> &'g [Node]) -> Vec<bool> {
        let mut seen = vec![false; self.len()];
        let mut open = from.to_vec();
        for &node in from {
            seen[node as usize] = true;
        }
        while let Some(node) = open.pop() {
            for &neighbour in next(node) {
                if !std::mem::replace(&mut seen[neighbour as usize], true) {
                    open.push(neighbour);
                }
            }
        }
        seen
    }
}
