//! Jobs as rows, and rows as jobs.
//!
//! Invariant: a row that contradicts itself is damage that is told, never a job in a state that none can be in.

use super::{Ended, Job, JobName, JobState, Lease, Run, counts};
use crate::error::{Result, StoreError};
use crate::value::{Row, Value, values};
use jiff::Timestamp;

pub(super) fn job(row: &Row) -> Result<Job> {
    let name = JobName::new(row.text(0)?, row.text(1)?);
    let damaged = |reason: &str| StoreError::damaged(format!("job {name}"), reason);
    let due = row.optional_instant(3)?;
    let state = match (row.text(2)?.as_str(), due) {
        ("waiting", Some(due)) => JobState::Waiting { due },
        ("waiting", None) => return Err(damaged("it waits for no time")),
        ("leased", due) => JobState::Leased {
            owner: row.text(5)?,
            ends: row
                .optional_instant(6)?
                .ok_or_else(|| damaged("its lease has no end"))?,
            heartbeat: row
                .optional_instant(7)?
                .ok_or_else(|| damaged("its lease has no heartbeat"))?,
            again: due.is_some(),
        },
        ("dead", _) => JobState::Dead,
        _ => return Err(damaged("its state is unknown")),
    };
    let problem = row.text(10)?;
    Ok(Job {
        state,
        attempts: row.number(9)?,
        problem: (!problem.is_empty()).then_some(problem),
        started: row.optional_instant(8)?,
        succeeded: row.optional_instant(11)?,
        duration: u64::try_from(row.integer(12)?)
            .map_err(|_| damaged("its duration is negative"))?,
        counts: row.json(13)?,
        declared: row.instant(14)?,
        token: row.integer(4)?,
        name,
    })
}

/// Key, token, state and end of a job as it was seen.
pub(super) fn as_seen(job: &Job) -> Vec<Value> {
    let (state, ends) = match &job.state {
        JobState::Waiting { .. } => ("waiting", 0),
        JobState::Leased { ends, .. } => ("leased", ends.as_microsecond()),
        JobState::Dead => ("dead", 0),
    };
    values![
        job.name.kind.as_str(),
        job.name.subject.as_str(),
        job.token,
        state,
        ends
    ]
}

/// Key and token of a lease.
pub(super) fn as_held(lease: &Lease) -> Vec<Value> {
    values![
        lease.job.kind.as_str(),
        lease.job.subject.as_str(),
        lease.token
    ]
}

/// What a run may change.
#[derive(Debug)]
pub(super) struct Held {
    due: Option<Timestamp>,
    attempts: u32,
    problem: String,
    succeeded: Option<Timestamp>,
    duration: i64,
    counts: String,
}

pub(super) fn held(row: &Row) -> Result<Held> {
    Ok(Held {
        due: row.optional_instant(0)?,
        attempts: row.number(1)?,
        problem: row.text(2)?,
        succeeded: row.optional_instant(3)?,
        duration: row.integer(4)?,
        counts: row.text(5)?,
    })
}

/// State, due time, attempts, problem, last success, duration and counts after a run.
pub(super) fn after_run(held: &Held, ended: &Ended, now: Timestamp) -> Vec<Value> {
    let duration = i64::try_from(ended.duration.as_micros()).unwrap_or(i64::MAX);
    let state = if ended.next.is_some() {
        "waiting"
    } else {
        "dead"
    };
    // What was asked for meanwhile is soon enough for a run that went well; one that failed waits its time.
    let asked = ended
        .next
        .map(|next| held.due.map_or(next, |due| due.min(next)));
    match &ended.run {
        Run::Done {
            counts: did,
            problem,
        } => {
            let problem = problem.clone().unwrap_or_default();
            values![state, asked, 0_i64, problem, now, duration, counts(did)]
        }
        Run::Failed { problem } => {
            let (attempts, counts) = (held.attempts, held.counts.as_str());
            values![
                state,
                ended.next,
                attempts,
                problem.as_str(),
                held.succeeded,
                duration,
                counts
            ]
        }
        Run::Released => {
            let attempts = held.attempts.saturating_sub(1);
            let (problem, counts) = (held.problem.as_str(), held.counts.as_str());
            values![
                state,
                asked,
                attempts,
                problem,
                held.succeeded,
                held.duration,
                counts
            ]
        }
    }
}
