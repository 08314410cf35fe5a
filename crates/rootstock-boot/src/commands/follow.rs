//! `install --stored-policy`: a policy that lives in the TPM goes ahead of what is installed.
//!
//! Invariant: before a file on a partition is touched the policy lets pass every boot that may come while files are written, the
//! running system's among them; a boot that is no longer possible is let pass until everything is written, and not longer; a policy
//! that was held to the floor is not stored without it.

use super::boot;
use super::coming::{Boots, Pool, Question, View, epoch};
use super::copies::Copies;
use super::running::{RunningOptions, known};
use super::source;
use super::stored::{PolicyFile, described, replace, settled};
use super::unlock::{AnyTransport, TpmOptions};
use super::volumes::Mounted;
use crate::print::Out;
use anyhow::Context;
use boot_esp::{ENTRIES, EntryName, EspPath, Outlook};
use boot_install::{EpochCounter, Installation};
use boot_policy::{Booted, Change, Floor, Layout, Members, Partition, Stage, StoredPolicy};
use boot_tpm::Tpm;
use serde::Serialize;
use std::path::PathBuf;

/// The policy that is to follow.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "A policy that lives in the TPM")]
pub(crate) struct FollowOptions {
    /// The file of a policy that `pcrlock store` stored, such as /var/lib/systemd/pcrlock.json. It is stored anew with the boots that
    /// may come before anything is written, and with those that are left afterwards; each system partition gets a copy.
    #[arg(long, value_name = "FILE")]
    stored_policy: Option<PathBuf>,
    #[command(flatten)]
    tpm: TpmOptions,
    #[command(flatten)]
    running: RunningOptions,
    /// The machine's variables: `live`, a folder of efivarfs files, or an OVMF_VARS file.
    #[arg(long, value_name = "SOURCE", default_value = "live")]
    vars: String,
    /// File whose first line is the recovery PIN, where the machine is in a state that the stored policy does not let pass.
    #[arg(long, value_name = "FILE", requires = "stored_policy")]
    recovery_pin_file: Option<PathBuf>,
}

/// A policy, and the boots that it is to let pass.
pub(crate) struct Follower<'a> {
    tpm: Tpm<AnyTransport>,
    at: PolicyFile<'a>,
    pin: Option<&'a PathBuf>,
    current: StoredPolicy,
    booted: Booted,
    /// What the running system's states are held to where they are not among the boots; none where nothing is held.
    running: Option<Floor>,
    /// While files are written, and once all are.
    changing: Boots,
    changed: Boots,
}

/// What entries are held to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held<'a> {
    pub(crate) counter: EpochCounter,
    /// File name of the entry that runs, where the loader says it.
    pub(crate) running: Option<&'a str>,
}

/// What was or would be stored.
#[derive(Debug, Serialize)]
pub(crate) struct Followed {
    done: &'static str,
    index: String,
    layout: String,
    /// States of boots, as disks are unlocked in them.
    boots: usize,
    /// How many of them are the running system's alone.
    added: usize,
    known: String,
}

impl Followed {
    /// In words.
    pub(crate) fn line(&self) -> String {
        format!(
            "{} in NV index {} for {} boots: {}; {}",
            self.done, self.index, self.boots, self.layout, self.known
        )
    }
}

impl FollowOptions {
    /// Whether a policy is to follow.
    pub(crate) fn is_wanted(&self) -> bool {
        self.stored_policy.is_some()
    }

    /// The policy with the boots that may come, where one is to follow. Nothing is changed.
    pub(crate) fn open<'a>(
        &'a self,
        mounted: &'a [Mounted],
        installation: &Installation,
        held: Option<Held<'_>>,
        out: &Out,
    ) -> anyhow::Result<Option<Follower<'a>>> {
        let Some(policy) = &self.stored_policy else {
            return Ok(None);
        };
        let mut tpm = self.tpm.open()?;
        let at = PolicyFile {
            policy,
            copies: Copies(mounted.iter().map(|m| m.esp.inner()).collect()),
        };
        let current = settled(&mut tpm, &at, out)?;
        let current = current.with_context(|| {
            format!(
                "{}: no policy is stored; `pcrlock store` stores one, and without --stored-policy none is asked for",
                policy.display()
            )
        })?;
        anyhow::ensure!(
            held.is_some() || current.layout.counters().is_empty(),
            "{}: it is held to the floor: give --floor, with what `floor define` said that the counter started at",
            policy.display()
        );
        let running = held
            .map(|held| running_floor(held, mounted, &mut tpm))
            .transpose()?;
        let (bank, pcrs) = (current.layout.bank(), current.layout.pcrs());
        at.copies.check(&pcrs)?;
        let booted = self.running.booted(&mut tpm, &self.tpm, bank, &pcrs)?;
        let mut pool = Pool::new(&pcrs);
        let change = change(&mut pool, mounted, installation)?;
        let variables = source::variables(&self.vars)?;
        let log = self.running.log(&self.tpm);
        let log = log.as_deref().map(boot::log).transpose()?;
        let question = Question {
            variables: &variables,
            log: log.as_ref(),
            planned: &[],
            bank,
            pcrs: &pcrs,
            counter: held.map(|held| held.counter),
        };
        Ok(Some(Follower {
            changing: pool.states(&change.starts(Stage::Changing), &question)?,
            changed: pool.states(&change.starts(Stage::Changed), &question)?,
            tpm,
            at,
            pin: self.recovery_pin_file.as_ref(),
            current,
            booted,
            running,
        }))
    }
}

/// What the running system is held to: the epoch of its entry. Where the loader does not say which that is, or it is gone, the floor
/// as it stands, so that nothing passes once it is raised that is not known to be above it.
fn running_floor(
    held: Held<'_>,
    mounted: &[Mounted],
    tpm: &mut Tpm<AnyTransport>,
) -> anyhow::Result<Floor> {
    let counter = held.counter;
    let now = tpm.floor(counter.index)?.with_context(|| {
        format!(
            "floor {:#010x}: the TPM has no such counter; `floor define` defines it",
            counter.index
        )
    })?;
    let stem = |name: &str| EntryName::parse(name).map(|name| name.stem);
    let folder = EspPath::new(ENTRIES)?;
    for volume in mounted.iter().map(Mounted::entries) {
        let volume = Outlook::now(volume);
        let files = volume.files(&folder)?.into_keys();
        let mut own = files.filter(|path| {
            let running = held.running.and_then(stem);
            running.is_some() && stem(path.name()) == running
        });
        if let Some(path) = own.next() {
            let epoch = epoch(&volume.read(&path)?).with_context(|| path.to_string())?;
            return Ok(counter.floor(epoch));
        }
    }
    Ok(Floor {
        index: counter.index,
        epoch: now,
    })
}

/// What lies on the partitions, and what will.
fn change<'a>(
    pool: &mut Pool<'a>,
    mounted: &'a [Mounted],
    installation: &'a Installation,
) -> anyhow::Result<Change<usize, usize>> {
    let mut change = Change {
        partitions: Vec::new(),
        now: Vec::new(),
        then: Vec::new(),
        running: None,
    };
    for (target, Mounted { esp, xbootldr }) in mounted.iter().enumerate() {
        let plan = |extended: bool| {
            let mut volumes = installation.volumes.iter();
            let found = volumes.find(|v| v.target == target && v.xbootldr == extended);
            found.map(|prepared| &prepared.plan)
        };
        let now = pool.view(View {
            esp: Outlook::now(esp),
            extended: xbootldr.as_ref().map(|volume| Outlook::now(volume)),
        });
        let then = pool.view(View {
            esp: plan(false).map_or_else(|| Outlook::now(esp), |plan| Outlook::after(esp, plan)),
            extended: xbootldr.as_ref().map(|volume| {
                plan(true).map_or_else(|| Outlook::now(volume), |plan| Outlook::after(volume, plan))
            }),
        });
        let loaders = pool.loaders(now)?.into_iter().zip(pool.loaders(then)?);
        let loaders = loaders.map(|(now, then)| Partition { now, then });
        change.partitions.extend(
            loaders.filter(|partition| partition.now.is_some() || partition.then.is_some()),
        );
        change.now.extend(pool.entries(now)?);
        change.then.extend(pool.entries(then)?);
    }
    anyhow::ensure!(
        !change.partitions.is_empty(),
        "no boot loader lies on any partition, so no boot is foreseen; give --loader"
    );
    Ok(change)
}

impl Follower<'_> {
    /// Before anything is written.
    pub(crate) fn ahead(&mut self, out: &Out) -> anyhow::Result<Followed> {
        let boots = self.changing.clone();
        self.store(boots, out)
    }

    /// When everything is.
    pub(crate) fn behind(&mut self, out: &Out) -> anyhow::Result<Followed> {
        let boots = self.changed.clone();
        self.store(boots, out).context(
            "everything is installed, and the policy still lets pass what could boot before; run again",
        )
    }

    fn store(&mut self, boots: Boots, out: &Out) -> anyhow::Result<Followed> {
        let members = match self.running {
            Some(running) => {
                let held = boots.into_iter();
                let held = held.map(|(state, floor)| (state, floor.unwrap_or(running)));
                Members::held(held, &self.booted, running)?
            }
            None => Members::new(boots.into_keys(), &self.booted)?,
        };
        let (boots, added) = (members.states().len(), members.added());
        let members = members.until_shutdown()?;
        let (tpm, at) = (&mut self.tpm, &self.at);
        let done = replace(tpm, at, &self.current, &members, self.pin, out)?;
        if let Some(current) = settled(tpm, at, out)? {
            self.current = current;
        }
        Ok(Followed {
            done,
            index: format!("{:#010x}", self.current.place.index.index),
            layout: described(&Layout::of(&members)?).0,
            boots,
            added,
            known: known(&self.booted),
        })
    }
}
