//! `prove tamper`: flips bytes and says who noticed.

use super::{chain, recipe};
use crate::print::{self, Verdict};
use anyhow::Context;
use clap::Args;
use seed_proof::engine::Interpreter;
use seed_proof::prove_tamper::{self, Seen, TamperError};
use seed_proof::sums;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;

/// Arguments of `prove tamper`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rootstock-seed prove tamper
  rootstock-seed prove tamper --every 1
      try each byte of the sources without the record, too")]
pub(crate) struct Arguments {
    /// The folder bootstrap/amd64; found upwards from the working directory if not given.
    #[arg(long, value_name = "FOLDER")]
    chain: Option<PathBuf>,
    /// Without the record, try one byte of so many: each needs a build.
    #[arg(long, default_value_t = 50)]
    every: usize,
}

/// Runs it.
pub(crate) fn run(arguments: &Arguments, json: bool) -> anyhow::Result<Verdict> {
    let folder = &recipe::chain(arguments.chain.as_ref())?;
    let sources = chain::sources(folder)?;
    let path = folder.join(sums::FILE);
    let record = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let built = sources.build(&Interpreter::default())?;
    let proof = match prove_tamper::prove(&sources, &built, &record, arguments.every) {
        Ok(proof) => proof,
        Err(TamperError::Chain(error)) => return Err(error.into()),
        Err(error) => return chain::broken(&error, json),
    };
    let mut text = String::new();
    let (sources, programs) = proof.recorded;
    writeln!(
        text,
        "all {sources} bytes of sources and {programs} bytes of programs: each flip detected, its stage named"
    )?;
    let mut list = Vec::new();
    for (stage, seen) in &proof.sources {
        writeln!(
            text,
            "{} source, sums unknown: of {} flips {} refused, {} give another program, {} only in prose",
            stage.name(),
            seen.tried,
            seen.refused,
            seen.differs,
            seen.prose
        )?;
        list.push(show(stage.name(), *seen));
    }
    let seed = proof.seed;
    writeln!(
        text,
        "S0 program, sums unknown: of {} flipped bits {} end S0 with an error, {} give another S1, {} give the same",
        seed.tried, seed.refused, seed.differs, seed.prose
    )?;
    let report = json!({ "good": true, "source_bytes": sources, "program_bytes": programs,
        "sources_unrecorded": list, "seed_bits": show("S0", seed) });
    print::answer(&report, json, |_| text)?;
    Ok(Verdict::Good)
}

fn show(stage: &str, seen: Seen) -> Value {
    json!({ "stage": stage, "tried": seen.tried, "refused": seen.refused,
        "differs": seen.differs, "same": seen.prose })
}
