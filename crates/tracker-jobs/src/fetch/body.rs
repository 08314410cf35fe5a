//! A body on its way into the spool folder.
//!
//! Each address has its own file there, named by its digest, and beside it the entity tag of what is in it.
//! Invariant: bytes of two versions of a body are never mixed: they are continued under a strong tag alone.

use super::{FetchError, Validators};
use crate::input::Input;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The largest body that is held in memory, in bytes. Larger ones are read from their file piece by piece.
const MAX_HELD: u64 = 512 << 20;

/// A body that came whole. Its file is removed with it.
#[derive(Debug)]
pub struct Download {
    path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
}

impl Download {
    /// The body as something to import.
    pub fn input(&self) -> Input {
        Input::Path(self.path.clone())
    }

    /// The body as an archive of which only what lies in a folder is imported.
    pub fn folder(&self, folder: &str) -> Input {
        Input::Folder {
            archive: self.path.clone(),
            folder: folder.to_owned(),
        }
    }

    /// The body, to be read from its beginning.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(&self) -> io::Result<File> {
        File::open(&self.path)
    }

    /// The body in memory.
    ///
    /// # Errors
    /// When the file cannot be read, or is too large to be held.
    pub fn bytes(&self) -> io::Result<Vec<u8>> {
        if self.size > MAX_HELD {
            let problem = format!(
                "{} bytes are too many to be read at once; the limit is {MAX_HELD}",
                self.size
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        std::fs::read(&self.path)
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        // What is left behind is overwritten by the next body of the address.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The file of an address while its body comes in.
#[derive(Debug)]
pub(super) struct Partial {
    path: PathBuf,
    tag_path: PathBuf,
}

impl Partial {
    pub(super) fn open(spool: &Path, url: &str) -> Result<Partial, FetchError> {
        let name = hex::encode(&Sha256::digest(url)[..12]);
        let partial = Partial {
            path: spool.join(format!("{name}.part")),
            tag_path: spool.join(format!("{name}.tag")),
        };
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&partial.path)
            .map_err(|source| partial.failed(source))?;
        Ok(partial)
    }

    fn failed(&self, source: io::Error) -> FetchError {
        FetchError::Spool {
            path: self.path.clone(),
            source,
        }
    }

    /// The bytes held and the strong tag they belong to.
    pub(super) fn resumable(&self) -> Option<(u64, String)> {
        let held = std::fs::metadata(&self.path).ok()?.len();
        let tag = std::fs::read_to_string(&self.tag_path).ok()?;
        (held > 0 && tag.starts_with('"')).then_some((held, tag))
    }

    /// Forgets what is held.
    pub(super) fn discard(&mut self) -> Result<(), FetchError> {
        self.restart()?;
        match std::fs::remove_file(&self.tag_path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed(error)),
            _ => Ok(()),
        }
    }

    /// The body comes from its beginning.
    pub(super) fn restart(&mut self) -> Result<(), FetchError> {
        File::create(&self.path)
            .map(drop)
            .map_err(|source| self.failed(source))
    }

    /// Keeps the tag of what comes; before the body, so that no body is ever beside another's tag.
    pub(super) fn note(&self, validators: &Validators) -> Result<(), FetchError> {
        let tag = validators.etag.as_deref().unwrap_or_default();
        std::fs::write(&self.tag_path, tag).map_err(|source| self.failed(source))
    }

    /// Takes the body to its end; the inner error is the connection's.
    pub(super) async fn take(
        self,
        mut response: reqwest::Response,
        shown: &str,
        limit: u64,
    ) -> Result<Result<Download, reqwest::Error>, FetchError> {
        let too_large = || FetchError::TooLarge {
            url: shown.to_owned(),
            limit,
        };
        let failed = |source| self.failed(source);
        let mut file = OpenOptions::new()
            .append(true)
            .open(&self.path)
            .map_err(failed)?;
        let mut size = file.metadata().map_err(failed)?.len();
        if response.content_length().unwrap_or(0).saturating_add(size) > limit {
            return Err(too_large());
        }
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    size += chunk.len() as u64;
                    if size > limit {
                        drop(file);
                        std::fs::remove_file(&self.path).map_err(failed)?;
                        return Err(too_large());
                    }
                    file.write_all(&chunk).map_err(failed)?;
                }
                Ok(None) => break,
                Err(error) => return Ok(Err(error)),
            }
        }
        drop(file);
        let path = self.path.with_extension("body");
        std::fs::rename(&self.path, &path).map_err(failed)?;
        let _ = std::fs::remove_file(&self.tag_path);
        Ok(Ok(Download { path, size }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_to_be_held_is_refused_unread() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("body");
        File::create(&path).unwrap().set_len(MAX_HELD + 1).unwrap();
        let size = MAX_HELD + 1;
        let refused = Download { path, size }.bytes().unwrap_err();
        assert!(refused.to_string().contains("too many"), "{refused}");
    }
}
