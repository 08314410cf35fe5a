//! Pull requests into the database: from files, and by asking GitHub's API (or one like it) what was updated since.
//!
//! Invariant: how far it was asked is kept only after everything up to there is held, so a poll that is cut off is made again.

use crate::error::JobError;
use crate::fetch::{Ask, FetchError, Fetched, Fetcher, Secret, Validators};
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Read};
use std::time::Duration;
use tracker_landing::request::{self, PullRequest, Requests, RequestsError};
use tracker_store::{FollowState, PullCounts, Store};

/// The name under which it is kept how far pull requests were followed.
pub const PULLS_FEED: &str = "pull-requests";

/// Pull requests of a page; the most that GitHub gives.
const PAGE: usize = 100;

/// Bytes of lines that are read together.
const CHUNK: usize = 8 * 1024 * 1024;

/// Entries that are listed as rejected; all are counted.
const MAX_LISTED: usize = 100;

/// The minutes until the next poll, and the longest after failures.
const INTERVAL: i64 = 5;
const LONGEST: i64 = 360;

/// Where pull requests are asked for.
#[derive(Debug, Clone)]
pub struct PullSource {
    /// The address of the list, such as `https://api.github.com/repos/NixOS/nixpkgs/pulls`.
    pub url: String,
    /// A key; GitHub allows more requests with one.
    pub key: Option<Secret>,
    /// The most pages of one poll; the next goes on.
    pub pages: u32,
    /// The time between two requests.
    pub between: Duration,
}

/// What became of pull requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PullSummary {
    /// What is new.
    #[serde(flatten)]
    pub counts: PullCounts,
    /// Requests that were made.
    pub requests: u64,
    /// How many entries were refused.
    pub rejected_count: u64,
    /// The first of them: place and reason.
    pub rejected: Vec<(usize, String)>,
    /// Why a poll was not finished.
    pub problem: Option<String>,
}

/// Why a file of pull requests cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The text.
    #[error("`{name}`")]
    Text {
        /// The file.
        name: String,
        /// What is wrong.
        #[source]
        source: RequestsError,
    },
    /// The file.
    #[error("`{name}` cannot be read")]
    Read {
        /// The file.
        name: String,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The program's own side.
    #[error(transparent)]
    Job(#[from] JobError),
}

/// Imports pull requests from a stream: an array, or an object a line.
///
/// # Errors
/// [`PullError`]; what was read before stays.
pub async fn import_pulls(
    store: &Store,
    name: &str,
    mut stream: impl BufRead,
) -> Result<PullSummary, PullError> {
    let mut summary = PullSummary::default();
    let mut lines = 0;
    loop {
        let mut chunk = Vec::new();
        let failed = |source| PullError::Read {
            name: name.to_owned(),
            source,
        };
        // An array is one text; of lines a chunk at a time, to the end of a line.
        let is_array = lines == 0 && stream.fill_buf().map_err(failed)?.first() == Some(&b'[');
        let limit = if is_array {
            request::MAX_BYTES + 1
        } else {
            CHUNK
        };
        Read::take(&mut stream, limit as u64)
            .read_to_end(&mut chunk)
            .map_err(failed)?;
        if !is_array && chunk.len() == CHUNK {
            Read::take(&mut stream, request::MAX_BYTES as u64)
                .read_until(b'\n', &mut chunk)
                .map_err(failed)?;
        }
        if chunk.is_empty() {
            return Ok(summary);
        }
        let read = request::read(&chunk).map_err(|source| PullError::Text {
            name: name.to_owned(),
            source,
        })?;
        summary.keep(store, read, lines).await?;
        lines += chunk.split(|byte| *byte == b'\n').count() - 1;
        if is_array {
            return Ok(summary);
        }
    }
}

impl PullSummary {
    async fn keep(&mut self, store: &Store, read: Requests, before: usize) -> Result<(), JobError> {
        self.counts += store.put_pulls(&read.requests).await?;
        self.rejected_count += read.rejected.len() as u64;
        let rejected = read.rejected.into_iter();
        let listed = rejected.map(|(place, reason)| (before + place, reason));
        let room = MAX_LISTED - self.rejected.len();
        self.rejected.extend(listed.take(room));
        Ok(())
    }
}

/// How far pull requests were followed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Cursor {
    /// Everything that was updated before this is held.
    until: Option<Timestamp>,
    /// Of the first page.
    validators: Validators,
}

/// Asks for what was updated since the last poll, latest first, page by page.
///
/// # Errors
/// Only when the program's own side fails: what is wrong with the server is in the summary and in the feed's state.
pub async fn poll_pulls(
    store: &Store,
    fetcher: &Fetcher,
    source: &PullSource,
) -> Result<PullSummary, JobError> {
    let mut state = store.follow_state(PULLS_FEED).await?;
    let mut summary = PullSummary::default();
    let polled = pages(store, fetcher, source, &mut state, &mut summary).await;
    match polled {
        Ok(()) => {}
        Err(PollError::Job(error)) => return Err(error),
        Err(PollError::Server(problem)) => summary.problem = Some(problem),
    }
    let now = Timestamp::now();
    state.checked = Some(now);
    if summary.counts.added + summary.counts.changed > 0 {
        state.changed = Some(now);
    }
    state.problem.clone_from(&summary.problem);
    state.failures = match &summary.problem {
        Some(_) => state.failures.saturating_add(1),
        None => 0,
    };
    let minutes = (INTERVAL << state.failures.min(10)).min(LONGEST);
    state.next = now.checked_add(minutes.minutes()).ok();
    store.put_follow_state(&state).await?;
    Ok(summary)
}

enum PollError {
    Server(String),
    Job(JobError),
}

impl From<FetchError> for PollError {
    fn from(error: FetchError) -> PollError {
        PollError::Server(error.to_string())
    }
}

impl From<JobError> for PollError {
    fn from(error: JobError) -> PollError {
        PollError::Job(error)
    }
}

async fn pages(
    store: &Store,
    fetcher: &Fetcher,
    source: &PullSource,
    state: &mut FollowState,
    summary: &mut PullSummary,
) -> Result<(), PollError> {
    let cursor: Cursor = serde_json::from_str(&state.cursor).unwrap_or_default();
    let mut newest = cursor.until;
    let mut first = Validators::default();
    for page in 1..=source.pages {
        let join = if source.url.contains('?') { '&' } else { '?' };
        let ask = Ask {
            url: format!(
                "{}{join}state=all&sort=updated&direction=desc&per_page={PAGE}&page={page}",
                source.url
            ),
            validators: if page == 1 {
                cursor.validators.clone()
            } else {
                Validators::default()
            },
            secret: source
                .key
                .as_ref()
                .map(|key| ("authorization", Secret(format!("Bearer {}", key.0)))),
            between: source.between,
            accept: "application/vnd.github+json",
        };
        summary.requests += 1;
        let (download, validators) = match fetcher.fetch(&ask).await? {
            Fetched::Unchanged => return Ok(()),
            Fetched::Absent => {
                return Err(PollError::Server(
                    "there is nothing at its address".to_owned(),
                ));
            }
            Fetched::New {
                download,
                validators,
                ..
            } => (download, validators),
        };
        if page == 1 {
            first = validators;
        }
        let bytes = download
            .bytes()
            .map_err(|error| PollError::Server(error.to_string()))?;
        let read = request::read(&bytes).map_err(|error| PollError::Server(error.to_string()))?;
        let entries = read.requests.len() + read.rejected.len();
        let oldest = read
            .requests
            .iter()
            .map(|pull: &PullRequest| pull.updated)
            .min();
        newest = newest.max(read.requests.iter().map(|pull| pull.updated).max());
        summary.keep(store, read, 0).await?;
        let reached = match (cursor.until, oldest) {
            // The first poll reads as many pages as it may.
            (Some(until), Some(oldest)) => oldest < until,
            (_, None) => true,
            (None, Some(_)) => false,
        };
        if reached || entries < PAGE {
            break;
        }
        if page == source.pages && cursor.until.is_some() {
            // Some updates lie between: what is asked next time must reach them.
            return Err(PollError::Server(format!(
                "more than {} were updated since the last poll; import a file of them, or raise the number of pages",
                source.pages as usize * PAGE
            )));
        }
    }
    let reached = Cursor {
        until: newest,
        validators: first,
    };
    state.cursor =
        serde_json::to_string(&reached).map_err(|error| JobError::Worker(error.to_string()))?;
    Ok(())
}
