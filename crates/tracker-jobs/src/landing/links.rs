//! Links that no message tells: commits that change the same, and files that name a vulnerability.
//!
//! Only commits that may be picks of one another are compared, those of one author and time or of one title, so that the
//! patches of a million commits need not be read.
//! Invariant: a commit is compared once; what was not looked at is looked at in the next run.

use super::error::LandingError;
use super::folder::Writer;
use super::git::{Head, Repository};
use super::update::{IndexSummary, append_head};
use jiff::{Timestamp, ToSpan};
use std::collections::HashMap;
use tracker_landing::archive::Segment;
use tracker_landing::index::{COMPARED_LAST, COMPARED_TRUNK, LineName};
use tracker_landing::message::Mentions;
use tracker_landing::{Ancestry, ObjectName};

/// Commits that one run compares; the newest first.
const MAX_COMPARED: usize = 40_000;

/// Commits that git compares at a time.
const BATCH: usize = 2_000;

/// How far back the names of files are looked at in the first run, in days.
const FILE_DAYS: i64 = 400;

/// Compares the patches of commits that may be picks of one another.
pub(super) fn compare(
    repository: &Repository,
    writer: &mut Writer,
    now: Timestamp,
    summary: &mut IndexSummary,
) -> Result<(), LandingError> {
    let wanted = writer.index().to_compare(MAX_COMPARED + 1);
    if wanted.len() > MAX_COMPARED {
        summary.notes.push(format!(
            "{MAX_COMPARED} commits were compared; older ones are in the next runs"
        ));
    }
    for batch in wanted.chunks(BATCH).take(MAX_COMPARED / BATCH) {
        let found: HashMap<ObjectName, ObjectName> =
            repository.patches(batch)?.into_iter().collect();
        let nothing = ObjectName([0; 20]);
        let patches = batch
            .iter()
            .map(|commit| (*commit, found.get(commit).copied().unwrap_or(nothing)))
            .collect();
        writer.append(Segment::Patches(patches), |_| Ok(()))?;
        summary.compared += batch.len() as u64;
    }
    // What was left out is looked for again in the next run.
    if wanted.len() <= MAX_COMPARED {
        mark_compared(writer, now)?;
    }
    Ok(())
}

/// Writes down how far commits were compared.
fn mark_compared(writer: &mut Writer, now: Timestamp) -> Result<(), LandingError> {
    let index = writer.index();
    let trunk = index.ancestry().and_then(Ancestry::head);
    let last = index.graph().commits().next_back();
    for (name, commit) in [(COMPARED_LAST, last), (COMPARED_TRUNK, trunk)] {
        let Some(commit) = commit.map(|commit| writer.index().graph().name(commit)) else {
            continue;
        };
        let line = LineName::Compared(name.to_owned());
        let held = writer.index().last_head(&line);
        if held.is_none_or(|held| held.commit != commit) {
            let head = Head {
                name: name.to_owned(),
                commit,
            };
            append_head(writer, &line, &head, now, false)?;
        }
    }
    Ok(())
}

/// Looks at the names of files that new commits add.
pub(super) fn examine(
    repository: &Repository,
    writer: &mut Writer,
    branches: &[Head],
    now: Timestamp,
    summary: &mut IndexSummary,
) -> Result<(), LandingError> {
    let known = writer.index().examined();
    let fresh: Vec<Head> = branches
        .iter()
        .filter(|head| !known.contains(&head.commit))
        .cloned()
        .collect();
    if fresh.is_empty() {
        return Ok(());
    }
    let since = now
        .checked_sub((FILE_DAYS * 24).hours())
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let mut named = Vec::new();
    for (commit, files) in repository.added_files(&fresh, &known, since)? {
        let ids = Mentions::read(&files.join("\n")).vulnerabilities;
        if !ids.is_empty() && writer.index().graph().find(&commit).is_some() {
            named.push((commit, ids));
        }
    }
    summary.named_by_files = named.len() as u64;
    if !named.is_empty() {
        writer.append(Segment::Files(named), |_| Ok(()))?;
    }
    for head in &fresh {
        let line = LineName::Examined(head.name.clone());
        append_head(writer, &line, head, now, false)?;
    }
    Ok(())
}
