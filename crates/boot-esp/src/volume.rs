//! What is asked of a file system, and contents that are to be written to one.

use crate::{Error, EspPath, Result};
use sha2::{Digest, Sha256};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes that are copied at a time.
pub(crate) const CHUNK: usize = 1024 * 1024;

/// Room on a volume, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Free.
    pub free: u64,
    /// All.
    pub total: u64,
    /// Size of a block; a file takes whole ones.
    pub block: u64,
}

impl Space {
    /// What a file of `size` bytes takes.
    pub(crate) fn of_file(&self, size: u64) -> u64 {
        size.next_multiple_of(self.block.max(1))
    }
}

/// A file system that holds a boot partition. Only what [`sync`](Volume::sync) has answered is taken to be on the disk;
/// anything before may be lost, in parts or out of order.
pub trait Volume {
    /// Every file below a folder with its size; none when the folder is not there.
    fn files(&self, folder: &EspPath) -> io::Result<Vec<(EspPath, u64)>>;
    /// Room.
    fn space(&self) -> io::Result<Space>;
    /// Reads a whole file from the disk, piece by piece. [`io::ErrorKind::NotFound`] when it is not there.
    fn read(&self, path: &EspPath, sink: &mut dyn FnMut(&[u8])) -> io::Result<()>;
    /// Makes a folder, with its parents; it may be there already.
    fn make_folder(&self, path: &EspPath) -> io::Result<()>;
    /// Makes an empty file, which must not be there.
    fn create(&self, path: &EspPath) -> io::Result<()>;
    /// Writes at an offset of an existing file, which grows as needed.
    fn write(&self, path: &EspPath, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Removes a file; it may be gone already.
    fn remove(&self, path: &EspPath) -> io::Result<()>;
    /// Removes an empty folder; it may be gone already.
    fn remove_folder(&self, path: &EspPath) -> io::Result<()>;
    /// Returns when everything before is on the disk.
    fn sync(&self) -> io::Result<()>;
}

/// Where a content comes from.
#[derive(Debug, Clone)]
enum Source {
    /// Not `Arc<[u8]>`, for which a kernel that was read would be copied once more.
    Bytes(Arc<Vec<u8>>),
    File(PathBuf),
}

/// What a file shall hold: digest and size, and where to read it.
#[derive(Debug, Clone)]
pub struct Content {
    sha256: [u8; 32],
    size: u64,
    source: Source,
}

impl PartialEq for Content {
    fn eq(&self, other: &Content) -> bool {
        self.sha256 == other.sha256 && self.size == other.size
    }
}

impl Content {
    /// Bytes in memory.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Content {
        let bytes = bytes.into();
        Content {
            sha256: Sha256::digest(&bytes).into(),
            size: bytes.len() as u64,
            source: Source::Bytes(Arc::new(bytes)),
        }
    }

    /// A file whose digest is known; copying checks it.
    pub fn file(path: &Path, sha256: [u8; 32], size: u64) -> Content {
        Content {
            sha256,
            size,
            source: Source::File(path.to_owned()),
        }
    }

    /// SHA-256.
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// Length in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The content, whole; fails when a file is not what was hashed.
    pub fn to_vec(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.copy(&mut |_, piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Hands the content to `sink` in pieces, each with its offset; fails when a file is not what was hashed.
    pub(crate) fn copy(&self, sink: &mut dyn FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
        let path = match &self.source {
            Source::Bytes(bytes) => {
                for (index, piece) in bytes.chunks(CHUNK).enumerate() {
                    sink((index * CHUNK) as u64, piece)?;
                }
                return Ok(());
            }
            Source::File(path) => path,
        };
        let failed = |error| Error::Io {
            doing: "reading",
            path: path.display().to_string(),
            error,
        };
        let changed = || Error::Source { path: path.clone() };
        let mut file = std::fs::File::open(path).map_err(failed)?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; CHUNK.min(self.size as usize + 1)];
        let mut offset = 0;
        loop {
            let count = match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed(error)),
            };
            if offset + count as u64 > self.size {
                return Err(changed());
            }
            hasher.update(&buffer[..count]);
            sink(offset, &buffer[..count])?;
            offset += count as u64;
        }
        if offset != self.size || <[u8; 32]>::from(hasher.finalize()) != self.sha256 {
            return Err(changed());
        }
        Ok(())
    }
}
