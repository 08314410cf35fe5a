//! How far each feed was followed, and how the last attempts went.
//!
//! Invariant: a cursor is written after what it stands for, so that a process killed in between asks again and
//! finds everything unchanged.

use crate::Store;
use crate::error::Result;
use crate::statement::statements;
use crate::value::{Row, clean, values};
use jiff::Timestamp;
use serde::Serialize;

statements! {
    FOLLOWS = "SELECT feed, cursor, checked, changed, next, failures, problem, succeeded FROM follow ORDER BY feed";
    FOLLOW = "SELECT feed, cursor, checked, changed, next, failures, problem, succeeded FROM follow WHERE feed = $1";
    FOLLOW_PUT = "INSERT INTO follow (feed, cursor, checked, changed, next, failures, problem, succeeded) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (feed) DO UPDATE SET cursor = excluded.cursor, checked = excluded.checked, changed = excluded.changed, next = excluded.next, failures = excluded.failures, problem = excluded.problem, succeeded = excluded.succeeded";
}

/// A feed that is followed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FollowState {
    /// Name of the feed.
    pub feed: String,
    /// How far it was followed, in the job's own JSON; empty before the first success.
    #[serde(skip)]
    pub cursor: String,
    /// When it was last asked.
    pub checked: Option<Timestamp>,
    /// When it last answered well, whether it had something new or not.
    pub succeeded: Option<Timestamp>,
    /// When it last had something new.
    pub changed: Option<Timestamp>,
    /// When it is to be asked again.
    pub next: Option<Timestamp>,
    /// Attempts that failed since the last success.
    pub failures: u32,
    /// Why the last attempt failed; what was held before it is held still.
    pub problem: Option<String>,
}

impl Store {
    /// All feeds that were ever followed, by name.
    pub async fn follow_states(&self) -> Result<Vec<FollowState>> {
        let mut session = self.read().await?;
        let rows = session.rows(&FOLLOWS, Vec::new()).await?;
        rows.iter().map(state).collect()
    }

    /// One feed; the default state if it was never followed.
    pub async fn follow_state(&self, feed: &str) -> Result<FollowState> {
        let mut session = self.read().await?;
        match session.row(&FOLLOW, values![feed.to_owned()]).await? {
            Some(row) => state(&row),
            None => Ok(FollowState {
                feed: feed.to_owned(),
                ..FollowState::default()
            }),
        }
    }

    /// Keeps how far a feed was followed.
    pub async fn put_follow_state(&self, state: &FollowState) -> Result<()> {
        let mut session = self.write().await?;
        let given = values![
            state.feed.clone(),
            clean(state.cursor.clone()),
            state.checked,
            state.changed,
            state.next,
            i64::from(state.failures),
            clean(state.problem.clone().unwrap_or_default()),
            state.succeeded,
        ];
        session.execute(&FOLLOW_PUT, given).await?;
        session.commit().await
    }
}

fn state(row: &Row) -> Result<FollowState> {
    let problem = row.text(6)?;
    Ok(FollowState {
        feed: row.text(0)?,
        cursor: row.text(1)?,
        checked: row.optional_instant(2)?,
        changed: row.optional_instant(3)?,
        next: row.optional_instant(4)?,
        failures: row.number(5)?,
        problem: (!problem.is_empty()).then_some(problem),
        succeeded: row.optional_instant(7)?,
    })
}
