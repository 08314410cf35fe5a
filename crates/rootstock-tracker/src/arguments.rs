//! The command line. Its help is the reference: `docs/reference/rootstock-tracker.md` is made from it.
//!
//! Invariant: every command that reads or writes a database takes `--database`, one that reads or writes a landing index `--index`, every one with a result `--json`.

pub(crate) mod admin;
mod config;
mod database;
pub(crate) mod embargo;
pub(crate) mod family;
mod landing;
mod oidc;
mod people;
pub(crate) mod triage;
mod worker;

pub(crate) use config::{Config, ConfigCheck};
pub(crate) use database::{Backup, Check, Copy, Restore};
pub(crate) use landing::{
    CHANNELS, Landing, LandingFollow, LandingHistory, LandingIndex, LandingJoin, LandingPulls,
    LandingShow, LandingSupport, Polling,
};
pub(crate) use oidc::Oidc;
#[cfg(feature = "oidc")]
pub(crate) use oidc::Others;
pub(crate) use people::{Admin, AdminBootstrap, People};
pub(crate) use worker::{
    Jobs, JobsList, JobsNamed, JobsRetry, JobsShow, Pace, WorkerLanding, WorkerRun,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use std::net::SocketAddr;
use std::path::PathBuf;
use tracker_evaluate::{EvaluateArgs, InferArgs, LearnArgs};

/// Exit codes, shown under every help.
const EXIT_CODES: &str = "\
Exit codes:
  0  all of it was done
  1  it failed; the reason is on standard error
  2  the command line or the configuration file is wrong
  3  a part of the input was refused, the rest was done
  4  what was asked for is not there";

/// A vulnerability tracker for distributions of software: feeds in, channels in, what is affected where out.
#[derive(Debug, Parser)]
#[command(name = "rootstock-tracker", version, after_help = EXIT_CODES, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) logs: Logs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What is logged, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Logging")]
pub(crate) struct Logs {
    /// What to log on standard error: `error`, `warn`, `info`, `debug`, `trace`, or `CRATE=LEVEL,…`.
    #[arg(
        long,
        global = true,
        env = "ROOTSTOCK_LOG",
        default_value = "warn",
        value_name = "FILTER"
    )]
    pub(crate) log: String,
    /// Form of the log.
    #[arg(
        long,
        global = true,
        env = "ROOTSTOCK_LOG_FORMAT",
        default_value = "text"
    )]
    pub(crate) log_format: LogFormat,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve a small snapshot on an embedded database: a first look, offline.
    #[command(after_help = examples("demo\n  rootstock-tracker demo --listen 127.0.0.1:9000"))]
    Demo(Demo),
    /// Serve the pages of a database.
    ///
    /// Beside them: `/healthz` (the process lives), `/readyz` (the database answers, and no stop is under way) and
    /// `/metrics` (OpenMetrics). SIGTERM or SIGINT ends it once the answers under way are sent, after 10 s at the latest.
    #[command(after_help = examples("serve --database sqlite:tracker.db\n  rootstock-tracker serve --database postgres://tracker@db/tracker --listen 0.0.0.0:8080"))]
    Serve(Box<Serve>),
    /// People and their roles.
    #[command(subcommand)]
    Admin(Admin),
    /// Items under embargo, as somebody whom they name.
    #[command(subcommand)]
    Embargo(embargo::Embargo),
    /// Vulnerability feeds.
    #[command(subcommand)]
    Feed(Feed),
    /// Channels and their releases.
    #[command(subcommand)]
    Channel(Channel),
    /// Match vulnerabilities with packages, and derive what is affected.
    ///
    /// Only what changed since the last run is derived again; a run that was killed is taken up where it stopped.
    #[command(after_help = examples("match --database sqlite:tracker.db"))]
    Match(Match),
    /// Show one vulnerability: where it stands on each channel, what decided, and why it was matched.
    #[command(after_help = examples("show CVE-2019-14697 --database sqlite:tracker.db\n  rootstock-tracker show CVE-2019-14697 --json --database sqlite:tracker.db"))]
    Show(Show),
    /// Tell what of a closure is affected, from a list that a tracker gives to everybody.
    ///
    /// The list is that of one channel's current release (`/api/v1/channels/NAME/affected`), and the closure stays where
    /// it is. A path is affected if its name and version are those of a package that is; a path of another version than
    /// the release's is not told of. Exit code 3 if anything is affected, a
    /// line is no store path, or the list says of itself that it is not complete.
    #[command(after_help = examples("closure affected.json system.txt\n  curl -s https://tracker.example.org/api/v1/channels/nixos-26.05/affected > affected.json\n  nix-store -qR /run/current-system | rootstock-tracker closure affected.json --revision \"$(nixos-version --revision)\""))]
    Closure(Closure),
    /// Decide about matches: the queue, verdicts, rules, views, and the log of it all.
    #[command(subcommand)]
    Triage(Box<triage::Triage>),
    /// Where a commit or pull request is, since when, and when it will be in a channel.
    #[command(subcommand)]
    Landing(Landing),
    /// Run what goes on in the background: follow feeds and channels, match what changed, keep the landing index up.
    ///
    /// What is due stands in the database. A job is taken under a lease that ends unless it is renewed, so any number of
    /// workers may run over one PostgreSQL: no two run one job at a time, and the jobs of one that died are taken over.
    /// SIGTERM or SIGINT ends it: running jobs may end within `--grace`, or are given back and go on where they were.
    #[command(after_help = examples("worker --database sqlite:tracker.db --channel nixos-unstable\n  rootstock-tracker worker --once --feed kev --feed epss --database sqlite:tracker.db\n  rootstock-tracker worker --config /etc/rootstock/tracker.toml"))]
    Worker(Box<WorkerRun>),
    /// What workers run: when, since when, and what went wrong.
    #[command(subcommand)]
    Jobs(Jobs),
    /// Write a backup: a SQLite database with everything in it, whatever kind the database is.
    ///
    /// The database may be in use meanwhile; the backup is of one moment. Every row is compared before the file gets
    /// its name. A backup that was killed is taken up again where the database has not changed since.
    #[command(after_help = examples("backup tracker-2026-01-03.db --database postgres://tracker@db/tracker"))]
    Backup(Backup),
    /// Fill an empty database from a backup, of this or an earlier version of the program.
    ///
    /// Stopped or killed at any moment, the same command goes on where it was; until it is done the database refuses
    /// to be used.
    #[command(after_help = examples("restore tracker-2026-01-03.db --database sqlite:tracker.db\n  rootstock-tracker restore tracker-2026-01-03.db --dry-run --database postgres://tracker@db/tracker"))]
    Restore(Restore),
    /// Copy a database into another, of the same kind or the other: the way from SQLite to PostgreSQL.
    ///
    /// Stop what writes to the source first. Every row is compared at the end. Killed at any moment, the same command
    /// goes on where it was; until it is done the target refuses to be used.
    #[command(after_help = examples("copy --from sqlite:tracker.db --to postgres://tracker@db/tracker"))]
    Copy(Copy),
    /// Look whether everything in a database holds together; exit code 3 if something does not.
    #[command(after_help = examples("check --database sqlite:tracker.db\n  rootstock-tracker check --documents --json --database sqlite:tracker.db"))]
    Check(Check),
    /// Measure matching against labels: precision, recall, calibration, version verdicts, beside two plain rules.
    ///
    /// A labelled pair counts for recall only if its record was given, was published by `--until`, and its name is
    /// in the package list; what does not count is counted by reason. Precision is that of proposals judged by
    /// reading. Neither patches' names nor knownVulnerabilities are looked at.
    #[command(after_help = examples("evaluate --packages packages.json.br --records nvd/ --truth pairs.tsv\n  rootstock-tracker evaluate --packages packages.json.br --records nvd/ --truth pairs.tsv \\\n      --until 2019-11-17 --held-out --json --proposals proposals.jsonl"))]
    Evaluate(Box<EvaluateArgs>),
    /// Fit the weights of matching to labels.
    ///
    /// Only half of the vulnerabilities, by a hash of the id, is looked at; `evaluate --held-out` measures on the
    /// other half. The result is a readable file that names the digests of what it was fitted to.
    #[command(after_help = examples("learn --packages packages.json.br --records nvd/ --truth pairs.tsv --output weights.tsv"))]
    Learn(Box<LearnArgs>),
    /// Infer vendor and product of records whose CPEs are hidden, and compare with a curated overlay.
    #[command(after_help = examples("infer-cpe --records cves/ overrides.jsonl.zst --dictionary vendor-product.csv"))]
    InferCpe(InferArgs),
    /// Measurements of this program on your data.
    #[command(subcommand)]
    Bench(Bench),
    /// Print a shell's completions.
    #[command(after_help = examples("completions bash > /etc/bash_completion.d/rootstock-tracker"))]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one page a command into a folder.
    #[command(after_help = examples("man | man -l -\n  rootstock-tracker man --out /usr/local/share/man/man1"))]
    Man {
        /// Folder to write `rootstock-tracker*.1` into.
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
    /// The configuration file.
    #[command(subcommand)]
    Config(Config),
    /// Print a page of the reference as Markdown.
    #[command(hide = true)]
    Reference {
        /// The page.
        #[arg(default_value = "commands")]
        page: ReferencePage,
    },
}

/// A page of the reference.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ReferencePage {
    /// The commands.
    Commands,
    /// The configuration file.
    Config,
}

/// Where the data is.
#[derive(Debug, Args)]
pub(crate) struct Database {
    /// The database: `sqlite:PATH`, which commands that import create, or `postgres://USER@HOST/NAME`.
    #[arg(
        long,
        env = "ROOTSTOCK_DATABASE",
        value_name = "URL",
        hide_env_values = true
    )]
    pub(crate) database: String,
}

/// How the result is printed.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Json {
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where to listen.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Listen {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(
        long,
        env = "ROOTSTOCK_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDR"
    )]
    pub(crate) listen: SocketAddr,
}

/// `demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    #[command(flatten)]
    pub(crate) listen: Listen,
    /// Keep the data in this database instead of one that vanishes at the end. The environment is not asked:
    /// a snapshot has no business in a database that is in use.
    #[arg(long, value_name = "URL", hide_env_values = true)]
    pub(crate) database: Option<String>,
}

/// `serve`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) listen: Listen,
    /// Also answer where changes are, from this folder of a landing index; it is looked at again every half minute.
    #[arg(long, env = "ROOTSTOCK_LANDING", value_name = "FOLDER")]
    pub(crate) landing: Option<PathBuf>,
    /// Answer `/metrics`, and the probes once more, at this address instead of beside the pages.
    #[arg(long, env = "ROOTSTOCK_METRICS_LISTEN", value_name = "ADDR")]
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// Seconds to go on answering after SIGTERM while `/readyz` says 503, for a load balancer to notice.
    #[arg(long, env = "ROOTSTOCK_DRAIN", value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=600))]
    pub(crate) drain: u64,
    #[command(flatten)]
    pub(crate) people: People,
}

/// `feed`.
#[derive(Debug, Subcommand)]
pub(crate) enum Feed {
    /// Read feed files into the database.
    ///
    /// The format (CVE JSON 5, NVD 2.0 and 1.1, OSV, KEV, EPSS, CPE overlay) and the packing (gzip, zstd, brotli,
    /// zip) of each file are detected; a folder is read with everything in it. What cannot be read is reported with
    /// its place and reason, and the rest is read. A second run over the same files changes nothing.
    #[command(after_help = examples("feed import cves/ nvdcve-2.0-2024.json.gz --database sqlite:tracker.db"))]
    Import(FeedImport),
    /// Follow feeds over the network: fetch what is new, and read it into the database.
    ///
    /// The first pass over a feed fetches all of it, later ones what changed; with nothing new a pass is one
    /// request. A feed that fails, is cut off, or is older than before is told, and what was held of it stays.
    /// Stopped or killed at any moment, it goes on where it was.
    #[command(after_help = examples("feed follow --once kev epss --database sqlite:tracker.db\n  rootstock-tracker feed follow --match --database sqlite:tracker.db\n  rootstock-tracker feed follow --once nvd --url nvd=http://mirror.example.org/nvd --database sqlite:tracker.db"))]
    Follow(FeedFollow),
}

/// `feed follow`.
#[derive(Debug, Args)]
pub(crate) struct FeedFollow {
    /// Names of feeds; all if none is named. A name that is none lists them.
    #[arg(value_name = "FEED")]
    pub(crate) feeds: Vec<String>,
    /// Make one pass over every feed named, due or not, and end; exit code 3 if one failed.
    #[arg(long)]
    pub(crate) once: bool,
    /// Match what changed after each pass, as `match` does.
    #[arg(long = "match")]
    pub(crate) matching: bool,
    /// Take a feed from another address.
    #[arg(long, value_name = "FEED=URL", value_parser = assignment)]
    pub(crate) url: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) nvd_key: NvdKey,
    #[command(flatten)]
    pub(crate) fetching: Fetching,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// Who asks NVD.
#[derive(Debug, Args)]
pub(crate) struct NvdKey {
    /// Key for NVD's API, which allows more requests.
    #[arg(
        long,
        env = "ROOTSTOCK_NVD_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    pub(crate) nvd_key: Option<String>,
}

/// How servers are reached.
#[derive(Debug, Args)]
pub(crate) struct Fetching {
    #[command(flatten)]
    pub(crate) spool: Spool,
    /// Certificates of authorities to trust beside the system's (PEM), for mirrors of your own.
    #[arg(long, env = "ROOTSTOCK_AUTHORITY", value_name = "FILE")]
    pub(crate) authority: Option<PathBuf>,
}

/// Where bodies are while they come in.
#[derive(Debug, Args)]
pub(crate) struct Spool {
    /// Folder for what is being fetched; a body that broke off is continued from there.
    #[arg(
        long,
        env = "ROOTSTOCK_SPOOL",
        value_name = "FOLDER",
        default_value = "tracker-spool"
    )]
    pub(crate) spool: PathBuf,
}

/// `feed import`.
#[derive(Debug, Args)]
pub(crate) struct FeedImport {
    /// Files and folders.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `channel`.
#[derive(Debug, Subcommand)]
pub(crate) enum Channel {
    /// Read a release of a channel into the database.
    #[command(after_help = examples("channel import nixos-25.11 --packages packages.json.br \\\n      --revision 5f506b95f9f6 --released 2026-01-03T12:00:00Z --database sqlite:tracker.db"))]
    Import(ChannelImport),
    /// Fetch the newest releases of channels from the network, and those before them.
    ///
    /// Stopped or killed at any moment, it goes on where it was.
    #[command(after_help = examples("channel follow nixos-unstable nixos-26.05 --match --database sqlite:tracker.db\n  rootstock-tracker channel follow nixos-26.05 --once --history 50 --database sqlite:tracker.db\n  rootstock-tracker channel follow mine --url mine=https://channels.example.org/mine/ --distribution mine --database sqlite:tracker.db"))]
    Follow(ChannelFollow),
    /// List the channels.
    #[command(after_help = examples("channel list --database sqlite:tracker.db"))]
    List(ChannelList),
    /// Tell what changed between two releases of a channel.
    #[command(after_help = examples("channel diff nixos-25.11 --database sqlite:tracker.db"))]
    Diff(ChannelDiff),
}

/// `channel import`.
#[derive(Debug, Args)]
pub(crate) struct ChannelImport {
    /// Name of the channel.
    pub(crate) name: String,
    /// Its package list: `packages.json` of a channel or an overlay, what `nix-env --json` or `nix-eval-jobs` print,
    /// an index of Debian (`Packages`, `Sources`), Guix's `packages.json`, or a plain JSON list; plain, or packed with
    /// brotli, gzip, xz or zstd.
    #[arg(long, value_name = "FILE")]
    pub(crate) packages: PathBuf,
    /// Its derivation graph, for patches and dependents.
    #[arg(long, value_name = "FILE")]
    pub(crate) derivations: Option<PathBuf>,
    /// Revision that it was made from.
    #[arg(long, value_name = "REV")]
    pub(crate) revision: String,
    /// When the channel moved to it (RFC 3339, or a day).
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) released: Timestamp,
    /// Distribution that the channel belongs to.
    #[arg(long, default_value = "nixpkgs", value_name = "NAME")]
    pub(crate) distribution: String,
    /// Its last day of support, where the table of facts says none or another.
    #[arg(long, value_name = "DAY", value_parser = end_of_day)]
    pub(crate) supported_until: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `channel follow`.
#[derive(Debug, Args)]
pub(crate) struct ChannelFollow {
    /// Names of channels.
    #[arg(required = true, value_name = "CHANNEL")]
    pub(crate) names: Vec<String>,
    /// Make one pass over every channel, due or not, and end; exit code 3 if one failed.
    #[arg(long)]
    pub(crate) once: bool,
    /// Match what changed after each pass, as `match` does.
    #[arg(long = "match")]
    pub(crate) matching: bool,
    /// Take a channel from another address: the folder of its newest release, or what leads there.
    #[arg(long, value_name = "CHANNEL=URL", value_parser = assignment)]
    pub(crate) url: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) releases: Releases,
    #[command(flatten)]
    pub(crate) fetching: Fetching,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// Which releases of channels, and where they are listed.
#[derive(Debug, Args)]
pub(crate) struct Releases {
    /// Take this many releases before the newest as well.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub(crate) history: usize,
    /// Where releases are listed, in S3's form; the folders themselves are below `--releases`.
    #[arg(long, value_name = "URL", requires = "releases")]
    pub(crate) listing: Option<String>,
    /// Where the folders of a listing are.
    #[arg(long, value_name = "URL", requires = "listing")]
    pub(crate) releases: Option<String>,
    /// A channel's last day of support, where the table of facts says none or another.
    #[arg(long, value_name = "CHANNEL=DAY", value_parser = last_day)]
    pub(crate) supported_until: Vec<(String, Timestamp)>,
    /// Distribution that the channels belong to.
    #[arg(long, default_value = "nixpkgs", value_name = "NAME")]
    pub(crate) distribution: String,
}

/// `channel list`.
#[derive(Debug, Args)]
pub(crate) struct ChannelList {
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `channel diff`.
#[derive(Debug, Args)]
pub(crate) struct ChannelDiff {
    /// Name of the channel.
    pub(crate) name: String,
    /// Revision to compare from; the one before `--to` if left out.
    #[arg(long, value_name = "REV")]
    pub(crate) from: Option<String>,
    /// Revision to compare to; the newest if left out.
    #[arg(long, value_name = "REV")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `match`.
#[derive(Debug, Args)]
pub(crate) struct Match {
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `show`.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Id of the vulnerability, or another one it is known by.
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `closure`.
#[derive(Debug, Args)]
pub(crate) struct Closure {
    /// The list of what is affected.
    #[arg(value_name = "LIST")]
    pub(crate) list: PathBuf,
    /// Store paths, one a line; standard input if left out.
    #[arg(value_name = "FILE")]
    pub(crate) paths: Option<PathBuf>,
    /// The revision that the closure was built from; told if the list is of another one.
    #[arg(long, value_name = "REV")]
    pub(crate) revision: Option<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `bench`.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Time the pages as the server makes them: median and 95th percentile for each kind.
    #[command(after_help = examples("bench pages --database sqlite:tracker.db"))]
    Pages(BenchPages),
}

/// `bench pages`.
#[derive(Debug, Args)]
pub(crate) struct BenchPages {
    /// Requests of each kind.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rounds: u32,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

fn examples(lines: &str) -> String {
    format!("Examples:\n  rootstock-tracker {lines}\n\n{EXIT_CODES}")
}

/// `NAME=VALUE`.
fn assignment(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "expected NAME=VALUE".to_owned())
}

/// `NAME=DAY`, as the end of the day.
fn last_day(text: &str) -> Result<(String, Timestamp), String> {
    let (name, day) = assignment(text)?;
    Ok((name, end_of_day(&day)?))
}

/// The end of a day in UTC.
fn end_of_day(text: &str) -> Result<Timestamp, String> {
    let next = text.parse().and_then(jiff::civil::Date::tomorrow);
    next.and_then(|next| jiff::tz::Offset::UTC.to_timestamp(next.at(0, 0, 0, 0)))
        .map_err(|_| "expected a day such as 2026-01-03".to_owned())
}

/// An RFC 3339 instant, or a day as its beginning in UTC.
fn instant(text: &str) -> Result<Timestamp, String> {
    let day = || format!("{text}T00:00:00Z").parse();
    text.parse()
        .or_else(|error: jiff::Error| day().map_err(|_: jiff::Error| error))
        .map_err(|_| {
            "expected an instant such as 2026-01-03T12:00:00Z, or a day such as 2026-01-03"
                .to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::{Arguments, instant};
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn instants_are_read() {
        assert_eq!(
            instant("2026-01-03").unwrap(),
            instant("2026-01-03T00:00:00Z").unwrap()
        );
        assert_eq!(
            instant("2019-10-03T12:09:39-04:00").unwrap().to_string(),
            "2019-10-03T16:09:39Z"
        );
        assert!(instant("yesterday").unwrap_err().contains("2026-01-03"));
    }
}
