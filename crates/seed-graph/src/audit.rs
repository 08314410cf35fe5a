//! The audit of one graph: its roots classified, its seeds, and who stands on them.

use crate::content::{Budget, Content};
use crate::dominators::Dominators;
use crate::load::Loaded;
use crate::{Class, Evidence, Item, Key, Origin, Problem, Trust, Verdict, by_name, disk};
use nix_derivation::Node;
use nix_store_path::StoreDir;
use std::path::PathBuf;

/// A root and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Which node.
    pub node: Node,
    /// Its class; of a tree or archive, the class of most of its worst bytes.
    pub class: Class,
    /// What the class was found by.
    pub evidence: Evidence,
    /// Why, for people, when it was not the content.
    pub reason: String,
    /// What it holds, where the bytes were at hand.
    pub content: Option<Content>,
}

impl Root {
    /// What follows from its class.
    pub fn verdict(&self) -> Verdict {
        self.class.verdict()
    }

    /// Bytes that nobody can read, if they were counted.
    pub fn opaque_bytes(&self) -> Option<u64> {
        self.content
            .as_ref()
            .map(|content| content.total(Verdict::Opaque).bytes)
    }
}

/// Numbers about everything that is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Derivations that are made (no roots).
    pub made: u32,
    /// Of them, those that stand on a seed.
    pub on_seeds: u32,
}

/// A finished audit.
#[derive(Debug)]
pub struct Audit {
    /// The graph.
    pub graph: Trust,
    /// The store its paths belong to.
    pub store: StoreDir,
    /// Every node after what it is made from.
    pub order: Vec<Node>,
    /// All roots, by node.
    pub roots: Vec<Root>,
    /// Is this node a seed?
    pub seeds: Vec<bool>,
    /// Who dominates whom.
    pub dominators: Dominators,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Of each seed, how many nodes some chain leads from to it.
    needed_by: Vec<u32>,
    objects: Option<PathBuf>,
}

impl Audit {
    /// Audits a loaded graph. `progress` is called after each root that was looked at, with how many of how many.
    pub fn new(loaded: Loaded, budget: Budget, progress: &mut dyn FnMut(usize, usize)) -> Audit {
        let Loaded {
            graph,
            store,
            objects,
            mut problems,
        } = loaded;
        for node in graph.missing() {
            problems.push(Problem {
                place: graph.path(node).to_string(),
                message: "is an input, but was not found".to_owned(),
            });
        }
        let order = graph.in_build_order().unwrap_or_else(|cycle| {
            problems.push(cycle_problem(&graph, &cycle.0));
            without_cycles(&graph, &cycle.0)
        });
        let of_roots: Vec<Node> = graph
            .nodes()
            .filter(|node| graph.data(*node).is_some_and(Item::is_root))
            .collect();
        let mut roots = Vec::with_capacity(of_roots.len());
        for (index, &node) in of_roots.iter().enumerate() {
            let item = graph.data(node).expect("roots are nodes with data");
            roots.push(classify(
                node,
                graph.path(node),
                item,
                objects.as_ref(),
                budget,
            ));
            progress(index + 1, of_roots.len());
        }
        let mut seeds = vec![false; graph.len()];
        for root in &roots {
            seeds[root.node as usize] = root.verdict() == Verdict::Opaque;
            let place = |problem: &Problem| Problem {
                place: problem.place.clone(),
                message: problem.message.clone(),
            };
            problems.extend(
                root.content
                    .iter()
                    .flat_map(|content| &content.problems)
                    .map(place),
            );
        }
        let dominators = Dominators::new(&graph, &order, &seeds);
        let needed_by = needed_by(&graph, &order, &seeds);
        Audit {
            graph,
            store,
            order,
            roots,
            seeds,
            dominators,
            problems,
            needed_by,
            objects,
        }
    }

    /// Was a folder at hand in which bytes could lie?
    pub fn has_bytes(&self) -> bool {
        self.objects.is_some()
    }

    /// A node's name for people.
    pub fn name(&self, node: Node) -> &str {
        match self.graph.data(node) {
            Some(item) => &item.name,
            None => match self.graph.path(node) {
                Key::Object(path) => path.name().as_str(),
                Key::Host(path) => path,
            },
        }
    }

    /// How many nodes stand on a seed, alone or among others.
    pub fn needed_by(&self, seed: Node) -> u32 {
        self.needed_by[seed as usize]
    }

    /// The roots that are seeds, those that most stands on first.
    pub fn seed_roots(&self) -> Vec<&Root> {
        let mut seeds: Vec<&Root> = self
            .roots
            .iter()
            .filter(|root| root.verdict() == Verdict::Opaque)
            .collect();
        seeds.sort_by_cached_key(|root| {
            let needed_by = std::cmp::Reverse(self.needed_by(root.node));
            (needed_by, self.name(root.node).to_owned(), root.node)
        });
        seeds
    }

    /// How much stands on seeds.
    pub fn standing(&self) -> Standing {
        let mut standing = Standing::default();
        for node in self.graph.nodes() {
            if self.graph.data(node).is_some_and(|item| !item.is_root()) {
                standing.made += 1;
                standing.on_seeds += u32::from(self.dominators.stands_on_seed(node));
            }
        }
        standing
    }

    /// The nodes whose replacement frees most, themselves included; at most `count`.
    pub fn top_dominators(&self, count: usize) -> Vec<(Node, u32)> {
        let mut all: Vec<(Node, u32)> = self
            .graph
            .nodes()
            .map(|node| (node, self.dominators.freed_by(node)))
            .filter(|(_, freed)| *freed > 1)
            .collect();
        all.sort_by_key(|(node, freed)| (std::cmp::Reverse(*freed), *node));
        all.truncate(count);
        all
    }

    /// A shortest chain from a node down to a seed; `None` when it stands on none.
    pub fn shortest_chain(&self, node: Node) -> Option<Vec<Node>> {
        self.chain(node, |best, other| other < best)
    }

    /// A longest chain from a node down to a seed.
    pub fn longest_chain(&self, node: Node) -> Option<Vec<Node>> {
        self.chain(node, |best, other| other > best)
    }

    /// The longest of all chains.
    pub fn longest_of_all(&self) -> Option<Vec<Node>> {
        let lengths = self.chain_lengths(|best, other| other > best);
        let longest = self
            .graph
            .nodes()
            .max_by_key(|node| lengths[*node as usize].map_or(0, |(length, _)| length))?;
        self.longest_chain(longest)
    }

    fn chain(&self, node: Node, better: impl Fn(u32, u32) -> bool) -> Option<Vec<Node>> {
        let lengths = self.chain_lengths(better);
        lengths[node as usize]?;
        let below = |node: &Node| lengths[*node as usize].and_then(|(_, below)| below);
        Some(std::iter::successors(Some(node), below).collect())
    }

    /// For each node on a seed: the length of its best chain, and where that leads first.
    fn chain_lengths(&self, better: impl Fn(u32, u32) -> bool) -> Vec<Option<(u32, Option<Node>)>> {
        let mut lengths: Vec<Option<(u32, Option<Node>)>> = vec![None; self.graph.len()];
        for &node in &self.order {
            if self.seeds[node as usize] {
                lengths[node as usize] = Some((1, None));
                continue;
            }
            let mut best: Option<(u32, Option<Node>)> = None;
            for &input in self.graph.inputs(node) {
                if let Some((length, _)) = lengths[input as usize]
                    && best.is_none_or(|(so_far, _)| better(so_far, length + 1))
                {
                    best = Some((length + 1, Some(input)));
                }
            }
            lengths[node as usize] = best;
        }
        lengths
    }

    /// Nodes whose name or path is, or contains, this text: an exact path, else exact names, else parts of names.
    pub fn find(&self, text: &str) -> Vec<Node> {
        let base = text.rsplit('/').next().unwrap_or(text);
        let by = |fits: &dyn Fn(Node) -> bool| {
            self.graph
                .nodes()
                .filter(|node| fits(*node))
                .collect::<Vec<_>>()
        };
        let exact = by(&|node| {
            self.graph.path(node).to_string() == base
                || matches!(self.graph.path(node), Key::Host(path) if path == text)
        });
        if !exact.is_empty() {
            return exact;
        }
        let named = by(&|node| self.name(node) == text);
        if named.is_empty() {
            by(&|node| self.name(node).contains(text))
        } else {
            named
        }
    }
}

/// For each seed, how many nodes a chain leads from to it: 64 seeds a pass over the graph.
fn needed_by(graph: &Trust, order: &[Node], seeds: &[bool]) -> Vec<u32> {
    let all: Vec<Node> = order
        .iter()
        .copied()
        .filter(|node| seeds[*node as usize])
        .collect();
    let mut counts = vec![0; graph.len()];
    for some in all.chunks(64) {
        let mut masks = vec![0u64; graph.len()];
        for (bit, seed) in some.iter().enumerate() {
            masks[*seed as usize] = 1 << bit;
        }
        let mut found = [0u32; 64];
        for &node in order {
            let inputs = graph.inputs(node).iter();
            let below = inputs.fold(0, |mask, input| mask | masks[*input as usize]);
            masks[node as usize] |= below;
            let mut left = below;
            while left != 0 {
                found[left.trailing_zeros() as usize] += 1;
                left &= left - 1;
            }
        }
        for (seed, count) in some.iter().zip(found) {
            counts[*seed as usize] = count;
        }
    }
    counts
}

fn classify(node: Node, key: &Key, item: &Item, objects: Option<&PathBuf>, budget: Budget) -> Root {
    if let Some(content) = disk::content(key, item, objects.map(PathBuf::as_path), budget) {
        let class = content.main_class();
        let class = if item.origin == Origin::Host && class.verdict() != Verdict::Opaque {
            Class::HostPath
        } else {
            class
        };
        return Root {
            node,
            class,
            evidence: Evidence::Content,
            reason: String::new(),
            content: Some(content),
        };
    }
    let (class, evidence, reason) = match item.origin {
        Origin::Host => (
            Class::HostPath,
            Evidence::Kind,
            "it is a path of the building machine".to_owned(),
        ),
        Origin::Impure => (
            Class::Unknown,
            Evidence::Kind,
            "it is built with the network at hand".to_owned(),
        ),
        _ => {
            let (class, reason) = by_name::classify(&item.name, item.url.as_deref());
            (class, Evidence::Name, reason)
        }
    };
    Root {
        node,
        class,
        evidence,
        reason,
        content: None,
    }
}

fn cycle_problem(graph: &Trust, nodes: &[Node]) -> Problem {
    Problem {
        place: graph.path(nodes[0]).to_string(),
        message: format!(
            "lies on a cycle or needs one, with {} others; these are left out of chains and dominators",
            nodes.len() - 1
        ),
    }
}

/// Build order of the part of the graph that has one.
fn without_cycles(graph: &Trust, waiting: &[Node]) -> Vec<Node> {
    let mut left_out = vec![false; graph.len()];
    for node in waiting {
        left_out[*node as usize] = true;
    }
    let mut open: Vec<u32> = graph
        .nodes()
        .map(|node| graph.inputs(node).len() as u32)
        .collect();
    let mut order: Vec<Node> = graph
        .nodes()
        .filter(|node| open[*node as usize] == 0)
        .collect();
    let mut done = 0;
    while let Some(&node) = order.get(done) {
        done += 1;
        for &dependent in graph
            .dependents(node)
            .iter()
            .filter(|dependent| !left_out[**dependent as usize])
        {
            open[dependent as usize] -= 1;
            if open[dependent as usize] == 0 {
                order.push(dependent);
            }
        }
    }
    order
}
