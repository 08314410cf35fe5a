//! How a session begins, and how often that may be tried.
//!
//! Invariants: a sign-in ends at most once, whichever replica is asked; a bucket is taken from by one caller at a time.

use super::statements::{
    SIGN_IN, SIGN_IN_ADD, SIGN_IN_FORGET, SIGN_IN_TAKE, THROTTLE, THROTTLE_FORGET, THROTTLE_PUT,
};
use crate::Store;
use crate::error::Result;
use crate::value::values;
use jiff::Timestamp;
use tracker_people::{PersonId, Rate, SecretHash, Taken, Wait};

/// A sign-in that began, and has now ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartedSignIn {
    /// Who it is for, if that was known before: by a link.
    pub person: Option<PersonId>,
}

impl Store {
    /// Begins a sign-in that has to end before an instant.
    pub async fn begin_sign_in(
        &self,
        hash: SecretHash,
        person: Option<PersonId>,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        let mut session = self.write().await?;
        for statement in [&SIGN_IN_FORGET, &THROTTLE_FORGET] {
            session.execute(statement, values![now]).await?;
        }
        let person = person.map(|person| person.0);
        let given = values![hash.as_bytes().to_vec(), person, expires];
        session.execute(&SIGN_IN_ADD, given).await?;
        session.commit().await
    }

    /// Ends a sign-in: the first who asks gets it, if it is not too late.
    pub async fn end_sign_in(
        &self,
        hash: SecretHash,
        now: Timestamp,
    ) -> Result<Option<StartedSignIn>> {
        let mut session = self.write().await?;
        let key = || values![hash.as_bytes().to_vec()];
        let Some(row) = session.row(&SIGN_IN, key()).await? else {
            return Ok(None);
        };
        session.execute(&SIGN_IN_TAKE, key()).await?;
        session.commit().await?;
        let started = StartedSignIn {
            person: row.optional_integer(0)?.map(PersonId),
        };
        Ok((now < row.instant(1)?).then_some(started))
    }

    /// Takes one of a rate that all replicas share.
    pub async fn throttle(
        &self,
        counted: &str,
        rate: &Rate,
        now: Timestamp,
    ) -> Result<Result<Taken, Wait>> {
        let mut session = self.write().await?;
        let row = session.row(&THROTTLE, values![counted]).await?;
        let kept = row.map(|row| row.instant(0)).transpose()?;
        let taken = rate.take(kept, now);
        if let Ok(taken) = &taken {
            let given = values![counted, taken.full];
            session.execute(&THROTTLE_PUT, given).await?;
        }
        session.commit().await?;
        Ok(taken)
    }
}
