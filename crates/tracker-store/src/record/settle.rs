//! Which of two documents of one record is held when their source dates them alike.
//!
//! Feeds publish a record in several places (a yearly file and a stream of changes, a list of one entry a line and one
//! that is indented), and not every change of a record moves its date. The rule: the same document is no news but for a
//! better reader; another document that says the same is none; of two that differ the one that says more is held.
//! Invariant: the rule is a total order of documents, so importing both again, in any order, changes nothing.

use super::{Held as HeldRow, IncomingRecord, statements};
use crate::blob;
use crate::error::Result;
use crate::value::{Value, clean};
use crate::writer::Writer;
use std::collections::{HashMap, HashSet};
use tracker_record::{Record, Source};

/// What becomes of a record that comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It takes the place of what is held.
    Taken,
    /// It says what is held.
    Unchanged,
    /// What is held stays.
    Superseded,
}

/// What is held of a record, with the document that it was read from.
#[derive(Debug)]
pub(super) struct Held {
    record: Record,
    raw_zstd: Vec<u8>,
    raw_len: u64,
}

impl Held {
    /// Of a record that was accepted earlier in the same batch.
    pub(super) fn of(incoming: &IncomingRecord) -> Held {
        Held {
            record: incoming.record.clone(),
            raw_zstd: incoming.raw_zstd.clone(),
            raw_len: u64::from(incoming.raw_len),
        }
    }
}

/// What is held of those records that the batch has in another document of the same date.
pub(super) async fn held_of_same_age(
    writer: &mut Writer,
    batch: &[IncomingRecord],
    held: &HashMap<(Source, String), HeldRow>,
) -> Result<HashMap<i64, Held>> {
    let keys: HashSet<i64> = batch
        .iter()
        .filter_map(|incoming| {
            let record = &incoming.record;
            let held = held.get(&(record.source, clean(record.id.clone())))?;
            let other = held.digest != incoming.digest && !held.withdrawn;
            let alike = held.modified.is_some() && held.modified == record.modified;
            (other && alike).then_some(held.key)
        })
        .collect();
    let keys = keys.into_iter().map(Value::from).collect();
    let rows = writer.session.rows_in(&statements::DOCUMENTS, &[], keys);
    let mut found = HashMap::new();
    for row in rows.await? {
        let key = row.integer(0)?;
        let document = Held {
            record: blob::decode(key, &row.bytes(1)?)?,
            raw_zstd: row.bytes(2)?,
            raw_len: u64::from(row.number(3)?),
        };
        found.insert(key, document);
    }
    Ok(found)
}

/// The rule for a document that is dated as the held one is.
pub(super) fn of_same_age(held: &Held, incoming: &IncomingRecord) -> Result<Verdict> {
    if held.record == incoming.record {
        return Ok(Verdict::Unchanged);
    }
    // A better reader found something else in the same document.
    if held.raw_len == u64::from(incoming.raw_len) {
        let raw = |packed: &[u8]| blob::raw(&incoming.record.id, packed, held.raw_len);
        if raw(&held.raw_zstd)? == raw(&incoming.raw_zstd)? {
            return Ok(Verdict::Taken);
        }
    }
    let text = |record: &Record| serde_json::to_string(record).expect("a record has a JSON form");
    let (before, now) = (text(&held.record), text(&incoming.record));
    Ok(if (now.len(), &now) > (before.len(), &before) {
        Verdict::Taken
    } else {
        Verdict::Superseded
    })
}
