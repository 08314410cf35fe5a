//! `prove differential`: generated programs, compiled by S4 and by gcc, must print the same and end the same way.

use super::hosts;
use super::recipe;
use crate::print::{self, Verdict};
use crate::sandbox::{self, Files};
use anyhow::{Context, ensure};
use clap::Args;
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  rootstock-seed prove differential
  rootstock-seed prove differential --from 1000 --count 500 --keep /var/tmp/differ";

/// Each program is made from a number, so a difference can be looked at again. gcc compiles with -O0 -fwrapv.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The folder bootstrap/amd64; found upwards from the working directory if not given.
    #[arg(long, value_name = "FOLDER")]
    chain: Option<PathBuf>,
    /// Number of the first program.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// How many programs.
    #[arg(long, default_value_t = 50)]
    count: u64,
    /// Write programs on which the compilers differ to this folder.
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Report {
    programs: u64,
    bytes: usize,
    different: Vec<Different>,
}

#[derive(Debug, Serialize)]
struct Different {
    program: u64,
    gcc: String,
    s4: String,
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> anyhow::Result<Verdict> {
    let chain = recipe::chain(arguments.chain.as_ref())?;
    let hosts = hosts::present();
    let gcc = hosts
        .iter()
        .find(|host| host.name == "gcc")
        .context("gcc is not installed")?;
    let s4_recipe = recipe::s4(&chain, &Files::default())?;
    let (s4, _) = s4_recipe.by_host(gcc).context("building S4")?;
    let mut report = Report {
        programs: arguments.count,
        bytes: 0,
        different: Vec::new(),
    };
    for number in arguments.from..arguments.from.saturating_add(arguments.count) {
        let program = seed_proof::generate::program(number);
        report.bytes += program.len();
        let recipe = recipe::program(&chain, "program.c", &program)?;
        let gcc_says = recipe
            .by_host(gcc)
            .and_then(|(built, _)| outcome(&built))
            .with_context(|| format!("program {number} by gcc"))?;
        let s4_says = match recipe.by_s4(&s4) {
            Ok((built, _)) => outcome(&built)?,
            Err(error) => format!("{error:#}"),
        };
        if gcc_says != s4_says {
            keep(arguments.keep.as_deref(), number, &program)?;
            report.different.push(Different {
                program: number,
                gcc: gcc_says,
                s4: s4_says,
            });
        }
    }
    print::answer(&report, json, |report| {
        let mut text = format!(
            "{} programs, {} bytes, {} with a difference\n",
            report.programs,
            report.bytes,
            report.different.len()
        );
        for different in &report.different {
            let Different { program, gcc, s4 } = different;
            let _ = write!(text, "program {program}\n--- gcc\n{gcc}--- s4\n{s4}");
        }
        text
    })?;
    Ok(Verdict::when(report.different.is_empty()))
}

/// What a program prints and how it ends.
fn outcome(program: &[u8]) -> anyhow::Result<String> {
    let outcome = sandbox::run(program, &[], &Files::default(), None)?;
    Ok(format!(
        "{}status {}\n",
        String::from_utf8_lossy(&outcome.stdout),
        outcome.status
    ))
}

fn keep(folder: Option<&Path>, number: u64, program: &str) -> anyhow::Result<()> {
    let Some(folder) = folder else {
        return Ok(());
    };
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    ensure!(folder.is_dir(), "{}: not a folder", folder.display());
    let path = folder.join(format!("{number}.c"));
    std::fs::write(&path, program).with_context(|| path.display().to_string())
}
