//! Where a machine starts from: a disk image with a partition table or a bare FAT file system, or a folder where the
//! system partition is mounted.

use super::part::{Part, SYSTEM};
use crate::files;
use anyhow::Context;
use boot_measure::Disk;
use boot_variables::Guid;
use fatfs::{FileSystem, FsOptions};
use std::borrow::Cow;
use std::cell::RefCell;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Longest file that is read from a disk image.
const MAX_FILE: u64 = 1 << 31;
/// Most names of a folder.
const MAX_NAMES: usize = 4096;

/// The FAT file system of a disk image.
pub(super) struct DiskImage {
    system: RefCell<FileSystem<Part>>,
    table: Option<Vec<u8>>,
    partition: Option<Guid>,
}

impl DiskImage {
    /// Opens an image: its first system partition, or all of it when it has no partition table.
    pub(super) fn open(path: &Path) -> anyhow::Result<DiskImage> {
        let found = Part::find(path, SYSTEM, "system partition")?;
        let options = FsOptions::new().update_accessed_date(false);
        let system = FileSystem::new(found.part, options);
        let system =
            system.with_context(|| format!("{}: there is no FAT file system", path.display()))?;
        Ok(DiskImage {
            system: RefCell::new(system),
            table: found.table.map(|table| table.measured),
            partition: found.unique,
        })
    }
}

/// A path's parts with `/` between them.
pub(super) fn slashes(path: &str) -> String {
    path.replace('\\', "/").trim_matches('/').to_owned()
}

impl Disk for DiskImage {
    fn read(&self, path: &str) -> Option<Cow<'_, [u8]>> {
        let system = self.system.borrow();
        let file = system.root_dir().open_file(&slashes(path)).ok()?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE).read_to_end(&mut bytes).ok()?;
        Some(Cow::Owned(bytes))
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let system = self.system.borrow();
        let Ok(folder) = system.root_dir().open_dir(&slashes(folder)) else {
            return Vec::new();
        };
        let files = folder.iter().take(MAX_NAMES).filter_map(Result::ok);
        files
            .filter(fatfs::DirEntry::is_file)
            .map(|entry| entry.file_name())
            .collect()
    }

    fn partition_table(&self) -> Option<&[u8]> {
        self.table.as_deref()
    }

    fn has_partition(&self, unique: &Guid) -> bool {
        self.partition.as_ref() == Some(unique)
    }
}

/// A folder where the system partition is mounted, or a copy of it. Which disk it is on is not known.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    /// The place of a path, whose parts may differ in case as on FAT.
    fn find(&self, path: &str) -> Option<PathBuf> {
        let mut place = self.0.clone();
        for part in slashes(path).split('/') {
            let names = std::fs::read_dir(&place).ok()?.filter_map(Result::ok);
            let mut same = names.filter(|entry| {
                entry
                    .file_name()
                    .to_str()
                    .is_some_and(|name| name.eq_ignore_ascii_case(part))
            });
            place = same.next()?.path();
        }
        Some(place)
    }
}

impl Disk for Folder {
    fn read(&self, path: &str) -> Option<Cow<'_, [u8]>> {
        files::read(&self.find(path)?).ok().map(Cow::Owned)
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let Some(entries) = self
            .find(folder)
            .and_then(|folder| std::fs::read_dir(folder).ok())
        else {
            return Vec::new();
        };
        let files = entries.filter_map(Result::ok).take(MAX_NAMES);
        let files = files.filter(|entry| entry.path().is_file());
        files
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect()
    }

    fn partition_table(&self) -> Option<&[u8]> {
        None
    }

    fn has_partition(&self, _: &Guid) -> bool {
        true
    }
}
