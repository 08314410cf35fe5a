//! Channels followed over HTTP: their own history of releases, the revision they are at now, and what they wait for on Hydra.
//!
//! Each channel is followed on its own: one that fails leaves the others and what is held, and says why.
//! Invariant: what is fetched is asked for conditionally, and after failures ever less often.

use super::error::LandingError;
use super::history::{HistoryImport, HistorySummary, import_history};
use crate::error::JobError;
use crate::fetch::{Ask, Fetched, Fetcher, Validators};
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use tracker_landing::eta::{PHASE_LASTS, Phase};
use tracker_landing::hydra::{self, ChannelJob, JobsetState};
use tracker_store::{ChannelWait, FollowState, Store};

/// The minutes until a channel is asked again, and the longest after failures.
const INTERVAL: i64 = 10;
const LONGEST: i64 = 360;

/// Seconds after which a phase that lasts is written down again: [`PHASE_LASTS`] holds what was seen for longer.
const PHASE_AGAIN: i64 = PHASE_LASTS / 2;

/// Where channels are asked about. In an address `{channel}` stands for the channel's name; an empty one is not asked.
#[derive(Debug, Clone)]
pub struct ChannelSource {
    /// The channels.
    pub channels: Vec<String>,
    /// Their history: lines of `REVISION TIME`.
    pub history_url: String,
    /// Their revision now.
    pub head_url: String,
    /// The address of Hydra.
    pub hydra_url: String,
    /// The index folder.
    pub folder: PathBuf,
}

/// What became of a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ChannelReport {
    /// The channel.
    pub channel: String,
    /// Releases that its history added.
    pub releases: u64,
    /// Whether it was seen at another revision.
    pub moved: bool,
    /// Requests that were made.
    pub requests: u64,
    /// Entries of its history that were refused.
    pub rejected: u64,
    /// What could not be followed, and why.
    pub problems: Vec<String>,
}

/// What was said last.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Cursor {
    history: Validators,
    head: Validators,
    evaluations: Validators,
    constituents: Validators,
    evaluation: u64,
    /// How the job stood when that was last written into the index, and when, in seconds since 1970.
    phase: Option<(Phase, i64)>,
}

/// The name under which it is kept how far a channel was followed.
pub fn channel_feed(channel: &str) -> String {
    format!("channel:{channel}")
}

/// Follows one channel.
///
/// # Errors
/// Only when the program's own side fails.
pub async fn follow_channel(
    store: &Store,
    fetcher: &Fetcher,
    source: &ChannelSource,
    channel: &str,
) -> Result<ChannelReport, JobError> {
    let mut state = store.follow_state(&channel_feed(channel)).await?;
    let mut pass = Pass {
        fetcher,
        cursor: serde_json::from_str(&state.cursor).unwrap_or_default(),
        report: ChannelReport {
            channel: channel.to_owned(),
            ..ChannelReport::default()
        },
    };
    for (url, what) in [
        (&source.history_url, What::History),
        (&source.head_url, What::Head),
    ] {
        if url.is_empty() {
            continue;
        }
        let url = url.replace("{channel}", channel);
        if let Err(problem) = pass.releases(&url, what, &source.folder, channel).await {
            pass.report.problems.push(problem);
        }
    }
    if let Some(job) = ChannelJob::of(channel).filter(|_| !source.hydra_url.is_empty()) {
        let held = store.channel_waits().await?.into_iter();
        let held = held.into_iter().find(|wait| wait.channel == channel);
        let held = held.map_or_else(|| JobsetState::new(job), |wait| wait.state);
        match pass.hydra(&source.hydra_url, held).await {
            Ok(state) => {
                let wait = ChannelWait {
                    channel: channel.to_owned(),
                    state,
                    checked: Timestamp::now(),
                };
                store.put_channel_wait(&wait).await?;
                if let Err(problem) = pass.see_phase(&source.folder, &wait).await {
                    pass.report.problems.push(problem);
                }
            }
            Err(problem) => {
                // What was read of the evaluation is not kept, so it has to be sent again.
                pass.cursor.evaluations = Validators::default();
                pass.report.problems.push(problem);
            }
        }
    }
    finish(store, &mut state, &pass).await?;
    Ok(pass.report)
}

async fn finish(store: &Store, state: &mut FollowState, pass: &Pass<'_>) -> Result<(), JobError> {
    let now = Timestamp::now();
    let report = &pass.report;
    state.cursor =
        serde_json::to_string(&pass.cursor).map_err(|error| JobError::Worker(error.to_string()))?;
    state.checked = Some(now);
    if report.releases > 0 || report.moved {
        state.changed = Some(now);
    }
    state.failures = if report.problems.is_empty() {
        0
    } else {
        state.failures.saturating_add(1)
    };
    state.problem = (!report.problems.is_empty()).then(|| report.problems.join("; "));
    let minutes = (INTERVAL << state.failures.min(10)).min(LONGEST);
    state.next = now.checked_add(minutes.minutes()).ok();
    store.put_follow_state(state).await?;
    Ok(())
}

#[derive(Clone, Copy)]
enum What {
    History,
    Head,
}

struct Pass<'a> {
    fetcher: &'a Fetcher,
    cursor: Cursor,
    report: ChannelReport,
}

impl Pass<'_> {
    /// A body that is not the one held; `None` where it is.
    async fn get(
        &mut self,
        url: String,
        validators: Validators,
        accept: &'static str,
    ) -> Result<Option<(Vec<u8>, Validators)>, String> {
        self.report.requests += 1;
        let ask = Ask {
            url: url.clone(),
            validators,
            accept,
            ..Ask::default()
        };
        match self
            .fetcher
            .fetch(&ask)
            .await
            .map_err(|error| error.to_string())?
        {
            Fetched::Unchanged => Ok(None),
            Fetched::Absent => Err(format!("{url}: there is nothing at the address")),
            Fetched::New {
                download,
                validators,
                ..
            } => {
                let bytes = download
                    .bytes()
                    .map_err(|error| format!("{url}: {error}"))?;
                Ok(Some((bytes, validators)))
            }
        }
    }

    /// The channel's history, or where it is now.
    async fn releases(
        &mut self,
        url: &str,
        what: What,
        folder: &Path,
        channel: &str,
    ) -> Result<(), String> {
        let held = match what {
            What::History => self.cursor.history.clone(),
            What::Head => self.cursor.head.clone(),
        };
        let Some((bytes, validators)) = self.get(url.to_owned(), held, "").await? else {
            return Ok(());
        };
        let import = HistoryImport {
            folder: folder.to_owned(),
            name: url.to_owned(),
            bytes,
            channel: Some(channel.to_owned()),
            now: Timestamp::now(),
        };
        let work = move || match what {
            What::History => import_history(&import),
            What::Head => super::history::see_head(&import),
        };
        let imported = tokio::task::spawn_blocking(work).await;
        let imported: Result<HistorySummary, LandingError> =
            imported.map_err(|error| error.to_string())?;
        let summary = imported.map_err(|error| describe(&error))?;
        self.report.rejected += summary.rejected_count;
        match what {
            What::History => {
                self.report.releases += summary.added;
                self.cursor.history = validators;
            }
            What::Head => {
                self.report.moved |= summary.added > 0;
                self.cursor.head = validators;
            }
        }
        if let Some((place, reason)) = summary.rejected.first() {
            return Err(format!("{url}: entry {place}: {reason}"));
        }
        Ok(())
    }

    /// Writes into the index how the job stands, when that has changed or was last written long ago: forecasts learn from it.
    async fn see_phase(&mut self, folder: &Path, wait: &ChannelWait) -> Result<(), String> {
        let Some(phase) = wait.state.phase() else {
            return Ok(());
        };
        let now = wait.checked.as_second();
        let held = self.cursor.phase;
        if held.is_some_and(|(held, at)| held == phase && (at..at + PHASE_AGAIN).contains(&now)) {
            return Ok(());
        }
        let seen = super::history::JobsetSeen {
            folder: folder.to_owned(),
            channel: wait.channel.clone(),
            revision: wait
                .state
                .evaluation
                .as_ref()
                .and_then(|evaluation| evaluation.revision.clone()),
            phase,
            now,
        };
        let work = tokio::task::spawn_blocking(move || super::history::see_phase(&seen));
        let done = work.await.map_err(|error| error.to_string())?;
        done.map_err(|error| describe(&error))?;
        self.cursor.phase = Some((phase, now));
        Ok(())
    }

    /// What the channel's job waits for.
    async fn hydra(&mut self, hydra: &str, held: JobsetState) -> Result<JobsetState, String> {
        const JSON: &str = "application/json";
        let hydra = hydra.trim_end_matches('/');
        let mut state = held;
        let url = format!("{hydra}/{}", state.job.evaluations_path());
        let asked = self.get(url.clone(), self.cursor.evaluations.clone(), JSON);
        if let Some((bytes, validators)) = asked.await? {
            let read = hydra::evaluations(&bytes).map_err(|error| format!("{url}: {error}"))?;
            state.evaluation = read.into_iter().next();
            self.cursor.evaluations = validators;
        }
        let Some(evaluation) = state.evaluation.clone() else {
            return Ok(state);
        };
        if self.cursor.evaluation != evaluation.id {
            self.cursor.constituents = Validators::default();
        }
        let finished = state
            .aggregate
            .as_ref()
            .is_some_and(|build| build.state != hydra::BuildState::Unfinished);
        // A build that has finished does not change any more.
        if self.cursor.evaluation == evaluation.id && finished {
            return Ok(state);
        }
        let url = format!("{hydra}/{}", state.job.build_path(evaluation.id));
        let asked = self.get(url.clone(), Validators::default(), JSON);
        let Some((bytes, _)) = asked.await? else {
            return Ok(state);
        };
        let build = hydra::build(&bytes).map_err(|error| format!("{url}: {error}"))?;
        let url = format!("{hydra}/build/{}/constituents", build.id);
        let asked = self.get(url.clone(), self.cursor.constituents.clone(), JSON);
        if let Some((bytes, validators)) = asked.await? {
            let builds = hydra::constituents(&bytes).map_err(|error| format!("{url}: {error}"))?;
            state.set_constituents(builds);
            self.cursor.constituents = validators;
        }
        state.aggregate = Some(build);
        self.cursor.evaluation = evaluation.id;
        Ok(state)
    }
}

/// An error with its causes.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
