//! `pcr companions`: PCR 12 and 13 of an image on its volume, from the files beside it.

use super::pcr::BankName;
use crate::print::{Out, Verdict};
use anyhow::Context;
use boot_esp::{EspPath, Folder, Outlook};
use boot_install::{Start, foresee_companions};
use boot_measure::Bank;
use boot_stub_core::command_line::Options;
use std::path::PathBuf;

/// Where the image and its companions are, and how it is started.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Folder where the image's volume is mounted.
    #[arg(long, value_name = "FOLDER")]
    volume: PathBuf,
    /// What the boot loader hands over: `@N` for a profile, then a command line.
    #[arg(long, value_name = "TEXT", default_value = "")]
    options: String,
    /// Secure Boot is off, so that the boot loader's command line counts.
    #[arg(long)]
    insecure: bool,
    /// An addon that firmware will refuse, by its file name.
    #[arg(long, value_name = "NAME")]
    without: Vec<String>,
    /// Banks; SHA-256 by default.
    #[arg(long, value_enum, default_value = "sha256")]
    bank: Vec<BankName>,
    /// The image's path on the volume, such as EFI/Linux/nixos.efi.
    image: String,
}

pub(crate) fn run(arguments: &Arguments, out: &Out) -> anyhow::Result<Verdict> {
    let named = || arguments.image.clone();
    let volume =
        Folder::open(&arguments.volume).with_context(|| arguments.volume.display().to_string())?;
    let outlook = Outlook::now(&volume);
    let path = EspPath::new(arguments.image.trim_start_matches('/'))?;
    let units: Vec<u16> = arguments.options.encode_utf16().collect();
    let options = Options::parse(&units);
    let start = Start {
        profile: options.profile,
        command_line: options.command_line,
        insecure: arguments.insecure,
        refused: arguments.without.clone(),
        measured: None,
    };
    let banks: Vec<Bank> = arguments.bank.iter().map(|name| name.bank()).collect();
    let bytes = outlook.read(&path)?;
    let statement =
        foresee_companions(&outlook, &path, &bytes, &banks, &start).with_context(named)?;
    out.answer(&statement, |statement| {
        let mut lines = vec![format!("# command line: {}", statement.command_line)];
        let measured = statement.measured.iter();
        lines.extend(measured.map(|m| format!("# PCR[{}] {}", m.pcr, m.what)));
        let left_out = statement.left_out.iter();
        lines.extend(left_out.map(|addon| format!("# left out: {addon}")));
        let values = statement.registers.iter();
        lines.extend(values.map(|v| format!("{}:{}={}", v.pcr, v.bank, v.value)));
        lines.join("\n")
    })?;
    Ok(Verdict::Good)
}
