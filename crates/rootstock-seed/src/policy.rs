//! `policy`: lets known seeds pass and fails on new ones.

use crate::input::{Limits, audit, pretty, put};
use anyhow::Context;
use seed_graph::{Policy as Accepted, Ruling, report};
use serde_json::json;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Judge the seeds of a graph by a file of accepted ones.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  rootstock-seed policy seeds.toml ./store
  rootstock-seed policy seeds.toml hello.json --sarif seeds.sarif

An entry of seeds.toml:
  [[allow]]
  hash = \"sha256-...\"        # or path = \"DIGEST-NAME\", or host = \"/bin/sh\"
  name = \"bootstrap-tools\"   # optional, must then fit as well
  reason = \"why it is accepted\"
  expires = 2027-01-01        # optional

Exit codes: 0 every seed is accepted, 1 a seed is new or its acceptance has expired, 2 it could not be judged.")]
pub(crate) struct Policy {
    /// The file of accepted seeds.
    policy: PathBuf,
    /// What to load, as for audit.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Also write the judgement as SARIF 2.1.0.
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    /// Judge as of this day instead of today.
    #[arg(long, value_name = "DATE")]
    today: Option<jiff::civil::Date>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: Limits,
}

impl Policy {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let file = self.policy.display();
        let text =
            std::fs::read_to_string(&self.policy).with_context(|| format!("cannot read {file}"))?;
        let policy = Accepted::parse(&text).with_context(|| format!("{file} cannot be used"))?;
        let audit = audit(&self.paths, &self.limits)?;
        let today = self.today.unwrap_or_else(|| {
            jiff::tz::TimeZone::UTC
                .to_datetime(jiff::Timestamp::now())
                .date()
        });
        let judgement = policy.judge(&audit, today);
        if let Some(file) = &self.sarif {
            put(
                &pretty(&report::sarif(&audit, &policy, &judgement)),
                Some(file),
            )?;
        }
        let mut text = String::new();
        let mut seeds = Vec::new();
        for (node, ruling) in &judgement.seeds {
            let name = audit.name(*node);
            let (word, detail) = match ruling {
                Ruling::New => ("new", String::new()),
                Ruling::Expired(entry, date) => (
                    "expired",
                    format!(" on {date}: {}", policy.allow[*entry].reason),
                ),
                Ruling::Known(entry) => ("known", format!(": {}", policy.allow[*entry].reason)),
            };
            writeln!(text, "{word:<8} {name}{detail}")?;
            seeds.push(json!({ "name": name, "path": audit.graph.path(*node).to_string(), "ruling": word }));
        }
        for index in &judgement.unused {
            writeln!(text, "unused   policy entry {}", index + 1)?;
        }
        if self.json {
            text = pretty(
                &json!({ "passes": judgement.passes(), "seeds": seeds, "unusedEntries": judgement.unused }),
            );
        }
        put(&text, None)?;
        Ok(ExitCode::from(u8::from(!judgement.passes())))
    }
}
