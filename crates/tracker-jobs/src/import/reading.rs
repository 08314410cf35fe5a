//! The threads of an import that read documents into records and compress the raw documents.
//!
//! Invariant: what comes in as a document goes out as a record or as a rejection.

use super::splitting::{Block, Raw};
use super::summary::{RecordWarning, Rejected};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use tokio::sync::mpsc::Sender;
use tracker_record::read::guess_id;
use tracker_record::{Source, public_ids, read_document};
use tracker_store::IncomingRecord;

/// zstd's level for raw documents: they are small, and the third pays little for twice the time.
const LEVEL: i32 = 1;

/// So many documents at the beginning of a file, and not one a record: the file is no feed.
const FOREIGN_DOCUMENTS: usize = 16;

/// A block that was read.
#[derive(Debug)]
pub(super) struct Read {
    /// The block's number.
    pub(super) sequence: u64,
    /// The file.
    pub(super) file: Arc<str>,
    /// Records to write.
    pub(super) records: Vec<IncomingRecord>,
    /// The source of the last of them.
    pub(super) source: Option<Source>,
    /// Documents that are held already.
    pub(super) unchanged: BTreeMap<Source, u64>,
    /// What could not be read.
    pub(super) rejected: Vec<Rejected>,
    /// How many of those are something other than records.
    pub(super) foreign: u64,
    /// Parts of records that could not be used.
    pub(super) warnings: Vec<RecordWarning>,
    /// Why the file is no feed.
    pub(super) refused: Option<String>,
    /// No other block of this file follows.
    pub(super) last: bool,
}

/// Reads blocks until there are no more, or nobody takes them.
pub(super) fn run(blocks: &Arc<Mutex<mpsc::Receiver<Block>>>, out: &Sender<Read>) {
    let mut compressor = zstd::bulk::Compressor::new(LEVEL).ok();
    loop {
        let block = {
            let blocks = blocks.lock().unwrap_or_else(PoisonError::into_inner);
            blocks.recv()
        };
        let Ok(block) = block else { return };
        if out.blocking_send(read(block, &mut compressor)).is_err() {
            return;
        }
    }
}

fn read(block: Block, compressor: &mut Option<zstd::bulk::Compressor<'_>>) -> Read {
    let mut read = Read {
        sequence: block.sequence,
        file: Arc::clone(&block.file),
        records: Vec::with_capacity(block.documents.len()),
        source: None,
        unchanged: block.unchanged,
        rejected: Vec::new(),
        foreign: 0,
        warnings: Vec::new(),
        refused: block.refused,
        last: block.last,
    };
    for skipped in block.skipped {
        read.rejected.push(Rejected {
            file: read.file.to_string(),
            record: None,
            index: skipped.index,
            offset: skipped.offset,
            reason: skipped.reason.to_string(),
        });
    }
    let documents = block.documents.len();
    for raw in block.documents {
        read_one(raw, &mut read, compressor);
    }
    let nothing = read.records.is_empty() && read.unchanged.is_empty();
    if block.first && nothing && documents >= FOREIGN_DOCUMENTS && read.foreign == documents as u64
    {
        block.give_up.store(true, Ordering::Relaxed);
    }
    read
}

fn read_one(
    Raw { document, digest }: Raw,
    read: &mut Read,
    compressor: &mut Option<zstd::bulk::Compressor<'_>>,
) {
    let raw = document.raw;
    let reading = match read_document(&raw) {
        Ok(reading) => reading,
        Err(error) => {
            read.foreign += u64::from(error.is_foreign());
            read.rejected.push(Rejected {
                file: read.file.to_string(),
                record: guess_id(&raw),
                index: document.index,
                offset: document.offset,
                reason: error.to_string(),
            });
            return;
        }
    };
    let packed = match compressor {
        Some(compressor) => compressor.compress(&raw),
        None => zstd::bulk::compress(&raw, LEVEL),
    };
    let raw_zstd = match packed {
        Ok(packed) => packed,
        Err(error) => {
            read.rejected.push(Rejected {
                file: read.file.to_string(),
                record: Some(reading.record.id),
                index: document.index,
                offset: document.offset,
                reason: format!("cannot be compressed: {error}"),
            });
            return;
        }
    };
    let record = reading.record;
    for warning in reading.warnings {
        read.warnings.push(RecordWarning {
            file: read.file.to_string(),
            record: record.id.clone(),
            at: warning.at,
            problem: warning.problem,
        });
    }
    read.source = Some(record.source);
    read.records.push(IncomingRecord {
        digest,
        raw_zstd,
        raw_len: u32::try_from(raw.len()).unwrap_or(u32::MAX),
        vulnerabilities: public_ids(&record),
        record,
    });
}
