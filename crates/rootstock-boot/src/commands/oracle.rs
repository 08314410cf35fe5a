//! `oracle`: would this machine boot these files?

use super::source;
use crate::files;
use crate::print::{Out, Verdict};
use anyhow::Context;
use boot_pe::Image;
use boot_variables::{Asker, Decision, EntryName, Machine, Platform, Reason, Shim, firmware, shim};
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Which machine and which files.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit code 1 when a file would be refused.

Examples:
  rootstock-boot oracle --vars live /boot/EFI/Linux/*.efi
  rootstock-boot oracle --vars /usr/share/OVMF/OVMF_VARS_4M.ms.fd \\
      --shim /usr/lib/shim/shimx64.efi.signed grubx64.efi")]
pub(crate) struct Options {
    /// `live`, a folder of efivarfs files, or an OVMF_VARS file.
    #[arg(long)]
    vars: String,
    /// Ask this shim instead of the firmware; the firmware is asked about the shim itself.
    #[arg(long, value_name = "FILE")]
    shim: Option<PathBuf>,
    /// The files are loaded by what shim starts (GRUB, systemd-boot), not by shim itself; SBAT data is optional then.
    #[arg(long, requires = "shim")]
    later: bool,
    /// The machine's processor.
    #[arg(long, value_enum, default_value = "x64")]
    processor: Processor,
    /// The firmware verifies ECDSA signatures; most does not.
    #[arg(long)]
    elliptic_curves: bool,
    /// Files to boot.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Instruction sets of boot files.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Processor {
    X64,
    Aa64,
    Riscv64,
    Loongarch64,
}

impl Options {
    fn platform(&self) -> Platform {
        Platform {
            processor: match self.processor {
                Processor::X64 => boot_pe::Machine::X64,
                Processor::Aa64 => boot_pe::Machine::Aa64,
                Processor::Riscv64 => boot_pe::Machine::Riscv64,
                Processor::Loongarch64 => boot_pe::Machine::Loongarch64,
            },
            elliptic_curves: self.elliptic_curves,
        }
    }
}

#[derive(Serialize)]
struct Answer {
    file: PathBuf,
    asked: &'static str,
    #[serde(flatten)]
    decision: Decision,
}

pub(crate) fn run(options: &Options, out: &Out) -> anyhow::Result<Verdict> {
    let mut machine =
        Machine::read(&source::variables(&options.vars)?).with_context(|| options.vars.clone())?;
    machine.platform = options.platform();
    let asker = if options.later {
        Asker::SecondStage
    } else {
        Asker::Shim
    };
    let mut answers = Vec::new();
    let mut loader = None;
    if let Some(path) = &options.shim {
        let bytes = files::read(path)?;
        let image = Image::parse(&bytes).with_context(|| path.display().to_string())?;
        loader = Some(Shim::read(&image).with_context(|| path.display().to_string())?);
        answers.push(answer(path, "firmware", firmware(&machine, &bytes)));
    }
    for path in &options.files {
        let bytes = files::read(path)?;
        answers.push(match &loader {
            Some(loader) => answer(path, "shim", shim(&machine, loader, asker, &bytes)),
            None => answer(path, "firmware", firmware(&machine, &bytes)),
        });
    }
    let all = answers.iter().all(|answer| answer.decision.boots);
    out.answer(&answers, text)?;
    Ok(Verdict::when(all))
}

fn answer(file: &Path, asked: &'static str, decision: Decision) -> Answer {
    Answer {
        file: file.to_owned(),
        asked,
        decision,
    }
}

fn text(answers: &Vec<Answer>) -> String {
    let mut text = String::new();
    for answer in answers {
        let decision = &answer.decision;
        let verdict = if decision.boots { "boots" } else { "refused" };
        let _ = writeln!(
            text,
            "{}: {verdict} by {} ({:?}): {}",
            answer.file.display(),
            answer.asked,
            decision.status,
            words(&decision.reason)
        );
        for remedy in &decision.remedies {
            let _ = writeln!(text, "  - {remedy}");
        }
    }
    text
}

/// The reason as a sentence.
fn words(reason: &Reason) -> String {
    let entry = |entry: &EntryName| {
        format!(
            "entry {} of {}, {}",
            entry.index, entry.list, entry.description
        )
    };
    match reason {
        Reason::SecureBootOff => "Secure Boot is off, nothing is checked".to_owned(),
        Reason::ValidationOff => "shim is told not to check (MokSBState)".to_owned(),
        Reason::NotLoadable { error } => error.clone(),
        Reason::HashForbidden { entry: e } => format!("its hash is forbidden by {}", entry(e)),
        Reason::HashAllowed { entry: e } => format!("its hash is allowed by {}", entry(e)),
        Reason::CertificateForbidden {
            entry: e,
            signature,
        } => {
            format!("signature {signature} is forbidden by {}", entry(e))
        }
        Reason::CertificateAllowed {
            entry: e,
            signature,
            chain,
        } => {
            format!(
                "signature {signature} is allowed by {} ({})",
                entry(e),
                chain.join(" <- ")
            )
        }
        Reason::TableCorrupt { error } => format!("its signatures can't be walked: {error}"),
        Reason::Unsigned => "it is not signed and its hash is in no list".to_owned(),
        Reason::NotAllowed { signers } if signers.is_empty() => {
            "it has no readable signature".to_owned()
        }
        Reason::NotAllowed { signers } => {
            format!("signed by {}, whom no list allows", signers.join(", "))
        }
        Reason::SbatMissing { found } => format!("SBAT is demanded: {found}"),
        Reason::SbatRevoked { revoked, level } => {
            let names: Vec<_> = revoked
                .iter()
                .map(|r| {
                    format!(
                        "{} has generation {}, {} is demanded",
                        r.name, r.found, r.minimum
                    )
                })
                .collect();
            format!("revoked by SBAT level {level}: {}", names.join("; "))
        }
    }
}
