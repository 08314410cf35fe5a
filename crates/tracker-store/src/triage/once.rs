//! Requests that may be sent again: one that was carried out is answered again, and not carried out twice.
//!
//! Invariant: an answer is kept in the transaction that wrote what it tells, so that there is neither without the other.

use super::statements as sql;
use crate::error::{Result, StoreError};
use crate::session::Session;
use crate::statement::Statement;
use crate::value::{Value, values};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracker_triage::Actor;

/// How long an answer is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// A request's name, given by whoever sends it, and what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// The key that it carries; unique for its sender.
    pub key: String,
    /// A digest of all that it asks for, so that another request under the same key is noticed.
    pub digest: String,
}

/// What must hold for a request to be carried out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    /// It was not carried out before; if it was, its answer is given again.
    pub once: Option<Once>,
    /// The last event about the one match, rule or view that it is about, 0 for none; of a person, an account or an item
    /// under embargo, the number that stands for what was done about it: nobody did anything about it since.
    pub last: Option<u64>,
}

/// By whom a change is asked for, and what must hold for it to be carried out.
#[derive(Debug, Clone, Copy)]
pub struct Under<'a> {
    /// Who asks.
    pub actor: &'a Actor,
    /// What must hold.
    pub conditions: &'a Conditions,
}

impl Under<'_> {
    /// The answer that was given before; if there is none, nobody did anything since.
    ///
    /// `version` gives a number that is another one after whatever is done about what the change is about.
    ///
    /// # Errors
    /// [`StoreError::KeyTaken`] and [`StoreError::Moved`] when a condition does not hold.
    pub(crate) async fn answered<T: DeserializeOwned>(
        self,
        session: &mut Session,
        version: &Statement,
        about: Vec<Value>,
    ) -> Result<Option<T>> {
        let once = self.conditions.once.as_ref();
        if let Some(answer) = answered(session, self.actor, once).await? {
            return Ok(Some(answer));
        }
        if self.conditions.last.is_some() {
            let now = session.count(version, about).await?;
            self.conditions.check(now as u64)?;
        }
        Ok(None)
    }

    /// Keeps the answer to a change that is carried out.
    pub(crate) async fn keep<T: Serialize>(
        self,
        session: &mut Session,
        now: Timestamp,
        answer: &T,
    ) -> Result<()> {
        let once = self.conditions.once.as_ref();
        keep(session, self.actor, once, now, answer).await
    }
}

impl Conditions {
    /// Whether nobody did anything since, by the last event about what it is about.
    ///
    /// # Errors
    /// [`StoreError::Moved`] where somebody did.
    pub(crate) fn check(&self, last: u64) -> Result<()> {
        match self.last {
            Some(seen) if seen != last => Err(StoreError::Moved),
            _ => Ok(()),
        }
    }
}

/// The answer that was given before.
///
/// # Errors
/// [`StoreError::KeyTaken`] when the key was given to another request.
pub(crate) async fn answered<T: DeserializeOwned>(
    session: &mut Session,
    actor: &Actor,
    once: Option<&Once>,
) -> Result<Option<T>> {
    let Some(once) = once else {
        return Ok(None);
    };
    let asked = values![actor.text(), once.key.as_str()];
    let Some(row) = session.row(&sql::ANSWER, asked).await? else {
        return Ok(None);
    };
    if row.text(0)? != once.digest {
        return Err(StoreError::KeyTaken {
            key: once.key.clone(),
        });
    }
    row.json(1).map(Some)
}

/// Keeps an answer, and forgets old ones.
pub(crate) async fn keep<T: Serialize>(
    session: &mut Session,
    actor: &Actor,
    once: Option<&Once>,
    now: Timestamp,
    answer: &T,
) -> Result<()> {
    let Some(once) = once else {
        return Ok(());
    };
    session
        .execute(&sql::ANSWERS_DROP, values![now - KEPT])
        .await?;
    let answer = crate::value::json(answer);
    let row = values![
        actor.text(),
        once.key.as_str(),
        once.digest.as_str(),
        now,
        answer
    ];
    session.insert(&sql::ANSWER_PUT, 5, row).await
}
