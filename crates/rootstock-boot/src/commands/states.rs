//! `pcrlock states`: the states that boots may come to while boot files are changed on several system partitions, and afterwards.
//!
//! Invariant: what holds before, during and after the change is in the list.

use super::boot;
use super::coming::{Pool, Question, View};
use super::number::pcr;
use super::pcr::BankName;
use super::place::{Kind, Place};
use super::running::list;
use super::source;
use crate::files;
use crate::print::{Out, Verdict};
use boot_esp::Outlook;
use boot_policy::{Change, Partition, Stage};
use std::path::PathBuf;

/// Foresee the states of all boots that may come.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
For machines that firmware starts systemd-boot on, and systemd-boot unified kernel images. Until every partition is written each may
start its old or its new loader, with any entry that lies there; so may a machine that wakes up from hibernation. Before a change, store
the states with what is about to be written; once all partitions are written, those that are left:

  rootstock-boot pcrlock states --vars live --esp /boot --esp /boot2 --pcr 4,7,11 \\
      --next-loader new.efi --next-entry next.efi -o states.json
  rootstock-boot pcrlock store --generations states.json
  rootstock-boot install ...
  rootstock-boot pcrlock states --vars live --esp /boot --esp /boot2 --pcr 4,7,11 -o states.json
  rootstock-boot pcrlock store --generations states.json

`install --stored-policy` does both by itself. Before an update of db:

  rootstock-boot pcrlock states --vars live --esp /boot --pcr 7 \\
      --planned-db new.auth -o states.json")]
pub(crate) struct States {
    /// The machine's variables: `live`, a folder of efivarfs files, or an OVMF_VARS file.
    #[arg(long, value_name = "SOURCE")]
    vars: String,
    /// A binary event log of the machine, for registers of firmware's own.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Where a system partition is mounted, or a disk image that has one or is one; all that firmware may start from.
    #[arg(long, value_name = "FOLDER|IMAGE", required = true)]
    esp: Vec<PathBuf>,
    /// A loader that is about to be written onto every partition.
    #[arg(long, value_name = "FILE")]
    next_loader: Option<PathBuf>,
    /// An image that is about to be written onto the partitions.
    #[arg(long, value_name = "FILE")]
    next_entry: Vec<PathBuf>,
    /// Lists that an update will add to db: a list (.esl) or a signed update (.auth). Each boot counts with and without it.
    #[arg(long, value_name = "FILE")]
    planned_db: Vec<PathBuf>,
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

/// Runs `states`.
pub(crate) fn run(options: &States, out: &Out) -> anyhow::Result<Verdict> {
    let places = options.esp.iter().map(|esp| Place::open(esp, Kind::System));
    let places = places.collect::<anyhow::Result<Vec<_>>>()?;
    let mut pool = Pool::new(&options.pcr);
    let change = options.change(&mut pool, &places)?;
    let variables = source::variables(&options.vars)?;
    let log = options.log.as_deref().map(boot::log).transpose()?;
    let planned = options.planned_db.iter();
    let planned = planned.map(|path| boot::update("db", path, true));
    let planned = planned.collect::<anyhow::Result<Vec<_>>>()?;
    let starts = change.starts(Stage::Changing);
    let states = pool.states(
        &starts,
        &Question {
            variables: &variables,
            log: log.as_ref(),
            planned: &planned,
            bank: options.bank.bank(),
            pcrs: &options.pcr,
            counter: None,
        },
    )?;
    let states: Vec<_> = states.into_keys().collect();
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
    fn change<'a>(
        &self,
        pool: &mut Pool<'a>,
        places: &'a [Place],
    ) -> anyhow::Result<Change<usize, usize>> {
        let views = places.iter().map(|place| {
            pool.view(View {
                esp: Outlook::now(place),
                extended: None,
            })
        });
        let views: Vec<usize> = views.collect();
        let next = self.next_loader.as_ref();
        let next = next
            .map(|path| {
                anyhow::Ok(pool.program(path.display().to_string(), files::read(path)?, views[0]))
            })
            .transpose()?;
        let mut partitions = Vec::new();
        let mut now = Vec::new();
        for (esp, view) in self.esp.iter().zip(&views) {
            let loaders = pool.loaders(*view)?.into_iter().flatten();
            let mut there: Vec<_> = loaders
                .map(|loader| Partition {
                    now: Some(loader),
                    then: next.or(Some(loader)),
                })
                .collect();
            if there.is_empty() {
                anyhow::ensure!(
                    next.is_some(),
                    "{}: no boot loader lies there",
                    esp.display()
                );
                there.push(Partition {
                    now: None,
                    then: next,
                });
            }
            partitions.extend(there);
            now.extend(pool.entries(*view)?);
        }
        let mut then = now.clone();
        for path in &self.next_entry {
            then.push(pool.program(path.display().to_string(), files::read(path)?, views[0]));
        }
        anyhow::ensure!(
            !then.is_empty(),
            "no unified kernel image lies in EFI/Linux of any partition"
        );
        Ok(Change {
            partitions,
            now,
            then,
            running: None,
        })
    }
}
