//! What is known about a boot, as options: variables, disk, log, planned updates. Shared by `pcr predict` and
//! `pcr explain`.

use super::disk::{DiskImage, Folder};
use super::source;
use crate::commands::number::number;
use crate::files;
use anyhow::Context;
use boot_measure::{
    Bank, Disk, EventLog, Expectation, PlannedUpdate, Situation, Started, StubChoice,
};
use boot_variables::{Platform, SignedUpdate, read_lists};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// The machine and what it starts.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct BootOptions {
    /// The machine's variables: `live`, a folder of efivarfs files, or an OVMF_VARS file.
    #[arg(long, value_name = "SOURCE", help_heading = "The machine")]
    vars: Option<String>,
    /// A binary event log of the machine; its firmware's own events are taken over.
    #[arg(long, value_name = "FILE", help_heading = "The machine")]
    log: Option<PathBuf>,
    /// The disk it starts from: an image with a partition table, or of a bare FAT file system.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "esp",
        help_heading = "The machine"
    )]
    disk: Option<PathBuf>,
    /// The system partition as a folder.
    #[arg(long, value_name = "FOLDER", help_heading = "The machine")]
    esp: Option<PathBuf>,
    /// The files that are started one after the other, instead of those that boot options and loaders choose.
    #[arg(long, value_name = "FILE", help_heading = "What it starts")]
    start: Vec<PathBuf>,
    /// How many boot options fail before the first of these files.
    #[arg(long, requires = "start", help_heading = "What it starts", value_parser = number(0_usize, 999))]
    failed: Option<usize>,
    /// A boot option that starts and comes back, such as Boot0003.
    #[arg(long, value_name = "OPTION", value_parser = option_number, help_heading = "What it starts")]
    returning: Vec<u16>,
    /// The entry that systemd-boot starts, such as \EFI\Linux\nixos.efi.
    #[arg(long, value_name = "PATH", help_heading = "What it starts")]
    entry: Option<String>,
    /// Lists that an update will add to db: a list (.esl) or a signed update (.auth).
    #[arg(long, value_name = "FILE", help_heading = "What will change")]
    planned_db: Vec<PathBuf>,
    /// Lists that an update will add to dbx.
    #[arg(long, value_name = "FILE", help_heading = "What will change")]
    planned_dbx: Vec<PathBuf>,
    /// Lists that an update will put in the place of a variable's: PK, KEK, db, dbx.
    #[arg(long, value_name = "NAME=FILE", help_heading = "What will change")]
    planned: Vec<String>,
    /// The firmware verifies ECDSA signatures; most does not.
    #[arg(long, help_heading = "The machine")]
    elliptic_curves: bool,
    /// The moment after the system has left firmware, instead of that when the kernel starts.
    #[arg(long, help_heading = "What it starts")]
    exited: bool,
}

fn option_number(text: &str) -> Result<u16, String> {
    let digits = text.strip_prefix("Boot").filter(|digits| digits.len() == 4);
    let number = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
    number.ok_or_else(|| "a boot option is named such as Boot0003".to_owned())
}

/// Reads a log.
pub(super) fn log(path: &Path) -> anyhow::Result<EventLog> {
    EventLog::read(&files::read(path)?).with_context(|| path.display().to_string())
}

/// An update that is planned, from a list or a signed update.
pub(super) fn update(name: &str, path: &Path, append: bool) -> anyhow::Result<PlannedUpdate> {
    let bytes = files::read(path)?;
    // A signed update begins with a time, a list with a GUID: what reads as lists is lists.
    let lists = match read_lists(&bytes) {
        Ok(_) => bytes,
        Err(error) => match SignedUpdate::read(&bytes) {
            Ok(signed) => signed.payload,
            Err(_) => return Err(error).with_context(|| path.display().to_string()),
        },
    };
    Ok(PlannedUpdate {
        name: name.to_owned(),
        lists,
        append,
    })
}

impl BootOptions {
    /// Whether anything was said.
    pub(super) fn is_empty(&self) -> bool {
        self.vars.is_none()
            && self.log.is_none()
            && self.disk.is_none()
            && self.esp.is_none()
            && self.start.is_empty()
    }

    fn updates(&self) -> anyhow::Result<Vec<PlannedUpdate>> {
        let mut updates = Vec::new();
        for planned in &self.planned {
            let (name, path) = planned
                .split_once('=')
                .context("--planned takes NAME=FILE")?;
            updates.push(update(name, Path::new(path), false)?);
        }
        for (name, paths) in [("db", &self.planned_db), ("dbx", &self.planned_dbx)] {
            for path in paths {
                updates.push(update(name, path, true)?);
            }
        }
        Ok(updates)
    }

    /// What the boot will measure.
    pub(super) fn expectation(
        &self,
        banks: Vec<Bank>,
        stub: StubChoice,
        phases: &[&str],
    ) -> anyhow::Result<Expectation> {
        let variables = self.vars.as_deref().map(source::variables).transpose()?;
        let saved = self.log.as_deref().map(log).transpose()?;
        let disk: Option<Box<dyn Disk>> = match (&self.disk, &self.esp) {
            (Some(path), _) => Some(Box::new(DiskImage::open(path)?)),
            (None, Some(folder)) => Some(Box::new(Folder(folder.clone()))),
            (None, None) => None,
        };
        let mut chain = Vec::new();
        for path in &self.start {
            chain.push(Started {
                path: path.display().to_string(),
                bytes: Cow::Owned(files::read(path)?),
            });
        }
        let planned = self.updates()?;
        let situation = Situation {
            variables: variables.as_ref(),
            log: saved.as_ref(),
            planned: &planned,
            disk: disk.as_deref(),
            chain,
            failed: self.failed,
            returning: &self.returning,
            entry: self.entry.as_deref(),
            platform: Platform {
                elliptic_curves: self.elliptic_curves,
                ..Platform::default()
            },
            banks,
            stub,
            phases,
            exited: self.exited,
        };
        Ok(boot_measure::foresee(&situation)?)
    }
}
