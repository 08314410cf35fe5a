//! Following feeds over the network: what is new since the last time is fetched and imported.
//!
//! Reading order: [`Feed`] (what is followed, and how its servers speak), [`follow`] (one pass over one feed),
//! then a module for each way of speaking: `file`, `cve_list`, `nvd`, `osv`, `euvd`, `repository`,
//! `csaf`; and [`follow_releases`] for the releases of a channel. A pass that fails leaves what was
//! held, and says why in the feed's state, which the data-sources page shows.
//!
//! Invariant: a cursor is kept only after everything up to it is imported. A process that is killed asks for the
//! rest again, and finds what it had already unchanged: nothing is lost and nothing is there twice.

mod channel;
mod csaf;
mod cve_list;
mod euvd;
mod feed;
mod file;
mod nvd;
mod osv;
mod repository;
mod run;
mod snapshot;

use crate::error::JobError;
use crate::fetch::{FetchError, Fetcher};
use crate::import::SourceCounts;
use jiff::{Timestamp, ToSpan};
use serde::{Serialize, Serializer};
use std::time::Duration;
use tracker_store::Store;

pub use channel::{ReleaseReport, ReleaseSource, follow_releases};
pub use feed::{Feed, FeedKind, feed_named, feeds};
pub use file::Content;
use run::Run;

/// The longest time until a feed that fails is asked again, in minutes.
const LONGEST_PAUSE_MINUTES: i64 = 24 * 60;

/// Why a feed was not followed to its end.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// Nothing came.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What came is not whole: the server says so itself.
    #[error("cut off: {reason}")]
    Truncated {
        /// What is missing.
        reason: String,
    },
    /// What came is older than what is held.
    #[error("older than before: {given} after {held}")]
    Older {
        /// What was there before.
        held: String,
        /// What the server says now.
        given: String,
    },
    /// What came is not in the shape that this feed has.
    #[error("its shape changed: {reason}")]
    Shape {
        /// What does not fit.
        reason: String,
    },
    /// What came is not what its publisher's hash says.
    #[error("altered: {reason}")]
    Altered {
        /// Which document.
        reason: String,
    },
    /// The program's own side failed; no feed can go on.
    #[error(transparent)]
    Job(#[from] JobError),
}

/// What a pass over a feed came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FollowReport {
    /// The feed.
    pub feed: String,
    /// Requests made.
    pub requests: u64,
    /// Bytes that came.
    pub bytes: u64,
    /// The time that importing them took, fetching aside; in seconds when written out.
    #[serde(serialize_with = "in_seconds")]
    pub applied: Duration,
    /// What became of the records.
    pub records: SourceCounts,
    /// Records that the feed stated before and states no more.
    pub withdrawn: u64,
    /// Why it was not followed to its end.
    pub problem: Option<String>,
}

fn in_seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

/// Follows one feed to what is newest now, and keeps how it went.
///
/// # Errors
/// Only when the program's own side fails: what is wrong with the feed is in the report and in its state.
pub async fn follow(
    store: &Store,
    fetcher: &Fetcher,
    feed: &Feed,
) -> Result<FollowReport, JobError> {
    let state = store.follow_state(&feed.name).await?;
    let mut run = Run::new(store, fetcher, feed.into(), state);
    let outcome = match feed.kind {
        FeedKind::File(content) => file::follow(&mut run, content).await,
        FeedKind::CveList => cve_list::follow(&mut run).await,
        FeedKind::Nvd => nvd::follow(&mut run).await,
        FeedKind::Osv => osv::follow(&mut run).await,
        FeedKind::Euvd => euvd::follow(&mut run).await,
        FeedKind::Repository(folder) => repository::follow(&mut run, folder).await,
        FeedKind::Csaf => csaf::follow(&mut run).await,
    };
    let problem = match outcome {
        Ok(()) => None,
        Err(FollowError::Job(error)) => return Err(error),
        Err(error) => Some(describe(&error)),
    };
    run.finish(problem).await
}

/// When a feed is to be asked again: after its interval, or after a failure soon, then ever later.
fn next(minutes: u32, failures: u32, now: Timestamp) -> Timestamp {
    let whole = i64::from(minutes);
    let minutes = match failures {
        0 => whole,
        _ => (5_i64 << failures.min(10))
            .min(whole.max(60))
            .min(LONGEST_PAUSE_MINUTES),
    };
    now.checked_add(minutes.minutes()).unwrap_or(now)
}

/// An error with its causes.
pub(crate) fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
