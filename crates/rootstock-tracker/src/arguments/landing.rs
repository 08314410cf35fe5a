//! `landing`: what can be asked of the landing index.
//!
//! Invariant: every command takes the index's folder by `--index`, and a forecast is made for `--at`, so that it can be repeated.

use super::{Json, examples, instant};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use std::path::PathBuf;

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
    /// The branch that all others come back to.
    #[arg(long, default_value = "master", value_name = "BRANCH")]
    pub(crate) trunk: String,
    /// Other branches, as patterns of `git for-each-ref`.
    #[arg(long = "branch", value_name = "PATTERN", default_values = ["staging", "staging-next", "staging-[0-9]*", "staging-next-[0-9]*", "release-[0-9]*"])]
    pub(crate) branches: Vec<String>,
    /// Branches that stand for channels.
    #[arg(long = "channel", value_name = "PATTERN", default_values = ["nixos-*", "nixpkgs-*"])]
    pub(crate) channels: Vec<String>,
    #[command(flatten)]
    pub(crate) at: At,
    #[command(flatten)]
    pub(crate) json: Json,
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
