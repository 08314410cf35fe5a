//! Where two trees differ first, and what usually makes such a difference.
//!
//! Invariant: a cause is a guess from the bytes alone, and says so; file and offset are facts.

mod cause;

#[cfg(test)]
mod tests;

use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub use cause::{Cause, cause};

/// The first difference of two trees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The file, below the tree's root; empty for the root itself.
    pub file: PathBuf,
    /// What differs.
    pub what: What,
    /// What may have made it so.
    pub cause: Option<Cause>,
}

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// Only the first tree has it.
    OnlyLeft,
    /// Only the second tree has it.
    OnlyRight,
    /// One is a file where the other is a directory or link, or they are executable and not.
    Kind,
    /// The bytes, from this offset on.
    Byte(u64),
    /// Where links lead.
    Target,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match self.what {
            What::OnlyLeft => write!(f, "file {file}: only the first has it")?,
            What::OnlyRight => write!(f, "file {file}: only the second has it")?,
            What::Kind => write!(f, "file {file}: of another kind, or executable in one only")?,
            What::Byte(offset) if self.file.as_os_str().is_empty() => write!(f, "byte {offset}")?,
            What::Byte(offset) => write!(f, "file {file}, byte {offset}")?,
            What::Target => write!(f, "link {file}: leads elsewhere")?,
        }
        match self.cause {
            Some(cause) => write!(f, "; likely cause: {cause}"),
            None => Ok(()),
        }
    }
}

/// The first difference in the order of names; nothing if the trees are the same.
///
/// # Errors
/// What cannot be read.
pub fn difference(left: &Path, right: &Path) -> io::Result<Option<Difference>> {
    at(left, right, Path::new(""))
}

fn at(left: &Path, right: &Path, file: &Path) -> io::Result<Option<Difference>> {
    let (one, other) = (left.symlink_metadata()?, right.symlink_metadata()?);
    let found = |what, cause| {
        Ok(Some(Difference {
            file: file.to_owned(),
            what,
            cause,
        }))
    };
    if one.is_dir() && other.is_dir() {
        let (ours, theirs) = (names(left)?, names(right)?);
        for name in ours.union(&theirs) {
            let inner = file.join(name);
            let only = |what| {
                Ok(Some(Difference {
                    file: inner.clone(),
                    what,
                    cause: None,
                }))
            };
            if !theirs.contains(name) {
                return only(What::OnlyLeft);
            }
            if !ours.contains(name) {
                return only(What::OnlyRight);
            }
            let deeper = at(&left.join(name), &right.join(name), &inner)?;
            if deeper.is_some() {
                return Ok(deeper);
            }
        }
        return Ok(None);
    }
    if one.is_symlink() && other.is_symlink() {
        if fs::read_link(left)? == fs::read_link(right)? {
            return Ok(None);
        }
        return found(What::Target, Some(Cause::Path));
    }
    let executable = |found: &fs::Metadata| found.permissions().mode() & 0o100 != 0;
    if !one.is_file() || !other.is_file() || executable(&one) != executable(&other) {
        return found(What::Kind, None);
    }
    let (one, other) = (fs::read(left)?, fs::read(right)?);
    match first_byte(&one, &other) {
        None => Ok(None),
        Some(offset) => found(What::Byte(offset as u64), cause(&one, &other, offset)),
    }
}

fn names(folder: &Path) -> io::Result<BTreeSet<PathBuf>> {
    fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.file_name().into()))
        .collect()
}

/// Offset of the first byte that differs or that only one has.
pub fn first_byte(left: &[u8], right: &[u8]) -> Option<usize> {
    let differing = left.iter().zip(right).position(|(one, other)| one != other);
    differing.or_else(|| (left.len() != right.len()).then(|| left.len().min(right.len())))
}
