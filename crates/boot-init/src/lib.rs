//! The first process of an initrd: it loads the kernel's modules that it carries, finds the LUKS2 volume, has the TPM release
//! its key or asks for a passphrase or recovery key, maps the volume, mounts the root and starts the system on it. No other
//! program takes part.
//!
//! Invariants: whatever the TPM, a token or a file beside the image says, a passphrase and a recovery key go on opening the
//! volume; keys and what was typed are wiped; the phase is measured before the TPM is asked and again before the system
//! starts, so that what was released to the initrd is released to nothing later; what decides (order of modules, command
//! line, choice of the volume, table of the mapping) is pure.
//!
//! Sources: the kernel's `dm-ioctl.h`, `dm-crypt` and `kernel-parameters` documentation, `modules.dep(5)`, systemd's
//! `systemd-cryptsetup-generator(8)`, `kernel-command-line(7)` and `systemd-pcrphase.service(8)`.

mod cause;
mod console;
mod device;
mod file_system;
mod mapper;
mod mapping;
mod opener;
mod root;
pub mod system;

#[cfg(test)]
mod tests;

pub use cause::Causes;
pub use console::{Console, MAX_SECRET, Terminal};
pub use device::{Candidate, choose};
pub use file_system::{FileSystem, LOOKED_AT};
pub use mapper::Mapper;
pub use mapping::{Mapping, REQUEST, Request, Target, device_number};
pub use opener::{Beside, Opener};
pub use root::{BlockDevice, Unlocked, find_root};

use std::path::PathBuf;

/// Why the system does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or a device.
    #[error("{path}: {what}")]
    File {
        /// Which.
        path: PathBuf,
        /// What was to be done with it.
        what: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A module can't be loaded.
    #[error("module {name} is not loaded")]
    Module {
        /// Its file.
        name: String,
        /// What the kernel said.
        #[source]
        source: std::io::Error,
    },
    /// The command line, or the table of modules.
    #[error(transparent)]
    Initrd(#[from] boot_initrd::Error),
    /// No volume, or not one.
    #[error("{what}; there {}", list(.seen))]
    Choice {
        /// What is missing.
        what: String,
        /// What is there: devices with their UUIDs.
        seen: Vec<String>,
    },
    /// No device is the root, or not one.
    #[error("root: {what}; there {}", listed(.seen))]
    Root {
        /// What is missing.
        what: String,
        /// What is there.
        seen: Vec<String>,
    },
    /// The volume.
    #[error(transparent)]
    Volume(#[from] boot_luks::Error),
    /// The volume can't be mapped.
    #[error("mapping {name}: {why}")]
    Mapping {
        /// Its name.
        name: String,
        /// The rule.
        why: &'static str,
    },
    /// The device mapper refuses.
    #[error("device mapper: {what} fails")]
    Mapper {
        /// The request.
        what: &'static str,
        /// What the kernel said; it says more in its own log.
        #[source]
        source: std::io::Error,
    },
    /// Nobody can be asked.
    #[error("the console gives no more lines, so nobody can be asked for a passphrase")]
    Console,
}

fn listed(seen: &[String]) -> String {
    match seen {
        [] => "is no file system that is known".to_owned(),
        list => format!("is {}", list.join(", ")),
    }
}

fn list(seen: &[String]) -> String {
    match seen {
        [] => "is no LUKS2 volume at all".to_owned(),
        list => format!("is {}", list.join(", ")),
    }
}

/// What the functions of this crate answer.
pub type Result<T> = std::result::Result<T, Error>;
