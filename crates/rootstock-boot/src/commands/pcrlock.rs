//! `pcrlock component|policy|states|show|store|status|remove`: files of systemd-pcrlock, and policies in the TPM.

use super::boot::BootOptions;
use super::pcr::{BankName, StubOptions};
use super::{states, stored};
use crate::commands::number::pcr;
use crate::files;
use crate::print::{Out, Verdict};
use anyhow::Context;
use boot_measure::pcrlock::{Component, Policy, combinations};
use boot_policy::{Layout, StoredPolicy};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Files of systemd-pcrlock.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Write what a boot will measure into some registers as a component file.
    #[command(after_help = "\
Example:
  rootstock-boot pcrlock component --pcr 4 --vars live --esp /boot -o 630-boot.pcrlock")]
    Component {
        /// The registers.
        #[arg(long, required = true, value_parser = pcr)]
        pcr: Vec<u8>,
        #[command(flatten)]
        boot: Box<BootOptions>,
        #[command(flatten)]
        stub: Box<StubOptions>,
        /// Where to write.
        #[arg(long, short)]
        output: PathBuf,
    },
    /// Write the policy that a folder of components leads to.
    #[command(after_help = "\
The folder holds NNN-NAME.pcrlock files and NNN-NAME.pcrlock.d folders of variants. The policy is not stored in a TPM; `pcrlock store` does that.

Example:
  rootstock-boot pcrlock policy -o pcrlock.json /var/lib/pcrlock.d")]
    Policy {
        /// The bank.
        #[arg(long, value_enum, default_value = "sha256")]
        bank: BankName,
        /// Where to write.
        #[arg(long, short)]
        output: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// Foresee the states of all boots that may come, while boot files are changed on several system partitions and afterwards.
    States(states::States),
    /// Store a policy in an NV index of the TPM, or a new one in the place of the one that is there.
    Store(Box<stored::Store>),
    /// What the stored policy is, and whether the TPM holds it; exit code 1 when not.
    Status(stored::Status),
    /// Remove the NV index and the policy's file; what was sealed to it is released to nobody any more.
    Remove(stored::Status),
    /// Print a policy, with the digest that its NV index must hold.
    Show {
        /// The policy, such as /var/lib/systemd/pcrlock.json.
        policy: PathBuf,
    },
}

/// Most files of a folder.
const MAX_FILES: usize = 1024;

pub(crate) fn run(command: Command, out: &Out) -> anyhow::Result<Verdict> {
    match command {
        Command::Component {
            pcr,
            boot,
            stub,
            output,
        } => {
            let (banks, phases) = stub.chosen()?;
            let expectation = boot.expectation(banks, stub.choice(), &phases)?;
            for unforeseen in &expectation.unforeseen {
                anyhow::ensure!(
                    !pcr.contains(&unforeseen.pcr),
                    "PCR {}: {}",
                    unforeseen.pcr,
                    unforeseen.why
                );
            }
            let component = Component::of(&expectation.measurements, &pcr);
            files::write(out, &output, component.to_json().as_bytes())?;
            let count = component.records.len();
            out.answer(
                &serde_json::json!({ "file": output, "records": count }),
                |_| format!("{}: {count} records", output.display()),
            )?;
        }
        Command::Policy {
            bank,
            output,
            folder,
        } => {
            let policy = Policy::new(
                bank.bank(),
                combinations(&components(&folder)?, bank.bank())?,
            )?;
            files::write(out, &output, policy.to_json().as_bytes())?;
            show(&policy, out)?;
        }
        Command::States(options) => return states::run(&options, out),
        Command::Store(options) => return stored::store(&options, out),
        Command::Status(options) => return stored::status(&options, out),
        Command::Remove(options) => return stored::run_remove(&options, out),
        Command::Show { policy } => {
            let bytes = files::read(&policy)?;
            match StoredPolicy::from_json(&bytes).map(|stored| stored.layout) {
                Ok(layout @ (Layout::States(_) | Layout::Held(_))) => show_states(&layout, out)?,
                // Also one that no TPM holds, as `policy` writes it.
                _ => {
                    let read = Policy::from_json(&bytes);
                    show(&read.with_context(|| policy.display().to_string())?, out)?;
                }
            }
        }
    }
    Ok(Verdict::Good)
}

fn show(policy: &Policy, out: &Out) -> anyhow::Result<()> {
    let values: BTreeMap<u8, Vec<String>> = policy
        .values
        .iter()
        .map(|of| (of.pcr, of.values.iter().map(hex::encode).collect()))
        .collect();
    let shown = serde_json::json!({
        "bank": policy.bank,
        "values": values,
        "digest": hex::encode(policy.digest()),
    });
    out.answer(&shown, |_| {
        let mut text = String::new();
        for (pcr, values) in &values {
            for value in values {
                let _ = writeln!(text, "{pcr}:{}={value}", policy.bank);
            }
        }
        let _ = writeln!(text, "policy digest {}", hex::encode(policy.digest()));
        text
    })
}

/// A policy of whole states.
fn show_states(layout: &Layout, out: &Out) -> anyhow::Result<()> {
    let states = layout.states().map(|(state, floor)| {
        let values: BTreeMap<u8, String> = state
            .iter()
            .map(|(pcr, value)| (pcr, hex::encode(value)))
            .collect();
        (values, floor)
    });
    let states: Vec<_> = states.collect();
    let (bank, digest) = (layout.bank(), layout.digest()?.to_string());
    let as_json = states.iter().map(|(values, floor)| {
        serde_json::json!({
            "values": values,
            "floor": floor.map(|floor| serde_json::json!({
                "index": format!("{:#010x}", floor.index),
                "epoch": floor.epoch,
            })),
        })
    });
    let shown = serde_json::json!({
        "bank": bank,
        "states": as_json.collect::<Vec<_>>(),
        "digest": digest,
    });
    out.answer(&shown, |_| {
        let mut text = String::new();
        for (number, (values, floor)) in states.iter().enumerate() {
            let _ = write!(text, "state {number}:");
            for (pcr, value) in values {
                let _ = write!(text, " {pcr}:{bank}={value}");
            }
            if let Some(floor) = floor {
                let (index, epoch) = (floor.index, floor.epoch);
                let _ = write!(text, " while the counter {index:#010x} is at most {epoch}");
            }
            text.push('\n');
        }
        let _ = writeln!(text, "policy digest {digest}");
        text
    })
}

fn component(path: &Path) -> anyhow::Result<Component> {
    Component::from_json(&files::read(path)?).with_context(|| path.display().to_string())
}

/// Components by name, with their variants in the order of their names.
fn components(folder: &Path) -> anyhow::Result<BTreeMap<String, Vec<Component>>> {
    let mut found = BTreeMap::new();
    for path in sorted(folder)? {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if let Some(name) = name.strip_suffix(".pcrlock") {
            found.insert(name.to_owned(), vec![component(&path)?]);
        } else if let Some(name) = name.strip_suffix(".pcrlock.d") {
            let variants = sorted(&path)?;
            let variants = variants
                .iter()
                .filter(|path| path.extension().is_some_and(|e| e == "pcrlock"));
            let variants: anyhow::Result<Vec<Component>> =
                variants.map(|path| component(path)).collect();
            found.insert(name.to_owned(), variants?);
        }
    }
    anyhow::ensure!(
        !found.is_empty(),
        "{}: no *.pcrlock files",
        folder.display()
    );
    Ok(found)
}

fn sorted(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let name = || folder.display().to_string();
    let entries = std::fs::read_dir(folder).with_context(name)?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.with_context(name)?.path());
        anyhow::ensure!(
            paths.len() <= MAX_FILES,
            "{}: more than {MAX_FILES} files",
            name()
        );
    }
    paths.sort();
    Ok(paths)
}
