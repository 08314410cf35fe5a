//! The European vulnerability database: pages of what changed since a day; all of it at first, in several passes, and
//! every month again (`walk`), because a change does not tell what was taken back.
//!
//! Invariant: the cursor names the window and the page within it. A window ends with the day of its first request,
//! and the next one begins with that day again, because its later changes are not in it.

mod walk;

use super::FollowError;
use super::file::{broken, read, shape};
use super::run::Run;
use crate::fetch::{Fetched, Validators};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::time::Duration;

/// Records a page: the most that the API gives.
const PAGE: u64 = 100;

/// Pages that one pass asks for; the next pass goes on.
const MAX_PAGES: u32 = 300;

/// The time between two requests.
const BETWEEN: Duration = Duration::from_millis(200);

/// How far the API was followed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    /// Everything changed before this day is held; none while everything is being fetched for the first time.
    reached: Option<Date>,
    /// The last day of the window that is being fetched, and the next page of it.
    until: Option<Date>,
    page: u64,
    /// Total and digest of the first page of the window that was fetched last.
    last: Option<(u64, String)>,
    /// The day when all was last seen, and the next page of the walk that is under way.
    walked: Option<Date>,
    walk: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Page {
    items: Vec<IgnoredAny>,
    total: u64,
}

pub(super) async fn follow(run: &mut Run<'_>) -> Result<(), FollowError> {
    let today = Offset::UTC.to_datetime(Timestamp::now()).date();
    changes(run, today).await?;
    let state: State = run.cursor();
    if state.wants_walk(today) {
        walk::go_on(run, state, today).await?;
    }
    Ok(())
}

/// What changed, as far as one pass goes.
async fn changes(run: &mut Run<'_>, today: Date) -> Result<(), FollowError> {
    let mut state: State = run.cursor();
    let until = *state.until.get_or_insert(today);
    let mut first = None;
    for _ in 0..MAX_PAGES {
        let mut url = format!("{}?size={PAGE}&page={}", run.feed.url, state.page);
        if let Some(since) = state.reached {
            let _ = write!(url, "&fromUpdatedDate={since}&toUpdatedDate={until}");
        }
        let download = match run.get(url, Validators::default(), BETWEEN).await? {
            Fetched::New { download, .. } => download,
            Fetched::Absent | Fetched::Unchanged => {
                return Err(shape("there is no API at its address"));
            }
        };
        let bytes = read(&download)?;
        let page: Page = serde_json::from_slice(&bytes).map_err(|error| broken(&error))?;
        let count = page.items.len() as u64;
        let rest = page.total.saturating_sub(state.page * PAGE).min(PAGE);
        if count < rest {
            let reason = format!("{count} records of {rest}");
            return Err(FollowError::Truncated { reason });
        }
        if state.page == 0 {
            let seen = (page.total, digest(&bytes));
            // A day that is asked for again and has nothing new since.
            if state.reached == Some(until) && state.last.as_ref() == Some(&seen) {
                return Ok(());
            }
            first = Some(seen);
        }
        if count > 0 {
            run.import(vec![download.input()]).await?;
        }
        state.page += 1;
        if state.page * PAGE >= page.total {
            let reached = State {
                reached: Some(until),
                last: first,
                // At first the pages of changes are all pages.
                walked: state.reached.map_or(Some(until), |_| state.walked),
                walk: state.walk,
                ..State::default()
            };
            return run.save(&reached).await;
        }
        run.save(&state).await?;
    }
    Ok(())
}

fn digest(bytes: &[u8]) -> String {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    hex::encode(&digest[..16])
}
