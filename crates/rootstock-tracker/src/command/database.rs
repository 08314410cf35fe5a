//! `backup`, `restore`, `copy` and `check`: a database as a whole.

use super::open_existing;
use crate::arguments::{Backup, Check, Copy, Restore};
use crate::output::{self, Outcome};
use crate::progress::Display;
use anyhow::Context;
use std::fmt::Write;
use tracker_jobs::{Phase, Progress, Step};
use tracker_store::{CopySummary, Store};

/// Writes a backup.
pub(crate) async fn backup(arguments: Backup) -> anyhow::Result<Outcome> {
    let source = open_existing(&arguments.database.database).await?;
    let progress = Display::new();
    let summary = tracker_jobs::backup(&source, &arguments.file, &progress).await;
    progress.finish();
    let summary = summary?;
    source.close().await;
    let what = format!("backed up into {}", arguments.file.display());
    tell(&summary, &what, arguments.json.json)
}

/// Fills a database from a backup.
pub(crate) async fn restore(arguments: Restore) -> anyhow::Result<Outcome> {
    let (source, folder) = tracker_jobs::open_backup(&arguments.file).await?;
    let url = &arguments.database.database;
    let outcome = between(
        &source,
        url,
        arguments.dry_run,
        "restored",
        arguments.json.json,
    )
    .await;
    source.close().await;
    drop(folder);
    outcome
}

/// Copies one database into another.
pub(crate) async fn copy(arguments: Copy) -> anyhow::Result<Outcome> {
    let source = open_existing(&arguments.from).await?;
    let outcome = between(
        &source,
        &arguments.to,
        arguments.dry_run,
        "copied",
        arguments.json.json,
    )
    .await;
    source.close().await;
    outcome
}

async fn between(
    source: &Store,
    target: &str,
    dry_run: bool,
    what: &str,
    json: bool,
) -> anyhow::Result<Outcome> {
    if dry_run {
        return tell(&source.sizes().await?, "would be written", json);
    }
    let target = Store::open_target(target)
        .await
        .context("the target does not open")?;
    let progress = Display::new();
    let summary = tracker_jobs::copy(source, &target, &progress).await;
    progress.finish();
    let summary = summary?;
    target.close().await;
    tell(&summary, &format!("{what} and compared"), json)
}

fn tell(summary: &CopySummary, what: &str, json: bool) -> anyhow::Result<Outcome> {
    if json {
        output::json(summary)?;
        return Ok(Outcome::Done);
    }
    let mut out = String::new();
    for table in &summary.tables {
        writeln!(out, "{:>12}  {}", table.rows, table.name)?;
    }
    writeln!(out, "{:>12}  rows {what}", summary.rows())?;
    if summary.resumed > 0 {
        writeln!(out, "{:>12}  of them by an attempt before", summary.resumed)?;
    }
    output::text(&out)?;
    Ok(Outcome::Done)
}

/// Looks whether a database holds together.
pub(crate) async fn check(arguments: Check) -> anyhow::Result<Outcome> {
    let store = open_existing(&arguments.database.database).await?;
    let sizes = store.sizes().await?;
    let documents = sizes.tables.iter().find(|table| table.name == "document");
    let total = documents.map_or(0, |table| table.rows);
    let progress = Display::new();
    let mut done = 0;
    let mut each = || {
        done += 1;
        if done % 1000 == 0 || done == total {
            let phase = Phase::Check;
            progress.step(Step {
                phase,
                done,
                total,
                records: done,
            });
        }
    };
    let problems = store.check(arguments.documents, &mut each).await;
    progress.finish();
    let problems = problems?;
    store.close().await;
    let outcome = if problems.is_empty() {
        Outcome::Done
    } else {
        Outcome::Partly
    };
    if arguments.json.json {
        output::json(&problems)?;
        return Ok(outcome);
    }
    let mut out = String::new();
    for problem in &problems {
        writeln!(out, "{}: {}", problem.rows, problem.what)?;
    }
    if problems.is_empty() {
        writeln!(out, "{} rows hold together", sizes.rows())?;
    }
    output::text(&out)?;
    Ok(outcome)
}
