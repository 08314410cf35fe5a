//! `prove stages`: runs the proof, and records or compares the sums.

use super::{chain, recipe};
use crate::print::{self, Verdict};
use anyhow::Context;
use clap::Args;
use seed_proof::lineage::sha256;
use seed_proof::prove_stages::{self, Effort, StagesError};
use seed_proof::sums;
use serde_json::json;
use std::fmt::Write;
use std::path::PathBuf;

/// Arguments of `prove stages`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rootstock-seed prove stages
  rootstock-seed prove stages --texts 10000
      try more generated texts
  rootstock-seed prove stages --record
      after a change of a stage: write SHA256SUMS anew")]
pub(crate) struct Arguments {
    /// The folder bootstrap/amd64; found upwards from the working directory if not given.
    #[arg(long, value_name = "FOLDER")]
    chain: Option<PathBuf>,
    /// Generated and damaged texts for each stage.
    #[arg(long, default_value_t = 400)]
    texts: u64,
    /// One text of so many is run natively too, in a sandbox.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    native: u64,
    /// Write the sums of sources and programs to SHA256SUMS instead of comparing them.
    #[arg(long)]
    record: bool,
}

/// Runs it.
pub(crate) fn run(arguments: &Arguments, json: bool) -> anyhow::Result<Verdict> {
    let folder = &recipe::chain(arguments.chain.as_ref())?;
    let sources = chain::sources(folder)?;
    let effort = Effort {
        texts: arguments.texts,
        native: arguments.native,
    };
    let proof = match prove_stages::prove(&sources, &chain::Native, effort) {
        Ok(proof) => proof,
        Err(error @ (StagesError::Built { .. } | StagesError::Text { .. })) => {
            return chain::broken(&error, json);
        }
        Err(error) => return Err(error.into()),
    };
    let path = folder.join(sums::FILE);
    if arguments.record {
        chain::write(&path, sums::record(&sources, &proof.built).as_bytes())?;
    }
    let record = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    if let Err(error) = sums::check(&record, &sources, &proof.built) {
        return chain::broken(&error, json);
    }
    let mut text = String::new();
    let mut stages = Vec::new();
    for built in &proof.built {
        let sum = sha256(&built.bytes);
        writeln!(
            text,
            "{}: {} bytes, sha256 {sum}: native, interpreted and specified are the same",
            built.stage.name(),
            built.bytes.len()
        )?;
        stages.push(
            json!({ "stage": built.stage.name(), "bytes": built.bytes.len(), "sha256": sum }),
        );
    }
    let mut texts = Vec::new();
    for (stage, accepted, refused) in &proof.texts {
        writeln!(
            text,
            "{} on generated texts: {accepted} accepted, {refused} refused, each time alike",
            stage.name()
        )?;
        texts.push(json!({ "stage": stage.name(), "accepted": accepted, "refused": refused }));
    }
    let report = json!({ "good": true, "stages": stages, "texts": texts });
    print::answer(&report, json, |_| text)?;
    Ok(Verdict::Good)
}
