//! `/jobs`: what runs in the background, when each job last went well, and which need a person.
//!
//! Invariant: what a job says of the world outside is shown; what it says of this service's own side is for those who run it.

use super::{Section, Shell};
use crate::app::App;
use crate::ask::Ask;
use crate::components::{Marked, Moment, count};
use crate::error::Error;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tracker_store::{Job, JobCounts, JobName, JobState};

#[derive(Debug, Template)]
#[template(path = "jobs.html")]
struct JobsPage {
    shell: Shell,
    jobs: Vec<JobRow>,
    summary: String,
}

/// The twin: an object, so that it can grow.
#[derive(Debug, Serialize)]
struct JobsView {
    jobs: Vec<JobView>,
}

/// A job for programs.
#[derive(Debug, Serialize)]
struct JobView {
    #[serde(flatten)]
    name: JobName,
    state: Standing,
    /// When it runs next; while it runs, until when it is held.
    until: Option<Timestamp>,
    started: Option<Timestamp>,
    succeeded: Option<Timestamp>,
    failures: u32,
    seconds: f64,
    counts: JobCounts,
    problem: Option<String>,
}

/// Where a job is, as readers tell states apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Standing {
    Waiting,
    Overdue,
    Running,
    Lost,
    Dead,
}

/// The time after which a job that is due waits for too long.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

impl Standing {
    fn of(job: &Job, now: Timestamp) -> Standing {
        match &job.state {
            JobState::Waiting { due } if *due + PATIENCE < now => Standing::Overdue,
            JobState::Waiting { .. } => Standing::Waiting,
            JobState::Leased { ends, .. } if *ends <= now => Standing::Lost,
            JobState::Leased { .. } => Standing::Running,
            JobState::Dead => Standing::Dead,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Standing::Waiting => "waiting",
            Standing::Overdue => "overdue",
            Standing::Running => "running",
            Standing::Lost => "its worker is gone",
            Standing::Dead => "dead",
        }
    }
}

/// Failures of a job's own side, the run that is under way aside.
fn failures(job: &Job) -> u32 {
    match job.state {
        JobState::Leased { .. } => job.attempts.saturating_sub(1),
        _ => job.attempts,
    }
}

/// What may be told of a problem.
fn problem(job: &Job) -> Option<String> {
    job.problem.clone().filter(|_| failures(job) == 0)
}

impl JobView {
    fn new(job: &Job, now: Timestamp) -> JobView {
        JobView {
            name: job.name.clone(),
            state: Standing::of(job, now),
            until: match job.state {
                JobState::Waiting { due } => Some(due),
                JobState::Leased { ends, .. } => Some(ends),
                JobState::Dead => None,
            },
            started: job.started,
            succeeded: job.succeeded,
            failures: failures(job),
            seconds: seconds(job),
            counts: job.counts.clone(),
            problem: problem(job),
        }
    }
}

fn seconds(job: &Job) -> f64 {
    job.duration as f64 / 1e6
}

/// A job as a line.
#[derive(Debug)]
struct JobRow {
    name: String,
    word: &'static str,
    /// Whether a person has to look at it.
    alarming: bool,
    due: Option<Moment>,
    succeeded: Option<Moment>,
    /// How long the last run took and what it did.
    did: String,
    problem: Option<Marked>,
    failures: Option<String>,
}

impl JobRow {
    fn new(job: &Job, now: Timestamp) -> JobRow {
        let state = Standing::of(job, now);
        let due = match job.state {
            JobState::Waiting { due } => Some(Moment::new(due, now)),
            JobState::Leased { .. } => job.started.map(|started| Moment::new(started, now)),
            JobState::Dead => None,
        };
        let failures = match failures(job) {
            0 => None,
            1 => Some("once".to_owned()),
            more => Some(format!("{more} times")),
        };
        JobRow {
            name: job.name.to_string(),
            word: state.word(),
            alarming: !matches!(state, Standing::Waiting | Standing::Running),
            due,
            succeeded: job.succeeded.map(|at| Moment::new(at, now)),
            did: did(job),
            problem: problem(job).map(|text| Marked::new(&text)),
            failures,
        }
    }
}

/// `1.5 s: 7 added, 1 requests`; nothing before the first run that ended.
fn did(job: &Job) -> String {
    if job.duration == 0 {
        return String::new();
    }
    let numbers = job.counts.iter().filter(|(_, number)| **number > 0);
    let numbers: Vec<String> = numbers
        .map(|(name, number)| format!("{} {name}", count(*number)))
        .collect();
    let time = format!("{:.1} s", seconds(job));
    if numbers.is_empty() {
        time
    } else {
        format!("{time}: {}", numbers.join(", "))
    }
}

/// How many are in which state, those that need a person first.
fn summary(jobs: &[Job], now: Timestamp) -> String {
    let states = [
        Standing::Dead,
        Standing::Lost,
        Standing::Overdue,
        Standing::Running,
        Standing::Waiting,
    ];
    let parts = states.into_iter().filter_map(|state| {
        let number = jobs
            .iter()
            .filter(|job| Standing::of(job, now) == state)
            .count() as u64;
        let word = if state == Standing::Lost {
            "without their worker"
        } else {
            state.word()
        };
        (number > 0).then(|| format!("{} {word}", count(number)))
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// Answers `/jobs`.
pub(crate) async fn jobs(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let jobs = app.store.jobs().await?;
    let view = JobsView {
        jobs: jobs.iter().map(|job| JobView::new(job, ask.now)).collect(),
    };
    ask.answer(&view, || JobsPage {
        shell: Shell::new(Section::About, &ask),
        jobs: jobs.iter().map(|job| JobRow::new(job, ask.now)).collect(),
        summary: summary(&jobs, ask.now),
    })
}
