//! `diff`: which roots came, went or changed between two graphs.

use crate::input::{Limits, audit, pretty, put};
use seed_graph::{Change, Difference, Root, Verdict};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Compare what two graphs stand on.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  rootstock-seed diff october.jsonl.zst november.jsonl.zst
  rootstock-seed diff old-store new-store --all --json

Exit codes: 0 no new seed, 1 at least one new or changed seed, 2 it could not be found out.")]
pub(crate) struct Diff {
    /// The old graph, as for audit.
    old: PathBuf,
    /// The new graph.
    new: PathBuf,
    /// List every root that differs, not only seeds.
    #[arg(long)]
    all: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: Limits,
}

impl Diff {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let old = audit(std::slice::from_ref(&self.old), &self.limits)?;
        let new = audit(std::slice::from_ref(&self.new), &self.limits)?;
        let difference = Difference::new(&old, &new);
        let opaque = |root: &Root| root.verdict() == Verdict::Opaque;
        let concerns_seed = |change: &Change<'_>| match change {
            Change::Added(root) | Change::Removed(root) => opaque(root),
            Change::Changed { old, new } => opaque(old) || opaque(new),
        };
        let shown: Vec<_> = difference
            .changes
            .iter()
            .filter(|(_, change)| self.all || concerns_seed(change))
            .collect();
        let new_seeds = difference.new_seeds().count();
        let (before, after) = (old.standing(), new.standing());
        let text = if self.json {
            let changes: Vec<Value> = shown
                .iter()
                .map(|(name, change)| {
                    let (kind, class) = words(change);
                    json!({ "name": name, "change": kind, "class": class })
                })
                .collect();
            pretty(&json!({
                "old": { "made": before.made, "onSeeds": before.on_seeds, "seeds": old.seed_roots().len() },
                "new": { "made": after.made, "onSeeds": after.on_seeds, "seeds": new.seed_roots().len() },
                "sameRoots": difference.same,
                "differentRoots": difference.changes.len(),
                "newSeeds": new_seeds,
                "changes": changes,
            }))
        } else {
            let mut text = format!(
                "old: {} made, {} on seeds, {} seeds\nnew: {} made, {} on seeds, {} seeds\n{} roots are the same, {} differ; {new_seeds} seeds are new or changed\n",
                before.made,
                before.on_seeds,
                old.seed_roots().len(),
                after.made,
                after.on_seeds,
                new.seed_roots().len(),
                difference.same,
                difference.changes.len()
            );
            for (name, change) in shown {
                let (kind, class) = words(change);
                writeln!(text, "  {kind:<8} {name} [{class}]")?;
            }
            text
        };
        put(&text, None)?;
        Ok(ExitCode::from(u8::from(new_seeds > 0)))
    }
}

fn words(change: &Change<'_>) -> (&'static str, String) {
    match change {
        Change::Added(root) => ("added", root.class.to_string()),
        Change::Removed(root) => ("removed", root.class.to_string()),
        Change::Changed { old, new } if old.class == new.class => {
            ("changed", new.class.to_string())
        }
        Change::Changed { old, new } => ("changed", format!("{} -> {}", old.class, new.class)),
    }
}
