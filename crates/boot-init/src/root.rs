//! Which device is the root.
//!
//! Invariants: where the unlocked volume fits it is the root, whatever lies beside it: a copy of a file system on a disk that
//! somebody plugged in must not be taken for it, nor stop the machine; two others that could be meant are none.

use crate::file_system::FileSystem;
use crate::{Error, Result};
use boot_initrd::Root;
use std::path::{Path, PathBuf};

/// A block device, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockDevice {
    /// As the kernel names it: `vda2`, `dm-0`.
    pub name: String,
    /// The file system on it.
    pub file_system: Option<FileSystem>,
    /// The GUID of the partition that it is, as the table has it.
    pub partition: Option<[u8; 16]>,
}

/// The volume that was unlocked.
#[derive(Debug, Clone, Copy)]
pub struct Unlocked<'a> {
    /// Its UUID.
    pub uuid: &'a str,
    /// The device that it is on, as the kernel names it.
    pub device: &'a str,
    /// The device of its mapping, as the kernel names it.
    pub mapping: &'a str,
    /// The name that the mapping has under `/dev/mapper`.
    pub path: &'a Path,
}

impl BlockDevice {
    fn fits(&self, root: &Root) -> bool {
        let system = self.file_system.as_ref();
        match root {
            Root::Uuid(uuid) => system.is_some_and(|system| system.uuid.eq_ignore_ascii_case(uuid)),
            Root::Label(label) => system.is_some_and(|system| system.label.as_ref() == Some(label)),
            Root::Partition(id) => self.partition == Some(id.bytes()),
            Root::Mapped | Root::Device(_) => false,
        }
    }

    fn said(&self) -> Option<String> {
        let system = self.file_system.as_ref()?;
        let label = system.label.as_ref();
        let label = label.map_or_else(String::new, |label| format!(" {label:?}"));
        Some(format!(
            "{} ({} {}{label})",
            self.name, system.kind, system.uuid
        ))
    }
}

/// The device under `/dev` that the command line names.
///
/// # Errors
/// [`Error::Root`] when none fits, or more than one beside the unlocked volume.
pub fn find_root(root: &Root, unlocked: &Unlocked<'_>, devices: &[BlockDevice]) -> Result<PathBuf> {
    let dev = |name: &str| PathBuf::from("/dev").join(name);
    let what = match root {
        Root::Mapped => return Ok(unlocked.path.to_owned()),
        Root::Device(path) => return Ok(PathBuf::from(path)),
        Root::Uuid(uuid) if uuid.eq_ignore_ascii_case(unlocked.uuid) => {
            return Ok(unlocked.path.to_owned());
        }
        Root::Uuid(uuid) => format!("file system with UUID {uuid}"),
        Root::Label(label) => format!("file system with label {label:?}"),
        Root::Partition(id) => format!("partition with GUID {id}"),
    };
    let found: Vec<&BlockDevice> = devices.iter().filter(|device| device.fits(root)).collect();
    let of_volume =
        |device: &&BlockDevice| [unlocked.device, unlocked.mapping].contains(&&*device.name);
    if found.iter().any(of_volume) {
        return Ok(unlocked.path.to_owned());
    }
    match found[..] {
        [one] => Ok(dev(&one.name)),
        [] => Err(Error::Root {
            what: format!("no {what}"),
            seen: devices.iter().filter_map(BlockDevice::said).collect(),
        }),
        _ => Err(Error::Root {
            what: format!("more than one {what}; take the copy away"),
            seen: found.iter().map(|device| device.name.clone()).collect(),
        }),
    }
}
