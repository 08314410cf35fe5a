//! `sbat ...`: SBAT data shown and merged, boot files judged by the rules of shim's reviewers, their questions answered.

use crate::files;
use crate::print::{Out, Verdict};
use anyhow::Context;
use boot_pe::Image;
use boot_pe::sbat::{Sbat, SbatLevel};
use boot_review::{Answer, Finding, Weight, current_level, lint, questionnaire};
use jiff::Timestamp;
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// SBAT data and reviews.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Judge boot files by the mechanical rules of shim's reviewers: SBAT, NX, alignment, certificates, reproducibility.
    #[command(after_help = "\
Exit code 1 when a file would be refused.

Example:
  rootstock-boot sbat lint shimx64.efi grubx64.efi")]
    Lint {
        /// The least generations, as `SbatLevel` holds them; those of shim 16.1's newest level by default.
        #[arg(long, value_name = "FILE")]
        level: Option<PathBuf>,
        /// The moment for validity times; now by default.
        #[arg(long, value_name = "RFC 3339")]
        at: Option<Timestamp>,
        /// Do not print notes.
        #[arg(long)]
        no_notes: bool,
        /// Boot files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Answer the questions of a shim review that the files hold themselves, as Markdown.
    #[command(after_help = "\
Example:
  rootstock-boot sbat review shimx64.efi mmx64.efi fbx64.efi grubx64.efi")]
    Review {
        /// Boot files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print the SBAT data of boot files or text files, merged: each line once, `sbat` first.
    Show {
        /// Write it there too.
        #[arg(long, short)]
        output: Option<PathBuf>,
        /// Boot files, or files with SBAT lines.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

#[derive(Serialize)]
struct Judged {
    file: PathBuf,
    good: bool,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Answered {
    file: PathBuf,
    answers: Vec<Answer>,
}

pub(crate) fn run(command: Command, out: &Out) -> anyhow::Result<Verdict> {
    match command {
        Command::Lint {
            level,
            at,
            no_notes,
            files: paths,
        } => {
            let level = match level {
                Some(path) => SbatLevel::parse(&files::read(&path)?)
                    .with_context(|| path.display().to_string())?,
                None => current_level(),
            };
            let at = at.unwrap_or_else(Timestamp::now);
            let mut judged = Vec::new();
            for file in paths {
                let bytes = files::read(&file)?;
                let mut findings =
                    lint(&bytes, &level, at).with_context(|| file.display().to_string())?;
                findings.retain(|finding| !no_notes || finding.weight > Weight::Note);
                let good = findings.iter().all(|f| f.weight < Weight::Error);
                judged.push(Judged {
                    file,
                    good,
                    findings,
                });
            }
            out.answer(&judged, judged_text)?;
            Ok(Verdict::when(judged.iter().all(|judged| judged.good)))
        }
        Command::Review { files: paths } => {
            let mut answered = Vec::new();
            for file in paths {
                let answers = questionnaire(&files::read(&file)?)
                    .with_context(|| file.display().to_string())?;
                answered.push(Answered { file, answers });
            }
            out.answer(&answered, answered_text)?;
            Ok(Verdict::Good)
        }
        Command::Show {
            output,
            files: paths,
        } => {
            let mut merged: Option<Sbat> = None;
            for path in paths {
                let found = read(&path)?;
                merged = Some(match merged {
                    Some(merged) => merged.merge(&found),
                    None => found,
                });
            }
            let merged = merged.context("no files")?;
            if let Some(output) = output {
                files::write(out, &output, merged.to_string().as_bytes())?;
            }
            out.answer(&merged, ToString::to_string)?;
            Ok(Verdict::Good)
        }
    }
}

/// SBAT data of a boot file's section, or of a text file.
fn read(path: &Path) -> anyhow::Result<Sbat> {
    let name = || path.display().to_string();
    let bytes = files::read(path)?;
    if !bytes.starts_with(b"MZ") {
        return Sbat::parse(&bytes).with_context(name);
    }
    let image = Image::parse(&bytes).with_context(name)?;
    let section = image.section(".sbat");
    let section = section.with_context(|| format!("{}: no .sbat section", name()))?;
    Sbat::parse(section.data()).with_context(name)
}

fn judged_text(judged: &Vec<Judged>) -> String {
    let mut text = String::new();
    for judged in judged {
        let verdict = if judged.good {
            "no errors"
        } else {
            "would be refused"
        };
        let _ = writeln!(text, "{}: {verdict}", judged.file.display());
        for finding in &judged.findings {
            let weight = match finding.weight {
                Weight::Note => "note",
                Weight::Warning => "warning",
                Weight::Error => "error",
            };
            let _ = writeln!(text, "  {weight}: {} [{}]", finding.what, finding.rule);
            let _ = writeln!(text, "    {}", finding.remedy);
        }
    }
    text
}

fn answered_text(answered: &Vec<Answered>) -> String {
    let mut text = String::new();
    for file in answered {
        let _ = writeln!(text, "## {}\n", file.file.display());
        for answer in &file.answers {
            let _ = writeln!(text, "### {}\n\n```", answer.question);
            for line in &answer.answer {
                let _ = writeln!(text, "{line}");
            }
            text.push_str("```\n\n");
        }
    }
    text
}
