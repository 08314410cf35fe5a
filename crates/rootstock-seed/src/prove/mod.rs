//! `prove`: claims about the chain, each checked by one sub-command.

mod differential;
mod double_compile;
mod hosts;
mod recipe;
mod subset;
mod suite;

use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Checks claims about the bootstrap chain.
#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// Answer with one JSON document instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    claim: Claim,
}

/// What is proved.
#[derive(Debug, Subcommand)]
enum Claim {
    /// S4's sources are within the subset of C that S3 compiles.
    Subset(subset::Arguments),
    /// S4 and TinyCC, built from every host present and then by themselves, end in the same bytes.
    DoubleCompile(double_compile::Arguments),
    /// S4 and gcc give generated programs the same meaning.
    Differential(differential::Arguments),
    /// S4 passes its own tests: programs to run and programs to refuse.
    Suite(suite::Arguments),
}

impl Prove {
    /// Checks the claim and prints what was found.
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let verdict = match &self.claim {
            Claim::Subset(arguments) => subset::run(arguments, self.json),
            Claim::DoubleCompile(arguments) => double_compile::run(arguments, self.json),
            Claim::Differential(arguments) => differential::run(arguments, self.json),
            Claim::Suite(arguments) => suite::run(arguments, self.json),
        };
        verdict.map(ExitCode::from)
    }
}
