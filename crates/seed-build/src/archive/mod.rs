//! Archives: tar, plain or packed by gzip, bzip2, xz or zstd, unpacked by memory-safe code that believes nothing.
//!
//! Invariants: nothing is written outside of the target, through a link or over something that exists; counts, sizes, depth and
//! memory are bounded; what is refused is refused by the name it has in the archive.

mod tar;

#[cfg(test)]
mod tests;

use crate::sandbox::Calls;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use thiserror::Error;

pub use tar::{Entry, Kind, Tar};

/// Largest dictionary or window of a packer, in KiB.
const MAX_WINDOW_KIB: u32 = 128 << 10;

/// Longest name in an archive.
pub const MAX_NAME: usize = 4096;

/// Deepest nesting of directories.
pub const MAX_DEPTH: usize = 64;

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Packing {
    /// Not at all.
    #[serde(rename = "tar")]
    Plain,
    /// By gzip.
    #[serde(rename = "tar.gz")]
    Gzip,
    /// By bzip2.
    #[serde(rename = "tar.bz2")]
    Bzip2,
    /// By xz.
    #[serde(rename = "tar.xz")]
    Xz,
    /// By zstd.
    #[serde(rename = "tar.zst")]
    Zstd,
}

/// How much may come out of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnpackLimits {
    /// Files, directories and links.
    pub entries: u64,
    /// Bytes, headers included.
    pub bytes: u64,
}

impl Default for UnpackLimits {
    fn default() -> UnpackLimits {
        UnpackLimits {
            entries: 200_000,
            bytes: 1 << 30,
        }
    }
}

/// Why an archive is refused.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// A name that leads elsewhere or nowhere.
    #[error("refused: '{name}': {problem}")]
    Name {
        /// As in the archive.
        name: String,
        /// Which rule it breaks.
        problem: &'static str,
    },
    /// Something that is neither file, directory nor symbolic link.
    #[error("refused: '{name}' is {kind}")]
    Kind {
        /// As in the archive.
        name: String,
        /// What it is.
        kind: &'static str,
    },
    /// A link that leads out of the tree.
    #[error("refused: the link '{name}' leads out of the tree, to '{target}'")]
    Link {
        /// As in the archive.
        name: String,
        /// Where it leads.
        target: String,
    },
    /// More than the limits allow.
    #[error("refused: more than {limit} {what}")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many are allowed.
        limit: u64,
    },
    /// Not the format it should have.
    #[error("byte {offset} of the unpacked stream: {problem}")]
    Format {
        /// Where.
        offset: u64,
        /// What is wrong.
        problem: &'static str,
    },
    /// The packed stream is damaged or cannot be read.
    #[error("reading")]
    Read(#[source] io::Error),
    /// The tree cannot be written.
    #[error("writing '{name}'")]
    Write {
        /// As in the archive.
        name: String,
        /// Why.
        source: io::Error,
    },
}

/// The system calls that unpacking makes, and no other.
pub(crate) fn calls() -> Calls {
    Calls::new([
        "brk",
        "chmod",
        "close",
        "exit_group",
        "fchmod",
        "fcntl",
        "fstat",
        "futex",
        "getrandom",
        "lseek",
        "madvise",
        "mkdir",
        "mmap",
        "mprotect",
        "mremap",
        "munmap",
        "newfstatat",
        "open",
        "openat",
        "poll",
        "read",
        "readv",
        "rt_sigaction",
        "rt_sigprocmask",
        "sigaltstack",
        "statx",
        "symlink",
        "symlinkat",
        "write",
        "writev",
    ])
    .expect("these calls exist and are harmless")
}

/// Unpacks the archive at `from` into the new directory `to`, less the first `strip` components of each name.
///
/// # Errors
/// [`ArchiveError`]; what was written before stays.
pub fn unpack(
    from: &Path,
    packing: Packing,
    strip: usize,
    limits: &UnpackLimits,
    to: &Path,
) -> Result<(), ArchiveError> {
    let file = BufReader::with_capacity(1 << 16, File::open(from).map_err(ArchiveError::Read)?);
    write_tree(Tar::new(unpacked(file, packing)?, *limits), strip, to)
}

/// What comes out of a packed stream; it takes bounded memory, and [`Tar`] bounds how much comes.
///
/// # Errors
/// [`ArchiveError::Read`] if it does not begin as its packing does.
pub fn unpacked<'s>(
    packed: impl BufRead + 's,
    packing: Packing,
) -> Result<Box<dyn Read + 's>, ArchiveError> {
    Ok(match packing {
        Packing::Plain => Box::new(packed),
        Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        Packing::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
        Packing::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(
            packed,
            true,
            MAX_WINDOW_KIB,
        )),
        Packing::Zstd => {
            let window = u64::from(MAX_WINDOW_KIB) << 10;
            let decoder =
                ruzstd::decoding::StreamingDecoder::new_with_max_window_size(packed, window);
            Box::new(decoder.map_err(|error| ArchiveError::Read(io::Error::other(error)))?)
        }
    })
}

/// Writes what an archive holds.
fn write_tree<R: Read>(mut tar: Tar<R>, strip: usize, to: &Path) -> Result<(), ArchiveError> {
    let mut tree = Tree {
        root: to.to_owned(),
        directories: BTreeSet::new(),
    };
    fs::create_dir(to).map_err(|source| ArchiveError::Write {
        name: ".".to_owned(),
        source,
    })?;
    while let Some(entry) = tar.next_entry()? {
        let Some(path) = entry.path.get(strip..).filter(|path| !path.is_empty()) else {
            if entry.kind == Kind::Directory {
                continue;
            }
            return Err(ArchiveError::Name {
                name: entry.name,
                problem: "nothing of its name is left",
            });
        };
        let parents = &path[..path.len() - 1];
        tree.directory(parents, &entry.name)?;
        let target = tree.join(path);
        let write = |source| ArchiveError::Write {
            name: entry.name.clone(),
            source,
        };
        match &entry.kind {
            Kind::Directory => tree.directory(path, &entry.name)?,
            Kind::File { executable, .. } => {
                let mode = if *executable { 0o777 } else { 0o666 };
                let mut options = OpenOptions::new();
                let mut file = options
                    .write(true)
                    .create_new(true)
                    .mode(mode)
                    .open(target)
                    .map_err(write)?;
                tar.contents(&mut file, &entry.name)?;
            }
            Kind::Link { target: leads } => {
                if !stays(parents.len(), leads) {
                    return Err(ArchiveError::Link {
                        target: String::from_utf8_lossy(leads).into_owned(),
                        name: entry.name,
                    });
                }
                let leads = std::ffi::OsStr::from_bytes(leads);
                std::os::unix::fs::symlink(leads, target).map_err(write)?;
            }
        }
    }
    Ok(())
}

/// Does a link in a directory at this depth lead to somewhere below the root?
fn stays(depth: usize, target: &[u8]) -> bool {
    let mut depth = depth;
    !target.is_empty()
        && target.len() <= MAX_NAME
        && target[0] != b'/'
        && !target.contains(&0)
        && target.split(|byte| *byte == b'/').all(|part| match part {
            b"" | b"." => true,
            b".." => {
                let deep = depth > 0;
                depth = depth.saturating_sub(1);
                deep
            }
            _ => {
                depth += 1;
                true
            }
        })
}

/// The tree so far: only directories made here are written into, so no link can be followed.
struct Tree {
    root: PathBuf,
    directories: BTreeSet<PathBuf>,
}

impl Tree {
    fn join(&self, path: &[Vec<u8>]) -> PathBuf {
        let parts = path.iter().map(|part| std::ffi::OsStr::from_bytes(part));
        self.root.join(parts.collect::<PathBuf>())
    }

    fn directory(&mut self, path: &[Vec<u8>], name: &str) -> Result<(), ArchiveError> {
        for depth in 1..=path.len() {
            let directory = self.join(&path[..depth]);
            if self.directories.contains(&directory) {
                continue;
            }
            fs::create_dir(&directory).map_err(|source| ArchiveError::Write {
                name: name.to_owned(),
                source,
            })?;
            self.directories.insert(directory);
        }
        Ok(())
    }
}
