//! `feed`: feed files into the database.

use super::open;
use crate::arguments::FeedImport;
use crate::output::{self, Outcome};
use crate::progress::Display;
use std::fmt::Write;
use std::time::Instant;
use tracker_jobs::{ImportSummary, Input, SourceCounts};

/// Refusals that are listed; the rest is counted. `--json` has more of them.
const LISTED: usize = 20;

/// Imports feed files.
pub(crate) async fn import(arguments: FeedImport) -> anyhow::Result<Outcome> {
    let store = open(&arguments.database.database).await?;
    let progress = Display::new();
    let started = Instant::now();
    let inputs = arguments.files.into_iter().map(Input::Path).collect();
    let summary = tracker_jobs::import_feeds(&store, inputs, &progress).await;
    progress.finish();
    let summary = summary?;
    store.close().await;
    if arguments.json.json {
        output::json(&summary)?;
    } else {
        output::text(&table(&summary)?)?;
        let seconds = started.elapsed().as_secs_f64();
        let rate = summary.bytes as f64 / 1e6 / seconds.max(1e-3);
        output::note(&format!(
            "{} files in {seconds:.1} s, {rate:.1} MB/s",
            summary.files
        ));
    }
    Ok(if summary.is_clean() {
        Outcome::Done
    } else {
        Outcome::Partly
    })
}

/// Counts by source, then what was refused and why.
fn table(summary: &ImportSummary) -> anyhow::Result<String> {
    let mut out = String::new();
    writeln!(
        out,
        "{:<14}{:>10}{:>10}{:>11}{:>12}{:>10}",
        "source", "added", "changed", "unchanged", "superseded", "rejected"
    )?;
    let mut line = |name: &str, counts: SourceCounts| {
        writeln!(
            out,
            "{name:<14}{:>10}{:>10}{:>11}{:>12}{:>10}",
            counts.added, counts.changed, counts.unchanged, counts.superseded, counts.rejected
        )
    };
    for (source, counts) in &summary.sources {
        let name = serde_json::to_value(source)?;
        line(name.as_str().unwrap_or_default(), *counts)?;
    }
    line("all", summary.total())?;
    for refused in summary.refused.iter().take(LISTED) {
        writeln!(out, "refused: {}: {}", refused.file, refused.reason)?;
    }
    for rejected in summary.rejected.iter().take(LISTED) {
        let record = rejected
            .record
            .as_ref()
            .map_or(String::new(), |id| format!(" ({id})"));
        writeln!(
            out,
            "rejected: {}: record {}{record} at byte {}: {}",
            rejected.file, rejected.index, rejected.offset, rejected.reason
        )?;
    }
    let hidden = summary.refused.len().saturating_sub(LISTED) as u64
        + summary.rejected_count.saturating_sub(LISTED as u64);
    if hidden > 0 {
        writeln!(
            out,
            "and {hidden} more; `--json` lists up to {} of each",
            tracker_jobs::MAX_LISTED
        )?;
    }
    Ok(out)
}
