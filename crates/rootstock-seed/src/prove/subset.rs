//! `prove subset`: reads the files, prints what the checker says.

use crate::print::{self, Verdict};
use anyhow::Context;
use clap::Args;
use seed_proof::subset::{Source, check};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  rootstock-seed prove subset bootstrap/amd64/S4/[0-9]*.c
  rootstock-seed prove subset --json one.c two.c";

/// All files together are one program.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Source files, in the order in which S3 gets them.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> anyhow::Result<Verdict> {
    let mut texts = Vec::new();
    for path in &arguments.files {
        let name = path.display().to_string();
        texts.push((name.clone(), std::fs::read(path).context(name)?));
    }
    let sources: Vec<Source<'_>> = texts
        .iter()
        .map(|(name, text)| Source { name, text })
        .collect();
    match check(&sources) {
        Ok(summary) => {
            print::answer(&summary, json, |s| {
                format!(
                    "within the subset: {} files, {} lines, {} bytes, {} functions, {} global names\n\
                     deepest: {} statements, {} expressions; most locals in one function: {}; strings: {} bytes; arrays: {} MiB",
                    s.files,
                    s.lines,
                    s.bytes,
                    s.functions,
                    s.globals,
                    s.statements,
                    s.expressions,
                    s.locals,
                    s.strings,
                    s.arrays >> 20
                )
            })?;
            Ok(Verdict::Good)
        }
        Err(refusals) => {
            print::answer(&refusals, json, |all| {
                let lines: Vec<String> = all.iter().map(ToString::to_string).collect();
                lines.join("\n")
            })?;
            Ok(Verdict::Bad)
        }
    }
}
