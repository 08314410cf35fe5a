//! `prove hex`: runs the proof and writes the report that a person reads.

use super::{chain, recipe};
use crate::print::{self, Verdict};
use anyhow::Context;
use clap::Args;
use seed_proof::behaviour::{Action, State};
use seed_proof::chain::{Sources, Stage};
use seed_proof::listing::{self, Dialect};
use seed_proof::prove_hex::{self, HexProof};
use serde_json::json;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Arguments of `prove hex`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rootstock-seed prove hex
  rootstock-seed prove hex --report seed.md
      the report, for a person
  rootstock-seed prove hex --seed seed
      also write the seed's bytes
  rootstock-seed prove hex --fill
      after an edit of annotations: write the bytes' columns anew")]
pub(crate) struct Arguments {
    /// The folder bootstrap/amd64; found upwards from the working directory if not given.
    #[arg(long, value_name = "FOLDER")]
    chain: Option<PathBuf>,
    /// Write the report of the seed, in Markdown.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write the seed, executable.
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// Write the bytes' columns of the listings anew from their annotations, then prove them.
    #[arg(long)]
    fill: bool,
}

/// Runs it.
pub(crate) fn run(arguments: &Arguments, json: bool) -> anyhow::Result<Verdict> {
    let folder = &recipe::chain(arguments.chain.as_ref())?;
    if arguments.fill {
        fill(folder)?;
    }
    let sources = chain::sources(folder)?;
    let proof = match prove_hex::prove(&sources) {
        Ok(proof) => proof,
        Err(error) => return chain::broken(&error, json),
    };
    if let Some(path) = &arguments.report {
        chain::write(path, report(&sources, &proof).as_bytes())?;
    }
    if let Some(path) = &arguments.seed {
        use std::os::unix::fs::PermissionsExt;
        chain::write(path, &proof.stages[0].listing.bytes)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
    }
    let mut text = String::new();
    let mut stages = Vec::new();
    for stage in &proof.stages {
        let (bytes, data) = sizes(stage);
        writeln!(
            text,
            "{}: {bytes} bytes = {} instructions, all reached and re-encoded, + {data} bytes of data",
            stage.stage.name(),
            stage.reached
        )?;
        stages.push(json!({ "stage": stage.stage.name(), "bytes": bytes,
            "instructions": stage.reached, "data": data }));
    }
    let behaviour = &proof.behaviour;
    writeln!(
        text,
        "S0: {} steps from {} states over 256 bytes and {} whole runs are the language's",
        behaviour.steps,
        behaviour.table.len(),
        behaviour.frames
    )?;
    let report = json!({ "good": true, "stages": stages, "steps": behaviour.steps,
        "states": behaviour.table.len(), "runs": behaviour.frames });
    print::answer(&report, json, |_| text)?;
    Ok(Verdict::Good)
}

fn sizes(stage: &prove_hex::StageProof) -> (usize, usize) {
    let data = stage.listing.data.iter().map(ExactSizeIterator::len).sum();
    (stage.listing.bytes.len(), data)
}

fn fill(folder: &Path) -> anyhow::Result<()> {
    for (stage, dialect) in [
        (Stage::S0, Dialect::Hex),
        (Stage::S1, Dialect::Hex),
        (Stage::S2, Dialect::Linked),
    ] {
        let path = folder.join(stage.file());
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let filled = listing::fill(&text, dialect).with_context(|| path.display().to_string())?;
        chain::write(&path, filled.as_bytes())?;
    }
    Ok(())
}

/// The seed, byte by byte, and what it does with each byte in each state.
fn report(sources: &Sources, proof: &HexProof) -> String {
    let listing = &proof.stages[0].listing;
    let text = String::from_utf8_lossy(sources.text(Stage::S0));
    let lines: Vec<&str> = text.lines().collect();
    let mut out = String::from("# The seed, byte by byte\n\n");
    let _ = writeln!(
        out,
        "{} bytes, SHA-256 `{}`.\nEach line was re-encoded from its annotation; each instruction is reached from \
         the entry; no byte is in two of them.\n\n| offset | bytes | what | why |\n|---|---|---|---|",
        listing.bytes.len(),
        seed_proof::lineage::sha256(&listing.bytes)
    );
    for (offset, line) in &listing.lines {
        let mut columns = lines[line - 1].splitn(3, " ; ").map(str::trim);
        let mut column = || columns.next().unwrap_or_default().replace('|', "\\|");
        let _ = writeln!(
            out,
            "| {offset:#04x} | `{}` | `{}` | {} |",
            column(),
            column(),
            column()
        );
    }
    out.push_str("\n## What it does with each byte\n\n");
    out.push_str("Found by running it from each state over all 256 bytes, with three contents of all other registers.\n\n");
    out.push_str("| state | bytes | effect |\n|---|---|---|\n");
    for (state, ranges) in &proof.behaviour.table {
        if matches!(state, State::Half(value) if *value > 0) {
            continue;
        }
        for (first, last, action) in ranges {
            let range = if first == last {
                format!("{first:02X}")
            } else {
                format!("{first:02X}-{last:02X}")
            };
            let _ = writeln!(
                out,
                "| {} | {range} | {} |",
                state_name(*state),
                action_name(*action)
            );
        }
    }
    out.push_str("\nThe other fifteen half states differ only in the byte written: first digit times 16 plus second.\n");
    out
}

fn state_name(state: State) -> String {
    match state {
        State::Clean => "between pairs".to_owned(),
        State::Half(value) => format!("behind the digit {value:X}"),
        State::Comment => "in a comment".to_owned(),
    }
}

fn action_name(action: Action) -> String {
    match action {
        Action::Go(state) => format!("go on {}", state_name(state)),
        Action::Write(byte) => format!("write {byte:02X}, go on between pairs"),
        Action::End => "the end: write the output".to_owned(),
        Action::Fail => "error".to_owned(),
    }
}
