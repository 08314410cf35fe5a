//! Copies of a stored policy on system partitions, where the stub finds them for the initrd: credentials as systemd-pcrlock's, read by
//! systemd's initrd and ours.
//!
//! Invariant: at any moment each partition has a copy of what the index holds: a new policy's lies beside the old one's before the
//! index is written, and takes its place afterwards.

use crate::files;
use crate::print::Out;
use anyhow::Context;
use boot_policy::StoredPolicy;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the stub looks, from the partition's root.
const FOLDER: &str = "loader/credentials";
/// Names of the credentials; their files end in `.cred`.
const CURRENT: &str = "pcrlock.rootstock";
const NEXT: &str = "pcrlock.rootstock.next";
/// The register that the stub measures credentials into.
const MEASURED: u8 = 12;

/// Where the copies are.
#[derive(Debug, clap::Args)]
pub(crate) struct Copies {
    /// Mounted system partition whose initrds read the policy: a copy is kept in its `loader/credentials`. May be given for each.
    #[arg(long, value_name = "FOLDER")]
    esp: Vec<PathBuf>,
}

fn file(esp: &Path, name: &str) -> PathBuf {
    esp.join(FOLDER).join(format!("{name}.cred"))
}

impl Copies {
    /// Refuses what can't have copies: a policy over the register that they are measured into, and folders that are not there.
    pub(crate) fn check(&self, pcrs: &[u8]) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.esp.is_empty() || !pcrs.contains(&MEASURED),
            "the copies on system partitions are measured into PCR 12; leave it out of the policy"
        );
        for esp in &self.esp {
            anyhow::ensure!(esp.is_dir(), "{}: it is not a folder", esp.display());
        }
        Ok(())
    }

    fn write(&self, out: &Out, policy: &StoredPolicy, name: &str) -> anyhow::Result<()> {
        let text = policy.to_credential(name)?;
        for path in self.esp.iter().map(|esp| file(esp, name)) {
            if let Some(folder) = path.parent().filter(|_| !out.dry_run) {
                fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            }
            // What is measured stays the same where nothing changed.
            if fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
                continue;
            }
            files::write(out, &path, text.as_bytes())?;
        }
        Ok(())
    }

    fn remove_named(&self, out: &Out, name: &str) -> anyhow::Result<()> {
        for path in self.esp.iter().map(|esp| file(esp, name)) {
            files::remove(out, &path)?;
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
    pub(crate) fn lacking(&self, policy: &StoredPolicy) -> Vec<PathBuf> {
        let is_it = |path: &PathBuf| {
            let read = fs::read(path).ok();
            let read = read.and_then(|bytes| StoredPolicy::from_credential(&bytes).ok());
            read.as_ref() == Some(policy)
        };
        let lacks = |esp: &&PathBuf| ![CURRENT, NEXT].iter().any(|name| is_it(&file(esp, name)));
        let lacking = self.esp.iter().filter(lacks);
        lacking.map(|esp| file(esp, CURRENT)).collect()
    }
}
