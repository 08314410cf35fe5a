//! What a worker is configured to run.
//!
//! Invariant: a job's name says what it does and with what, so that workers with like configurations mean the same by it.

use crate::follow::{Feed, ReleaseSource};
use crate::landing::{ChannelSource, PullSource};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tracker_store::JobName;

/// Matching what changed.
pub(super) const MATCH: &str = "match";
/// Joining the landing index with findings.
pub(super) const JOIN: &str = "landing-join";

/// Something to run again and again.
#[derive(Debug, Clone)]
pub enum Task {
    /// Follow a feed.
    Feed(Feed),
    /// Follow the releases of a channel.
    Releases(ReleaseSource),
    /// Match what changed.
    Match,
    /// Bring the landing index up to date with a clone.
    Index(Arc<IndexSource>),
    /// Follow where a channel is, for the landing index.
    Channel(Arc<ChannelSource>, String),
    /// Follow pull requests.
    Pulls(PullSource),
    /// Join the landing index in this folder with findings.
    Join(PathBuf),
    /// Forget jobs that nobody is configured for; renew what the database knows of its tables.
    Housekeeping,
}

/// A clone, and the landing index that is made of it.
#[derive(Debug, Clone)]
pub struct IndexSource {
    /// The clone.
    pub repository: PathBuf,
    /// The index folder.
    pub folder: PathBuf,
    /// The branch that all others come back to.
    pub trunk: String,
    /// Patterns of other branches.
    pub branches: Vec<String>,
    /// Patterns of branches that stand for channels.
    pub channels: Vec<String>,
    /// Whether to let git fetch before.
    pub fetch: bool,
}

impl Task {
    /// The name of its job.
    pub fn name(&self) -> JobName {
        match self {
            Task::Feed(feed) => JobName::new("feed", &feed.name),
            Task::Releases(channel) => JobName::new("channel", &channel.name),
            Task::Match => JobName::new(MATCH, ""),
            Task::Index(_) => JobName::new("landing-index", ""),
            Task::Channel(_, channel) => JobName::new("landing-channel", channel),
            Task::Pulls(_) => JobName::new("landing-pulls", ""),
            Task::Join(_) => JobName::new(JOIN, ""),
            Task::Housekeeping => JobName::new("housekeeping", ""),
        }
    }
}

/// Tasks by the names of their jobs.
#[derive(Debug, Clone, Default)]
pub struct Plan(BTreeMap<JobName, Task>);

impl FromIterator<Task> for Plan {
    fn from_iter<T: IntoIterator<Item = Task>>(tasks: T) -> Plan {
        Plan(tasks.into_iter().map(|task| (task.name(), task)).collect())
    }
}

impl Plan {
    /// The names of all jobs.
    pub fn names(&self) -> impl Iterator<Item = &JobName> {
        self.0.keys()
    }

    pub(super) fn task(&self, name: &JobName) -> Option<&Task> {
        self.0.get(name)
    }
}
