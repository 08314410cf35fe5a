//! A CSAF provider: its `provider-metadata.json` names where its advisories are listed, with their times.
//!
//! The list is a ROLIE feed, or `changes.csv` in a directory (CSAF 2.0, section 7.1). The first list that is free to
//! all is followed; later passes ask for that list alone, until it is gone. Documents are asked for below the list's
//! own host, and held against the hashes beside them. Invariant: the cursor is a time up to which every document is imported, and moves with each batch.

mod hash;
mod list;

use super::FollowError;
use super::file::{broken, read, shape};
use super::run::Run;
use crate::fetch::{Fetched, Validators};
use crate::input::Input;
use jiff::Timestamp;
use list::{Entry, List};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Documents that one pass asks for; the next pass goes on.
const MAX_DOCUMENTS: usize = 1000;

/// Documents that are fetched before they are imported together.
const BATCH: usize = 100;

/// The time between two requests for documents.
const BETWEEN: Duration = Duration::from_millis(50);

/// How far the provider was followed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    list: Option<List>,
    reached: Option<Timestamp>,
    validators: Validators,
    /// Documents that the list named.
    documents: usize,
    /// The kind of hash that was beside the last one.
    hashes: Option<hash::Kind>,
}

pub(super) async fn follow(run: &mut Run<'_>) -> Result<(), FollowError> {
    let mut state: State = run.cursor();
    let list = match state.list.clone() {
        Some(list) => list,
        None => metadata(run).await?,
    };
    let validators = state.validators.clone();
    let asked = run
        .get(list.url().to_owned(), validators, Duration::ZERO)
        .await?;
    let (bytes, validators) = match asked {
        Fetched::Unchanged => return Ok(()),
        Fetched::Absent => {
            // The next pass looks up where it is now.
            run.save(&State {
                list: None,
                ..state
            })
            .await?;
            return Err(shape("its list of documents is gone"));
        }
        Fetched::New {
            download,
            validators,
            ..
        } => (read(&download)?, validators),
    };
    let mut entries = list.entries(&bytes)?;
    entries.sort();
    let Some(newest) = entries.last().map(|entry| entry.changed) else {
        return Err(shape("its list of documents is empty"));
    };
    if let Some(reached) = state.reached
        && newest < reached
    {
        return Err(FollowError::Older {
            held: reached.to_string(),
            given: newest.to_string(),
        });
    }
    let count = entries.len();
    if count * 2 < state.documents {
        let reason = format!("{count} documents after {}", state.documents);
        return Err(FollowError::Truncated { reason });
    }
    state.list = Some(list);
    entries.retain(|entry| Some(entry.changed) > state.reached);
    let whole = take(run, &mut state, &entries).await?;
    if whole {
        state.validators = validators;
        state.documents = count;
    }
    run.save(&state).await
}

/// Imports documents from the oldest change on; whether all of them were.
async fn take(
    run: &mut Run<'_>,
    state: &mut State,
    entries: &[Entry],
) -> Result<bool, FollowError> {
    let mut taken = 0;
    let mut hashes = hash::Hashes::new(state.hashes);
    // Documents of one time stay together, because the cursor stands between two times.
    let mut rest = entries;
    while taken < MAX_DOCUMENTS && !rest.is_empty() {
        let at = rest[rest.len().min(BATCH) - 1].changed;
        let end = rest.partition_point(|entry| entry.changed <= at);
        let (batch, later) = rest.split_at(end);
        let mut documents = Vec::with_capacity(batch.len());
        for entry in batch {
            // One that is gone was withdrawn; what was held of it stays.
            if let Fetched::New { download, .. } = run
                .get(entry.url.clone(), Validators::default(), BETWEEN)
                .await?
            {
                let bytes = read(&download)?;
                hashes.check(run, entry, &bytes).await?;
                documents.push(Input::Bytes {
                    name: entry.url.clone(),
                    bytes,
                });
            }
        }
        if !documents.is_empty() {
            run.import_changes(documents).await?;
        }
        taken += batch.len();
        rest = later;
        state.reached = Some(at);
        state.hashes = hashes.kind;
        run.save(state).await?;
    }
    if hashes.missing > 0 {
        let documents = hashes.missing;
        tracing::warn!(feed = run.feed.name, documents, "documents without a hash");
    }
    Ok(rest.is_empty())
}

/// Where the provider lists what is free to all.
async fn metadata(run: &mut Run<'_>) -> Result<List, FollowError> {
    #[derive(Deserialize)]
    struct Metadata {
        #[serde(default)]
        distributions: Vec<Distribution>,
    }
    #[derive(Deserialize)]
    struct Distribution {
        directory_url: Option<String>,
        rolie: Option<Rolie>,
    }
    #[derive(Deserialize)]
    struct Rolie {
        #[serde(default)]
        feeds: Vec<Feed>,
    }
    #[derive(Deserialize)]
    struct Feed {
        url: String,
        #[serde(default)]
        tlp_label: String,
    }
    let url = run.feed.url.clone();
    let bytes = match run.get(url, Validators::default(), Duration::ZERO).await? {
        Fetched::New { download, .. } => read(&download)?,
        Fetched::Absent | Fetched::Unchanged => {
            return Err(shape("there is no provider-metadata.json at its address"));
        }
    };
    let metadata: Metadata = serde_json::from_slice(&bytes).map_err(|error| broken(&error))?;
    let lists = metadata.distributions.into_iter().flat_map(|distribution| {
        let feeds = distribution.rolie.map(|rolie| rolie.feeds);
        let feeds = feeds.into_iter().flatten();
        let free = feeds.filter(|feed| matches!(feed.tlp_label.as_str(), "WHITE" | "CLEAR"));
        let free = free.map(|feed| List::Rolie { url: feed.url });
        let directory = distribution.directory_url.map(List::of_directory);
        free.chain(directory).collect::<Vec<_>>()
    });
    let mut lists = lists.filter(|list| list.url().starts_with("http"));
    lists
        .next()
        .ok_or_else(|| shape("its metadata names no list of documents that is free to all"))
}
