//! Importing a release of a channel: its package list, and its derivation graph where there is one.
//!
//! Invariant: a release is kept whole or not at all; the same revision again changes nothing.

use crate::error::JobError;
use crate::input::{Input, Source};
use crate::progress::{Phase, Progress, Step};
use serde::Serialize;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tracker_inventory::{
    Derivations, Header, Inventory, InventoryError, Nixpkgs, Package, PlainList, Release, open,
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
    let list = packages.file()?;
    let graph = derivations.map(Input::file).transpose()?;
    let total = list.size + graph.as_ref().map_or(0, |graph| graph.size);
    let done = Arc::new(AtomicU64::new(0));
    let reading = {
        let done = Arc::clone(&done);
        tokio::task::spawn_blocking(move || read(&list, graph.as_ref(), &done))
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

fn read(list: &Source, graph: Option<&Source>, count: &Arc<AtomicU64>) -> Result<Listed, JobError> {
    // Nixpkgs' own shape first; a plain list is another JSON type, which the first reader says at once.
    let (header, mut packages) = match read_list(&Nixpkgs, list, count) {
        Err(JobError::Inventory {
            source: InventoryError::Kind { .. },
            ..
        }) => read_list(&PlainList, list, count)?,
        other => other?,
    };
    let joined = graph
        .map(|graph| -> Result<u64, JobError> {
            let mut content = unpacked(graph, count)?;
            let derivations =
                Derivations::read(&mut content).map_err(|source| wrong(graph, source))?;
            Ok(derivations.join(&mut packages) as u64)
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
    })
}

fn read_list(
    format: &dyn Inventory,
    list: &Source,
    count: &Arc<AtomicU64>,
) -> Result<(Header, Vec<Package>), JobError> {
    let mut content = unpacked(list, count)?;
    format
        .read_all(&mut content)
        .map_err(|source| wrong(list, source))
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
