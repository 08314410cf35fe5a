//! `prove suite`: S4's own tests. Programs in `tests/run` must print what their `.out` file says; those in `tests/refuse.txt` must be
//! refused at the place and with the words that they name, without output.

use super::hosts;
use super::recipe;
use crate::print::{self, Verdict};
use crate::sandbox::{self, Files};
use anyhow::{Context, ensure};
use clap::Args;
use seed_build::sandbox::Limits;
use serde::Serialize;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  rootstock-seed prove suite
  rootstock-seed prove --json suite --chain bootstrap/amd64";

/// S4 is built by gcc for this.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The folder bootstrap/amd64; found upwards from the working directory if not given.
    #[arg(long, value_name = "FOLDER")]
    chain: Option<PathBuf>,
}

#[derive(Debug, Default, Serialize)]
struct Report {
    run: usize,
    refused: usize,
    failures: Vec<String>,
}

/// One program that must be refused.
struct Refusal<'a> {
    name: &'a str,
    program: String,
    line: usize,
    message: &'a str,
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> anyhow::Result<Verdict> {
    let chain = recipe::chain(arguments.chain.as_ref())?;
    let hosts = hosts::present();
    let gcc = hosts
        .iter()
        .find(|host| host.name == "gcc")
        .context("gcc is not installed")?;
    let (s4, _) = recipe::s4(&chain, &Files::default())?
        .by_host(gcc)
        .context("building S4")?;
    let mut report = Report::default();

    let folder = chain.join("tests/run");
    let mut programs: Vec<PathBuf> = std::fs::read_dir(&folder)
        .with_context(|| folder.display().to_string())?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    programs.retain(|path| path.extension().is_some_and(|extension| extension == "c"));
    programs.sort();
    ensure!(!programs.is_empty(), "{}: no tests", folder.display());
    for path in programs {
        report.run += 1;
        let name = || path.display().to_string();
        let text = std::fs::read_to_string(&path).with_context(name)?;
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let expected = std::fs::read_to_string(path.with_extension("out")).with_context(name)?;
        let got = match recipe::program(&chain, &file, &text)?.by_s4(&s4) {
            Ok((built, _)) => {
                let outcome = sandbox::run(&built, &[], &Files::default(), None)?;
                format!(
                    "{}status {}\n",
                    String::from_utf8_lossy(&outcome.stdout),
                    outcome.status
                )
            }
            Err(error) => format!("{error:#}\n"),
        };
        if got != expected {
            let line = got.lines().zip(expected.lines()).position(|(a, b)| a != b);
            let line = line.unwrap_or_else(|| got.lines().count().min(expected.lines().count()));
            let of = |text: &str| text.lines().nth(line).unwrap_or("(end)").to_owned();
            report.failures.push(format!(
                "{file}: line {}: got {:?}, expected {:?}",
                line + 1,
                of(&got),
                of(&expected)
            ));
        }
    }

    let path = chain.join("tests/refuse.txt");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    for refusal in refusals(&text)? {
        report.refused += 1;
        let mut files = Files::default();
        files.add("test.c", refusal.program.as_bytes());
        let arguments = ["-o", "result", "test.c"].map(str::to_owned);
        let outcome = sandbox::run(&s4, &arguments, &files, Some("result"))?;
        let said = String::from_utf8_lossy(&outcome.stderr);
        let place = format!("test.c:{}: ", refusal.line);
        if outcome.status != 1
            || outcome.output.is_some()
            || !said.starts_with(&place)
            || !said.contains(refusal.message)
        {
            report.failures.push(format!(
                "refuse.txt, {}: status {}, said {:?}, not {place}{}",
                refusal.name,
                outcome.status,
                said.lines().next().unwrap_or("nothing"),
                refusal.message
            ));
        }
    }
    small_disk(&s4, &mut report)?;
    print::answer(&report, json, summary)?;
    Ok(Verdict::when(report.failures.is_empty()))
}

fn summary(report: &Report) -> String {
    let counts = format!(
        "{} programs run, {} refused, {} failures",
        report.run,
        report.refused,
        report.failures.len()
    );
    let lines: Vec<&str> = std::iter::once(&counts)
        .chain(&report.failures)
        .map(String::as_str)
        .collect();
    lines.join("\n")
}

/// Where there is little room, a program that fits is written, and of one that does not nothing is left.
fn small_disk(s4: &[u8], report: &mut Report) -> anyhow::Result<()> {
    let limits = Limits {
        output_mib: 14,
        ..Limits::default()
    };
    for (bytes, fits) in [(1 << 20, true), (15 << 20, false)] {
        let mut files = Files::default();
        let program = format!("char big[{bytes}] = {{1}};\nvoid __s4_start(void) {{}}\n");
        files.add("test.c", program.as_bytes());
        let arguments = ["-o", "result", "test.c"].map(str::to_owned);
        let outcome = sandbox::run_within(s4, &arguments, &files, Some("result"), limits)?;
        let said = String::from_utf8_lossy(&outcome.stderr);
        let good = match &outcome.output {
            Some(output) => fits && outcome.status == 0 && output.len() > bytes,
            None => !fits && outcome.status == 1 && said == "cannot write the output\n",
        };
        *(if fits {
            &mut report.run
        } else {
            &mut report.refused
        }) += 1;
        if !good {
            let left = outcome.output.map(|output| output.len());
            report.failures.push(format!(
                "{bytes} bytes: status {}, left {left:?}, said {said:?}",
                outcome.status
            ));
        }
    }
    Ok(())
}

fn refusals(text: &str) -> anyhow::Result<Vec<Refusal<'_>>> {
    let mut refusals = Vec::new();
    for part in text.split("\n---- ").skip(1) {
        let (name, program) = part.split_once('\n').context("a test without a program")?;
        let (line, message) = program
            .lines()
            .enumerate()
            .find_map(|(number, line)| {
                line.split_once("// error:")
                    .map(|(_, message)| (number + 1, message.trim()))
            })
            .with_context(|| format!("{name}: no line says what is wrong"))?;
        refusals.push(Refusal {
            name,
            program: format!("{program}\n"),
            line,
            message,
        });
    }
    ensure!(!refusals.is_empty(), "no programs to refuse");
    // Deep nesting must not exhaust S4's stack.
    for (name, before, middle, after) in [
        ("deep parentheses", "(", "1", ")"),
        ("deep negation", "- ", "1", ""),
        ("deep choice", "1 ? x : ", "1", ""),
        ("deep assignment", "x = ", "1", ""),
        ("deep call", "f(", "1", ")"),
    ] {
        let (before, after) = (before.repeat(100_000), after.repeat(100_000));
        refusals.push(Refusal {
            name,
            program: format!("int x;\nint f(int a) {{ return {before}{middle}{after}; }}\n"),
            line: 2,
            message: "nested too deeply",
        });
    }
    Ok(refusals)
}
