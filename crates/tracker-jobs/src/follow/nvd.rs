//! NVD's API 2.0: pages of what changed in a window of time; all of it at first.
//!
//! Invariant: the cursor names the window and the page within it, so that a run that stops goes on with that page.
//! A window ends at a moment before the first request for it, and the next one begins there. A record that is changed
//! meanwhile leaves the window, and those behind it move up: so many are asked for again as it has fewer than before.

use super::FollowError;
use super::file::{broken, read, shape};
use super::run::Run;
use crate::fetch::{Fetched, Validators};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The longest window that the API allows.
const LONGEST_WINDOW: SignedDuration = SignedDuration::from_hours(24 * 119);

/// The API allows 5 requests in 30 seconds, and 50 with a key.
const BETWEEN: Duration = Duration::from_secs(6);
const BETWEEN_WITH_KEY: Duration = Duration::from_millis(600);

/// Records a page: the most that the API gives.
const PAGE: u64 = 2000;

/// How far the API was followed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    /// Everything changed before is held; none while everything is being fetched for the first time.
    reached: Option<Timestamp>,
    /// The window that is being fetched, by its end, and the first record of the next page.
    until: Option<Timestamp>,
    start: u64,
    /// How many records the window had when it was last asked.
    total: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    results_per_page: u64,
    start_index: u64,
    total_results: u64,
    timestamp: String,
    vulnerabilities: Vec<serde::de::IgnoredAny>,
}

pub(super) async fn follow(run: &mut Run<'_>) -> Result<(), FollowError> {
    let mut state: State = run.cursor();
    loop {
        let now = Timestamp::now();
        let until = *state.until.get_or_insert_with(|| match state.reached {
            Some(reached) => now.min(reached.saturating_add(LONGEST_WINDOW).unwrap_or(now)),
            None => now,
        });
        let whole = window(run, &mut state, until).await?;
        state = State {
            reached: Some(until),
            ..State::default()
        };
        run.save(&state).await?;
        tracing::debug!(records = whole, %until, "window is held");
        if until >= now {
            return Ok(());
        }
    }
}

/// All pages of a window, from the one that the state names.
async fn window(
    run: &mut Run<'_>,
    state: &mut State,
    until: Timestamp,
) -> Result<u64, FollowError> {
    let between = match run.feed.key {
        Some(_) => BETWEEN_WITH_KEY,
        None => BETWEEN,
    };
    loop {
        let mut url = format!(
            "{}?resultsPerPage={PAGE}&startIndex={}",
            run.feed.url, state.start
        );
        if let Some(since) = state.reached {
            url = format!(
                "{url}&lastModStartDate={}&lastModEndDate={}",
                date(since),
                date(until)
            );
        }
        let download = match run.get(url, Validators::default(), between).await? {
            Fetched::New { download, .. } => download,
            Fetched::Absent | Fetched::Unchanged => {
                return Err(shape("there is no API at its address"));
            }
        };
        let page: Page =
            serde_json::from_slice(&read(&download)?).map_err(|error| broken(&error))?;
        let count = page.vulnerabilities.len() as u64;
        if page.start_index != state.start {
            let (given, asked) = (page.start_index, state.start);
            return Err(shape(format!(
                "page at {given} where {asked} was asked for"
            )));
        }
        let rest = page.total_results.saturating_sub(state.start);
        if count < page.results_per_page.min(rest) || (count == 0 && rest > 0) {
            let reason = format!("{count} records of {}", page.results_per_page.min(rest));
            return Err(FollowError::Truncated { reason });
        }
        let gone = state.total.saturating_sub(page.total_results);
        state.total = page.total_results;
        if gone > 0 && state.start > 0 {
            state.start = state.start.saturating_sub(gone);
            run.save(state).await?;
            continue;
        }
        // A mirror that stands still would answer "nothing new" for ever.
        if let Some(given) = moment(&page.timestamp)
            && let Some(since) = state.reached
            && given < since
        {
            return Err(FollowError::Older {
                held: since.to_string(),
                given: given.to_string(),
            });
        }
        if count > 0 {
            match state.reached {
                Some(_) => run.import_changes(vec![download.input()]).await?,
                None => run.import(vec![download.input()]).await?,
            }
        }
        state.start += count;
        if state.start >= page.total_results {
            return Ok(page.total_results);
        }
        run.save(state).await?;
    }
}

/// A moment in an address: `2024-01-01T00:00:00.000Z`, in UTC.
fn date(moment: Timestamp) -> String {
    format!("{moment:.3}")
}

/// NVD writes moments without a zone: they are UTC.
fn moment(text: &str) -> Option<Timestamp> {
    text.parse().or_else(|_| format!("{text}Z").parse()).ok()
}
