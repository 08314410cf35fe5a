//! `jobs`: what workers run, and the two things that a person can do about it.
//!
//! Invariant: nothing runs here: a job is made due, and a worker takes it.

use super::open_existing;
use crate::arguments::{JobsList, JobsNamed, JobsRetry, JobsShow};
use crate::output::{self, Outcome};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::fmt::Write;
use tracker_store::{Job, JobName, JobState, Store};

/// Characters of a problem in a list.
const SHOWN: usize = 80;

/// Lists jobs.
pub(crate) async fn list(arguments: JobsList) -> anyhow::Result<Outcome> {
    let store = open_existing(&arguments.database.database).await?;
    let jobs = store.jobs().await?;
    store.close().await;
    if arguments.json.json {
        output::json(&jobs)?;
        return Ok(Outcome::Done);
    }
    let now = Timestamp::now();
    let mut out = String::new();
    for job in &jobs {
        let name = job.name.to_string();
        write!(out, "{name:<28}{}", state(job, now))?;
        match &job.problem {
            Some(problem) => {
                let line: String = problem
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .chars()
                    .take(SHOWN)
                    .collect();
                writeln!(out, "; {line}")?;
            }
            None => writeln!(out)?,
        }
    }
    if jobs.is_empty() {
        writeln!(
            out,
            "there are no jobs; `rootstock-tracker worker` makes them"
        )?;
    }
    output::text(&out)?;
    Ok(Outcome::Done)
}

/// Shows a job.
pub(crate) async fn show(arguments: JobsShow) -> anyhow::Result<Outcome> {
    let store = open_existing(&arguments.database.database).await?;
    let job = store.job(&arguments.job).await?;
    store.close().await;
    let Some(job) = job else {
        return Ok(absent(&arguments.job));
    };
    if arguments.json.json {
        output::json(&job)?;
        return Ok(Outcome::Done);
    }
    let now = Timestamp::now();
    let mut out = String::new();
    writeln!(out, "{}: {}", job.name, state(&job, now))?;
    let time =
        |time: Option<Timestamp>| time.map_or("never".to_owned(), |time| format!("{time:.0}"));
    if let JobState::Leased {
        owner,
        ends,
        heartbeat,
        ..
    } = &job.state
    {
        writeln!(
            out,
            "held by {owner} until {ends:.0}, last heard of at {heartbeat:.0}"
        )?;
    }
    writeln!(out, "last begun: {}", time(job.started))?;
    writeln!(out, "last went well: {}", time(job.succeeded))?;
    writeln!(out, "last took: {:.1} s", job.duration as f64 / 1e6)?;
    writeln!(out, "attempts since then: {}", job.attempts)?;
    for (name, number) in &job.counts {
        writeln!(out, "{name}: {number}")?;
    }
    if let Some(problem) = &job.problem {
        writeln!(out, "problem: {problem}")?;
    }
    output::text(&out)?;
    Ok(Outcome::Done)
}

/// Lets dead jobs live again.
pub(crate) async fn retry(arguments: JobsRetry) -> anyhow::Result<Outcome> {
    let store = open_existing(&arguments.database.database).await?;
    let mut names = arguments.jobs;
    if arguments.all {
        let jobs = store.jobs().await?.into_iter();
        let dead = jobs.filter(|job| job.state == JobState::Dead);
        names.extend(dead.map(|job| job.name));
    }
    make_due(store, names, arguments.json.json).await
}

/// Makes jobs due.
pub(crate) async fn run(arguments: JobsNamed) -> anyhow::Result<Outcome> {
    let store = open_existing(&arguments.database.database).await?;
    make_due(store, arguments.jobs, arguments.json.json).await
}

async fn make_due(store: Store, names: Vec<JobName>, json: bool) -> anyhow::Result<Outcome> {
    #[derive(Serialize)]
    struct Due {
        job: String,
        due: bool,
    }
    let mut outcome = Outcome::Done;
    let mut done = Vec::new();
    for name in &names {
        let due = store.run_job(name, Timestamp::now()).await?;
        if !due {
            outcome = absent(name);
        }
        let job = name.to_string();
        done.push(Due { job, due });
    }
    store.close().await;
    if json {
        output::json(&done)?;
        return Ok(outcome);
    }
    for one in done.iter().filter(|one| one.due) {
        output::text(&format!("{} is due\n", one.job))?;
    }
    Ok(outcome)
}

fn absent(name: &JobName) -> Outcome {
    output::note(&format!(
        "there is no job `{name}`; `jobs list` names those that there are"
    ));
    Outcome::Absent
}

/// Where a job is, in words.
fn state(job: &Job, now: Timestamp) -> String {
    let attempts = match job.attempts {
        0 => String::new(),
        1 => ", failed once".to_owned(),
        more => format!(", failed {more} times"),
    };
    match &job.state {
        JobState::Waiting { due } if *due <= now => {
            format!("due since {}{attempts}", span(now, *due))
        }
        JobState::Waiting { due } => format!("due in {}{attempts}", span(*due, now)),
        JobState::Leased { owner, ends, .. } if *ends > now => {
            let since = job.started.map_or(String::new(), |started| {
                format!(" for {}", span(now, started))
            });
            format!("running{since} by {owner}")
        }
        JobState::Leased { owner, .. } => format!("lost by {owner}"),
        JobState::Dead => format!("dead{attempts}"),
    }
}

/// A span of time in its largest unit.
fn span(later: Timestamp, earlier: Timestamp) -> String {
    let seconds = later
        .duration_since(earlier)
        .max(SignedDuration::ZERO)
        .as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
