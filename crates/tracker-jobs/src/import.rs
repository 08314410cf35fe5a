//! Importing feeds: unpack, split, skip what is known, read, compress, write.
//!
//! One thread unpacks and splits, two read and compress, the awaiting task writes; bounded channels between
//! them hold a few megabytes. Batches are written in the order of the files, so two imports of the same files
//! give the same database. A document whose digest is held is skipped before it is read.
//!
//! Invariant: a batch is written whole or not at all, so an import that is killed is completed by the next.

mod reading;
mod splitting;
mod summary;

use crate::error::JobError;
use crate::input::Input;
use crate::progress::{Phase, Progress, Step};
use jiff::Timestamp;
use reading::Read;
use splitting::Block;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tracker_store::{IncomingRecord, KnownDigests, Store};

pub use summary::{ImportSummary, MAX_LISTED, RecordWarning, Refused, Rejected, SourceCounts};

/// Threads that read and compress.
const READERS: usize = 2;

/// Blocks of documents that wait between two steps.
const WAITING_BLOCKS: usize = 8;

/// Records that are written in one transaction.
const BATCH_RECORDS: usize = 1000;

/// From this many written records on, the database's statistics are renewed at the end.
const MANY_RECORDS: u64 = 10_000;

/// How often progress is reported.
const TICK: Duration = Duration::from_millis(100);

/// How many of the documents are held already, as far as it is known beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Most may be: what is known is looked up first, and not read.
    Mostly,
    /// Hardly any are, and they are few: looking up all that is held would cost more than reading them.
    Hardly,
}

/// What the threads count while they work.
#[derive(Debug, Default)]
struct Counters {
    bytes: Arc<AtomicU64>,
    records: AtomicU64,
}

/// Imports feeds into the store.
///
/// Files that are no feeds and documents that cannot be read are in the summary, with reasons; the rest goes on.
///
/// # Errors
/// When a named input does not exist, or the database fails. What was written before stays.
pub async fn import_feeds(
    store: &Store,
    inputs: Vec<Input>,
    progress: &dyn Progress,
) -> Result<ImportSummary, JobError> {
    import(store, inputs, Expected::Mostly, progress).await
}

/// As [`import_feeds`].
pub(crate) async fn import(
    store: &Store,
    inputs: Vec<Input>,
    held: Expected,
    progress: &dyn Progress,
) -> Result<ImportSummary, JobError> {
    let mut summary = ImportSummary::default();
    let mut files = Vec::new();
    for input in inputs {
        let (found, passed_over) = input.files()?;
        files.extend(found);
        for passed in passed_over {
            summary.refuse(passed.name, passed.reason);
        }
    }
    summary.files = files.len() as u64;
    summary.bytes = files.iter().map(|file| file.size).sum();

    let known = match held {
        Expected::Mostly => store.known_digests().await?,
        Expected::Hardly => KnownDigests::default(),
    };
    let known = Arc::new(known);
    let counters = Arc::new(Counters::default());
    let (blocks_in, blocks_out) = mpsc::sync_channel::<Block>(WAITING_BLOCKS);
    let (read_in, mut read_out) = tokio::sync::mpsc::channel::<Read>(WAITING_BLOCKS);
    let mut workers: Vec<JoinHandle<()>> = Vec::new();
    {
        let counters = Arc::clone(&counters);
        workers.push(std::thread::spawn(move || {
            splitting::run(files, &known, &counters, &blocks_in);
        }));
    }
    let blocks_out = Arc::new(Mutex::new(blocks_out));
    for _ in 0..READERS {
        let (blocks, read) = (Arc::clone(&blocks_out), read_in.clone());
        workers.push(std::thread::spawn(move || reading::run(&blocks, &read)));
    }
    drop((blocks_out, read_in));

    let total = summary.bytes;
    let step = |done: u64| Step {
        phase: Phase::Import,
        done: done.min(total),
        total,
        records: counters.records.load(Ordering::Relaxed),
    };
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ordered = Ordered::default();
    let mut batch: Vec<IncomingRecord> = Vec::new();
    loop {
        let read = tokio::select! {
            read = read_out.recv() => read,
            _ = ticks.tick() => {
                progress.step(step(counters.bytes.load(Ordering::Relaxed)));
                continue;
            }
        };
        let Some(read) = read else { break };
        ordered.put(read);
        while let Some(mut read) = ordered.next() {
            batch.append(&mut read.records);
            summary.take(read);
            if batch.len() >= BATCH_RECORDS {
                write(store, std::mem::take(&mut batch), &mut summary).await?;
            }
        }
    }
    for worker in workers {
        let panicked = |_| JobError::Worker("it panicked".to_owned());
        worker.join().map_err(panicked)?;
    }
    write(store, batch, &mut summary).await?;
    let now = Timestamp::now();
    for (source, counts) in &summary.sources {
        store.record_import(*source, &(*counts).into(), now).await?;
    }
    let written = summary.total();
    if written.added + written.changed >= MANY_RECORDS {
        store.analyze().await?;
    }
    progress.step(step(total));
    Ok(summary)
}

/// Blocks in the order in which they were split, whichever thread was faster.
#[derive(Debug, Default)]
struct Ordered {
    next: u64,
    waiting: BTreeMap<u64, Read>,
}

impl Ordered {
    fn put(&mut self, read: Read) {
        self.waiting.insert(read.sequence, read);
    }

    fn next(&mut self) -> Option<Read> {
        let read = self.waiting.remove(&self.next)?;
        self.next += 1;
        Some(read)
    }
}

/// Writes a batch and counts what became of it, by source.
async fn write(
    store: &Store,
    batch: Vec<IncomingRecord>,
    summary: &mut ImportSummary,
) -> Result<(), JobError> {
    // A batch of one source tells which source its counts belong to.
    let mut by_source: BTreeMap<_, Vec<IncomingRecord>> = BTreeMap::new();
    for incoming in batch {
        let source = incoming.record.source;
        by_source.entry(source).or_default().push(incoming);
    }
    for (source, batch) in by_source {
        let outcome = store.put_records(batch).await?;
        summary.count(source, &outcome);
    }
    Ok(())
}
