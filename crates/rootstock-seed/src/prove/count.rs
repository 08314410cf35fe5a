//! `prove count`: what a person must read, and what the processor must do.

use super::{chain, recipe};
use crate::print::{self, Verdict};
use anyhow::Context;
use clap::Args;
use seed_proof::count::{Lines, lines};
use seed_proof::engine::Interpreter;
use serde_json::json;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Most lines that a person should have to read from the seed to TinyCC.
const LIMIT: usize = 17_000;

/// Arguments of `prove count`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rootstock-seed prove count
  rootstock-seed prove count --json")]
pub(crate) struct Arguments {
    /// The folder bootstrap/amd64; found upwards from the working directory if not given.
    #[arg(long, value_name = "FOLDER")]
    chain: Option<PathBuf>,
}

/// Runs it.
pub(crate) fn run(arguments: &Arguments, json: bool) -> anyhow::Result<Verdict> {
    let folder = &recipe::chain(arguments.chain.as_ref())?;
    let built = chain::sources(folder)?.build(&Interpreter::default())?;
    let mut text =
        String::from("stage   files   lines    code    bytes  instructions  system calls\n");
    let (mut total, mut rows) = (0, Vec::new());
    for stage in ["S0", "S1", "S2", "S3", "S4", "L0"] {
        let mut lines = Lines::default();
        count(&folder.join(stage), &mut lines)?;
        total += lines.all;
        let made = built.iter().find(|built| built.stage.name() == stage);
        let (bytes, instructions, calls) = made.map_or((0, 0, 0), |built| {
            let calls = built.run.calls.values().sum::<u64>();
            (built.bytes.len(), built.run.instructions, calls)
        });
        writeln!(
            text,
            "{stage:<6} {:>6} {:>7} {:>7} {bytes:>8} {instructions:>13} {calls:>13}",
            lines.files, lines.all, lines.code
        )?;
        rows.push(
            json!({ "stage": stage, "files": lines.files, "lines": lines.all,
            "code": lines.code, "bytes": bytes, "instructions": instructions,
            "system_calls": calls }),
        );
    }
    writeln!(text, "{total} lines to read; the limit is {LIMIT}")?;
    text.push_str(
        "bytes, instructions and system calls: of S0 to S3, while the stage before builds them\n",
    );
    let good = total <= LIMIT;
    let report = json!({ "good": good, "stages": rows, "lines": total, "limit": LIMIT });
    print::answer(&report, json, |_| text)?;
    Ok(Verdict::when(good))
}

/// Adds the sources in a folder and below.
fn count(folder: &Path, total: &mut Lines) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let path = entry.with_context(|| folder.display().to_string())?.path();
        if path.is_dir() {
            count(&path, total)?;
            continue;
        }
        let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
        let text = String::from_utf8_lossy(&bytes);
        if let Some(found) = lines(&path.to_string_lossy(), &text) {
            *total += found;
        }
    }
    Ok(())
}
