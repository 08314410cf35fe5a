//! What each job does: a call of what a command does by hand, what is due because of it, and when it is due again.
//!
//! Invariant: a job that may have left news behind wakes who waits for them: one that another worker died of, too.

use super::plan::{IndexSource, JOIN, MATCH, Task};
use crate::derive::derive;
use crate::error::JobError;
use crate::fetch::Fetcher;
use crate::follow::{FollowReport, describe, follow, follow_releases};
use crate::landing::{
    IndexRequest, LandingError, PULLS_FEED, channel_feed, follow_channel, index, join_folder,
    poll_pulls,
};
use jiff::{Timestamp, ToSpan};
use std::process::{Command, Stdio};
use tracker_store::{JobCounts, JobName, Lease, Store, StoreError};

/// Minutes between two runs of what has no interval of its own.
const MATCH_MINUTES: i64 = 15;
const INDEX_MINUTES: i64 = 15;
const JOIN_MINUTES: i64 = 6 * 60;
const HOUSEKEEPING_MINUTES: i64 = 24 * 60;

/// The days after which a job that no worker is configured for is forgotten.
const FORGOTTEN_DAYS: i64 = 7;

/// The bytes a second, and the seconds, below which git gives a silent server up: it waits for ever by itself.
const SLOW: (&str, &str) = ("1000", "60");

/// How much of what git says is kept.
const MAX_MESSAGE: usize = 1000;

/// What jobs are done with.
#[derive(Debug)]
pub struct Tools {
    /// Fetches feeds and releases.
    pub fetcher: Fetcher,
    /// Fetches answers of APIs for the landing index.
    pub answers: Fetcher,
}

/// What a run did.
#[derive(Debug)]
pub(super) struct Did {
    pub(super) counts: JobCounts,
    /// What others have to mend.
    pub(super) problem: Option<String>,
    /// When the job is due again.
    pub(super) next: Timestamp,
    pub(super) wakes: Vec<JobName>,
}

/// Why a run did not go to its end.
#[derive(Debug)]
pub(super) enum Failure {
    /// Another worker has the job.
    Lost,
    /// The database went away; the job is not to blame.
    Interrupted(String),
    Failed(String),
}

impl From<JobError> for Failure {
    fn from(error: JobError) -> Failure {
        match &error {
            JobError::Store(StoreError::LeaseLost { .. }) => Failure::Lost,
            JobError::Store(StoreError::Unavailable(_) | StoreError::Full(_)) => {
                Failure::Interrupted(describe(&error))
            }
            _ => Failure::Failed(describe(&error)),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        JobError::from(error).into()
    }
}

impl From<LandingError> for Failure {
    fn from(error: LandingError) -> Failure {
        match error {
            // Another process brings the same index up to date, which will do.
            LandingError::Busy(_) => Failure::Interrupted(describe(&error)),
            _ => Failure::Failed(describe(&error)),
        }
    }
}

impl Task {
    /// Runs it once, writing under a lease.
    pub(super) async fn run(
        &self,
        store: &Store,
        tools: &Tools,
        lease: &Lease,
    ) -> Result<Did, Failure> {
        let mut did = match self {
            Task::Feed(feed) => {
                let report = follow(store, &tools.fetcher, feed).await?;
                let news = report.records.added + report.records.changed > 0;
                did_follow(store, &feed.name, report, news, &[MATCH]).await?
            }
            Task::Releases(channel) => {
                let report = follow_releases(store, &tools.fetcher, channel).await?;
                let new = report.releases.iter().filter(|release| release.new).count() as u64;
                let name = report.pass.feed.clone();
                let mut did =
                    did_follow(store, &name, report.pass, new > 0, &[MATCH, JOIN]).await?;
                did.counts.insert("releases".to_owned(), new);
                did
            }
            Task::Match => matched(store).await?,
            Task::Index(source) => indexed(source).await?,
            Task::Channel(source, channel) => {
                let report = follow_channel(store, &tools.answers, source, channel).await?;
                let numbers = [("requests", report.requests), ("releases", report.releases)];
                let problem = (!report.problems.is_empty()).then(|| report.problems.join("; "));
                let next = due(store, &channel_feed(channel)).await?;
                let wakes = woken(report.releases > 0 || report.moved, &[JOIN]);
                Did {
                    counts: counts(numbers),
                    problem,
                    next,
                    wakes,
                }
            }
            Task::Pulls(source) => {
                let summary = poll_pulls(store, &tools.answers, source).await?;
                let (added, changed) = (summary.counts.added, summary.counts.changed);
                let numbers = [
                    ("requests", summary.requests),
                    ("added", added),
                    ("changed", changed),
                ];
                let next = due(store, PULLS_FEED).await?;
                let wakes = woken(added + changed > 0, &[JOIN]);
                Did {
                    counts: counts(numbers),
                    problem: summary.problem,
                    next,
                    wakes,
                }
            }
            Task::Join(folder) => {
                let summary = join_folder(store, folder).await?;
                let numbers = [
                    ("vulnerabilities", summary.vulnerabilities),
                    ("fixes", summary.fixes),
                    ("changed", summary.changed),
                ];
                did_at(JOIN_MINUTES, numbers, summary.changed > 0, &[MATCH])
            }
            Task::Housekeeping => {
                let before = Timestamp::now() - (24 * FORGOTTEN_DAYS).hours();
                let forgotten = store.forget_jobs(before).await?;
                store.analyze().await?;
                did_at(HOUSEKEEPING_MINUTES, [("forgotten", forgotten)], false, &[])
            }
        };
        // Whoever ran it before may have written news and died before telling.
        if lease.attempts > 1 && !matches!(self, Task::Match | Task::Join(_) | Task::Housekeeping) {
            did.wakes = woken(true, &[MATCH, JOIN]);
        }
        Ok(did)
    }
}

/// What following a feed came to.
async fn did_follow(
    store: &Store,
    feed: &str,
    report: FollowReport,
    news: bool,
    wakes: &[&str],
) -> Result<Did, Failure> {
    let records = report.records;
    let numbers = [
        ("requests", report.requests),
        ("bytes", report.bytes),
        ("added", records.added),
        ("changed", records.changed),
        ("unchanged", records.unchanged),
        ("rejected", records.rejected),
    ];
    Ok(Did {
        counts: counts(numbers),
        problem: report.problem,
        next: due(store, feed).await?,
        wakes: woken(news, wakes),
    })
}

async fn matched(store: &Store) -> Result<Did, Failure> {
    let summary = derive(store, &()).await?;
    let sum = |of: fn(&crate::DistributionDerived) -> u64| {
        summary.distributions.iter().map(of).sum::<u64>()
    };
    // Time changes findings, too: support ends, and so do rules.
    let (ended, expired) = store.settle().await?;
    let changed = sum(|one| one.findings_changed) + ended;
    let numbers = [
        ("vulnerabilities", sum(|one| one.vulnerabilities)),
        ("matched", sum(|one| one.matched)),
        ("unmatched", sum(|one| one.unmatched)),
        ("findings", changed),
        ("rules-expired", expired),
    ];
    // A finding that is new may be one whose fix is on its way.
    Ok(did_at(MATCH_MINUTES, numbers, changed > 0, &[JOIN]))
}

async fn indexed(source: &IndexSource) -> Result<Did, Failure> {
    let source = source.clone();
    let work = move || -> Result<_, Failure> {
        let problem = if source.fetch {
            fetch(&source, SLOW).err()
        } else {
            None
        };
        let request = IndexRequest {
            repository: source.repository,
            folder: source.folder,
            trunk: source.trunk,
            branches: source.branches,
            channels: source.channels,
            now: Timestamp::now(),
        };
        Ok((index(&request, &())?, problem))
    };
    let worked = tokio::task::spawn_blocking(work).await;
    let (summary, problem) = worked.map_err(|error| Failure::Failed(error.to_string()))??;
    let moved = (summary.moved_branches.len() + summary.moved_channels.len()) as u64;
    let numbers = [("commits", summary.new_commits), ("moved", moved)];
    let mut did = did_at(INDEX_MINUTES, numbers, moved > 0, &[JOIN]);
    did.problem = problem.or_else(|| summary.warnings.into_iter().next());
    Ok(did)
}

/// Lets git fetch what the clone follows; what is wrong with that is for others to mend.
fn fetch(source: &IndexSource, (bytes, seconds): (&str, &str)) -> Result<(), String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(&source.repository)
        .args(["fetch", "--quiet", "--prune"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_HTTP_LOW_SPEED_LIMIT", bytes)
        .env("GIT_HTTP_LOW_SPEED_TIME", seconds)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`git` cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said: String = said.trim().chars().take(MAX_MESSAGE).collect();
    Err(format!("`git fetch` failed: {said}"))
}

/// When a feed says that it is to be asked again.
async fn due(store: &Store, feed: &str) -> Result<Timestamp, Failure> {
    Ok(store
        .follow_state(feed)
        .await?
        .next
        .unwrap_or_else(Timestamp::now))
}

fn did_at<const N: usize>(
    minutes: i64,
    numbers: [(&str, u64); N],
    news: bool,
    wakes: &[&str],
) -> Did {
    let now = Timestamp::now();
    Did {
        counts: counts(numbers),
        problem: None,
        next: now.checked_add(minutes.minutes()).unwrap_or(now),
        wakes: woken(news, wakes),
    }
}

fn counts<const N: usize>(numbers: [(&str, u64); N]) -> JobCounts {
    numbers
        .into_iter()
        .map(|(name, number)| (name.to_owned(), number))
        .collect()
}

fn woken(news: bool, kinds: &[&str]) -> Vec<JobName> {
    let kinds = kinds.iter().filter(|_| news);
    kinds.map(|kind| JobName::new(*kind, "")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_server_is_given_up() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/x", silent.local_addr().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| {
            let mut command = Command::new("git");
            let status = command
                .arg("-C")
                .arg(folder.path())
                .args(arguments)
                .status();
            assert!(status.unwrap().success());
        };
        git(&["init", "--quiet"]);
        git(&["remote", "add", "origin", &address]);
        let source = IndexSource {
            repository: folder.path().to_owned(),
            folder: folder.path().to_owned(),
            trunk: "master".to_owned(),
            branches: Vec::new(),
            channels: Vec::new(),
            fetch: true,
        };
        let problem = fetch(&source, ("1000", "1")).unwrap_err();
        assert!(problem.contains("too slow"), "{problem}");
    }
}
