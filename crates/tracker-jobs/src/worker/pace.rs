//! What is due, and how long to wait.
//!
//! Invariant: no clock that was once wrong keeps a job from running: a time further off than any pause is long is no time.

use crate::fetch::random;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tracker_store::{Job, JobState};

/// How often a worker says what it is configured for.
pub(super) const DECLARE_EVERY: Duration = Duration::from_hours(1);

/// Longer than any pause or lease; what is due later was written by a clock that was wrong.
const HORIZON: SignedDuration = SignedDuration::from_hours(48);

/// The pause after the first failure; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_mins(1);
const LONGEST_PAUSE: Duration = Duration::from_hours(6);

/// Jobs by what is to be done about them.
#[derive(Debug)]
pub(super) struct Agenda {
    /// To be taken, the one that has waited longest first.
    pub(super) due: Vec<Job>,
    /// The time until the next of the others is due.
    pub(super) next: Duration,
}

/// Sorts jobs by what is due now.
pub(super) fn agenda(jobs: Vec<Job>, now: Timestamp) -> Agenda {
    let mut due = Vec::new();
    let mut next = Duration::from_secs(HORIZON.as_secs().unsigned_abs());
    for job in jobs {
        let Some(at) = awaited(&job.state) else {
            continue;
        };
        let left = at.duration_since(now);
        match Duration::try_from(left) {
            Ok(left)
                if left > Duration::ZERO
                    && left < Duration::from_secs(HORIZON.as_secs().unsigned_abs()) =>
            {
                next = next.min(left);
            }
            _ => due.push((at.min(now), job)),
        }
    }
    due.sort_by(|(a, job), (b, other)| a.cmp(b).then_with(|| job.name.cmp(&other.name)));
    let due = due.into_iter().map(|(_, job)| job).collect();
    Agenda { due, next }
}

/// When a job may be taken.
fn awaited(state: &JobState) -> Option<Timestamp> {
    match state {
        JobState::Waiting { due } => Some(*due),
        JobState::Leased { ends, .. } => Some(*ends),
        JobState::Dead => None,
    }
}

/// Whether a job whose lease ended without a word was taken too often.
pub(super) fn is_spent(job: &Job, attempts: u32) -> bool {
    matches!(job.state, JobState::Leased { .. }) && job.attempts >= attempts
}

/// The pause after so many failures.
pub(super) fn after_failures(failures: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(16));
    jittered(doubled.min(LONGEST_PAUSE))
}

/// A pause of at least half, so that many who wait do not come back together.
pub(super) fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + random() / 2.0)
}

#[cfg(test)]
mod tests;
