//! `landing`: what can be asked of the landing index.
//!
//! Invariant: every command takes the index's folder by `--index`, and a forecast is made for `--at`, so that it can be repeated.

use super::{Database, Json, Spool, examples, instant};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use std::path::PathBuf;

/// Patterns of the branches that stand for channels.
pub(crate) const CHANNELS: [&str; 2] = ["nixos-*", "nixpkgs-*"];

/// `landing`.
#[derive(Debug, Subcommand)]
pub(crate) enum Landing {
    /// Read a clone of Nixpkgs into the landing index, or bring the index up to date with it.
    ///
    /// Nothing is fetched: run `git fetch` before. Commits that are held are not read again; a run that was killed is
    /// taken up where it stopped, and a damaged end of the index is cut off and made again. Branches that stand for
    /// channels are recorded as seen at `--at` where no history file dates them. A commit-graph in the repository
    /// (`git commit-graph write --reachable`) makes bringing up to date faster.
    #[command(after_help = examples("landing index --repository nixpkgs.git --index landing"))]
    Index(LandingIndex),
    /// Read a channel's past into the landing index.
    ///
    /// Two shapes are read: lines of `REVISION TIME [NAME]`, the time in seconds since 1970 or as RFC 3339; and the JSON
    /// that a Prometheus server answers for `channel_revision`. The same file again changes nothing.
    #[command(after_help = examples("landing history nixos-unstable.txt --channel nixos-unstable --index landing\n  rootstock-tracker landing history channel_revision.json --index landing"))]
    History(LandingHistory),
    /// Show where a commit or pull request is: the way it took, the first release of each channel that has it, and when
    /// the others will.
    ///
    /// Digits alone mean a pull request, or else the beginning of a commit's name.
    #[command(after_help = examples("landing show 323754 --index landing\n  rootstock-tracker landing show 5f506b95f9f6 --json --index landing"))]
    Show(LandingShow),
    /// Read pull requests into the database, from files or from GitHub's API.
    ///
    /// Files hold what `GET /repos/{owner}/{repo}/pulls` answers: an array, or an object a line. With `--url` what was updated
    /// since the last time is asked for, latest first. Kept are titles, labels, states and times, and what title, body and
    /// names of files (`files[].filename`, where given) say of vulnerabilities and of other pull requests.
    #[command(after_help = examples("landing pulls pulls.jsonl\n  rootstock-tracker landing pulls --url https://api.github.com/repos/NixOS/nixpkgs/pulls"))]
    Pulls(LandingPulls),
    /// Follow channels over the network: their history, where they are now, and what they wait for on Hydra.
    ///
    /// Every request is conditional, a channel that fails is asked ever less often, and the others go on. With `--pulls-url`
    /// pull requests are followed too.
    #[command(after_help = examples("landing follow --channel nixos-unstable --channel nixos-25.11 --index landing\n  rootstock-tracker landing follow --channel nixos-unstable --once --hydra-url '' --index landing"))]
    Follow(LandingFollow),
    /// Close the findings whose fix is in the newest release of their channel.
    ///
    /// A commit fixes a finding if it names the vulnerability, says that it is about the package (the words before the colon of
    /// its subject), and is in the newest release without being undone there. Run it after `landing index` and `channel import`;
    /// running it again changes nothing.
    #[command(after_help = examples("landing join --index landing"))]
    Join(LandingJoin),
    /// Say until when a channel is supported; without a day, show what is known.
    #[command(after_help = examples("landing support nixos-25.11 2026-06-30\n  rootstock-tracker landing support nixos-25.11 --unknown"))]
    Support(LandingSupport),
}

/// Where the index is.
#[derive(Debug, Args)]
pub(crate) struct IndexFolder {
    /// Folder of the landing index.
    #[arg(
        long = "index",
        env = "ROOTSTOCK_LANDING",
        default_value = "landing",
        value_name = "FOLDER"
    )]
    pub(crate) folder: PathBuf,
}

/// `landing index`.
#[derive(Debug, Args)]
pub(crate) struct LandingIndex {
    /// The clone, bare or not, with its whole history.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) repository: PathBuf,
    #[command(flatten)]
    pub(crate) index: IndexFolder,
    #[command(flatten)]
    pub(crate) lines: Lines,
    /// Branches that stand for channels.
    #[arg(long = "channel", value_name = "PATTERN", default_values = CHANNELS)]
    pub(crate) channels: Vec<String>,
    #[command(flatten)]
    pub(crate) at: At,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// Which branches are indexed.
#[derive(Debug, Args)]
pub(crate) struct Lines {
    /// The branch that all others come back to.
    #[arg(long, default_value = "master", value_name = "BRANCH")]
    pub(crate) trunk: String,
    /// Other branches, as patterns of `git for-each-ref`.
    #[arg(long = "branch", value_name = "PATTERN", default_values = ["staging", "staging-next", "staging-[0-9]*", "staging-next-[0-9]*", "release-[0-9]*"])]
    pub(crate) branches: Vec<String>,
}

/// `landing history`.
#[derive(Debug, Args)]
pub(crate) struct LandingHistory {
    /// History files.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The channel that lines are of; of metrics, the only channel to read.
    #[arg(long, value_name = "NAME")]
    pub(crate) channel: Option<String>,
    #[command(flatten)]
    pub(crate) index: IndexFolder,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `landing show`.
#[derive(Debug, Args)]
pub(crate) struct LandingShow {
    /// A commit's name or its beginning, a pull request's number, or the address of either.
    #[arg(value_name = "COMMIT|PR")]
    pub(crate) change: String,
    #[command(flatten)]
    pub(crate) index: IndexFolder,
    /// Also take the channel releases of this database: `sqlite:PATH` or `postgres://USER@HOST/NAME`.
    #[arg(
        long,
        env = "ROOTSTOCK_DATABASE",
        value_name = "URL",
        hide_env_values = true
    )]
    pub(crate) database: Option<String>,
    #[command(flatten)]
    pub(crate) at: At,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// As of when.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct At {
    /// The time to take for now (RFC 3339, or a day).
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) at: Option<Timestamp>,
}

impl At {
    /// The time meant.
    pub(crate) fn time(self) -> Timestamp {
        self.at.unwrap_or_else(Timestamp::now)
    }
}

/// `landing pulls`.
#[derive(Debug, Args)]
pub(crate) struct LandingPulls {
    /// Files of pull requests.
    #[arg(value_name = "FILE", required_unless_present = "url")]
    pub(crate) files: Vec<PathBuf>,
    /// Ask this address for what was updated.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) polling: Polling,
    #[command(flatten)]
    pub(crate) spool: Spool,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// How servers are asked.
#[derive(Debug, Args)]
pub(crate) struct Polling {
    /// Key for GitHub's API, which allows more requests.
    #[arg(
        long,
        env = "ROOTSTOCK_GITHUB_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    pub(crate) github_key: Option<String>,
    /// The most pages of a hundred pull requests that one poll reads.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) pages: u32,
}

/// `landing follow`.
#[derive(Debug, Args)]
pub(crate) struct LandingFollow {
    /// Channels to follow.
    #[arg(long = "channel", value_name = "NAME", required = true)]
    pub(crate) channels: Vec<String>,
    #[command(flatten)]
    pub(crate) places: Places,
    /// Make one pass, due or not, and end; exit code 3 if anything failed.
    #[arg(long)]
    pub(crate) once: bool,
    #[command(flatten)]
    pub(crate) polling: Polling,
    #[command(flatten)]
    pub(crate) spool: Spool,
    #[command(flatten)]
    pub(crate) index: IndexFolder,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// Where channels and pull requests are asked about.
#[derive(Debug, Args)]
pub(crate) struct Places {
    /// Where a channel's history is: lines of `REVISION TIME`, or what a Prometheus server answers for `channel_revision`;
    /// `{channel}` stands for its name.
    #[arg(long, value_name = "URL", default_value = "")]
    pub(crate) history_url: String,
    /// Where the commit that a channel is at now is; empty for nowhere.
    #[arg(
        long,
        value_name = "URL",
        default_value = "https://channels.nixos.org/{channel}/git-revision"
    )]
    pub(crate) head_url: String,
    /// Address of Hydra; empty to follow none.
    #[arg(long, value_name = "URL", default_value = "https://hydra.nixos.org")]
    pub(crate) hydra_url: String,
    /// Where pull requests are; empty to follow none.
    #[arg(long, value_name = "URL", default_value = "")]
    pub(crate) pulls_url: String,
}

/// `landing join`.
#[derive(Debug, Args)]
pub(crate) struct LandingJoin {
    #[command(flatten)]
    pub(crate) index: IndexFolder,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `landing support`.
#[derive(Debug, Args)]
pub(crate) struct LandingSupport {
    /// The channel; all if none is named.
    #[arg(value_name = "CHANNEL")]
    pub(crate) channel: Option<String>,
    /// The last day (RFC 3339, or a day).
    #[arg(value_name = "DAY", value_parser = instant, requires = "channel")]
    pub(crate) ends: Option<Timestamp>,
    /// Forget the day.
    #[arg(long, requires = "channel", conflicts_with = "ends")]
    pub(crate) unknown: bool,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}
