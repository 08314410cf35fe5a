//! What time alone changes: support that ends, rules whose time is over, embargoes that end.
//!
//! Invariant: the queue is right without it, for it asks for the time itself; and where nothing is due, no other writer
//! is kept waiting.

use super::decide::BATCH;
use super::lay::rederive;
use super::{rules, statements as sql};
use crate::derive::write::ended;
use crate::error::Result;
use crate::session::Session;
use crate::value::Value;
use crate::{Store, embargo};
use jiff::Timestamp;
use std::collections::BTreeSet;

impl Store {
    /// Derives anew what time changed: findings on channels whose support ended, rules whose time is over; and releases
    /// what was under embargo until now. Gives how many findings moved and rules expired. To be called now and then.
    ///
    /// # Errors
    /// When the database fails, or holds what it can't mean.
    pub async fn settle(&self) -> Result<(u64, u64)> {
        let mut session = self.read().await?;
        if !is_due(&mut session, Timestamp::now()).await? {
            return Ok((0, 0));
        }
        drop(session);
        let mut writer = self.writer().await?;
        embargo::release_due(&mut writer).await?;
        let expired = rules::expire(&mut writer).await?;
        let now = writer.now;
        let open: Vec<_> = open_on_ended(&mut writer.session, now).await?;
        let mut findings = 0;
        for batch in open.chunks(BATCH) {
            findings += rederive(&mut writer, batch).await?;
        }
        writer.commit().await?;
        Ok((findings, expired))
    }
}

async fn is_due(session: &mut Session, now: Timestamp) -> Result<bool> {
    Ok(embargo::is_due(session, now).await?
        || !rules::overdue(session, now).await?.is_empty()
        || !open_on_ended(session, now).await?.is_empty())
}

/// Vulnerabilities with findings that are open on a channel whose support ended.
async fn open_on_ended(session: &mut Session, now: Timestamp) -> Result<Vec<(i64, String)>> {
    let channels: Vec<_> = ended(session, now)
        .await?
        .into_iter()
        .map(Value::from)
        .collect();
    if channels.is_empty() {
        return Ok(Vec::new());
    }
    let mut open = BTreeSet::new();
    for row in session.rows_in(&sql::ENDED_OPEN, &[], channels).await? {
        open.insert((row.integer(0)?, row.text(1)?));
    }
    Ok(open.into_iter().collect())
}
