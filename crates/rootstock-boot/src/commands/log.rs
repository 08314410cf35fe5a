//! `log show|replay|check|export`: event logs of firmware.

use super::boot::log as read_log;
use crate::commands::number::number;
use crate::files;
use crate::print::{Out, Verdict};
use anyhow::Context;
use boot_measure::{
    Bank, Content, EventLog, KNOWN_QUIRKS, Mismatch, Quirk, Registers, to_cel_json,
};
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Where the kernel shows the log of this machine.
const LIVE_LOG: &str = "/sys/kernel/security/tpm0/binary_bios_measurements";
/// Where it shows the registers.
const LIVE_REGISTERS: &str = "/sys/class/tpm/tpm0";

/// Event logs.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Print the events of a log, and what is odd about it.
    #[command(after_help = "\
Examples:
  rootstock-boot log show
  rootstock-boot --json log show saved.bin")]
    Show {
        #[command(flatten)]
        which: Which,
        /// Only events of these registers.
        #[arg(long, value_parser = number(0_u32, 23))]
        pcr: Vec<u32>,
    },
    /// Print the registers that a log leads to.
    Replay {
        #[command(flatten)]
        which: Which,
    },
    /// Compare the registers that a log leads to with those of the TPM.
    #[command(after_help = "\
Exit code 1 when a register differs.

Examples:
  rootstock-boot log check
  tpm2_pcrread > registers && rootstock-boot log check --pcrs registers saved.bin")]
    Check {
        /// Values as tpm2_pcrread, systemd or `log replay` print them; the kernel's by default.
        #[arg(long, value_name = "FILE")]
        pcrs: Option<PathBuf>,
        #[command(flatten)]
        which: Which,
    },
    /// Write a log as canonical event log (CEL-JSON).
    Export {
        #[command(flatten)]
        which: Which,
        /// Where to write; standard output by default.
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
    /// Print what firmware is known to do otherwise than the specification says.
    Quirks,
}

/// Which log.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// A binary log; that of this machine by default.
    #[arg(value_name = "LOG")]
    file: Option<PathBuf>,
}

impl Which {
    pub(super) fn read(&self) -> anyhow::Result<EventLog> {
        read_log(self.file.as_deref().unwrap_or(Path::new(LIVE_LOG)))
    }
}

#[derive(Serialize)]
struct ShownEvent {
    number: usize,
    offset: usize,
    pcr: u32,
    #[serde(rename = "type")]
    kind: String,
    digests: Vec<ShownDigest>,
    size: usize,
    content: String,
}

#[derive(Serialize)]
struct ShownDigest {
    bank: String,
    digest: String,
}

#[derive(Serialize)]
struct Shown {
    events: Vec<ShownEvent>,
    quirks: Vec<Quirk>,
}

#[derive(Serialize)]
pub(super) struct Value {
    pub(super) pcr: u8,
    pub(super) bank: Bank,
    pub(super) value: String,
}

/// Registers as a list.
pub(super) fn values(registers: &Registers) -> Vec<Value> {
    let value = |(bank, pcr, value): (Bank, u8, &[u8])| Value {
        pcr,
        bank,
        value: hex::encode(value),
    };
    registers.iter().map(value).collect()
}

pub(super) fn lines(values: &[Value]) -> String {
    values.iter().fold(String::new(), |mut text, value| {
        let _ = writeln!(text, "{}:{}={}", value.pcr, value.bank, value.value);
        text
    })
}

pub(crate) fn run(command: Command, out: &Out) -> anyhow::Result<Verdict> {
    match command {
        Command::Show { which, pcr } => show(&which.read()?, &pcr, out),
        Command::Replay { which } => {
            let registers = values(&Registers::replay(&which.read()?));
            out.answer(&registers, |registers| lines(registers))?;
            Ok(Verdict::Good)
        }
        Command::Check { pcrs, which } => check(&which.read()?, pcrs.as_deref(), out),
        Command::Export { which, output } => {
            let json = to_cel_json(&which.read()?);
            match output {
                Some(path) => files::write(out, &path, format!("{json:#}\n").as_bytes())?,
                None => out.answer(&json, |json| format!("{json:#}"))?,
            }
            Ok(Verdict::Good)
        }
        Command::Quirks => {
            out.answer(&KNOWN_QUIRKS, |quirks| {
                quirks.iter().fold(String::new(), |mut text, quirk| {
                    let name = serde_json::to_value(quirk.kind).unwrap_or_default();
                    let name = name.as_str().unwrap_or_default();
                    let _ = writeln!(text, "{name}: {}\n  {}", quirk.seen, quirk.consequence);
                    text
                })
            })?;
            Ok(Verdict::Good)
        }
    }
}

fn show(log: &EventLog, pcrs: &[u32], out: &Out) -> anyhow::Result<Verdict> {
    let events = log.events.iter().enumerate();
    let chosen = events.filter(|(_, event)| pcrs.is_empty() || pcrs.contains(&event.pcr));
    let shown = Shown {
        events: chosen
            .map(|(number, event)| ShownEvent {
                number,
                offset: event.offset,
                pcr: event.pcr,
                kind: event.kind.to_string(),
                digests: event
                    .digests
                    .iter()
                    .map(|digest| ShownDigest {
                        bank: Bank::of_algorithm(digest.algorithm).map_or_else(
                            || format!("{:#06x}", digest.algorithm),
                            |b| b.to_string(),
                        ),
                        digest: hex::encode(&digest.value),
                    })
                    .collect(),
                size: event.data.len(),
                content: Content::of(event).describe(),
            })
            .collect(),
        quirks: log.quirks.clone(),
    };
    out.answer(&shown, |shown| {
        let mut text = String::new();
        for event in &shown.events {
            let _ = writeln!(
                text,
                "{:4}  PCR {:2}  {}  {}",
                event.number, event.pcr, event.kind, event.content
            );
        }
        for quirk in &shown.quirks {
            let _ = writeln!(
                text,
                "odd: event {}: {:?} {}",
                quirk.event, quirk.kind, quirk.detail
            );
        }
        text
    })?;
    Ok(Verdict::Good)
}

/// Registers of this machine, as the kernel shows them: `pcr-BANK/NUMBER`.
fn live() -> anyhow::Result<Registers> {
    let mut text = String::new();
    for bank in Bank::ALL {
        for pcr in 0..24 {
            let path = Path::new(LIVE_REGISTERS).join(format!("pcr-{bank}/{pcr}"));
            if let Ok(value) = std::fs::read_to_string(&path) {
                let _ = writeln!(text, "{bank}/{pcr} {}", value.trim());
            }
        }
    }
    Registers::parse(&text).with_context(|| {
        format!("{LIVE_REGISTERS}: the kernel shows no registers here; give --pcrs")
    })
}

/// Values from a file.
pub(super) fn registers(path: &Path) -> anyhow::Result<Registers> {
    let text = String::from_utf8(files::read(path)?).with_context(|| path.display().to_string())?;
    Registers::parse(&text).with_context(|| path.display().to_string())
}

#[derive(Serialize)]
struct Checked {
    compared: usize,
    differences: Vec<Mismatch>,
}

fn check(log: &EventLog, pcrs: Option<&Path>, out: &Out) -> anyhow::Result<Verdict> {
    let live = match pcrs {
        Some(path) => registers(path)?,
        None => live()?,
    };
    let banks = log.banks();
    let checked = Checked {
        compared: live
            .iter()
            .filter(|(bank, ..)| banks.contains(bank))
            .count(),
        differences: Registers::replay(log).differences(&live),
    };
    anyhow::ensure!(
        checked.compared > 0,
        "the registers are of other banks than the log's"
    );
    out.answer(&checked, |checked| {
        let mut text = String::new();
        for m in &checked.differences {
            let _ = writeln!(
                text,
                "PCR {} {}: the log leads to {}, the TPM has {}",
                m.pcr, m.bank, m.replayed, m.live
            );
        }
        let _ = writeln!(
            text,
            "{} registers compared, {} differ",
            checked.compared,
            checked.differences.len()
        );
        text
    })?;
    Ok(Verdict::when(checked.differences.is_empty()))
}
