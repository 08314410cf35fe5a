//! Importing a release of a channel: its package list, and its derivation graph where there is one.
//!
//! Invariant: a release is kept whole or not at all; the same revision again changes nothing.

use crate::error::JobError;
use crate::input::{Input, Source};
use crate::progress::{Phase, Progress, Step};
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Serialize;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tracker_inventory::{
    Derivations, Header, InventoryError, Release, StorePaths, end_of_support, open, read_any,
};
use tracker_match::family_of;
use tracker_store::{ReleasePackage, Store};

/// How often progress is reported.
const TICK: Duration = Duration::from_millis(100);

/// What became of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelSummary {
    /// The channel.
    pub channel: String,
    /// The release's revision.
    pub revision: String,
    /// Whether the revision was not held before.
    pub new: bool,
    /// Whether it is the channel's latest release.
    pub current: bool,
    /// Packages in it.
    pub packages: u32,
    /// Packages that the release before did not have.
    pub added: Option<u32>,
    /// Packages that only the release before had.
    pub removed: Option<u32>,
    /// Packages whose version moved.
    pub moved: Option<u32>,
    /// Packages that were found in the derivation graph, if one was given.
    pub joined: Option<u64>,
    /// Packages that were found among the store paths, if those were given.
    pub built: Option<u64>,
    /// How many entries of the list are no packages.
    pub rejected_count: u64,
    /// The first of them.
    pub rejected: Vec<RejectedEntry>,
    /// What the list says about itself that differs from what it was imported as.
    pub notes: Vec<String>,
}

/// An entry of a list that is no package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectedEntry {
    /// Attribute, name or line.
    pub entry: String,
    /// Why.
    pub reason: String,
}

/// What the reading thread gives back.
struct Listed {
    header: Header,
    packages: Vec<ReleasePackage>,
    joined: Option<u64>,
    built: Option<u64>,
}

/// What a release is read from.
#[derive(Debug, Clone)]
pub struct ReleaseFiles {
    /// Its package list.
    pub packages: Input,
    /// Its derivation graph, for patches and dependents.
    pub derivations: Option<Input>,
    /// Its store paths: what was built.
    pub store_paths: Option<Input>,
}

/// Imports a release of a channel.
///
/// # Errors
/// When an input is no package list or no derivation graph, or the database fails; nothing is kept then.
pub async fn import_channel(
    store: &Store,
    release: Release,
    packages: Input,
    derivations: Option<Input>,
    progress: &dyn Progress,
) -> Result<ChannelSummary, JobError> {
    let files = ReleaseFiles {
        packages,
        derivations,
        store_paths: None,
    };
    import_release(store, release, files, progress).await
}

/// As [`import_channel`], of all the files that a release may have.
///
/// # Errors
/// As [`import_channel`].
pub async fn import_release(
    store: &Store,
    release: Release,
    files: ReleaseFiles,
    progress: &dyn Progress,
) -> Result<ChannelSummary, JobError> {
    let list = files.packages.file()?;
    let graph = files.derivations.map(Input::file).transpose()?;
    let paths = files.store_paths.map(Input::file).transpose()?;
    let size = |file: &Option<Source>| file.as_ref().map_or(0, |file| file.size);
    let total = list.size + size(&graph) + size(&paths);
    let done = Arc::new(AtomicU64::new(0));
    let reading = {
        let done = Arc::clone(&done);
        let channel = release.channel.clone();
        tokio::task::spawn_blocking(move || {
            read(&list, graph.as_ref(), paths.as_ref(), &channel, &done)
        })
    };
    let step = |records: u64| Step {
        phase: Phase::Channel,
        done: done.load(Ordering::Relaxed).min(total),
        total,
        records,
    };
    tokio::pin!(reading);
    let listed = loop {
        tokio::select! {
            listed = &mut reading => break listed,
            () = tokio::time::sleep(TICK) => progress.step(step(0)),
        }
    };
    let listed = listed.map_err(|error| JobError::Worker(error.to_string()))??;
    let count = listed.packages.len() as u64;
    let outcome = store.put_release(&release, listed.packages).await?;
    if outcome.new
        && let Some(until) = support(&release.distribution, &release.channel)
    {
        store.know_support(&release.channel, until).await?;
    }
    progress.step(Step {
        done: total,
        ..step(count)
    });
    let header = listed.header;
    Ok(ChannelSummary {
        new: outcome.new,
        current: outcome.current,
        packages: outcome.packages,
        added: outcome.added,
        removed: outcome.removed,
        moved: outcome.moved,
        joined: listed.joined,
        built: listed.built,
        rejected_count: header.rejected_count as u64,
        notes: notes(&header, &release),
        rejected: header
            .rejected
            .into_iter()
            .map(|rejected| RejectedEntry {
                entry: rejected.entry,
                reason: rejected.reason,
            })
            .collect(),
        channel: release.channel,
        revision: release.revision,
    })
}

/// The end of the last day on which a channel gets fixes, by the table of facts.
fn support(distribution: &str, channel: &str) -> Option<Timestamp> {
    let after = end_of_support(distribution, channel)?.tomorrow().ok()?;
    Offset::UTC.to_timestamp(after.at(0, 0, 0, 0)).ok()
}

/// Where the list contradicts what it is imported as.
fn notes(header: &Header, release: &Release) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(revision) = &header.revision
        && !revision.starts_with(&release.revision)
        && !release.revision.starts_with(revision)
    {
        let given = &release.revision;
        notes.push(format!("the list is of revision {revision}, not {given}"));
    }
    if let Some(channel) = &header.channel
        && *channel != release.channel
    {
        let given = &release.channel;
        notes.push(format!("the list is of channel {channel}, not {given}"));
    }
    notes
}

fn read(
    list: &Source,
    graph: Option<&Source>,
    paths: Option<&Source>,
    channel: &str,
    count: &Arc<AtomicU64>,
) -> Result<Listed, JobError> {
    let mut failed = None;
    let read = read_any(|| {
        unpacked(list, count).map_err(|error| {
            failed = Some(error);
            io::Error::other("it cannot be opened")
        })
    });
    let (header, mut packages) = match (read, failed) {
        (_, Some(error)) => return Err(error),
        (read, None) => read.map_err(|source| wrong(list, source))?,
    };
    // A distribution with releases of its own words is told apart by them; the channel is named after one.
    for package in &mut packages {
        if let Some(ecosystem) = &mut package.ecosystem {
            let release = channel
                .rsplit_once('-')
                .map_or(channel, |(_, release)| release);
            *ecosystem = format!("{ecosystem}:{release}");
        }
    }
    let joined = graph
        .map(|graph| -> Result<u64, JobError> {
            let mut content = unpacked(graph, count)?;
            let derivations =
                Derivations::read(&mut content).map_err(|source| wrong(graph, source))?;
            Ok(derivations.join(&mut packages) as u64)
        })
        .transpose()?;
    let built = paths
        .map(|paths| -> Result<u64, JobError> {
            let mut content = unpacked(paths, count)?;
            let known = StorePaths::read(&mut content).map_err(|source| wrong(paths, source))?;
            Ok(known.join(&mut packages) as u64)
        })
        .transpose()?;
    let packages = packages
        .into_iter()
        .map(|package| ReleasePackage {
            family: family_of(&package),
            package,
        })
        .collect();
    Ok(Listed {
        header,
        packages,
        joined,
        built,
    })
}

fn unpacked(file: &Source, count: &Arc<AtomicU64>) -> Result<Box<dyn Read>, JobError> {
    file.open(count)
        .and_then(open)
        .map_err(|source| JobError::Open {
            path: file.name.clone().into(),
            source,
        })
}

fn wrong(file: &Source, source: InventoryError) -> JobError {
    JobError::Inventory {
        name: file.name.clone(),
        source,
    }
}
