//! `status` and `bless`: what is on the partitions, and that an entry has started well.

use super::counter::epoch_counter;
use super::pcr::BankName;
use super::unlock::TpmOptions;
use super::volumes::VolumeOptions;
use crate::print::{Out, Verdict};
use anyhow::Context;
use boot_esp::{EntryName, LoaderConfig, Outlook, State, Stem, Volume, bless, survey, would_bless};
use boot_floor::{Followed, follow};
use boot_install::{EpochCounter, Foreseen, foresee, judge, would_start};
use boot_measure::Bank;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Which partitions to look at.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit code 1 when an entry is broken or lacks a file, or when none would start.

With --json each intact entry has `foreseen`: what PCR 11, 12 and 13 will be when its kernel starts.

Example:
  rootstock-boot status --esp /boot --verify
  rootstock-boot --json status --esp /boot --bank sha256")]
pub(crate) struct StatusOptions {
    #[command(flatten)]
    volumes: VolumeOptions,
    /// Check the digest of every kernel and initrd too.
    #[arg(long)]
    verify: bool,
    /// Banks of the registers in --json. Others than sha256 read every kernel and initrd.
    #[arg(long, value_enum, default_value = "sha256")]
    bank: Vec<BankName>,
}

/// Which entry has started well.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rootstock-boot bless --esp /boot
      the entry that runs; nothing to do when it is not counted
  rootstock-boot bless --esp /boot rootstock-42-0123456789abcdef01234567
  rootstock-boot bless --esp /boot --floor 1
      the entry that runs, counted or not; cut off at any point, the next call goes on")]
pub(crate) struct BlessOptions {
    #[command(flatten)]
    volumes: VolumeOptions,
    /// Name of the entry, with or without counters; the one that runs when left out.
    #[arg(conflicts_with = "floor")]
    entry: Option<String>,
    /// Then raise the TPM's floor to the security epoch of the entry that runs, so that older epochs unlock nothing any more:
    /// what `floor define` said that the counter started at, and its NV index where it is another than 0x01d10700.
    #[arg(long, value_name = "START[@INDEX]", value_parser = epoch_counter)]
    floor: Option<EpochCounter>,
    #[command(flatten)]
    tpm: TpmOptions,
}

#[derive(Serialize)]
struct Partition {
    folder: PathBuf,
    free: u64,
    total: u64,
    /// Bytes of kernels and initrds.
    shared: u64,
    /// Files of ours that no entry needs; the next run removes them.
    unneeded: usize,
    /// Pattern of the default entry in loader.conf.
    default: Option<String>,
    entries: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    generation: u64,
    state: State,
    tries_left: Option<u32>,
    tries_done: Option<u32>,
    /// The file is whole and everything that it needs is there.
    intact: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    booted: bool,
    default: bool,
    /// What registers will be; in JSON alone, for an intact entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    foreseen: Option<Foreseen>,
    /// Why that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    unforeseen: Option<String>,
}

/// Runs `status`.
pub(crate) fn status(options: &StatusOptions, out: &Out) -> anyhow::Result<Verdict> {
    let booted = options.volumes.booted()?;
    let booted = booted.as_deref().and_then(EntryName::parse);
    let banks: Vec<Bank> = options.bank.iter().map(|name| name.bank()).collect();
    let mut partitions = Vec::new();
    for mounted in options.volumes.open()? {
        let volume = mounted.entries();
        let loader = Outlook::now(&mounted.esp);
        let mut found = survey(volume, &judge)?;
        let wrong = if options.verify {
            found.verify(volume)
        } else {
            Vec::new()
        };
        let conf = match &mounted.xbootldr {
            Some(_) => survey(&mounted.esp, &judge)?.loader_conf,
            None => found.loader_conf.clone(),
        };
        let pattern = conf.as_deref().and_then(LoaderConfig::default_of);
        let next = would_start(&found, pattern.as_deref());
        let needed: BTreeSet<_> = found
            .entries
            .iter()
            .flat_map(boot_esp::FoundEntry::needs)
            .map(|need| &need.path)
            .collect();
        let entries = found.entries.iter().map(|entry| {
            let intact = found.is_intact(entry);
            let problem = match &entry.judgement {
                boot_esp::Judgement::Broken(why) => Some(why.clone()),
                boot_esp::Judgement::Valid(needs) => needs
                    .iter()
                    .find(|need| found.shared.get(&need.path) != Some(&need.size))
                    .map(|need| {
                        let wrong = wrong.contains(&need.path);
                        let what = if wrong {
                            "has another content"
                        } else {
                            "is missing or cut"
                        };
                        format!("{} {what}", need.path)
                    }),
            };
            let foreseen = (intact && out.json()).then(|| {
                foresee(
                    &Outlook::now(volume),
                    &loader,
                    &entry.path,
                    &entry.bytes,
                    &banks,
                )
            });
            let (foreseen, unforeseen) = match foreseen.transpose() {
                Ok(foreseen) => (foreseen, None),
                Err(error) => (None, Some(error.to_string())),
            };
            Entry {
                name: entry.name.to_string(),
                generation: entry.stem.generation(),
                state: entry.name.state(),
                tries_left: entry.name.counter.map(|counter| counter.left),
                tries_done: entry.name.counter.map(|counter| counter.done),
                intact,
                problem,
                booted: booted
                    .as_ref()
                    .is_some_and(|name| name.stem == entry.name.stem),
                default: next.as_ref() == Some(&entry.name),
                foreseen,
                unforeseen,
            }
        });
        partitions.push(Partition {
            folder: volume.inner().root().to_owned(),
            free: found.space.free,
            total: found.space.total,
            shared: found.shared.values().sum(),
            unneeded: found
                .shared
                .keys()
                .filter(|path| !needed.contains(path))
                .count(),
            default: pattern,
            entries: entries.collect(),
        });
    }
    out.answer(&partitions, |partitions| {
        partitions.iter().map(describe).collect()
    })?;
    let fine = |partition: &Partition| {
        partition.entries.iter().all(|entry| entry.intact)
            && partition.entries.iter().any(|entry| entry.default)
    };
    Ok(Verdict::when(partitions.iter().all(fine)))
}

fn describe(partition: &Partition) -> String {
    use std::fmt::Write;
    let mut text = format!(
        "{}: {} of {} bytes free, {} bytes of kernels and initrds\n",
        partition.folder.display(),
        partition.free,
        partition.total,
        partition.shared
    );
    if partition.unneeded > 0 {
        let _ = writeln!(text, "  {} files that no entry needs", partition.unneeded);
    }
    for entry in &partition.entries {
        let state = match entry.state {
            State::Good => "good",
            State::Untried => "untried",
            State::Bad => "bad",
        };
        let _ = write!(text, "  {} {state}", entry.name);
        for (set, word) in [(entry.booted, ", runs"), (entry.default, ", starts next")] {
            text.push_str(if set { word } else { "" });
        }
        if let Some(problem) = &entry.problem {
            let _ = write!(text, ": {problem}");
        }
        text.push('\n');
    }
    if partition.entries.is_empty() {
        text.push_str("  no entries of ours\n");
    } else if !partition.entries.iter().any(|entry| entry.default) {
        text.push_str("  none of them would start\n");
    }
    text
}

#[derive(Serialize)]
struct Blessed {
    entry: Option<String>,
    changed: bool,
    /// What became of the floor, where it was asked for.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    followed: Option<Followed>,
}

/// Runs `bless`.
pub(crate) fn run_bless(options: &BlessOptions, out: &Out) -> anyhow::Result<Verdict> {
    let name = match &options.entry {
        Some(name) => Some(name.clone()),
        // A blessing may have been cut off before the floor was raised: then the entry is not counted any more.
        None => match options.volumes.counted()? {
            None if options.floor.is_some() => options.volumes.booted()?,
            counted => counted,
        },
    };
    let Some(name) = name else {
        let nothing = Blessed {
            entry: None,
            changed: false,
            followed: None,
        };
        out.answer(&nothing, |_| "the running entry is not counted".to_owned())?;
        return Ok(Verdict::Good);
    };
    // The variable holds a path with backslashes.
    let file = name.rsplit(['\\', '/']).next().unwrap_or(&name);
    let stem = EntryName::parse(file).map_or_else(|| file.to_owned(), |name| name.stem);
    let stem = Stem::parse(&stem)
        .with_context(|| format!("{name}: no name of an entry of ours; another tool counts it"))?;
    let mut blessed = Blessed {
        entry: Some(stem.to_string()),
        changed: false,
        followed: None,
    };
    let mounted = options.volumes.open()?;
    let volumes: Vec<&dyn Volume> = mounted.iter().map(|m| m.entries() as _).collect();
    match options.floor {
        Some(counter) if !out.dry_run => {
            let mut tpm = options.tpm.open()?;
            let followed = follow(&volumes, &stem, counter, &mut tpm, b"")?;
            blessed.changed = followed.blessed;
            blessed.followed = Some(followed);
        }
        _ => {
            for volume in volumes {
                blessed.changed |= if out.dry_run {
                    would_bless(volume, &stem, &judge)?
                } else {
                    bless(volume, &stem, &judge)?
                };
            }
        }
    }
    out.answer(&blessed, |blessed| {
        let what = match (blessed.changed, out.dry_run) {
            (true, true) => "would be blessed",
            (true, false) => "has started well",
            (false, _) => "is not counted any more",
        };
        let floor = match &blessed.followed {
            None if options.floor.is_some() => "; the floor would follow".to_owned(),
            None => String::new(),
            Some(Followed { floor: None, .. }) => "; no floor is defined".to_owned(),
            Some(Followed {
                floor: Some(held),
                before,
                epoch,
                ..
            }) => {
                let verb = if *before == Some(*held) {
                    "stays"
                } else {
                    "is raised to"
                };
                format!("; epoch {epoch}, the floor {verb} {held}")
            }
        };
        format!("{stem}: {what}{floor}")
    })?;
    Ok(Verdict::Good)
}
