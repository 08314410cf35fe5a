//! What a channel waits for, by the JSON that Hydra documents: evaluations of its jobset, the aggregate job that must pass, and
//! the jobs that keep it from passing.
//!
//! `GET /jobset/{project}/{jobset}/evals` gives evaluations, newest first; `GET /eval/{id}/job/{job}` leads to the aggregate's build;
//! `GET /build/{id}/constituents` gives the builds it is made of.
//! Invariant: a build counts as passed only if Hydra says that it finished with status 0.

use crate::eta::Phase;
use crate::graph::ObjectName;
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

/// The largest answer that is read.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Blocking jobs that are kept; all are counted.
pub const MAX_BLOCKING: usize = 50;

/// The longest name that is kept, in characters.
const MAX_NAME: usize = 300;

/// The job whose success moves a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelJob {
    /// Hydra's project.
    pub project: String,
    /// Its jobset.
    pub jobset: String,
    /// The job.
    pub job: String,
}

impl std::fmt::Display for ChannelJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.project, self.jobset, self.job)
    }
}

impl ChannelJob {
    /// The job of a channel, as NixOS's infrastructure names them (`channels.nix`); `None` for other channels.
    pub fn of(channel: &str) -> Option<ChannelJob> {
        let job = |project: &str, jobset: String, job: &str| {
            Some(ChannelJob {
                project: project.to_owned(),
                jobset,
                job: job.to_owned(),
            })
        };
        let plain = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|c| c.is_ascii_alphanumeric() || b".-".contains(&c))
        };
        match channel {
            "nixos-unstable" => job("nixos", "trunk-combined".to_owned(), "tested"),
            "nixos-unstable-small" => job("nixos", "unstable-small".to_owned(), "tested"),
            "nixpkgs-unstable" => job("nixpkgs", "trunk".to_owned(), "unstable"),
            _ => {
                if let Some(number) = channel.strip_prefix("nixos-").filter(|rest| plain(rest)) {
                    return job("nixos", format!("release-{number}"), "tested");
                }
                let number = channel.strip_prefix("nixpkgs-")?.strip_suffix("-darwin")?;
                plain(number).then(|| {
                    job(
                        "nixpkgs",
                        format!("nixpkgs-{number}-darwin"),
                        "darwin-tested",
                    )
                })?
            }
        }
    }

    /// Path of its evaluations.
    pub fn evaluations_path(&self) -> String {
        format!("jobset/{}/{}/evals", self.project, self.jobset)
    }

    /// Path of its build in an evaluation.
    pub fn build_path(&self, evaluation: u64) -> String {
        format!("eval/{evaluation}/job/{}", self.job)
    }
}

/// Why an answer cannot be read.
#[derive(Debug, Error)]
pub enum HydraError {
    /// More than [`MAX_BYTES`].
    #[error("the answer has {0} bytes; the limit is {MAX_BYTES}")]
    TooLarge(usize),
    /// JSON of another shape.
    #[error("the answer is not in Hydra's shape")]
    Json(#[from] serde_json::Error),
}

/// An evaluation of a jobset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Hydra's number.
    pub id: u64,
    /// Seconds since 1970 at which it was made.
    pub time: i64,
    /// The commit of Nixpkgs that was evaluated.
    pub revision: Option<String>,
}

/// How a build stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BuildState {
    /// Waiting or running.
    Unfinished,
    /// Passed.
    Passed,
    /// Failed by itself.
    Failed,
    /// Something it needs failed.
    DependencyFailed,
    /// Stopped: aborted, cancelled or out of time.
    Stopped,
}

impl BuildState {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            BuildState::Unfinished => "not finished",
            BuildState::Passed => "passed",
            BuildState::Failed => "failed",
            BuildState::DependencyFailed => "a dependency failed",
            BuildState::Stopped => "was stopped",
        }
    }
}

/// A build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Hydra's number.
    pub id: u64,
    /// Its job.
    pub job: String,
    /// How it stands.
    pub state: BuildState,
}

/// What a channel waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobsetState {
    /// The job.
    pub job: ChannelJob,
    /// The newest evaluation.
    pub evaluation: Option<Evaluation>,
    /// The job's build in it.
    pub aggregate: Option<Build>,
    /// How many builds the aggregate is made of.
    pub constituents: u64,
    /// How many of them have not finished.
    pub unfinished: u64,
    /// How many of them failed, in any way.
    pub failed: u64,
    /// Those that failed, then those that have not finished.
    pub blocking: Vec<Build>,
}

impl JobsetState {
    /// A job of which nothing is known yet.
    pub fn new(job: ChannelJob) -> JobsetState {
        JobsetState {
            job,
            evaluation: None,
            aggregate: None,
            constituents: 0,
            unfinished: 0,
            failed: 0,
            blocking: Vec::new(),
        }
    }

    /// How the job stands, for forecasts; `None` where nothing is known of its build.
    pub fn phase(&self) -> Option<Phase> {
        match self.aggregate.as_ref()?.state {
            BuildState::Passed => Some(Phase::Passed),
            BuildState::Unfinished if self.failed == 0 => Some(Phase::Building),
            _ => Some(Phase::Blocked),
        }
    }

    /// Takes in what the aggregate is made of.
    pub fn set_constituents(&mut self, builds: Vec<Build>) {
        self.constituents = builds.len() as u64;
        let mut blocking: Vec<Build> = builds
            .into_iter()
            .filter(|build| build.state != BuildState::Passed)
            .collect();
        blocking.sort_by(|a, b| {
            let order = |build: &Build| build.state == BuildState::Unfinished;
            order(a).cmp(&order(b)).then_with(|| a.job.cmp(&b.job))
        });
        let unfinished = |build: &&Build| build.state == BuildState::Unfinished;
        self.unfinished = blocking.iter().filter(unfinished).count() as u64;
        self.failed = blocking.len() as u64 - self.unfinished;
        blocking.truncate(MAX_BLOCKING);
        self.blocking = blocking;
    }
}

#[derive(Deserialize)]
struct RawEvaluations {
    evals: Vec<RawEvaluation>,
}

#[derive(Deserialize)]
struct RawEvaluation {
    id: u64,
    #[serde(default)]
    timestamp: i64,
    #[serde(default)]
    jobsetevalinputs: std::collections::BTreeMap<String, RawInput>,
}

#[derive(Deserialize)]
struct RawInput {
    #[serde(default)]
    revision: Option<String>,
}

#[derive(Deserialize)]
struct RawBuild {
    id: u64,
    #[serde(default)]
    job: String,
    #[serde(default, deserialize_with = "flag")]
    finished: bool,
    #[serde(default)]
    buildstatus: Option<i64>,
}

/// Hydra writes 0 and 1; newer versions true and false.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Flag {
        Bool(bool),
        Number(i64),
        Null(()),
    }
    Ok(match Flag::deserialize(deserializer)? {
        Flag::Bool(flag) => flag,
        Flag::Number(number) => number != 0,
        Flag::Null(()) => false,
    })
}

fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, HydraError> {
    if bytes.len() > MAX_BYTES {
        return Err(HydraError::TooLarge(bytes.len()));
    }
    Ok(serde_json::from_slice(bytes)?)
}

/// Reads the evaluations of a jobset, newest first.
///
/// # Errors
/// [`HydraError`].
pub fn evaluations(bytes: &[u8]) -> Result<Vec<Evaluation>, HydraError> {
    let raw: RawEvaluations = parse(bytes)?;
    let mut evaluations: Vec<Evaluation> = raw
        .evals
        .into_iter()
        .map(|raw| Evaluation {
            id: raw.id,
            time: raw.timestamp,
            revision: raw
                .jobsetevalinputs
                .get("nixpkgs")
                .and_then(|input| input.revision.clone())
                .filter(|revision| revision.parse::<ObjectName>().is_ok()),
        })
        .collect();
    evaluations.sort_by_key(|evaluation| std::cmp::Reverse(evaluation.id));
    Ok(evaluations)
}

/// Reads a build.
///
/// # Errors
/// [`HydraError`].
pub fn build(bytes: &[u8]) -> Result<Build, HydraError> {
    Ok(built(parse(bytes)?))
}

/// Reads the builds that an aggregate is made of.
///
/// # Errors
/// [`HydraError`].
pub fn constituents(bytes: &[u8]) -> Result<Vec<Build>, HydraError> {
    let raw: Vec<RawBuild> = parse(bytes)?;
    Ok(raw.into_iter().map(built).collect())
}

fn built(raw: RawBuild) -> Build {
    // Hydra's numbers: 0 succeeded, 1 failed, 2 dependency failed, 3 aborted, 4 cancelled, 7 timed out; the others are failures.
    let state = match (raw.finished, raw.buildstatus) {
        (false, _) => BuildState::Unfinished,
        (true, Some(0)) => BuildState::Passed,
        (true, Some(2)) => BuildState::DependencyFailed,
        (true, Some(3 | 4 | 7)) => BuildState::Stopped,
        (true, _) => BuildState::Failed,
    };
    Build {
        id: raw.id,
        job: raw.job.chars().take(MAX_NAME).collect(),
        state,
    }
}

#[cfg(test)]
mod tests;
