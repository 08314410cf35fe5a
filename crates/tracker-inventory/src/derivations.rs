//! A release's derivation graph, and what packages learn from it: patches, source addresses, dependents.
//!
//! Shape: one JSON object a line, `{"i": INDEX, "drv": BASE, "name", "outputs": {NAME: BASE}, "in": [INDEX…],
//! "fod"?, "url"?}`, indices counted from 0 in file order. Invariant: an edge leads to a derivation that exists;
//! cycles are walked once.

use crate::error::InventoryError;
use crate::package::Package;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Read};

/// Most derivations that a graph may have. All of Nixpkgs for one platform has about 300,000.
pub const MAX_DERIVATIONS: usize = 4_000_000;

/// Most edges.
pub const MAX_EDGES: usize = 100_000_000;

/// Longest line, in bytes.
pub const MAX_LINE: u64 = 16 << 20;

/// A derivation graph in memory: names and edges only.
#[derive(Debug, Default)]
pub struct Derivations {
    nodes: Vec<Node>,
    by_derivation: HashMap<String, u32>,
    by_output: HashMap<String, u32>,
}

#[derive(Debug)]
struct Node {
    name: String,
    /// A fixed-output derivation: something fetched.
    fetched: bool,
    url: Option<String>,
    inputs: Vec<u32>,
}

/// A line of the file.
#[derive(Debug, Deserialize)]
struct Line {
    i: u32,
    drv: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    outputs: BTreeMap<String, Option<String>>,
    #[serde(default, rename = "in")]
    inputs: Vec<u32>,
    #[serde(default)]
    fod: u8,
    #[serde(default)]
    url: Option<String>,
}

impl Derivations {
    /// Reads a graph (decompressed, see [`crate::open()`]).
    pub fn read(input: impl Read) -> Result<Self, InventoryError> {
        let mut input = BufReader::new(input);
        let mut graph = Derivations::default();
        let mut edges = 0_usize;
        let mut line = Vec::new();
        loop {
            line.clear();
            let count = (&mut input)
                .take(MAX_LINE)
                .read_until(b'\n', &mut line)
                .map_err(InventoryError::Read)?;
            if count == 0 {
                break;
            }
            if count as u64 == MAX_LINE {
                return Err(limit("bytes in a line", MAX_LINE));
            }
            let number = graph.nodes.len() + 1;
            let parsed: Line =
                serde_json::from_slice(&line).map_err(|error| match error.classify() {
                    serde_json::error::Category::Data => InventoryError::Kind {
                        expected: "a derivation graph",
                        found: format!("line {number}: {error}"),
                    },
                    _ => InventoryError::Json {
                        line: number,
                        column: error.column(),
                        message: error.to_string(),
                    },
                })?;
            edges += parsed.inputs.len();
            if edges > MAX_EDGES {
                return Err(limit("edges", MAX_EDGES as u64));
            }
            graph.push(parsed)?;
        }
        let total = graph.nodes.len();
        let dangling = graph
            .nodes
            .iter()
            .position(|node| node.inputs.iter().any(|&input| input as usize >= total));
        match dangling {
            Some(index) => Err(InventoryError::Kind {
                expected: "a derivation graph",
                found: format!("line {}: an input that no line has", index + 1),
            }),
            None => Ok(graph),
        }
    }

    fn push(&mut self, line: Line) -> Result<(), InventoryError> {
        let index = self.nodes.len();
        if index >= MAX_DERIVATIONS {
            return Err(limit("derivations", MAX_DERIVATIONS as u64));
        }
        if line.i as usize != index {
            return Err(InventoryError::Kind {
                expected: "a derivation graph",
                found: format!("line {}: index {} instead of {index}", index + 1, line.i),
            });
        }
        for output in line.outputs.into_values().flatten() {
            self.by_output.insert(output, line.i);
        }
        let name = line.name.unwrap_or_else(|| name_of(&line.drv).to_owned());
        self.by_derivation.insert(line.drv, line.i);
        self.nodes.push(Node {
            name,
            fetched: line.fod != 0,
            url: line.url,
            inputs: line.inputs,
        });
        Ok(())
    }

    /// How many derivations there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Fills in patches, source addresses and dependents of the packages that the graph builds; returns how many
    /// it found. A package is found by its derivation's base name, else by that of its output.
    ///
    /// Patches are the direct inputs that are fetched or generated under a patch's name; dependents are the other
    /// packages of the list that reach this one over any number of inputs.
    pub fn join(&self, packages: &mut [Package]) -> usize {
        let nodes: Vec<Option<u32>> = packages.iter().map(|package| self.find(package)).collect();
        let dependents = self.dependents(&nodes);
        let mut found = 0;
        for (package, node) in packages.iter_mut().zip(nodes) {
            let Some(index) = node else { continue };
            found += 1;
            package.dependents = dependents.get(&index).copied();
            let node = &self.nodes[index as usize];
            // A package may itself be something fetched (a font): its address is its own.
            let inputs = node.inputs.iter().map(|&input| &self.nodes[input as usize]);
            let mut urls: Vec<String> = node.url.iter().cloned().collect();
            for input in inputs {
                if is_patch(&input.name) {
                    package.patches.push(input.name.clone());
                } else if input.fetched
                    && let Some(url) = &input.url
                {
                    urls.push(url.clone());
                }
            }
            package.patches.sort_unstable();
            package.patches.dedup();
            urls.sort_unstable();
            urls.dedup();
            package.source_urls = urls;
        }
        found
    }

    fn find(&self, package: &Package) -> Option<u32> {
        let by_derivation = package.derivation.as_ref();
        by_derivation
            .and_then(|base| self.by_derivation.get(base))
            .or_else(|| self.by_output.get(package.output.as_ref()?))
            .copied()
    }

    /// For each package's node: how many other packages' nodes reach it.
    ///
    /// Exact, by bit sets over blocks of 512 packages: memory stays at 64 bytes a derivation.
    fn dependents(&self, nodes: &[Option<u32>]) -> HashMap<u32, u32> {
        let mut targets: Vec<u32> = nodes.iter().flatten().copied().collect();
        targets.sort_unstable();
        targets.dedup();
        let order = self.dependencies_first();
        let mut counts: HashMap<u32, u32> = targets.iter().map(|&target| (target, 0)).collect();
        let is_target: Vec<bool> = {
            let mut marks = vec![false; self.nodes.len()];
            for &target in &targets {
                marks[target as usize] = true;
            }
            marks
        };
        let mut reach = vec![[0_u64; BLOCK / 64]; self.nodes.len()];
        for block in targets.chunks(BLOCK) {
            reach.fill([0; BLOCK / 64]);
            for (bit, &target) in block.iter().enumerate() {
                reach[target as usize][bit / 64] |= 1 << (bit % 64);
            }
            let mut totals = [0_u32; BLOCK];
            for &index in &order {
                let mut bits = reach[index as usize];
                for &input in &self.nodes[index as usize].inputs {
                    let below = reach[input as usize];
                    bits.iter_mut()
                        .zip(below)
                        .for_each(|(mine, theirs)| *mine |= theirs);
                }
                reach[index as usize] = bits;
                if is_target[index as usize] {
                    count_bits(&bits, &mut totals);
                }
            }
            for (bit, target) in block.iter().enumerate() {
                // Every package reaches itself.
                counts.insert(*target, totals[bit].saturating_sub(1));
            }
        }
        counts
    }

    /// All derivations, each after its inputs. Explicit stack: depth is the input's to choose.
    fn dependencies_first(&self) -> Vec<u32> {
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut entered = vec![false; self.nodes.len()];
        let mut stack: Vec<(u32, usize)> = Vec::new();
        for start in 0..self.nodes.len() as u32 {
            if std::mem::replace(&mut entered[start as usize], true) {
                continue;
            }
            stack.push((start, 0));
            while let Some((index, next)) = stack.last_mut() {
                match self.nodes[*index as usize].inputs.get(*next) {
                    Some(&input) => {
                        *next += 1;
                        if !std::mem::replace(&mut entered[input as usize], true) {
                            stack.push((input, 0));
                        }
                    }
                    None => {
                        order.push(*index);
                        stack.pop();
                    }
                }
            }
        }
        order
    }
}

/// Packages whose reach is computed in one pass.
const BLOCK: usize = 512;

fn count_bits(bits: &[u64; BLOCK / 64], totals: &mut [u32; BLOCK]) {
    for (word, &bits) in bits.iter().enumerate() {
        let mut left = bits;
        while left != 0 {
            totals[word * 64 + left.trailing_zeros() as usize] += 1;
            left &= left - 1;
        }
    }
}

/// Whether a derivation of this name is a patch: by its ending, or because it is named after an advisory alone.
fn is_patch(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        ".patch",
        ".diff",
        ".patch.gz",
        ".patch.xz",
        ".patch?raw=true",
        ".dpatch",
    ]
    .iter()
    .any(|ending| name.ends_with(ending))
        || ["cve-", "ghsa-"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// The name within a derivation's base name (`HASH-NAME.drv`).
fn name_of(base: &str) -> &str {
    let name = base.split_once('-').map_or(base, |(_, name)| name);
    name.strip_suffix(".drv").unwrap_or(name)
}

fn limit(what: &'static str, limit: u64) -> InventoryError {
    InventoryError::Limit { what, limit }
}
