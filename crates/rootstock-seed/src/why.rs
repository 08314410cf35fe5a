//! `why`: why a package stands on a seed.

use crate::input::{Limits, audit, one, pretty, put};
use seed_graph::report;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Show why a package stands on a seed: a shortest and a longest chain, and what all chains lead through.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  rootstock-seed why hello-2.12 ./store
  rootstock-seed why hello-2.10 drvs.jsonl.zst --json

Exit codes: 0 it stands on no seed, 1 it stands on one, 2 it could not be found out.")]
pub(crate) struct Why {
    /// Name or store path of the package's derivation, or a part of its name.
    package: String,
    /// What to load, as for audit.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: Limits,
}

impl Why {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let audit = audit(&self.paths, &self.limits)?;
        let node = one(&audit, &self.package)?;
        let names = |nodes: &[u32]| {
            nodes
                .iter()
                .map(|node| audit.name(*node).to_owned())
                .collect::<Vec<_>>()
        };
        let Some((shortest, longest)) = audit.shortest_chain(node).zip(audit.longest_chain(node))
        else {
            let value = json!({ "package": audit.name(node), "standsOnSeed": false });
            let text = if self.json {
                pretty(&value)
            } else {
                format!("{} stands on no seed\n", audit.name(node))
            };
            put(&text, None)?;
            return Ok(ExitCode::SUCCESS);
        };
        let dominators: Vec<u32> = audit.dominators.of(node).collect();
        let text = if self.json {
            pretty(&json!({
                "package": audit.name(node),
                "standsOnSeed": true,
                "shortestChain": names(&shortest),
                "longestChain": names(&longest),
                "allChainsLeadThrough": names(&dominators),
            }))
        } else {
            let through = match dominators.as_slice() {
                [] => "Chains lead to several seeds; no single replacement frees it (try `cut`)\n"
                    .to_owned(),
                nodes => format!("Every chain leads through: {}\n", names(nodes).join(", ")),
            };
            format!(
                "Shortest chain ({} steps): {}\nLongest chain ({} steps): {}\n{through}",
                shortest.len() - 1,
                report::chain(&audit, &shortest),
                longest.len() - 1,
                report::chain(&audit, &longest)
            )
        };
        put(&text, None)?;
        Ok(ExitCode::from(1))
    }
}
