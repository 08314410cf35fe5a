//! `prove accepts`: which files of a program's source S4 compiles, and what it refuses in the others, by name.

use super::hosts;
use super::recipe;
use crate::print::{self, Verdict};
use crate::sandbox::{self, Files};
use anyhow::{Context, ensure};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Component, Path, PathBuf};

const EXAMPLES: &str = "\
Examples, for a tree that its own configure has prepared:
  rootstock-seed prove accepts --tree musl-1.2.3 -I arch/x86_64 -I arch/generic \\
      -I obj/src/internal -I src/include -I src/internal -I obj/include -I include \\
      -D _XOPEN_SOURCE=700 src/string/memcpy.c src/stdio/printf.c";

/// How S4 says that the program is not complete.
const MISSING: &str = "never defined: ";

/// Each file is compiled alone, by an S4 that gcc built, in a sandbox that holds the folders searched for headers, the file's own
/// folder and the one above it. A file counts as compiled when nothing but functions and variables of other files is missing.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The folder bootstrap/amd64; found upwards from the working directory if not given.
    #[arg(long, value_name = "FOLDER")]
    chain: Option<PathBuf>,
    /// The root of the source; all other paths are below it.
    #[arg(long, value_name = "FOLDER")]
    tree: PathBuf,
    /// A folder with headers.
    #[arg(short = 'I', value_name = "FOLDER")]
    include: Vec<String>,
    /// A macro, with its value if it has one.
    #[arg(short = 'D', value_name = "NAME[=VALUE]")]
    define: Vec<String>,
    /// Files to compile.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
}

#[derive(Debug, Default, Serialize)]
struct Report {
    compiled: usize,
    /// Files by the reason that S4 gave.
    refused: BTreeMap<String, Vec<String>>,
    /// Files on which S4 ended otherwise than with a message.
    broken: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> anyhow::Result<Verdict> {
    let chain = recipe::chain(arguments.chain.as_ref())?;
    let hosts = hosts::present();
    let gcc = hosts.iter().find(|host| host.name == "gcc");
    let gcc = gcc.context("gcc is not installed")?;
    let recipe = recipe::s4(&chain, &Files::default())?;
    let (s4, _) = recipe.by_host(gcc).context("building S4")?;
    let mut headers = Files::default();
    for folder in &arguments.include {
        // The root of the source as a folder of headers means itself, not all that is below it.
        let at: PathBuf = Path::new(folder)
            .components()
            .skip_while(|part| *part == Component::CurDir)
            .collect();
        let deep = at != Path::new("");
        headers.read(&arguments.tree.join(&at), &at, deep, &recipe::is_source)?;
    }
    let mut options: Vec<String> = ["-o", "result"].map(str::to_owned).to_vec();
    options.extend(arguments.include.iter().map(|folder| format!("-I{folder}")));
    options.extend(arguments.define.iter().map(|define| format!("-D{define}")));
    let mut report = Report::default();
    for file in &arguments.files {
        let mut files = headers.clone();
        let own = Path::new(file).parent().unwrap_or(Path::new(""));
        for folder in own.ancestors().take(2) {
            files.read(
                &arguments.tree.join(folder),
                folder,
                false,
                &recipe::is_source,
            )?;
        }
        let path = arguments.tree.join(file);
        ensure!(path.is_file(), "{}: no such file", path.display());
        let with_file = [options.as_slice(), std::slice::from_ref(file)].concat();
        let outcome = sandbox::run(&s4, &with_file, &files, Some("result"))?;
        let said = String::from_utf8_lossy(&outcome.stderr);
        let said = said.lines().next().unwrap_or_default();
        match (outcome.status, reason(said), outcome.output.is_some()) {
            (0, _, true) => report.compiled += 1,
            (1, Some(reason), false) if reason.starts_with(MISSING) => {
                report.compiled += 1;
            }
            (1, Some(reason), false) => {
                let files = report.refused.entry(reason.to_owned()).or_default();
                files.push(file.clone());
            }
            (status, ..) => report
                .broken
                .push(format!("{file}: status {status}: {said}")),
        }
    }
    print::answer(&report, json, text)?;
    Ok(Verdict::when(report.broken.is_empty()))
}

/// What stands behind `FILE:LINE: `; only of something that is missing S4 cannot always say who needs it.
fn reason(said: &str) -> Option<&str> {
    if said.starts_with(MISSING) {
        return Some(said);
    }
    let (place, reason) = said.split_once(": ")?;
    let (_, line) = place.rsplit_once(':')?;
    line.parse::<u32>().ok()?;
    Some(reason)
}

fn text(report: &Report) -> String {
    let refused: usize = report.refused.values().map(Vec::len).sum();
    let mut text = format!("{} files compiled, {refused} refused\n", report.compiled);
    let mut reasons: Vec<_> = report.refused.iter().collect();
    reasons.sort_by_key(|(_, files)| std::cmp::Reverse(files.len()));
    for (reason, files) in reasons {
        let more = files.len().saturating_sub(3);
        let named = files.iter().take(3).cloned().collect::<Vec<_>>().join(" ");
        let _ = write!(text, "{:>6}  {reason}: {named}", files.len());
        let _ = match more {
            0 => writeln!(text),
            _ => writeln!(text, " and {more} more"),
        };
    }
    for broken in &report.broken {
        let _ = writeln!(text, "BROKEN  {broken}");
    }
    text
}
