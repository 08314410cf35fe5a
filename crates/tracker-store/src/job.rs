//! Jobs: what runs in the background, when it is due, and who holds it.
//!
//! A worker takes a job by one statement that succeeds only if nobody took it since it was looked at; each lease has a
//! token that grows. [`Store::fenced`] is the store as the holder of a lease sees it.
//! Invariant: a fenced store writes nothing once the lease is another's. A lease is taken, and a fence looked at, by
//! writing transactions alone, and those exclude one another.

pub(crate) mod fence;
mod row;
pub(crate) mod statements;

use crate::Store;
use crate::error::{Result, StoreError};
use crate::value::{json, values};
use jiff::Timestamp;
use serde::Serialize;
use statements as sql;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What a run did: numbers by name.
pub type JobCounts = BTreeMap<String, u64>;

/// What a job is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct JobName {
    /// What is done.
    pub kind: String,
    /// With what; empty for jobs that there is one of.
    pub subject: String,
}

impl JobName {
    /// A name of its parts.
    pub fn new(kind: impl Into<String>, subject: impl Into<String>) -> JobName {
        JobName {
            kind: kind.into(),
            subject: subject.into(),
        }
    }
}

/// `feed:kev`, or `match` alone.
impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if !self.subject.is_empty() {
            write!(f, ":{}", self.subject)?;
        }
        Ok(())
    }
}

impl FromStr for JobName {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> std::result::Result<JobName, Self::Err> {
        let (kind, subject) = text.split_once(':').unwrap_or((text, ""));
        Ok(JobName::new(kind, subject))
    }
}

/// Where a job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum JobState {
    /// It runs when it is due.
    Waiting {
        /// When that is.
        due: Timestamp,
    },
    /// A worker runs it.
    Leased {
        /// The worker.
        owner: String,
        /// Until when nobody else may take it.
        ends: Timestamp,
        /// When the worker last said that it lives.
        heartbeat: Timestamp,
        /// It runs once more right after this run.
        again: bool,
    },
    /// It failed too often, and stays until a person retries it.
    Dead,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Job {
    /// What it is about.
    #[serde(flatten)]
    pub name: JobName,
    /// Where it is.
    #[serde(flatten)]
    pub state: JobState,
    /// Runs since the last that went well, the present one among them.
    pub attempts: u32,
    /// Why the last run failed.
    pub problem: Option<String>,
    /// When the present or last run began.
    pub started: Option<Timestamp>,
    /// When a run last went well.
    pub succeeded: Option<Timestamp>,
    /// How long the last run took, in microseconds.
    pub duration: u64,
    /// What it did.
    pub counts: JobCounts,
    /// When a worker last said that it is configured to run it.
    pub declared: Timestamp,
    #[serde(skip)]
    token: i64,
}

/// The right to run a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobName,
    /// Who holds it.
    pub owner: String,
    /// Runs since the last that went well, this one among them.
    pub attempts: u32,
    /// For how long it is taken, and renewed.
    pub lasting: Duration,
    token: i64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// When the job runs next; sooner if that was asked for meanwhile, and `None` for never, until a person retries it.
    pub next: Option<Timestamp>,
    /// How it went.
    pub run: Run,
    /// How long it took.
    pub duration: Duration,
    /// Jobs that are due now because of it.
    pub wakes: Vec<JobName>,
}

/// How a run went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run {
    /// It went to its end.
    Done {
        /// What it did.
        counts: JobCounts,
        /// What it met on the way that others have to mend.
        problem: Option<String>,
    },
    /// It failed.
    Failed {
        /// Why.
        problem: String,
    },
    /// It was given back before its end, and does not count.
    Released,
}

impl Store {
    /// Says that these jobs are configured; those that are new are due at once.
    pub async fn declare_jobs(&self, names: &[JobName], now: Timestamp) -> Result<()> {
        let mut session = self.write_briefly().await?;
        let rows = names.iter().flat_map(|name| {
            values![
                name.kind.as_str(),
                name.subject.as_str(),
                "waiting",
                now,
                0_i64,
                "",
                0_i64,
                "",
                0_i64,
                "{}",
                now
            ]
        });
        session.insert(&sql::DECLARE, 11, rows.collect()).await?;
        session.commit().await
    }

    /// All jobs, by name.
    pub async fn jobs(&self) -> Result<Vec<Job>> {
        let mut session = self.read().await?;
        let rows = session.rows(&sql::JOBS, Vec::new()).await?;
        rows.iter().map(row::job).collect()
    }

    /// A job.
    pub async fn job(&self, name: &JobName) -> Result<Option<Job>> {
        let mut session = self.read().await?;
        let key = values![name.kind.as_str(), name.subject.as_str()];
        session
            .row(&sql::JOB, key)
            .await?
            .as_ref()
            .map(row::job)
            .transpose()
    }

    /// Takes a job as it was seen; `None` if it was taken, ended or renewed since.
    pub async fn lease_job(
        &self,
        seen: &Job,
        owner: &str,
        lasting: Duration,
        now: Timestamp,
    ) -> Result<Option<Lease>> {
        let mut session = self.write_briefly().await?;
        let mut given = row::as_seen(seen);
        given.extend(values![owner, after(now, lasting), now, now]);
        let row = session.row(&sql::LEASE, given).await?;
        session.commit().await?;
        row.map(|row| {
            Ok(Lease {
                job: seen.name.clone(),
                owner: owner.to_owned(),
                token: row.integer(0)?,
                attempts: row.number(1)?,
                lasting,
            })
        })
        .transpose()
    }

    /// Declares a job dead as it was seen; `false` if it was taken, ended or renewed since.
    pub async fn bury_job(&self, seen: &Job, problem: &str) -> Result<bool> {
        let mut session = self.write_briefly().await?;
        let mut given = row::as_seen(seen);
        given.extend(values![problem]);
        let changed = session.execute(&sql::BURY, given).await?;
        session.commit().await?;
        Ok(changed > 0)
    }

    /// Holds a lease for longer.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if another took it since.
    pub async fn renew_lease(&self, lease: &Lease, now: Timestamp) -> Result<()> {
        let mut session = self.write_briefly().await?;
        let mut given = row::as_held(lease);
        given.extend(values![after(now, lease.lasting), now]);
        let changed = session.execute(&sql::RENEW, given).await?;
        session.commit().await?;
        held(lease, changed)
    }

    /// Gives a lease back, with how the run went and when the next is.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if another took it since; nothing is kept of the run then.
    pub async fn end_job(&self, lease: &Lease, ended: &Ended, now: Timestamp) -> Result<()> {
        let mut session = self.write_briefly().await?;
        let Some(row) = session.row(&sql::HELD, row::as_held(lease)).await? else {
            return held(lease, 0);
        };
        let before = row::held(&row)?;
        let mut given = row::as_held(lease);
        given.extend(row::after_run(&before, ended, now));
        let changed = session.execute(&sql::END, given).await?;
        for name in &ended.wakes {
            let wake = values![name.kind.as_str(), name.subject.as_str(), now];
            session.execute(&sql::WAKE, wake).await?;
        }
        session.commit().await?;
        held(lease, changed)
    }

    /// Makes a job due; one that runs will run again right after. A dead one lives again. `false` if there is none.
    pub async fn run_job(&self, name: &JobName, now: Timestamp) -> Result<bool> {
        let mut session = self.write_briefly().await?;
        let key = values![name.kind.as_str(), name.subject.as_str(), now];
        let revived = session.execute(&sql::REVIVE, key.clone()).await?;
        let woken = session.execute(&sql::WAKE, key).await?;
        session.commit().await?;
        Ok(revived + woken > 0 || self.job(name).await?.is_some())
    }

    /// Forgets jobs that no worker said to be configured since; gives how many.
    pub async fn forget_jobs(&self, before: Timestamp) -> Result<u64> {
        let mut session = self.write_briefly().await?;
        let forgotten = session.execute(&sql::FORGET, values![before]).await?;
        session.commit().await?;
        Ok(forgotten)
    }
}

fn after(now: Timestamp, lasting: Duration) -> Timestamp {
    now.checked_add(lasting).unwrap_or(Timestamp::MAX)
}

fn held(lease: &Lease, changed: u64) -> Result<()> {
    if changed == 0 {
        let job = lease.job.to_string();
        return Err(StoreError::LeaseLost { job });
    }
    Ok(())
}

/// Counts as the column has them.
fn counts(counts: &JobCounts) -> String {
    json(counts)
}
