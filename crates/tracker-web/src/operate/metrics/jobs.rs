//! What is measured of jobs.
//!
//! Invariant: a job that is gone is measured no more.

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use tracker_store::{Job, JobState};

/// The states, each measured also where there is no job in it.
const STATES: [&str; 3] = ["waiting", "leased", "dead"];

/// All that is measured of jobs.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    states: Family<StateLabel, Gauge>,
    overdue: Gauge,
    succeeded: Family<JobLabel, Gauge>,
    attempts: Family<JobLabel, Gauge>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobLabel {
    kind: String,
    subject: String,
}

impl Jobs {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("jobs", "Jobs by where they are", self.states.clone());
        registry.register_with_unit(
            "jobs_overdue",
            "How long the job that waits longest has been due, or its lease has ended",
            Unit::Seconds,
            self.overdue.clone(),
        );
        registry.register_with_unit(
            "job_succeeded_timestamp",
            "When a job last went well, in seconds since 1970",
            Unit::Seconds,
            self.succeeded.clone(),
        );
        registry.register(
            "job_attempts",
            "Runs of a job since the last that went well",
            self.attempts.clone(),
        );
    }

    pub(super) fn set(&self, jobs: &[Job], now: Timestamp) {
        let mut overdue = 0;
        let mut numbers = [0; STATES.len()];
        self.succeeded.clear();
        self.attempts.clear();
        for job in jobs {
            let (state, at) = match &job.state {
                JobState::Waiting { due } => (0, Some(*due)),
                JobState::Leased { ends, .. } => (1, Some(*ends)),
                JobState::Dead => (2, None),
            };
            numbers[state] += 1;
            overdue = overdue.max(at.map_or(0, |at| now.as_second() - at.as_second()));
            let label = JobLabel {
                kind: job.name.kind.clone(),
                subject: job.name.subject.clone(),
            };
            if let Some(succeeded) = job.succeeded {
                self.succeeded
                    .get_or_create(&label)
                    .set(succeeded.as_second());
            }
            self.attempts
                .get_or_create(&label)
                .set(i64::from(job.attempts));
        }
        for (state, number) in STATES.into_iter().zip(numbers) {
            self.states.get_or_create(&StateLabel { state }).set(number);
        }
        self.overdue.set(overdue);
    }
}
