//! Who may depend on whom, read from `cargo metadata`: the direction in which ARCHITECTURE.md lets data flow.

use anyhow::Context;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// Crates that may do I/O, run async code or open a database. Every other library is pure.
const IMPURE: &[&str] = &[
    "tracker-store",
    "tracker-testkit",
    "tracker-web",
    "tracker-oidc",
    "tracker-jobs",
    "tracker-evaluate",
    "rootstock-tracker",
    "rootstock-boot",
    "rootstock-seed",
    "boot-sign",
    "boot-tpm",
    "boot-unlock",
    "boot-esp",
    "boot-floor",
    "boot-install",
    "boot-image",
    "boot-init",
    "boot-vm",
    "boot-guest",
    "seed-build",
    "xtask",
    "real-data",
];

/// What no pure crate may reach, however indirectly.
const RUNTIMES: &[&str] = &[
    "tokio",
    "async-std",
    "sqlx",
    "rusqlite",
    "reqwest",
    "hyper",
    "axum",
];

/// Licences that may be linked.
const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "0BSD",
    "CDLA-Permissive-2.0",
    "Unlicense",
    "MIT-0",
    "BSL-1.0",
    "CC0-1.0",
    "bzip2-1.0.6",
];

/// Crates under a licence that asks for their own files alone to stay open, each for a reason: the MPL-2.0.
const MPL: &[&str] = &[
    // What the sanitiser of foreign Markdown reads styles with; its own default, though we let no style through.
    "cssparser",
    "dtoa-short",
];

/// The problems of the dependency graph as `cargo metadata` states it.
pub(super) fn problems(root: &Path) -> anyhow::Result<Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--all-features"])
        .current_dir(root)
        .output()
        .context("cargo metadata reads the dependency graph")?;
    anyhow::ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    Ok(check(&Graph::read(&metadata)))
}

/// Normal and build dependencies by crate name (dev-dependencies are free), and who is ours.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) ours: BTreeSet<String>,
    pub(super) edges: BTreeMap<String, BTreeSet<String>>,
    pub(super) licences: BTreeMap<String, String>,
}

impl Graph {
    fn read(metadata: &Value) -> Graph {
        let mut graph = Graph::default();
        let mut names = BTreeMap::new();
        for package in metadata["packages"].as_array().into_iter().flatten() {
            let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
            names.insert(text("id"), text("name"));
            if package["source"].is_null() {
                graph.ours.insert(text("name"));
            }
            graph.licences.insert(text("name"), text("license"));
        }
        for node in metadata["resolve"]["nodes"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let Some(from) = node["id"].as_str().and_then(|id| names.get(id)) else {
                continue;
            };
            for dependency in node["deps"].as_array().into_iter().flatten() {
                let mut kinds = dependency["dep_kinds"].as_array().into_iter().flatten();
                let normal = kinds.any(|kind| kind["kind"].as_str() != Some("dev"));
                let Some(to) = dependency["pkg"].as_str().and_then(|id| names.get(id)) else {
                    continue;
                };
                if normal {
                    graph
                        .edges
                        .entry(from.clone())
                        .or_default()
                        .insert(to.clone());
                }
            }
        }
        graph
    }

    /// Everything that `from` reaches.
    fn reach(&self, from: &str) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(name) = open.pop() {
            for next in self.edges.get(name).into_iter().flatten() {
                if seen.insert(next.as_str()) {
                    open.push(next);
                }
            }
        }
        seen
    }
}

/// The product a crate belongs to, by its name; `None` for the ground floor.
fn product(name: &str) -> Option<&'static str> {
    let last = name.strip_prefix("rootstock-").unwrap_or(name);
    ["tracker", "boot", "seed"]
        .into_iter()
        .find(|product| last == *product || last.starts_with(&format!("{product}-")))
}

/// The rules themselves, on any graph.
pub(super) fn check(graph: &Graph) -> Vec<String> {
    let mut problems = Vec::new();
    for name in &graph.ours {
        let reach = graph.reach(name);
        let pure = !IMPURE.contains(&name.as_str());
        for runtime in RUNTIMES
            .iter()
            .filter(|runtime| pure && reach.contains(**runtime))
        {
            problems.push(format!("{name}: is pure but reaches `{runtime}`; move the I/O to a store, jobs, web or binary crate"));
        }
        for other in reach.iter().filter(|other| graph.ours.contains(**other)) {
            let (mine, theirs) = (product(name), product(other));
            let tests = matches!(name.as_str(), "real-data" | "xtask");
            if theirs.is_some() && mine != theirs && !tests {
                problems.push(format!("{name}: depends on `{other}` of another product; only the ground floor is shared"));
            }
            if other.starts_with("rootstock-") {
                problems.push(format!("{name}: depends on the binary crate `{other}`"));
            }
        }
    }
    let linked: BTreeSet<&str> = graph
        .ours
        .iter()
        .flat_map(|name| graph.reach(name))
        .collect();
    for (name, licence) in &graph.licences {
        // `A OR B` needs one of them, `A AND B` all; `/` is an old spelling of OR.
        let allowed = |term: &str| LICENCES.contains(&term.trim().trim_matches(['(', ')']));
        let text = licence.replace('/', " OR ");
        let fine = text
            .split(" AND ")
            .all(|part| part.split(" OR ").any(allowed))
            || licence == "MPL-2.0" && MPL.contains(&name.as_str());
        if !graph.ours.contains(name) && linked.contains(name.as_str()) && !fine {
            problems.push(format!(
                "{name}: licence `{licence}` is not in the list of what may be linked"
            ));
        }
    }
    problems
}
