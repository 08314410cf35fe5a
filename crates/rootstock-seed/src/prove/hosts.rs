//! Hosts: the C compilers of this machine that can begin a lineage. They are what a user trusts today anyway and run as they are; what
//! they produce runs in a sandbox only.

use super::recipe::Built;
use crate::sandbox::Files;
use anyhow::{Context, ensure};
use std::process::{Command, Stdio};
use std::time::Instant;

/// A compiler and how it is told to use nothing but what it is given.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub(crate) name: String,
    command: Vec<String>,
    pub(crate) version: String,
    /// Its code calls TinyCC's own run-time functions.
    is_tcc: bool,
}

/// Options for compilers that otherwise assume a hosted, position-independent program.
const GNU: &[&str] = &[
    "-O0",
    "-ffreestanding",
    "-fno-builtin",
    "-fno-stack-protector",
    "-fwrapv",
    "-fno-pie",
    "-no-pie",
];

const KNOWN: [(&str, &[&str]); 4] = [("gcc", GNU), ("clang", GNU), ("pcc", &[]), ("tcc", &[])];

/// The known compilers that are present, in a fixed order.
pub(crate) fn present() -> Vec<Host> {
    KNOWN
        .into_iter()
        .filter_map(|(name, options)| {
            let version = version(name)?;
            let command = std::iter::once(name)
                .chain(options.iter().copied())
                .map(str::to_owned)
                .collect();
            Some(Host {
                name: name.to_owned(),
                command,
                version,
                is_tcc: name == "tcc",
            })
        })
        .collect()
}

/// The first line of what the compiler says about itself.
fn version(name: &str) -> Option<String> {
    let option = if name == "tcc" { "-v" } else { "--version" };
    let output = Command::new(name)
        .arg(option)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = if output.stdout.is_empty() {
        output.stderr
    } else {
        output.stdout
    };
    let text = String::from_utf8_lossy(&text);
    Some(text.lines().next().unwrap_or("").trim().to_owned())
}

impl Host {
    /// Compiles and links `sources` of `files` into a static program.
    pub(crate) fn build(
        &self,
        files: &Files,
        options: &[String],
        sources: &[String],
        run_time: &[String],
    ) -> anyhow::Result<Built> {
        let folder = tempfile::Builder::new()
            .prefix("rootstock-host.")
            .tempdir()
            .context("a folder for the host")?;
        files.write(folder.path())?;
        let begin = Instant::now();
        let (program, own) = self.command.split_first().context("a command")?;
        let output = Command::new(program)
            .args(own)
            .args(["-w", "-nostdlib", "-nostdinc", "-static", "-o", "result"])
            .args(options)
            .args(sources)
            .args(if self.is_tcc { run_time } else { &[] })
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("running {program}"))?;
        ensure!(
            output.status.success(),
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr)
                .lines()
                .take(5)
                .collect::<Vec<_>>()
                .join("; ")
        );
        let bytes = std::fs::read(folder.path().join("result"))
            .with_context(|| format!("the result of {program}"))?;
        Ok((bytes, begin.elapsed().as_millis() as u64))
    }
}
