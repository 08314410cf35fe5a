//! A folder that one process at a time works in.
//!
//! Invariant: the system gives it back when the process ends, however it ends; what it left is found by the next.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The file that says that a folder is taken.
const LOCK: &str = "lock";

/// Processes that may share a folder.
const MOST: u32 = 64;

/// A folder of this process.
#[derive(Debug)]
pub struct OwnFolder {
    path: PathBuf,
    /// Held, not used.
    _lock: File,
}

impl OwnFolder {
    /// The folder itself, or the first of `2`, `3`, … below it that nobody has.
    ///
    /// # Errors
    /// When a folder or its lock cannot be made, or when all are taken.
    pub fn below(folder: &Path) -> io::Result<OwnFolder> {
        for number in 1..=MOST {
            let path = match number {
                1 => folder.to_owned(),
                other => folder.join(other.to_string()),
            };
            std::fs::create_dir_all(&path)?;
            let lock = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(path.join(LOCK))?;
            match lock.try_lock() {
                Ok(()) => return Ok(OwnFolder { path, _lock: lock }),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        let why = format!("{MOST} processes use it already");
        Err(io::Error::new(io::ErrorKind::ResourceBusy, why))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::OwnFolder;

    #[test]
    fn a_folder_is_of_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = OwnFolder::below(folder.path()).unwrap();
        let second = OwnFolder::below(folder.path()).unwrap();
        assert_eq!(first.path(), folder.path());
        assert_eq!(second.path(), folder.path().join("2"));
        drop(first);
        let third = OwnFolder::below(folder.path()).unwrap();
        assert_eq!(
            third.path(),
            folder.path(),
            "what is free again is taken again"
        );
    }
}
