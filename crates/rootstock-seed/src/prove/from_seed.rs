//! `prove from-seed`: the whole way from the seed's source to TinyCC, each program built by the one before it, timed.
//!
//! Invariant: no compiler, assembler or linker of this machine takes part.

use super::{chain, recipe};
use crate::print::{self, Verdict};
use crate::sandbox::{self, Files};
use anyhow::{Context, ensure};
use clap::Args;
use seed_proof::chain::Stage;
use seed_proof::lineage::sha256;
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

const EXAMPLES: &str = "\
Examples:
  rootstock-seed prove from-seed
      up to the C compiler S4 that compiles itself
  bootstrap/amd64/fetch-tcc /var/tmp/tcc
  rootstock-seed prove from-seed --tcc /var/tmp/tcc --results build
  rootstock-seed prove double-compile --tcc /var/tmp/tcc --with-s4 s3=build/s4-by-s3";

/// Builds S0 to S3, S4 by S3 and by itself, and TinyCC by S4 and by itself, until both are fixed points.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The folder bootstrap/amd64; found upwards from the working directory if not given.
    #[arg(long, value_name = "FOLDER")]
    chain: Option<PathBuf>,
    /// TinyCC's source, as for `prove double-compile`; without it the way ends at S4.
    #[arg(long, value_name = "PATH")]
    tcc: Option<PathBuf>,
    /// Write the programs to this folder.
    #[arg(long, value_name = "FOLDER")]
    results: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Report {
    good: bool,
    steps: Vec<Step>,
    milliseconds: u64,
}

#[derive(Debug, Serialize)]
struct Step {
    name: String,
    by: String,
    bytes: usize,
    sha256: String,
    milliseconds: u64,
}

/// The steps so far; programs are kept by name.
#[derive(Default)]
struct Way {
    steps: Vec<Step>,
    programs: Vec<Vec<u8>>,
}

impl Way {
    fn add(&mut self, name: &str, by: &str, (program, milliseconds): (Vec<u8>, u64)) -> Vec<u8> {
        self.steps.push(Step {
            name: name.to_owned(),
            by: by.to_owned(),
            bytes: program.len(),
            sha256: sha256(&program),
            milliseconds,
        });
        self.programs.push(program.clone());
        program
    }
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> anyhow::Result<Verdict> {
    let folder = recipe::chain(arguments.chain.as_ref())?;
    let sources = chain::sources(&folder)?;
    let mut way = Way::default();
    let begin = Instant::now();
    let mut program = seed_proof::hex::decode(sources.text(Stage::S0))?;
    for stage in Stage::ALL {
        let start = Instant::now();
        let name = stage.builder().name();
        let run = seed_proof::chain::translate(
            &chain::Native,
            stage.builder(),
            &program,
            sources.text(stage),
        )?;
        let said = String::from_utf8_lossy(&run.errors).into_owned();
        let built = run.files.get(&b"out"[..]).cloned();
        let built = built.with_context(|| format!("{name} refused {}: {said}", stage.file()))?;
        program = way.add(stage.name(), name, (built, milliseconds(start)));
    }
    let (by_s3, time) = s4_by_s3(&folder, &program)?;
    let first = way.add("s4-by-s3", "S3", (by_s3, time));
    let recipe = recipe::s4(&folder, &Files::default())?;
    let second = way.add("s4", "s4-by-s3", recipe.by_s4(&first)?);
    let third = way.add("s4-again", "s4", recipe.by_s4(&second)?);
    let mut good = second == third;
    if let Some(path) = &arguments.tcc {
        let recipe = recipe::tcc(&folder, &recipe::tinycc_sources(path)?)?;
        let first = way.add("tcc1", "s4", recipe.by_s4(&second)?);
        let second = way.add("tcc2", "tcc1", recipe.by_tcc(&first)?);
        let third = way.add("tcc3", "tcc2", recipe.by_tcc(&second)?);
        good &= second == third;
    }
    let report = Report {
        good,
        milliseconds: milliseconds(begin),
        steps: way.steps,
    };
    if let Some(folder) = &arguments.results {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        for (step, program) in report.steps.iter().zip(&way.programs) {
            chain::write(&folder.join(&step.name), program)?;
        }
    }
    print::answer(&report, json, text)?;
    Ok(Verdict::when(good))
}

fn milliseconds(since: Instant) -> u64 {
    since.elapsed().as_millis() as u64
}

/// S4's own files, without `host.c`, which stands for S3's built-in functions elsewhere.
pub(crate) fn s4_by_s3(folder: &Path, s3: &[u8]) -> anyhow::Result<(Vec<u8>, u64)> {
    let mut files = Files::default();
    let numbered = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(|first: char| first.is_ascii_digit()) && name.ends_with(".c")
    };
    files.read(&folder.join("S4"), Path::new("S4"), false, &numbered)?;
    let mut arguments = vec!["out".to_owned()];
    arguments.extend(files.with_extension("S4", "c"));
    let outcome = sandbox::run(s3, &arguments, &files, Some("out"))?;
    let said = String::from_utf8_lossy(&outcome.stderr);
    ensure!(outcome.status == 0, "S3 refused S4: {}", said.trim());
    let program = outcome.output.context("S3 wrote no S4")?;
    Ok((program, outcome.time.as_millis() as u64))
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    for step in &report.steps {
        let _ = writeln!(
            text,
            "{:<9} by {:<9} {:>7} bytes {:>6} ms  {}",
            step.name, step.by, step.bytes, step.milliseconds, step.sha256
        );
    }
    let verdict = if report.good {
        "fixed points reached"
    } else {
        "no fixed point"
    };
    let _ = writeln!(
        text,
        "{verdict}; {} ms in all, sandboxes included",
        report.milliseconds
    );
    text
}
