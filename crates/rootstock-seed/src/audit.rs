//! `audit`: reads derivations and says what they stand on.

use crate::input::{Limits, audit, pretty, put};
use anyhow::Context;
use seed_graph::{Declarations, Disagreement, report};
use std::path::PathBuf;
use std::process::ExitCode;

/// Say which opaque binaries a graph of derivations still trusts.
///
/// Reads only: needs no daemon, no root and no network, and executes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  rootstock-seed audit /nix/store/...-hello-2.12.drv
      one package and all it is made from
  rootstock-seed audit ./store
      every .drv of a folder
  nix derivation show -r nixpkgs#hello > hello.json
  rootstock-seed audit hello.json --format html -o hello.html
  rootstock-seed audit graph.jsonl.zst --json
      a graph without bytes: by name only

Exit codes: 0 audited, 2 nothing could be audited.")]
pub(crate) struct Audit {
    /// .drv files (with their closure), folders of .drv files, derivation JSON, or graphs (.jsonl, .jsonl.zst).
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Print JSON; the same as --format json.
    #[arg(long)]
    json: bool,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "json")]
    format: Format,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// A channel's packages.json, whose meta.sourceProvenance is compared with what is found.
    #[arg(long, value_name = "FILE")]
    declared: Option<PathBuf>,
    #[command(flatten)]
    limits: Limits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For a terminal.
    Text,
    /// For programs.
    Json,
    /// One page with a picture.
    Html,
    /// A bill of materials of the seeds, CycloneDX 1.6.
    Cyclonedx,
}

impl Audit {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let found = audit(&self.paths, &self.limits)?;
        let disagreements = match &self.declared {
            None => None,
            Some(path) => {
                let file = std::fs::File::open(path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                let declared = Declarations::read(std::io::BufReader::new(file));
                Some(
                    declared
                        .with_context(|| format!("{} is no packages.json", path.display()))?
                        .compare(&found),
                )
            }
        };
        let title = self.paths.iter().map(|path| {
            path.file_name()
                .unwrap_or(path.as_os_str())
                .to_string_lossy()
        });
        let title = title.collect::<Vec<_>>().join(", ");
        let text = match self.format {
            _ if self.json => self.as_json(&found, disagreements),
            Format::Json => self.as_json(&found, disagreements),
            Format::Html => report::html(&found, &title),
            Format::Cyclonedx => pretty(&report::cyclonedx(&found)),
            Format::Text => {
                let mut text = report::text(&found);
                for line in disagreements
                    .iter()
                    .flatten()
                    .map(|one| sentence(&found, one))
                {
                    text.push_str(&line);
                    text.push('\n');
                }
                text
            }
        };
        put(&text, self.output.as_deref())?;
        Ok(ExitCode::SUCCESS)
    }

    #[expect(clippy::unused_self, reason = "reads like its siblings")]
    fn as_json(
        &self,
        found: &seed_graph::Audit,
        disagreements: Option<Vec<Disagreement>>,
    ) -> String {
        let mut value = report::json(found);
        if let Some(disagreements) = disagreements {
            let sentences: Vec<String> = disagreements
                .iter()
                .map(|one| sentence(found, one))
                .collect();
            value["declarationDisagreements"] = sentences.into();
        }
        pretty(&value)
    }
}

fn sentence(audit: &seed_graph::Audit, disagreement: &Disagreement) -> String {
    match disagreement {
        Disagreement::Undeclared { node, seed } => {
            format!(
                "declared from source, but takes a seed: {} takes {}",
                audit.name(*node),
                audit.name(*seed)
            )
        }
        Disagreement::Overdeclared { node, declared } => {
            format!(
                "declared {}, but takes no seed directly: {}",
                declared.join(", "),
                audit.name(*node)
            )
        }
    }
}
