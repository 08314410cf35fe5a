//! Hash and size of an archive, of a stream or of a tree on disk.
//!
//! Invariant: the SHA-256 of a tree is that of the bytes [`crate::tree::dump`] would write.

use crate::{Error, tree};
use nix_store_path::{Algorithm, Hash, Hasher};
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// The hash and the size of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Hash of its bytes.
    pub hash: Hash,
    /// Their number.
    pub size: u64,
}

/// Hashes and counts what is written to it.
#[derive(Debug)]
pub struct HashWriter {
    hasher: Hasher,
    size: u64,
}

impl HashWriter {
    /// Nothing was written yet.
    pub fn new(algorithm: Algorithm) -> HashWriter {
        HashWriter {
            hasher: Hasher::new(algorithm),
            size: 0,
        }
    }

    /// What was written.
    pub fn finish(self) -> Summary {
        Summary {
            hash: self.hasher.finish(),
            size: self.size,
        }
    }
}

impl Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Buffers that go round between the two threads; few and small, so that they stay in cache.
const BUFFERS: usize = 4;
const BUFFER: usize = 256 << 10;

/// The hash and size of the archive of a tree: what `nix hash path` prints. One thread reads, another hashes.
///
/// # Errors
/// As for [`tree::dump`].
pub fn hash(path: &Path, algorithm: Algorithm, case: tree::Case) -> Result<Summary, Error> {
    let (send_full, full) = sync_channel::<Vec<u8>>(BUFFERS);
    let (send_empty, empty) = sync_channel::<Vec<u8>>(BUFFERS);
    for _ in 0..BUFFERS {
        send_empty
            .send(Vec::with_capacity(BUFFER))
            .expect("the channel has room for every buffer");
    }
    std::thread::scope(|scope| {
        let hashing = scope.spawn(move || {
            let mut writer = HashWriter::new(algorithm);
            for mut buffer in full {
                writer.write_all(&buffer).expect("hashing does not fail");
                buffer.clear();
                // The other side may have stopped on an error.
                let _ = send_empty.send(buffer);
            }
            writer.finish()
        });
        let handing = Handing {
            full: send_full,
            empty,
            current: Vec::with_capacity(BUFFER),
        };
        let dumped = tree::dump(path, handing, case);
        let handed = dumped.map(|mut handing| handing.flush());
        let summary = hashing.join().expect("hashing does not panic");
        handed?.map_err(|source| Error::Stream {
            offset: summary.size,
            source,
        })?;
        Ok(summary)
    })
}

/// The reading side: fills buffers and hands them over.
struct Handing {
    full: SyncSender<Vec<u8>>,
    empty: Receiver<Vec<u8>>,
    current: Vec<u8>,
}

impl Handing {
    fn hand_over(&mut self) -> io::Result<()> {
        let gone = |_| io::Error::other("the hashing thread is gone");
        let empty = self
            .empty
            .recv()
            .map_err(|error| io::Error::other(error.to_string()))?;
        let full = std::mem::replace(&mut self.current, empty);
        self.full.send(full).map_err(gone)
    }
}

impl Write for Handing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.current.len() == BUFFER {
            self.hand_over()?;
        }
        let count = bytes.len().min(BUFFER - self.current.len());
        self.current.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hand_over()
    }
}
