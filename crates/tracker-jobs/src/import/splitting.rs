//! The first thread of an import: files into blocks of raw documents, what is known left out.
//!
//! Invariant: blocks are numbered in the order of files and documents, and the last one of a file is marked, so
//! that whoever counts can settle the file.

use super::Counters;
use crate::input::Source as File;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use tracker_record::Source;
use tracker_record::feed::{Document, Feed, Skipped};
use tracker_record::read::READER_VERSION;
use tracker_record::unpack::{UnpackError, unpack};
use tracker_store::KnownDigests;

/// A block is passed on when its documents have this many bytes together.
const BLOCK_BYTES: usize = 1 << 20;

/// A block is passed on when it has this many documents, known ones included.
const BLOCK_DOCUMENTS: u64 = 2000;

/// A document to read.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) document: Document,
    pub(super) digest: [u8; 32],
}

/// A block of documents of one file.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Its number in the import.
    pub(super) sequence: u64,
    /// The file, with the archive's member.
    pub(super) file: Arc<str>,
    /// Documents to read.
    pub(super) documents: Vec<Raw>,
    /// Documents that are held already.
    pub(super) unchanged: BTreeMap<Source, u64>,
    /// Parts that are no documents.
    pub(super) skipped: Vec<Skipped>,
    /// Why the file is no feed.
    pub(super) refused: Option<String>,
    /// No other block before it is of this file.
    pub(super) first: bool,
    /// No other block of this file follows.
    pub(super) last: bool,
    /// Set by a reader that found no record at all in the first block: the rest of the file is left alone.
    pub(super) give_up: Arc<AtomicBool>,
}

/// Splits all files; ends early when nobody takes the blocks any more.
pub(super) fn run(
    files: Vec<File>,
    known: &KnownDigests,
    counters: &Counters,
    out: &SyncSender<Block>,
) {
    let mut splitter = Splitter {
        known,
        counters,
        out,
        sequence: 0,
        block: Block::default(),
        block_bytes: 0,
        closed: false,
    };
    for file in files {
        if splitter.closed {
            return;
        }
        let opened = file.open(&counters.bytes).map_err(UnpackError::Read);
        let unpacked = opened.and_then(|input| {
            unpack(&file.name, input, |member, content| {
                if !file.wants(member) {
                    return;
                }
                let name = match member {
                    "" => file.name.clone(),
                    _ => format!("{}: {member}", file.name),
                };
                splitter.begin(name);
                match content {
                    Ok(content) => splitter.split(content),
                    Err(error) => splitter.block.refused = Some(error.to_string()),
                }
                splitter.end();
            })
        });
        if let Err(error) = unpacked {
            splitter.begin(file.name.clone());
            splitter.block.refused = Some(error.to_string());
            splitter.end();
        }
    }
}

struct Splitter<'a> {
    known: &'a KnownDigests,
    counters: &'a Counters,
    out: &'a SyncSender<Block>,
    sequence: u64,
    block: Block,
    block_bytes: usize,
    closed: bool,
}

impl Splitter<'_> {
    fn begin(&mut self, file: String) {
        self.block = Block {
            file: file.into(),
            first: true,
            ..Block::default()
        };
        self.block_bytes = 0;
    }

    fn end(&mut self) {
        self.block.last = true;
        self.pass_on();
    }

    fn split(&mut self, content: &mut dyn Read) {
        let feed = match Feed::open(content) {
            Ok(feed) => feed,
            Err(refusal) => {
                self.block.refused = Some(refusal.to_string());
                return;
            }
        };
        for item in feed {
            if self.closed || self.block.give_up.load(Ordering::Relaxed) {
                return;
            }
            self.counters.records.fetch_add(1, Ordering::Relaxed);
            match item {
                Ok(document) => self.document(document),
                Err(skipped) => self.block.skipped.push(skipped),
            }
            let block = &self.block;
            let unchanged: u64 = block.unchanged.values().sum();
            let count = block.documents.len() as u64 + block.skipped.len() as u64 + unchanged;
            if count >= BLOCK_DOCUMENTS || self.block_bytes >= BLOCK_BYTES {
                self.pass_on();
            }
        }
    }

    fn document(&mut self, document: Document) {
        let digest = digest(&document.raw);
        if let Some(source) = self.known.source(&digest) {
            *self.block.unchanged.entry(source).or_default() += 1;
        } else {
            self.block_bytes += document.raw.len();
            self.block.documents.push(Raw { document, digest });
        }
    }

    fn pass_on(&mut self) {
        let next = Block {
            file: Arc::clone(&self.block.file),
            give_up: Arc::clone(&self.block.give_up),
            ..Block::default()
        };
        let mut block = std::mem::replace(&mut self.block, next);
        block.sequence = self.sequence;
        self.sequence += 1;
        self.block_bytes = 0;
        self.closed |= self.out.send(block).is_err();
    }
}

/// What tells two documents apart, and two versions of the reader.
fn digest(raw: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update([READER_VERSION]);
    hasher.update(raw);
    hasher.finalize().into()
}
