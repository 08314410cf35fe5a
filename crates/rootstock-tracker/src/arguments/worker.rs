//! `worker` and `jobs`: what runs in the background.

use super::landing::{Lines, Places, Polling};
use super::{Database, Fetching, Json, NvdKey, Releases, assignment, examples};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use tracker_store::JobName;

/// `worker`.
#[derive(Debug, Args)]
pub(crate) struct WorkerRun {
    /// Feeds to follow; all if none is named. A name that is none lists them.
    #[arg(long = "feed", value_name = "FEED", help_heading = "Feeds")]
    pub(crate) feeds: Vec<String>,
    /// Follow no feeds.
    #[arg(long, conflicts_with = "feeds", help_heading = "Feeds")]
    pub(crate) no_feeds: bool,
    /// Take a feed from another address.
    #[arg(long, value_name = "FEED=URL", value_parser = assignment, help_heading = "Feeds")]
    pub(crate) feed_url: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) nvd_key: NvdKey,

    /// Channels whose releases are followed; with `--landing`, and if they are of Nixpkgs, also where they are and what
    /// they wait for.
    #[arg(long = "channel", value_name = "CHANNEL", help_heading = "Channels")]
    pub(crate) channels: Vec<String>,
    /// Take a channel from another address: the folder of its newest release, or what leads there.
    #[arg(long, value_name = "CHANNEL=URL", value_parser = assignment, help_heading = "Channels")]
    pub(crate) channel_url: Vec<(String, String)>,
    /// Distribution of one channel, where it is another than `--distribution`.
    #[arg(long, value_name = "CHANNEL=NAME", value_parser = assignment, help_heading = "Channels")]
    pub(crate) channel_distribution: Vec<(String, String)>,
    #[command(flatten, next_help_heading = "Channels")]
    pub(crate) releases: Releases,

    #[command(flatten)]
    pub(crate) landing: WorkerLanding,
    #[command(flatten)]
    pub(crate) pace: Pace,
    #[command(flatten)]
    pub(crate) fetching: Fetching,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// What the worker does for the landing index.
#[derive(Debug, Args)]
#[command(next_help_heading = "Landing")]
pub(crate) struct WorkerLanding {
    /// Folder of the landing index; without it there are no jobs about landing.
    #[arg(long, env = "ROOTSTOCK_LANDING", value_name = "FOLDER")]
    pub(crate) landing: Option<PathBuf>,
    /// Keep the index up to date with this clone.
    #[arg(long, value_name = "FOLDER", requires = "landing")]
    pub(crate) repository: Option<PathBuf>,
    /// Let `git fetch` run in the clone before.
    #[arg(long, requires = "repository")]
    pub(crate) git_fetch: bool,
    #[command(flatten)]
    pub(crate) lines: Lines,
    #[command(flatten)]
    pub(crate) places: Places,
    #[command(flatten)]
    pub(crate) polling: Polling,
}

/// How the worker goes about it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Work")]
pub(crate) struct Pace {
    /// Run what is due, and what becomes due by that, and end; exit code 3 if anything failed.
    #[arg(long)]
    pub(crate) once: bool,
    /// Jobs that run at the same time.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub(crate) parallel: u32,
    /// Seconds for which a job is taken. It is renewed four times as often; when it ends, another worker takes the job over.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) lease: u64,
    /// Seconds after which it is looked again what is due.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(crate) poll: u64,
    /// Runs that may fail one after another before a job is dead and waits for `jobs retry`.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) attempts: u32,
    /// Seconds that running jobs may go on after SIGTERM before they are given back.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=3_600))]
    pub(crate) grace: u64,
    /// The worker's name, for those who look at jobs; by default those of the machine and of the process.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

/// `jobs`.
#[derive(Debug, Subcommand)]
pub(crate) enum Jobs {
    /// List the jobs: where each is, when it runs, and how the last run went.
    #[command(after_help = examples("jobs list --database sqlite:tracker.db\n  rootstock-tracker jobs list --json --database sqlite:tracker.db"))]
    List(JobsList),
    /// Show one job with all that is known of it.
    #[command(after_help = examples("jobs show feed:kev --database sqlite:tracker.db"))]
    Show(JobsShow),
    /// Let dead jobs live again: they are due at once, with all their attempts.
    #[command(after_help = examples("jobs retry feed:kev --database sqlite:tracker.db\n  rootstock-tracker jobs retry --all --database sqlite:tracker.db"))]
    Retry(JobsRetry),
    /// Make jobs due: a worker takes them when it next looks, within its `--poll`. One that runs will run again right after.
    #[command(after_help = examples("jobs run match --database sqlite:tracker.db"))]
    Run(JobsNamed),
}

/// `jobs list`.
#[derive(Debug, Args)]
pub(crate) struct JobsList {
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `jobs show`.
#[derive(Debug, Args)]
pub(crate) struct JobsShow {
    /// The job, as `jobs list` names it.
    #[arg(value_name = "JOB")]
    pub(crate) job: JobName,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `jobs retry`.
#[derive(Debug, Args)]
pub(crate) struct JobsRetry {
    /// The jobs, as `jobs list` names them.
    #[arg(value_name = "JOB", required_unless_present = "all")]
    pub(crate) jobs: Vec<JobName>,
    /// All that are dead.
    #[arg(long, conflicts_with = "jobs")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `jobs run`.
#[derive(Debug, Args)]
pub(crate) struct JobsNamed {
    /// The jobs, as `jobs list` names them.
    #[arg(value_name = "JOB", required = true)]
    pub(crate) jobs: Vec<JobName>,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}
