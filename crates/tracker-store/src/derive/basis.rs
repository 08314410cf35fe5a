//! What matches are derived with, and why a vulnerability is matched again.
//!
//! A vulnerability is due because it changed itself (a record, a family that a person added), because a channel of the
//! distribution moved, or because matching did (its weights). The first is told from the others by its position: a sweep
//! over everything notes how far vulnerabilities had been touched when it began. Invariant: weights that differ from
//! those of the last derivation make everything due, in the transaction that notes the new ones.

use super::statements as sql;
use crate::Store;
use crate::error::Result;
use crate::session::Session;
use crate::value::values;
use crate::writer::Counter;

/// Why everything in a distribution is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A channel has another release.
    Packages,
    /// Matching weighs its reasons otherwise than before.
    Weights,
}

impl Cause {
    const fn name(self) -> &'static str {
        match self {
            Cause::Packages => "packages",
            Cause::Weights => "weights",
        }
    }
}

/// The basis as it is held.
#[derive(Debug)]
pub(super) struct Basis {
    cause: String,
    until: i64,
}

impl Basis {
    pub(super) async fn load(session: &mut Session, distribution: &str) -> Result<Option<Self>> {
        let row = session.row(&sql::BASIS, values![distribution]).await?;
        row.map(|row| {
            Ok(Basis {
                cause: row.text(2)?,
                until: row.integer(3)?,
            })
        })
        .transpose()
    }

    /// Why a vulnerability that was last touched at a position is matched again, as events say it.
    pub(super) fn why(&self, touched: i64) -> &'static str {
        if touched > self.until {
            "the vulnerability changed"
        } else if self.cause == Cause::Weights.name() {
            "matching itself changed"
        } else {
            "the package list changed"
        }
    }
}

impl Store {
    /// Notes the weights, by their digest, that a distribution's matches are derived with from now on; if they are not
    /// those of the last derivation, everything is due again. Gives why a sweep over everything begins, if one does.
    ///
    /// # Errors
    /// When the database fails; then nothing is noted.
    pub async fn begin_derivation(
        &self,
        distribution: &str,
        weights: &str,
    ) -> Result<Option<Cause>> {
        let mut session = self.read().await?;
        if cause(&mut session, distribution, weights).await?.is_none() {
            return Ok(None);
        }
        // The writer's transaction asks again: somebody may have begun meanwhile.
        drop(session);
        let mut writer = self.writer().await?;
        let session = &mut writer.session;
        let Some(cause) = cause(session, distribution, weights).await? else {
            return Ok(None);
        };
        if cause == Cause::Weights {
            session.execute(&sql::REWIND, values![distribution]).await?;
        }
        let generation = session
            .count(&sql::GENERATION, values![distribution])
            .await?;
        let until = writer.get(Counter::Touched);
        let basis = values![distribution, weights, generation, cause.name(), until];
        writer.session.execute(&sql::BASIS_PUT, basis).await?;
        writer.commit().await?;
        Ok(Some(cause))
    }
}

/// Why everything would be due, if it would.
async fn cause(session: &mut Session, distribution: &str, weights: &str) -> Result<Option<Cause>> {
    let name = || values![distribution];
    let generation = session.count(&sql::GENERATION, name()).await?;
    Ok(match session.row(&sql::BASIS, name()).await? {
        Some(held) if held.text(0)? != weights => Some(Cause::Weights),
        Some(held) if held.integer(1)? == generation => None,
        Some(_) => Some(Cause::Packages),
        // Matches from before weights were noted: nobody knows which they were.
        None if session.count(&sql::POSITION, name()).await? > 0 => Some(Cause::Weights),
        None => Some(Cause::Packages),
    })
}
