//! Writing records: what a feed says, the vulnerabilities it belongs to, and their place in lists and search.
//!
//! Invariant: when a batch is acknowledged, record, raw document, summary, search words, history and the note
//! that matches are due are all written, in one transaction.

mod place;
mod settle;
pub(crate) mod statements;
mod withdraw;

pub(crate) use place::words_of;
pub use withdraw::Withdrawal;

use crate::Store;
use crate::blob::Encoder;
use crate::error::{Result, StoreError};
use crate::value::{Value, clean, values};
use crate::writer::{Counter, Writer};
use jiff::Timestamp;
use place::Touched;
use settle::Verdict;
use std::collections::{BTreeMap, HashMap, HashSet};
use tracker_record::{Record, Source};
use tracker_triage::Event;

/// A record that was read from a feed, ready to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct IncomingRecord {
    /// SHA-256 of the raw document.
    pub digest: [u8; 32],
    /// The raw document, zstd.
    pub raw_zstd: Vec<u8>,
    /// Size of the raw document before compression, in bytes.
    pub raw_len: u32,
    /// Public ids of the vulnerabilities that it belongs to, at least one.
    pub vulnerabilities: Vec<String>,
    /// The normal form.
    pub record: Record,
}

/// What became of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchOutcome {
    /// Records that were not held before.
    pub added: u64,
    /// Records that took the place of an older version.
    pub changed: u64,
    /// Records that are held already.
    pub unchanged: u64,
    /// Records that are older than what is held; nothing of them was written.
    pub superseded: u64,
    /// Public ids of the vulnerabilities that changed, sorted.
    pub touched: Vec<String>,
}

/// What became of an import of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportCounts {
    /// Records that were not held before.
    pub added: u64,
    /// Records that took the place of an older version.
    pub changed: u64,
    /// Records that are held already.
    pub unchanged: u64,
    /// Records that are older than what is held.
    pub superseded: u64,
    /// Documents that could not be read.
    pub rejected: u64,
}

/// The digests of all raw documents held: 16 bytes each, so a million take some 40 MB.
#[derive(Debug, Clone, Default)]
pub struct KnownDigests(HashMap<[u8; 16], Source>);

impl KnownDigests {
    /// Whether exactly this document is held as the current one of its record.
    pub fn contains(&self, digest: &[u8; 32]) -> bool {
        self.source(digest).is_some()
    }

    /// The source whose record has exactly this document.
    pub fn source(&self, digest: &[u8; 32]) -> Option<Source> {
        self.0.get(&digest[..16]).copied()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The source of a stable name.
pub(crate) fn source_of(name: String) -> Result<Source> {
    Source::ALL
        .into_iter()
        .find(|source| source.as_str() == name)
        .ok_or_else(|| StoreError::damaged("source", name))
}

/// A record as it is held.
#[derive(Debug, Clone)]
struct Held {
    key: i64,
    digest: Vec<u8>,
    modified: Option<Timestamp>,
    withdrawn: bool,
}

/// What becomes of a record that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It was not held before.
    Added,
    /// It takes the place of what was held.
    Changed,
    /// As [`Change::Changed`], of a record that its source had taken back.
    Restated,
    /// Its source took it back.
    Withdrawn,
}

impl Change {
    /// How the number of records that its source states grows.
    const fn growth(self) -> i64 {
        match self {
            Change::Added | Change::Restated => 1,
            Change::Changed => 0,
            Change::Withdrawn => -1,
        }
    }

    /// The event that tells of it.
    fn event(self, record: String) -> Event {
        match self {
            Change::Added => Event::RecordAdded { record },
            Change::Changed | Change::Restated => Event::RecordChanged { record },
            Change::Withdrawn => Event::RecordWithdrawn { record },
        }
    }
}

/// A record of the batch that will be written.
struct Accepted {
    key: i64,
    change: Change,
    incoming: IncomingRecord,
}

impl Store {
    /// The digests of all raw documents held, for skipping what is known before it is parsed.
    pub async fn known_digests(&self) -> Result<KnownDigests> {
        let mut session = self.read().await?;
        let mut known = HashMap::new();
        let mut last = i64::MIN;
        loop {
            let rows = session.rows(&statements::DIGESTS, values![last]).await?;
            for row in &rows {
                last = row.integer(0)?;
                if let Some(digest) = row.bytes(1)?.first_chunk::<16>() {
                    known.insert(*digest, source_of(row.text(2)?)?);
                }
            }
            if rows.is_empty() {
                return Ok(KnownDigests(known));
            }
        }
    }

    /// Keeps a batch of records, in order, in one transaction; 500 to 1,000 a call are best.
    ///
    /// The same document again is unchanged, and so is another writing of the same age that says the same. An older
    /// version than the one held is superseded, and so is one of the same age that says less: which of two such
    /// documents is held does not depend on the order in which they come. Anything else takes the place of what is
    /// held under its source and id.
    pub async fn put_records(&self, batch: Vec<IncomingRecord>) -> Result<BatchOutcome> {
        let mut writer = self.writer().await?;
        let outcome = put(&mut writer, batch).await?;
        writer.commit().await?;
        Ok(outcome)
    }

    /// Notes that a source was imported, with the counts of that import.
    pub async fn record_import(
        &self,
        source: Source,
        counts: &ImportCounts,
        at: Timestamp,
    ) -> Result<()> {
        let mut writer = self.writer().await?;
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let row = values![
            source.as_str(),
            at,
            number(counts.added),
            number(counts.changed),
            number(counts.unchanged),
            number(counts.superseded),
            number(counts.rejected),
        ];
        writer
            .session
            .execute(&statements::FEED_IMPORTED, row)
            .await?;
        writer.changed();
        writer.commit().await
    }
}

/// Keeps a batch of records within a transaction of the caller.
pub(crate) async fn put(writer: &mut Writer, batch: Vec<IncomingRecord>) -> Result<BatchOutcome> {
    let mut outcome = BatchOutcome::default();
    let accepted = accept(writer, batch, &mut outcome).await?;
    if !accepted.is_empty() {
        write_records(writer, &accepted).await?;
        outcome.touched = place(writer, accepted).await?;
    }
    Ok(outcome)
}

/// Sorts out what is unchanged or superseded. Of several versions of a record in the batch only the last accepted one is left.
async fn accept(
    writer: &mut Writer,
    batch: Vec<IncomingRecord>,
    outcome: &mut BatchOutcome,
) -> Result<Vec<Accepted>> {
    let mut ids: BTreeMap<Source, HashSet<String>> = BTreeMap::new();
    for incoming in &batch {
        let record = &incoming.record;
        let id = clean(record.id.clone());
        ids.entry(record.source).or_default().insert(id);
    }
    let mut held: HashMap<(Source, String), Held> = HashMap::new();
    for (source, ids) in ids {
        let ids = ids.into_iter().map(Value::from).collect();
        let rows = writer
            .session
            .rows_in(&statements::RECORDS_HELD, &[source.as_str().into()], ids)
            .await?;
        for row in rows {
            let record = Held {
                key: row.integer(0)?,
                digest: row.bytes(2)?,
                modified: row.optional_instant(3)?,
                withdrawn: row.optional_instant(4)?.is_some(),
            };
            held.insert((source, row.text(1)?), record);
        }
    }
    let mut alike = settle::held_of_same_age(writer, &batch, &held).await?;
    let mut accepted: Vec<Accepted> = Vec::with_capacity(batch.len());
    let mut positions: HashMap<i64, usize> = HashMap::new();
    for incoming in batch {
        let record = &incoming.record;
        let identity = (record.source, clean(record.id.clone()));
        let entry = held.get(&identity).filter(|held| !held.withdrawn);
        if entry.is_some_and(|held| held.digest == incoming.digest) {
            outcome.unchanged += 1;
            continue;
        }
        if let Some(held) = entry {
            let verdict = match (held.modified, record.modified) {
                (Some(held), Some(new)) if held > new => Verdict::Superseded,
                (Some(before), Some(new)) if before == new => {
                    let current = positions.get(&held.key).map(|position| {
                        let accepted: &Accepted = &accepted[*position];
                        settle::Held::of(&accepted.incoming)
                    });
                    match current.or_else(|| alike.remove(&held.key)) {
                        Some(current) => {
                            let verdict = settle::of_same_age(&current, &incoming)?;
                            alike.insert(held.key, current);
                            verdict
                        }
                        None => Verdict::Taken,
                    }
                }
                _ => Verdict::Taken,
            };
            match verdict {
                Verdict::Taken => {}
                Verdict::Unchanged => {
                    outcome.unchanged += 1;
                    continue;
                }
                Verdict::Superseded => {
                    outcome.superseded += 1;
                    continue;
                }
            }
        }
        let known = held.get(&identity);
        let change = match known {
            None => Change::Added,
            Some(held) if held.withdrawn => Change::Restated,
            Some(_) => Change::Changed,
        };
        let key = known.map_or_else(|| writer.next(Counter::Record), |held| held.key);
        let now_held = Held {
            key,
            digest: incoming.digest.to_vec(),
            modified: record.modified,
            withdrawn: false,
        };
        held.insert(identity, now_held);
        match change {
            Change::Added => outcome.added += 1,
            _ => outcome.changed += 1,
        }
        if let Some(position) = positions.get(&key) {
            accepted[*position].incoming = incoming;
        } else {
            positions.insert(key, accepted.len());
            accepted.push(Accepted {
                key,
                change,
                incoming,
            });
        }
    }
    Ok(accepted)
}

/// Writes records, documents and the sources' totals.
async fn write_records(writer: &mut Writer, accepted: &[Accepted]) -> Result<()> {
    let mut encoder = Encoder::new();
    let mut records = Vec::with_capacity(accepted.len() * 8);
    let mut documents = Vec::with_capacity(accepted.len() * 3);
    let mut feeds: BTreeMap<Source, (i64, Option<Timestamp>)> = BTreeMap::new();
    for Accepted {
        key,
        change,
        incoming,
    } in accepted
    {
        let record = &incoming.record;
        let withdrawn = (*change == Change::Withdrawn).then_some(writer.now);
        records.extend(values![
            *key,
            record.source.as_str(),
            record.id.as_str(),
            &incoming.digest[..],
            record.modified,
            writer.now,
            incoming.raw_len,
            withdrawn,
        ]);
        documents.extend(values![
            *key,
            encoder.encode(record),
            incoming.raw_zstd.as_slice()
        ]);
        let feed = feeds.entry(record.source).or_default();
        feed.0 += change.growth();
        feed.1 = feed.1.max(record.modified);
    }
    let session = &mut writer.session;
    session.insert(&statements::RECORD_PUT, 8, records).await?;
    session
        .insert(&statements::DOCUMENT_PUT, 3, documents)
        .await?;
    for (source, (added, newest)) in feeds {
        let row = values![source.as_str(), added, newest];
        session.execute(&statements::FEED_GREW, row).await?;
    }
    writer.changed();
    Ok(())
}

/// Attaches the records to their vulnerabilities and puts those in their place.
async fn place(writer: &mut Writer, accepted: Vec<Accepted>) -> Result<Vec<String>> {
    let mut touched = Touched::load(writer, &accepted).await?;
    for Accepted {
        key,
        change,
        incoming,
    } in accepted
    {
        touched.attach(writer, key, change, incoming);
    }
    touched.write(writer).await
}
