//! `pcrlock states`: the states that boots may come to while boot files are changed on several system partitions, and afterwards.
//!
//! Invariant: every loader that may lie on a partition meets every entry that may lie there, before, during or after the change.

use super::boot;
use super::disk::Folder;
use super::number::pcr;
use super::pcr::BankName;
use super::running::list;
use super::source;
use crate::files;
use crate::print::{Out, Verdict};
use anyhow::Context;
use boot_measure::{Bank, EventLog, Situation, Started, UNTOUCHED, foresee};
use boot_policy::{Change, Partition, PcrSet, Stage};
use boot_variables::Variables;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Where a loader lies on a system partition: systemd-boot's own place, and where firmware looks by itself.
const LOADERS: [&str; 2] = ["EFI/systemd/systemd-bootx64.efi", "EFI/BOOT/BOOTX64.EFI"];
/// Where unified kernel images lie.
const ENTRIES: &str = "EFI/Linux";
/// Most images of a partition.
const MAX_ENTRIES: usize = 4096;
/// When the disk is unlocked.
const PHASE: [&str; 1] = ["enter-initrd"];

/// Foresee the states of all boots that may come.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
For machines that firmware starts systemd-boot on, and systemd-boot unified kernel images. Until every partition is written each may
start its old or its new loader, with any entry that lies there; so may a machine that wakes up from hibernation. Before a change, store
the states with what is about to be written; once all partitions are written, those that are left:

  rootstock-boot pcrlock states --vars live --esp /boot --esp /boot2 --pcr 4,7,11 --next-loader new.efi --next-entry next.efi -o states.json
  rootstock-boot pcrlock store --generations states.json
  rootstock-boot install ...
  rootstock-boot pcrlock states --vars live --esp /boot --esp /boot2 --pcr 4,7,11 -o states.json
  rootstock-boot pcrlock store --generations states.json")]
pub(crate) struct States {
    /// The machine's variables: `live`, a folder of efivarfs files, or an OVMF_VARS file.
    #[arg(long, value_name = "SOURCE")]
    vars: String,
    /// A binary event log of the machine, for registers of firmware's own.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Where a system partition is mounted; all that firmware may start from.
    #[arg(long, value_name = "FOLDER", required = true)]
    esp: Vec<PathBuf>,
    /// A loader that is about to be written onto every partition.
    #[arg(long, value_name = "FILE")]
    next_loader: Option<PathBuf>,
    /// An image that is about to be written onto the partitions.
    #[arg(long, value_name = "FILE")]
    next_entry: Vec<PathBuf>,
    /// The registers.
    #[arg(long, value_parser = pcr, value_delimiter = ',', required = true)]
    pcr: Vec<u8>,
    /// Their bank.
    #[arg(long, value_enum, default_value = "sha256")]
    bank: BankName,
    /// Where to write the list, for `pcrlock store` and `unlock enroll`.
    #[arg(long, short)]
    output: PathBuf,
}

/// Files of which each content is there once; a boot measures contents, not names.
#[derive(Default)]
struct Pool {
    files: Vec<(PathBuf, PathBuf, Vec<u8>)>,
}

impl Pool {
    /// The number of a file's content; `beside` is the partition whose files it refers to.
    fn add(&mut self, path: &Path, beside: &Path) -> anyhow::Result<usize> {
        let bytes = files::read(path)?;
        if let Some(known) = self.files.iter().position(|(.., known)| *known == bytes) {
            return Ok(known);
        }
        self.files.push((path.to_owned(), beside.to_owned(), bytes));
        Ok(self.files.len() - 1)
    }

    fn started(&self, number: usize) -> Started<'_> {
        let (path, _, bytes) = &self.files[number];
        Started {
            path: path.display().to_string(),
            bytes: Cow::Borrowed(bytes),
        }
    }
}

/// Runs `states`.
pub(crate) fn run(options: &States, out: &Out) -> anyhow::Result<Verdict> {
    let mut pool = Pool::default();
    let change = options.change(&mut pool)?;
    let variables = source::variables(&options.vars)?;
    let log = options.log.as_deref().map(boot::log).transpose()?;
    let mut states: Vec<PcrSet> = Vec::new();
    let starts = change.starts(Stage::Changing);
    for (loader, entry) in &starts {
        let state = options.foreseen(&pool, (*loader, *entry), &variables, log.as_ref())?;
        if !states.contains(&state) {
            states.push(state);
        }
    }
    files::write(out, &options.output, list(&states).as_bytes())?;
    let answer = serde_json::json!({
        "file": options.output,
        "boots": starts.len(),
        "states": states.len(),
    });
    out.answer(&answer, |_| {
        format!(
            "{}: {} states of {} boots",
            options.output.display(),
            states.len(),
            starts.len()
        )
    })?;
    Ok(Verdict::Good)
}

impl States {
    /// What lies on the partitions, and what is about to.
    fn change(&self, pool: &mut Pool) -> anyhow::Result<Change<usize, usize>> {
        let first = &self.esp[0];
        let next = self.next_loader.as_ref();
        let next = next.map(|path| pool.add(path, first)).transpose()?;
        let mut partitions = Vec::new();
        let mut now = Vec::new();
        for esp in &self.esp {
            let before = partitions.len();
            for place in LOADERS.map(|place| esp.join(place)) {
                if place.is_file() {
                    let loader = Some(pool.add(&place, esp)?);
                    partitions.push(Partition {
                        now: loader,
                        then: next.or(loader),
                    });
                }
            }
            if partitions.len() == before {
                anyhow::ensure!(
                    next.is_some(),
                    "{}: no boot loader lies there",
                    esp.display()
                );
                partitions.push(Partition {
                    now: None,
                    then: next,
                });
            }
            for image in images(&esp.join(ENTRIES))? {
                now.push(pool.add(&image, esp)?);
            }
        }
        let mut then = now.clone();
        for path in &self.next_entry {
            then.push(pool.add(path, first)?);
        }
        anyhow::ensure!(
            !then.is_empty(),
            "no unified kernel image lies in {ENTRIES} of any partition"
        );
        Ok(Change {
            partitions,
            now,
            then,
            running: None,
        })
    }

    /// The state in which the disk is unlocked in this boot.
    fn foreseen(
        &self,
        pool: &Pool,
        (loader, entry): (usize, usize),
        variables: &Variables,
        log: Option<&EventLog>,
    ) -> anyhow::Result<PcrSet> {
        let bank: Bank = self.bank.bank();
        let disk = Folder(pool.files[entry].1.clone());
        let situation = Situation {
            variables: Some(variables),
            log,
            disk: Some(&disk),
            chain: vec![pool.started(loader), pool.started(entry)],
            banks: vec![bank],
            phases: &PHASE,
            exited: true,
            ..Situation::default()
        };
        let expectation = foresee(&situation)?;
        let registers = expectation.registers(&UNTOUCHED);
        let value = |pcr: &u8| {
            let doubt = expectation
                .unforeseen
                .iter()
                .find(|doubt| doubt.pcr == *pcr);
            let why = || {
                let name = pool.files[entry].0.display();
                let why = doubt.map_or("nothing is known of it", |doubt| &doubt.why);
                format!("PCR {pcr} of {name}: {why}")
            };
            anyhow::Ok((*pcr, registers.get(bank, *pcr).with_context(why)?.to_vec()))
        };
        let values = self
            .pcr
            .iter()
            .map(value)
            .collect::<anyhow::Result<Vec<_>>>()?;
        Ok(PcrSet::new(bank, values)?)
    }
}

/// The images of a folder, by name; none where there is no folder.
fn images(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let name = || folder.display().to_string();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(name)? {
        let path = entry.with_context(name)?.path();
        if path
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("efi"))
        {
            found.push(path);
        }
        anyhow::ensure!(
            found.len() <= MAX_ENTRIES,
            "{}: more than {MAX_ENTRIES} images",
            name()
        );
    }
    found.sort();
    Ok(found)
}
