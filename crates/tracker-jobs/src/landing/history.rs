//! A channel's past from a file, into the index.
//!
//! Invariant: a release that is held already is not appended again, so importing the same file twice changes nothing.

use super::error::LandingError;
use super::folder::Writer;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use tracker_landing::ObjectName;
use tracker_landing::archive::{HeadSeen, Segment};
use tracker_landing::eta::Phase;
use tracker_landing::index::LineName;
use tracker_landing::releases;

/// Entries that are listed as rejected; all are counted.
const MAX_LISTED: usize = 100;

/// What is read of a text that says where a channel is.
const MAX_HEAD: usize = 200;

/// A release may lie this far ahead of this machine's clock; further ahead one of the two clocks is wrong.
const MAX_AHEAD: i64 = 86_400;

/// A history and where it goes.
#[derive(Debug, Clone)]
pub struct HistoryImport {
    /// The index folder.
    pub folder: PathBuf,
    /// What messages call the file.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The channel, where the file does not say.
    pub channel: Option<String>,
    /// This machine's time.
    pub now: Timestamp,
}

/// What became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HistorySummary {
    /// Releases that were not held before.
    pub added: u64,
    /// Releases that were.
    pub known: u64,
    /// Releases added whose commit is not in the index: they count once it is fetched and indexed.
    pub unknown_commits: u64,
    /// How many entries were refused.
    pub rejected_count: u64,
    /// The first of them: place and reason.
    pub rejected: Vec<(usize, String)>,
}

/// Takes in where a channel is now: a text that begins with the name of a commit. A channel that is seen where it was seen last
/// adds nothing; a clock that went back records nothing.
///
/// # Errors
/// [`LandingError`].
pub(super) fn see_head(import: &HistoryImport) -> Result<HistorySummary, LandingError> {
    let mut summary = HistorySummary::default();
    let text = String::from_utf8_lossy(import.bytes.get(..MAX_HEAD).unwrap_or(&import.bytes));
    let channel = import.channel.clone().unwrap_or_default();
    let refuse = |reason: String| HistorySummary {
        rejected_count: 1,
        rejected: vec![(1, reason)],
        ..HistorySummary::default()
    };
    let Some(commit) = text
        .split_ascii_whitespace()
        .next()
        .and_then(|name| name.parse().ok())
    else {
        return Ok(refuse("it is no commit name".to_owned()));
    };
    let mut writer = Writer::open(&import.folder)?;
    let line = LineName::Channel(channel);
    let now = import.now.as_second();
    let newest = writer
        .index()
        .heads(&line)
        .iter()
        .max_by_key(|head| head.time);
    if newest.is_some_and(|newest| newest.commit == commit) {
        summary.known = 1;
        return Ok(summary);
    }
    if let Some(newest) = newest.filter(|newest| newest.time > now) {
        return Ok(refuse(format!(
            "it was last seen at {} (seconds since 1970), which is after this machine's clock, {now}",
            newest.time
        )));
    }
    if writer.index().graph().find(&commit).is_none() {
        summary.unknown_commits = 1;
    }
    let seen = HeadSeen {
        line: line.to_string(),
        commit,
        time: now,
        release: String::new(),
        observed: true,
    };
    writer.append(Segment::Head(seen), |_| Ok(()))?;
    writer.sync()?;
    summary.added = 1;
    Ok(summary)
}

/// How a channel's job was seen to stand.
#[derive(Debug, Clone)]
pub(super) struct JobsetSeen {
    pub(super) folder: PathBuf,
    pub(super) channel: String,
    /// The commit that was evaluated.
    pub(super) revision: Option<String>,
    pub(super) phase: Phase,
    /// In seconds since 1970.
    pub(super) now: i64,
}

/// Takes in how a channel's job stands; a clock that went back records nothing.
///
/// # Errors
/// [`LandingError`].
pub(super) fn see_phase(jobset: &JobsetSeen) -> Result<(), LandingError> {
    let mut writer = Writer::open(&jobset.folder)?;
    let line = LineName::Jobset(jobset.channel.clone());
    let last = writer.index().last_head(&line);
    if last.is_some_and(|last| last.time > jobset.now) {
        return Ok(());
    }
    let revision = jobset.revision.as_ref().and_then(|name| name.parse().ok());
    let seen = HeadSeen {
        line: line.to_string(),
        commit: revision.unwrap_or(ObjectName([0; 20])),
        time: jobset.now,
        release: jobset.phase.word().to_owned(),
        observed: true,
    };
    writer.append(Segment::Head(seen), |_| Ok(()))?;
    writer.sync()
}

/// Takes in the releases that a file tells of. It waits for the disk: call it from a thread that may.
///
/// # Errors
/// [`LandingError`].
pub fn import_history(import: &HistoryImport) -> Result<HistorySummary, LandingError> {
    let listing = releases::read(&import.bytes, import.channel.as_deref()).map_err(|source| {
        LandingError::History {
            name: import.name.clone(),
            source,
        }
    })?;
    let mut writer = Writer::open(&import.folder)?;
    let mut summary = HistorySummary::default();
    let mut rejected = listing.rejected;
    let mut held: HashMap<String, HashSet<(ObjectName, i64)>> = HashMap::new();
    let mut last: HashMap<String, (i64, ObjectName)> = HashMap::new();
    for release in listing.releases {
        let time = release.time.as_second();
        if time > import.now.as_second().saturating_add(MAX_AHEAD) {
            let (channel, now) = (&release.channel, import.now);
            let reason = format!(
                "release of `{channel}` at {} lies ahead of this machine's clock, {now}",
                release.time
            );
            rejected.push((release.place, reason));
            continue;
        }
        let line = LineName::Channel(release.channel.clone());
        // An observation that repeats the one before it says nothing new.
        let before = last.entry(release.channel.clone()).or_insert_with(|| {
            let heads = writer.index().heads(&line).iter();
            let newest = heads.max_by_key(|head| head.time);
            newest.map_or((i64::MIN, ObjectName([0; 20])), |head| {
                (head.time, head.commit)
            })
        });
        if before.0 <= time {
            let repeated = release.observed && before.1 == release.commit;
            *before = (time, release.commit);
            if repeated {
                summary.known += 1;
                continue;
            }
        }
        let held = held.entry(release.channel).or_insert_with(|| {
            let heads = writer.index().heads(&line).iter();
            heads.map(|head| (head.commit, head.time)).collect()
        });
        if !held.insert((release.commit, time)) {
            summary.known += 1;
            continue;
        }
        summary.added += 1;
        if writer.index().graph().find(&release.commit).is_none() {
            summary.unknown_commits += 1;
        }
        let seen = HeadSeen {
            line: line.to_string(),
            commit: release.commit,
            time,
            release: release.name,
            observed: release.observed,
        };
        writer.append(Segment::Head(seen), |_| Ok(()))?;
    }
    writer.sync()?;
    summary.rejected_count = rejected.len() as u64;
    rejected.truncate(MAX_LISTED);
    summary.rejected = rejected;
    Ok(summary)
}
