//! The compressed forms in which records are kept.
//!
//! Invariant: what comes back is what went in, or an error that names the record; never a partial value.

use crate::error::{Result, StoreError};
use std::io::Read as _;
use tracker_record::Record;

/// Level of the normal forms: they are written by the hundred thousand and read one by one.
const LEVEL: i32 = 1;

/// The largest normal form that is read back, in bytes; what is written is far below.
const MAX_NORMAL_BYTES: u64 = 256 << 20;

/// Compresses normal forms, keeping its buffers from one to the next.
pub(crate) struct Encoder {
    compressor: zstd::bulk::Compressor<'static>,
    json: Vec<u8>,
}

impl Encoder {
    pub(crate) fn new() -> Encoder {
        Encoder {
            compressor: zstd::bulk::Compressor::new(LEVEL).expect("zstd accepts its own level"),
            json: Vec::new(),
        }
    }

    /// The stored form of a record.
    pub(crate) fn encode(&mut self, record: &Record) -> Vec<u8> {
        self.json.clear();
        serde_json::to_writer(&mut self.json, record).expect("a record always has a JSON form");
        self.compressor
            .compress(&self.json)
            .expect("zstd compresses any bytes into a buffer of the bound it states")
    }
}

/// Reads a stored normal form.
pub(crate) fn decode(key: i64, stored: &[u8]) -> Result<Record> {
    let damaged = |reason: String| StoreError::damaged(format!("record {key}"), reason);
    let json = inflate(stored, MAX_NORMAL_BYTES).map_err(|error| damaged(error.to_string()))?;
    serde_json::from_slice(&json).map_err(|error| damaged(error.to_string()))
}

/// Reads a stored raw document whose size was noted when it was written.
pub(crate) fn raw(what: &str, stored: &[u8], size: u64) -> Result<Vec<u8>> {
    let bytes = inflate(stored, size).map_err(|error| StoreError::damaged(what, error))?;
    if bytes.len() as u64 == size {
        Ok(bytes)
    } else {
        Err(StoreError::damaged(
            what,
            format!("{} bytes instead of {size}", bytes.len()),
        ))
    }
}

fn inflate(stored: &[u8], limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    zstd::stream::read::Decoder::with_buffer(stored)?
        .take(limit)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}
