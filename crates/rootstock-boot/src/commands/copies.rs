//! Copies of a stored policy on system partitions, where the stub finds them for the initrd: credentials as systemd-pcrlock's, read by
//! systemd's initrd and ours.
//!
//! Invariant: at any moment each partition has a copy of what the index holds: a new policy's lies beside the old one's before the
//! index is written, and takes its place afterwards.

use super::place::{Kind, Place};
use crate::files;
use crate::print::Out;
use anyhow::Context;
use boot_esp::{EspPath, Outlook, Volume};
use boot_policy::StoredPolicy;
use std::fs;
use std::path::PathBuf;

/// Where the stub looks, from the partition's root.
const FOLDER: &str = "loader/credentials";
/// Names of the credentials; their files end in `.cred`.
const CURRENT: &str = "pcrlock.rootstock";
const NEXT: &str = "pcrlock.rootstock.next";
/// The register that the stub measures credentials into.
const MEASURED: u8 = 12;

/// Where copies are kept.
#[derive(Debug, clap::Args)]
pub(crate) struct CopyOptions {
    /// Mounted system partition, or disk image with one, whose initrds read the policy: a copy is kept in its
    /// `loader/credentials`. May be given for each.
    #[arg(long, value_name = "FOLDER|IMAGE")]
    esp: Vec<PathBuf>,
}

impl CopyOptions {
    /// Opens the partitions.
    pub(crate) fn open(&self) -> anyhow::Result<Vec<Place>> {
        let places = self.esp.iter().map(|esp| Place::open(esp, Kind::System));
        places.collect()
    }
}

/// The copies on these partitions.
pub(crate) struct Copies<'a>(pub(crate) Vec<&'a Place>);

fn file(name: &str) -> anyhow::Result<EspPath> {
    Ok(EspPath::new(&format!("{FOLDER}/{name}.cred"))?)
}

/// The file's content, where it can be read.
fn content(place: &Place, path: &EspPath) -> Option<Vec<u8>> {
    Outlook::now(place).read(path).ok()
}

/// Puts a file in the place of the one that is there.
fn put(out: &Out, place: &Place, path: &EspPath, bytes: &[u8]) -> anyhow::Result<()> {
    let name = || format!("{}: {path}", place.root().display());
    match place {
        Place::Mounted(folder) => {
            let path = folder.root().join(path.as_str());
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).with_context(name)?;
            }
            files::write(out, &path, bytes)
        }
        Place::Image { system, .. } => {
            let written = || {
                system.make_folder(&EspPath::new(FOLDER).map_err(std::io::Error::other)?)?;
                system.remove(path)?;
                system.create(path)?;
                system.write(path, 0, bytes)?;
                system.sync()
            };
            written().with_context(name)
        }
    }
}

impl Copies<'_> {
    /// Refuses what can't have copies: a policy over the register that they are measured into.
    pub(crate) fn check(&self, pcrs: &[u8]) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.0.is_empty() || !pcrs.contains(&MEASURED),
            "the copies on system partitions are measured into PCR 12; leave it out of the policy"
        );
        Ok(())
    }

    fn write(&self, out: &Out, policy: &StoredPolicy, name: &str) -> anyhow::Result<()> {
        let text = policy.to_credential(name)?;
        let path = file(name)?;
        for place in self.0.iter().filter(|_| !out.dry_run) {
            // What is measured stays the same where nothing changed.
            if content(place, &path).is_some_and(|there| there == text.as_bytes()) {
                continue;
            }
            put(out, place, &path, text.as_bytes())?;
        }
        Ok(())
    }

    fn remove_named(&self, out: &Out, name: &str) -> anyhow::Result<()> {
        let path = file(name)?;
        for place in self.0.iter().filter(|_| !out.dry_run) {
            let removed = place.remove(&path).and_then(|()| place.sync());
            removed.with_context(|| format!("{}: {path}", place.root().display()))?;
        }
        Ok(())
    }

    /// Puts what is about to be written to the index beside what it holds, where that is known.
    pub(crate) fn announce(
        &self,
        out: &Out,
        held: Option<&StoredPolicy>,
        next: &StoredPolicy,
    ) -> anyhow::Result<()> {
        if let Some(held) = held {
            self.write(out, held, CURRENT)?;
        }
        self.write(out, next, NEXT)
    }

    /// Puts what the index holds, and nothing beside it.
    pub(crate) fn settle(&self, out: &Out, held: &StoredPolicy) -> anyhow::Result<()> {
        self.write(out, held, CURRENT)?;
        self.remove_named(out, NEXT)
    }

    /// Removes them.
    pub(crate) fn remove(&self, out: &Out) -> anyhow::Result<()> {
        self.remove_named(out, CURRENT)?;
        self.remove_named(out, NEXT)
    }

    /// The copies that an initrd does not find this policy by.
    pub(crate) fn lacking(&self, policy: &StoredPolicy) -> anyhow::Result<Vec<PathBuf>> {
        let names = [file(CURRENT)?, file(NEXT)?];
        let is_it = |place: &Place, path: &EspPath| {
            let read = content(place, path);
            let read = read.and_then(|bytes| StoredPolicy::from_credential(&bytes).ok());
            read.as_ref() == Some(policy)
        };
        let lacks = |place: &&&Place| !names.iter().any(|path| is_it(place, path));
        let lacking = self.0.iter().filter(lacks);
        Ok(lacking
            .map(|place| place.root().join(names[0].as_str()))
            .collect())
    }
}
