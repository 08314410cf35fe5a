//! What those who run the tracker look at: whether the database is ready, how large it is, how its connections are used.
//!
//! Invariant: none of it scans a table, so that it may be asked every few seconds.

use crate::Store;
use crate::error::Result;
use crate::migrate::STEPS;
use crate::open::Pools;
use crate::statement::statements;
use crate::writer::{Counter, Counters};

statements! {
    STEPS_DONE = "SELECT COUNT(*) FROM _sqlx_migrations WHERE success = TRUE";
}

/// How much the database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Records of all sources.
    pub records: u64,
    /// Vulnerabilities that they are joined into.
    pub vulnerabilities: u64,
    /// Packages by attribute.
    pub packages: u64,
    /// Matches between the two.
    pub matches: u64,
}

/// How the connections to the database are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Open and doing something.
    pub busy: u32,
    /// Open and waiting.
    pub idle: u32,
    /// Most that are opened.
    pub most: u32,
}

impl Store {
    /// Whether the database answers and has every step of the schema that this program knows.
    pub async fn is_ready(&self) -> Result<bool> {
        let mut session = self.read().await?;
        let done = session.count(&STEPS_DONE, Vec::new()).await?;
        Ok(usize::try_from(done).is_ok_and(|done| done >= STEPS.len()))
    }

    /// How much it holds, from counters that are written with what they count.
    pub async fn totals(&self) -> Result<Totals> {
        let mut session = self.read().await?;
        let counters = Counters::load(&mut session).await?;
        let total = |counter| u64::try_from(counters.get(counter)).unwrap_or_default();
        Ok(Totals {
            // A record keeps its key for good, so the last key is their number.
            records: total(Counter::Record),
            vulnerabilities: total(Counter::Vulnerabilities),
            packages: total(Counter::Attributes),
            matches: total(Counter::Matches),
        })
    }

    /// How the connections that answer readers are used now; PostgreSQL has the same ones for writers.
    pub fn connections(&self) -> Connections {
        let (open, idle, most) = match &self.pools {
            Pools::Sqlite { readers, .. } => (
                readers.size(),
                readers.num_idle(),
                readers.options().get_max_connections(),
            ),
            Pools::Postgres(pool) => (
                pool.size(),
                pool.num_idle(),
                pool.options().get_max_connections(),
            ),
        };
        let idle = u32::try_from(idle).unwrap_or(u32::MAX).min(open);
        Connections {
            busy: open - idle,
            idle,
            most,
        }
    }
}
