//! Finding which store objects a stream refers to, and hashing one without its references to itself.
//!
//! Invariant: a digest is found wherever it lies, also across the pieces in which the stream comes.

use nix_store_path::encoding::is_base32;
use nix_store_path::{Algorithm, Hash, Hasher, StorePath};
use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};

/// Base32 digits of a store path's digest.
const DIGITS: usize = 32;

/// Collects the candidates whose digests occur in what is written to it.
#[derive(Debug)]
pub struct Scanner {
    candidates: HashMap<[u8; DIGITS], StorePath>,
    found: BTreeSet<StorePath>,
    /// The last bytes of what came before, fewer than a digest has.
    tail: Vec<u8>,
}

impl Scanner {
    /// Looks for these paths.
    pub fn new(candidates: impl IntoIterator<Item = StorePath>) -> Scanner {
        let keyed = candidates.into_iter().map(|path| (digits(&path), path));
        Scanner {
            candidates: keyed.collect(),
            found: BTreeSet::new(),
            tail: Vec::new(),
        }
    }

    /// Those that occurred.
    pub fn finish(self) -> BTreeSet<StorePath> {
        self.found
    }

    fn scan(&mut self, bytes: &[u8]) {
        each_digest(bytes, |_, digest| {
            if let Some(path) = self.candidates.remove(digest) {
                self.found.insert(path);
            }
        });
    }
}

impl Write for Scanner {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.candidates.is_empty() {
            let mut seam = std::mem::take(&mut self.tail);
            seam.extend_from_slice(&bytes[..bytes.len().min(DIGITS - 1)]);
            self.scan(&seam);
            self.scan(bytes);
            let from = if bytes.len() < DIGITS - 1 {
                &seam[..]
            } else {
                bytes
            };
            self.tail = from[from.len().saturating_sub(DIGITS - 1)..].to_vec();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The hash of an object that may hold its own digest: each occurrence counts as zero bytes, and `|POSITION` of
/// each is hashed after the whole. So a content-addressed object can be hashed before its path is known.
#[derive(Debug)]
pub struct SelfHash {
    own: [u8; DIGITS],
    hasher: Hasher,
    positions: Vec<u64>,
    /// Not yet hashed, as a digest may have begun in it.
    held: Vec<u8>,
    hashed: u64,
}

impl SelfHash {
    /// Hashes an object whose path has, or for now stands for, this digest.
    pub fn new(algorithm: Algorithm, own: &StorePath) -> SelfHash {
        SelfHash {
            own: digits(own),
            hasher: Hasher::new(algorithm),
            positions: Vec::new(),
            held: Vec::new(),
            hashed: 0,
        }
    }

    /// The hash, and whether the object refers to itself.
    pub fn finish(mut self) -> (Hash, bool) {
        self.hasher.update(&self.held);
        for position in &self.positions {
            self.hasher.update(format!("|{position}").as_bytes());
        }
        (self.hasher.finish(), !self.positions.is_empty())
    }
}

impl Write for SelfHash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        let mut matches = Vec::new();
        each_digest(&self.held, |at, digest| {
            if *digest == self.own {
                matches.push(at);
            }
        });
        for at in matches {
            self.held[at..at + DIGITS].fill(0);
            self.positions.push(self.hashed + at as u64);
        }
        let done = self.held.len().saturating_sub(DIGITS - 1);
        self.hasher.update(&self.held[..done]);
        self.held.drain(..done);
        self.hashed += done as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn digits(path: &StorePath) -> [u8; DIGITS] {
    let text = path.digest_text();
    text.as_bytes().try_into().expect("a digest has 32 digits")
}

/// Calls back for every window of 32 base32 digits. Most windows are passed over whole: when a byte is no
/// digit, no window that covers it can be one, and the last byte of a window is looked at first.
fn each_digest(bytes: &[u8], mut found: impl FnMut(usize, &[u8; DIGITS])) {
    let mut start = 0;
    while let Some(window) = bytes.get(start..start + DIGITS) {
        if let Some(other) = window.iter().rposition(|byte| !is_base32(*byte)) {
            start += other + 1;
            continue;
        }
        found(start, window.try_into().expect("the window has this size"));
        start += 1;
    }
}
