//! `prove library`: musl, compiled by S4 file by file into one program with a test of it, against the same test on Debian's musl by gcc.

use super::hosts;
use super::recipe;
use crate::print::{self, Verdict};
use crate::sandbox::{self, Files};
use anyhow::{Context, bail, ensure};
use clap::Args;
use seed_build::sandbox::Limits;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const EXAMPLES: &str = "\
Examples:
  bootstrap/amd64/fetch-musl /var/tmp/musl
  rootstock-seed prove library --musl /var/tmp/musl";

/// S4 is built by gcc for this; the other side is the command `musl-gcc`. Both programs run in the sandbox.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The folder bootstrap/amd64; found upwards from the working directory if not given.
    #[arg(long, value_name = "FOLDER")]
    chain: Option<PathBuf>,
    /// What `fetch-musl` made.
    #[arg(long, value_name = "FOLDER")]
    musl: PathBuf,
}

/// The unpacked source below the folder of `fetch-musl`.
const SOURCE: &str = "musl-1.2.3";

/// Folders of headers, as in musl's Makefile.
const HEADERS: [&str; 7] = [
    "arch/x86_64",
    "arch/generic",
    "obj/src/internal",
    "src/include",
    "src/internal",
    "obj/include",
    "include",
];

/// Parts of musl that are assembly because C cannot say them. What is assembly for speed alone is left to musl's own C.
const ASSEMBLY: [&str; 11] = [
    "src/ldso/x86_64/dlsym.s",
    "src/ldso/x86_64/tlsdesc.s",
    "src/process/x86_64/vfork.s",
    "src/setjmp/x86_64/longjmp.s",
    "src/setjmp/x86_64/setjmp.s",
    "src/signal/x86_64/restore.s",
    "src/signal/x86_64/sigsetjmp.s",
    "src/thread/x86_64/__set_thread_area.s",
    "src/thread/x86_64/__unmapself.s",
    "src/thread/x86_64/clone.s",
    "src/thread/x86_64/syscall_cp.s",
];

/// What the test asks of the kernel besides what programs of the chain do.
const CALLS: [&str; 10] = [
    "arch_prctl",
    "clone",
    "futex",
    "ioctl",
    "membarrier",
    "rt_sigprocmask",
    "rt_sigreturn",
    "set_tid_address",
    "tkill",
    "writev",
];

/// What S4 may take for all of musl: two seconds, on a machine that does nothing else.
const SECONDS: u64 = 300;

/// The test begins four threads.
const THREADS: usize = 5;

#[derive(Debug, Serialize)]
struct Report {
    /// Files of musl that became one program.
    files: usize,
    program_bytes: usize,
    /// Milliseconds that S4 took.
    milliseconds: u64,
    /// Lines that both programs printed.
    lines: usize,
    differences: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> anyhow::Result<Verdict> {
    let chain = recipe::chain(arguments.chain.as_ref())?;
    let hosts = hosts::present();
    let gcc = hosts.iter().find(|host| host.name == "gcc");
    let gcc = gcc.context("gcc is not installed")?;
    let (s4, _) = recipe::s4(&chain, &Files::default())?
        .by_host(gcc)
        .context("building S4")?;
    let path = chain.join("tests/musl.c");
    let test = std::fs::read(&path).with_context(|| path.display().to_string())?;

    let (files, sources) = musl(&arguments.musl.join(SOURCE), &test)?;
    let mut options = ["-o", "result", "-D_XOPEN_SOURCE=700"]
        .map(str::to_owned)
        .to_vec();
    options.extend(HEADERS.map(|folder| format!("-I{folder}")));
    options.extend(sources.iter().cloned());
    let limits = Limits {
        seconds: SECONDS,
        ..Limits::default()
    };
    let outcome = sandbox::run_within(&s4, &options, &files, Some("result"), limits)?;
    let said = String::from_utf8_lossy(&outcome.stderr);
    let Some(program) = outcome.output.filter(|_| outcome.status == 0) else {
        bail!("S4 ended with status {}: {}", outcome.status, said.trim());
    };
    let ours = printed(&program)?;
    let theirs = printed(&by_musl_gcc(&test)?)?;
    let report = Report {
        // The test itself is the last one.
        files: sources.len() - 1,
        program_bytes: program.len(),
        milliseconds: outcome.time.as_millis() as u64,
        lines: ours.lines().count(),
        differences: differences(&ours, &theirs),
    };
    print::answer(&report, json, text)?;
    Ok(Verdict::when(report.differences.is_empty()))
}

/// musl's files with the test, and the sources among them that make a program.
fn musl(tree: &Path, test: &[u8]) -> anyhow::Result<(Files, Vec<String>)> {
    ensure!(
        tree.is_dir(),
        "input not obtainable: {}; bootstrap/amd64/fetch-musl makes it",
        tree.display()
    );
    let mut files = Files::default();
    for folder in [
        "arch/x86_64",
        "arch/generic",
        "crt",
        "include",
        "obj",
        "src",
    ] {
        files.read(&tree.join(folder), Path::new(folder), true, &|path| {
            recipe::is_source(path) || path.extension().is_some_and(|e| e == "s")
        })?;
    }
    let mut sources: BTreeSet<String> = BTreeSet::new();
    let mut own: Vec<String> = ASSEMBLY.map(str::to_owned).to_vec();
    let entries = std::fs::read_dir(tree.join("src")).context("the folder src of musl")?;
    for entry in entries {
        let name = entry.context("the folder src of musl")?.file_name();
        let folder = format!("src/{}", name.to_string_lossy());
        sources.extend(files.with_extension(&folder, "c"));
        own.extend(files.with_extension(&format!("{folder}/x86_64"), "c"));
    }
    sources.extend(files.with_extension("src/malloc/mallocng", "c"));
    // What the processor has for itself stands for the general file of the same name.
    for file in &own {
        let general = file.replacen("/x86_64/", "/", 1);
        let general = general.rsplit_once('.').map_or("", |(stem, _)| stem);
        sources.remove(&format!("{general}.c"));
    }
    files.add("test.c", test);
    let mut all: Vec<String> = sources.into_iter().chain(own).collect();
    all.extend(["crt/crt1.c", "test.c"].map(str::to_owned));
    Ok((files, all))
}

/// The test on the musl that this machine has, by gcc.
fn by_musl_gcc(test: &[u8]) -> anyhow::Result<Vec<u8>> {
    let folder = tempfile::Builder::new()
        .prefix("rootstock-musl.")
        .tempdir()
        .context("a folder for musl-gcc")?;
    std::fs::write(folder.path().join("test.c"), test).context("copying the test")?;
    let output = Command::new("musl-gcc")
        .args(["-static", "-O1", "-fwrapv", "-w", "-o", "result", "test.c"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .context("running musl-gcc")?;
    ensure!(
        output.status.success(),
        "musl-gcc: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    std::fs::read(folder.path().join("result")).context("the result of musl-gcc")
}

/// What a program prints and how it ends.
fn printed(program: &[u8]) -> anyhow::Result<String> {
    let none = Files::default();
    let limits = Limits {
        processes: THREADS,
        ..Limits::default()
    };
    let outcome = sandbox::run_with_calls(program, &[], &none, None, limits, &CALLS)?;
    Ok(format!(
        "{}status {}\n",
        String::from_utf8_lossy(&outcome.stdout),
        outcome.status
    ))
}

/// The lines that differ, at most ten.
fn differences(ours: &str, theirs: &str) -> Vec<String> {
    let count = ours.lines().count().max(theirs.lines().count());
    let line = |text: &str, i| text.lines().nth(i).unwrap_or("(end)").to_owned();
    (0..count)
        .filter(|&i| line(ours, i) != line(theirs, i))
        .map(|i| {
            let (ours, theirs) = (line(ours, i), line(theirs, i));
            format!("line {}: S4 {ours:?}, gcc {theirs:?}", i + 1)
        })
        .take(10)
        .collect()
}

fn text(report: &Report) -> String {
    let mut text = format!(
        "{} files of musl, {} bytes in {} ms; {} lines the same by S4 and gcc\n",
        report.files, report.program_bytes, report.milliseconds, report.lines
    );
    for difference in &report.differences {
        text.push_str(difference);
        text.push('\n');
    }
    text
}
