//! `nix-export`: the chain as raw derivations for Nix.

use crate::build::{Progress, Where};
use crate::print::{self, Verdict};
use crate::sandbox;
use clap::Args;
use seed_build::build::{Builder, Circumstances};
use seed_build::chain::Chain;
use seed_build::plan::Planned;
use seed_build::store::Store;
use serde_json::json;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  rootstock-seed nix-export bootstrap/amd64/chain.toml --store /var/tmp/seed --to /var/tmp/export
  nix-build --store /var/tmp/nix --option sandbox true --no-out-link /var/tmp/export/chain.nix

Exit codes: 0 everything was exported; 1 an input is not obtainable, and what needs it is left out of the expression;
2 the chain could not be carried out.";

/// Builds a chain and writes it as an expression of raw derivations, with its inputs beside it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct NixExport {
    #[command(flatten)]
    place: Where,
    /// A new folder for the expression and the inputs.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// Answer with one JSON document instead of text.
    #[arg(long)]
    json: bool,
}

impl NixExport {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let chain = Chain::read(&self.place.chain)?;
        // Said before the chain is built, not afterwards.
        anyhow::ensure!(
            self.to.symlink_metadata().is_err(),
            "{}: it is there already; name a new folder",
            self.to.display()
        );
        let store = Store::open(&self.place.store)?;
        let sandbox = sandbox::for_many()?;
        let builder = Builder {
            store: &store,
            sandbox: &sandbox,
            sources: self.place.sources(),
            jobs: 1,
            circumstances: Circumstances::default(),
        };
        let progress = Progress::new(self.json);
        let report = builder.build(&chain, &|event| progress.show(&event))?;
        seed_build::export::export(&chain, &report, &store, &self.to)?;
        let mut steps = Vec::new();
        let mut text = String::new();
        for (number, planned) in report.planned.iter().enumerate() {
            if let (Planned::Step(step), Some((record, _))) = (planned, report.results.get(&number))
            {
                let derivation = format!("/nix/store/{}", step.path);
                let _ = writeln!(
                    text,
                    "{} {derivation} {} sha256:{}",
                    record.name, record.out, record.nar_sha256
                );
                steps.push(json!({ "name": record.name, "derivation": derivation, "out": record.out, "narSha256": record.nar_sha256 }));
            }
        }
        for why in report.absent.values() {
            let _ = writeln!(text, "{why}");
        }
        let good = report.absent.is_empty();
        let document = json!({ "good": good, "steps": steps, "absent": report.absent.values().collect::<Vec<_>>() });
        print::answer(&document, self.json, |_| text)?;
        Ok(Verdict::when(good).into())
    }
}
