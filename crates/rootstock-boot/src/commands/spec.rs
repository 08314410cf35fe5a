//! `spec`: documents of generations, checked, converted and made up.

use crate::commands::number::number;
use crate::files;
use crate::print::{Out, Verdict};
use anyhow::Context;
use boot_install::Sources;
use boot_spec::{Any, Error, Problem, Strictness, downgrade, read, upgrade};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Bootspec documents.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Check documents against every rule; problems are named by JSON path.
    #[command(after_help = "\
Exit code 1 when a rule is broken. With --lenient only what no reader can use counts.

Example:
  rootstock-boot spec check /run/current-system/boot.json")]
    Check {
        /// Read as installers do.
        #[arg(long)]
        lenient: bool,
        /// Documents.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Convert a document to another version, and report what that version cannot say.
    #[command(after_help = "\
Exit code 1 when something can only be carried along: a reader of the new version does not see it. Converting back gives the
same document.

Example:
  rootstock-boot spec upgrade boot.json -o boot-v2.json")]
    Upgrade {
        /// The version to convert to.
        #[arg(long, value_parser = number(1_u8, 2), default_value = "2")]
        to: u8,
        /// Where to write; standard output when left out.
        #[arg(long, short)]
        output: Option<PathBuf>,
        /// The document.
        file: PathBuf,
    },
    /// Make the document of a generation that was built without one, from its top-level folder.
    #[command(after_help = "\
Example:
  rootstock-boot spec synthesise /nix/var/nix/profiles/system-42-link -o boot.json")]
    Synthesise {
        /// Where the system's own paths begin.
        #[arg(long, value_name = "FOLDER", default_value = "/")]
        root: PathBuf,
        /// The version to write.
        #[arg(long, value_parser = number(1_u8, 2), default_value = "2")]
        to: u8,
        /// Where to write; standard output when left out.
        #[arg(long, short)]
        output: Option<PathBuf>,
        /// The top-level folder.
        toplevel: PathBuf,
    },
    /// Print the JSON schema of both versions.
    Schema,
}

#[derive(Serialize)]
struct Checked {
    file: PathBuf,
    version: Option<u32>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

#[derive(Serialize)]
struct Converted {
    document: serde_json::Value,
    losses: Vec<Problem>,
}

pub(crate) fn run(command: Command, out: &Out) -> anyhow::Result<Verdict> {
    match command {
        Command::Check { lenient, files } => check(lenient, &files, out),
        Command::Upgrade { to, output, file } => {
            let read = read(&files::read(&file)?, Strictness::Lenient)
                .with_context(|| file.display().to_string())?;
            convert(read.document, to, output, out)
        }
        Command::Synthesise {
            root,
            to,
            output,
            toplevel,
        } => {
            let sources = Sources::new(&root);
            // As the shell means it, where it is this system's.
            let toplevel = if root == Path::new("/") {
                std::path::absolute(&toplevel)?
            } else {
                toplevel
            };
            let document = boot_install::synthesise(&sources, &toplevel)?;
            convert(Any::V1(document), to, output, out)
        }
        Command::Schema => {
            out.answer(&boot_spec::schema(), |schema| format!("{schema:#}"))?;
            Ok(Verdict::Good)
        }
    }
}

fn check(lenient: bool, files: &[PathBuf], out: &Out) -> anyhow::Result<Verdict> {
    let strictness = if lenient {
        Strictness::Lenient
    } else {
        Strictness::Strict
    };
    let mut checked = Vec::new();
    for file in files {
        let bytes = files::read(file)?;
        let (version, problems, warnings) = match read(&bytes, strictness) {
            Ok(read) => (Some(read.document.version()), Vec::new(), read.warnings),
            Err(Error::Rules(problems)) => (None, problems, Vec::new()),
            Err(error) => {
                let problem = Problem {
                    path: "$".to_owned(),
                    why: error.to_string(),
                };
                (None, vec![problem], Vec::new())
            }
        };
        checked.push(Checked {
            file: file.clone(),
            version,
            problems,
            warnings,
        });
    }
    out.answer(&checked, |checked| {
        let lines = checked.iter().flat_map(|checked| {
            let verdict = match (checked.version, checked.problems.len()) {
                (Some(version), _) => format!("version {version}"),
                (None, 1) => "1 problem".to_owned(),
                (None, count) => format!("{count} problems"),
            };
            let file = format!("{}: {verdict}", checked.file.display());
            let problems = checked.problems.iter().map(|p| format!("  {p}"));
            let warnings = checked.warnings.iter().map(|p| format!("  warning: {p}"));
            std::iter::once(file).chain(problems).chain(warnings)
        });
        lines.collect::<Vec<_>>().join("\n")
    })?;
    Ok(Verdict::when(checked.iter().all(|c| c.problems.is_empty())))
}

fn convert(document: Any, to: u8, output: Option<PathBuf>, out: &Out) -> anyhow::Result<Verdict> {
    let (document, losses) = match (document, to) {
        (Any::V1(document), 2) => {
            let (document, losses) = upgrade(&document);
            (Any::V2(document), losses)
        }
        (Any::V2(document), 1) => {
            let (document, losses) = downgrade(&document);
            (Any::V1(document), losses)
        }
        (same, _) => (same, Vec::new()),
    };
    let text = document.to_json();
    if let Some(path) = &output {
        files::write(out, path, text.as_bytes())?;
    }
    let converted = Converted {
        document: serde_json::from_str(&text)?,
        losses,
    };
    out.answer(&converted, |converted| {
        let lines = converted.losses.iter().map(|loss| format!("{loss}\n"));
        match &output {
            Some(path) => {
                let written = format!("{}: version {}\n", path.display(), document.version());
                lines.chain([written]).collect()
            }
            // The document alone, so that it can be piped; what is lost is in the exit code and in --json.
            None => text.clone(),
        }
    })?;
    Ok(Verdict::when(converted.losses.is_empty()))
}
