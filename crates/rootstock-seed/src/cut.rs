//! `cut`: what to replace so that a package stands on no seed.

use crate::input::{Limits, audit, one, pretty, put};
use seed_graph::cut;
use serde_json::json;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Find a smallest set of derivations to replace so that a package stands on no seed, and whom that frees.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  rootstock-seed cut hello-2.12 ./store
  rootstock-seed cut firefox-70.0 drvs.jsonl.zst --keep bootstrap-tools --json

Exit codes: 0 a set was found (or none is needed), 1 what must be kept makes it impossible, 2 it could not be found out.")]
pub(crate) struct Cut {
    /// Name or store path of the package's derivation, or a part of its name.
    package: String,
    /// What to load, as for audit.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Do not propose to replace this; may be given more than once.
    #[arg(long, value_name = "NAME")]
    keep: Vec<String>,
    /// Propose seeds only, not what is made from them.
    #[arg(long)]
    seeds_only: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: Limits,
}

impl Cut {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let audit = audit(&self.paths, &self.limits)?;
        let node = one(&audit, &self.package)?;
        let name = audit.name(node);
        let mut kept = Vec::new();
        for text in &self.keep {
            kept.extend(audit.find(text));
        }
        let keep =
            |node: u32| kept.contains(&node) || self.seeds_only && !audit.seeds[node as usize];
        let Some(set) = cut::smallest(&audit.graph, &audit.seeds, node, keep) else {
            let value = json!({ "package": name, "possible": false });
            let text = if self.json {
                pretty(&value)
            } else {
                format!("{name} cannot be freed while these are kept\n")
            };
            put(&text, None)?;
            return Ok(ExitCode::from(1));
        };
        let freed = cut::freed(&audit.graph, &audit.order, &audit.seeds, &set);
        let alone = |node: &u32| audit.dominators.freed_by(*node);
        let text = if self.json {
            let set: Vec<_> = set.iter().map(|node| json!({ "name": audit.name(*node), "path": audit.graph.path(*node).to_string(), "freesAlone": alone(node) })).collect();
            pretty(&json!({ "package": name, "possible": true, "replace": set, "frees": freed }))
        } else if set.is_empty() {
            format!("{name} stands on no seed\n")
        } else {
            let mut text = format!(
                "To free {name}, replace {} of its derivations; {freed} would then stand on no seed:\n",
                set.len()
            );
            for node in &set {
                writeln!(
                    text,
                    "  {} (alone it would free {})",
                    audit.name(*node),
                    alone(node)
                )?;
            }
            text
        };
        put(&text, None)?;
        Ok(ExitCode::SUCCESS)
    }
}
