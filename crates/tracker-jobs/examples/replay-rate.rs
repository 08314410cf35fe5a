//! How long it takes to follow two weeks of NVD's changes, delta by delta, into a database that holds their base.
//!
//! `replay-rate DATABASE STREAM`: STREAM has an event a line (`event`, `path`, `commit`, `record`); what one commit
//! changed is imported together. The database must not be there yet, or hold nothing of the stream.

#![expect(clippy::print_stdout, reason = "what it measures is what it prints")]

use anyhow::{Context, ensure};
use serde_json::value::RawValue;
use std::io::{BufRead, BufReader};
use std::time::Instant;
use tracker_jobs::{Input, import_feeds};
use tracker_store::Store;

/// What is promised for all of it, in seconds.
const LIMIT: f64 = 30.0;

#[derive(serde::Deserialize)]
struct Event {
    event: String,
    path: String,
    commit: Option<String>,
    record: Option<Box<RawValue>>,
}

impl Event {
    fn input(&self) -> Option<Input> {
        let bytes = self.record.as_ref()?.get().as_bytes().to_vec();
        let name = self.path.clone();
        Some(Input::Bytes { name, bytes })
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().context("replay-rate DATABASE STREAM");
    let (database, file) = (next()?, next()?);
    let mut events: Vec<Event> = Vec::new();
    tracker_record::unpack::unpack(&file, &mut std::fs::File::open(&file)?, |_, content| {
        let lines = content.map(BufReader::new).into_iter();
        let lines = lines.flat_map(BufRead::lines).map_while(Result::ok);
        events.extend(lines.filter_map(|line| serde_json::from_str(&line).ok()));
    })?;
    let store = Store::open(&database).await?;
    let (base, changes): (Vec<_>, Vec<_>) = events.iter().partition(|event| event.event == "base");
    import_feeds(
        &store,
        base.iter().filter_map(|event| event.input()).collect(),
        &(),
    )
    .await?;
    let held = store.overview().await?.vulnerabilities;
    ensure!(held > 0 && !changes.is_empty(), "{file} is no such stream");

    let started = Instant::now();
    let mut deltas = 0;
    for delta in changes.chunk_by(|a, b| a.commit == b.commit) {
        deltas += 1;
        let inputs = delta.iter().filter_map(|event| event.input()).collect();
        let summary = import_feeds(&store, inputs, &()).await?;
        ensure!(summary.is_clean(), "{summary:?}");
    }
    println!(
        "{} changes in {deltas} deltas followed in {:.1} s, the limit is {LIMIT} s; {held} vulnerabilities held before",
        changes.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(())
}
