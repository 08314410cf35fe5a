//! A channel's dated releases: the newest, and those before it.
//!
//! A channel's address leads, by redirections, to the folder of its newest release, in which lie `git-revision`,
//! `packages.json.br` and `store-paths.xz`. Its history is a listing of such folders in the form of S3
//! (`ListBucketResult`). A release is as old as its `git-revision`, by the server's date of modification.
//! Invariant: all files of a release come from one folder, so a channel that moves meanwhile mixes nothing.

mod listing;

use super::file::{read, shape};
use super::run::{Run, Server};
use super::{FollowError, FollowReport, describe};
use crate::channel::{ChannelSummary, ReleaseFiles, import_release};
use crate::error::JobError;
use crate::fetch::{Download, Fetched, Fetcher, Validators};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;
use tracker_inventory::Release;
use tracker_store::Store;

/// Releases that are remembered as held; older ones are found held when they are imported again.
const MAX_HELD: usize = 2000;

/// A channel to follow.
#[derive(Debug, Clone)]
pub struct ReleaseSource {
    /// Its name.
    pub name: String,
    /// Its distribution.
    pub distribution: String,
    /// Where its newest release is, with a slash at the end.
    pub url: String,
    /// Where its releases are listed: the address of the listing, to which the folder is added as `prefix`.
    pub listing: Option<String>,
    /// Where the listed folders are.
    pub releases: String,
    /// The folder of its releases in the listing (`nixos/unstable/`).
    pub folder: String,
    /// How many releases before the newest are wanted too.
    pub history: usize,
    /// Until when it gets fixes, if the table of facts is to be overridden.
    pub supported_until: Option<Timestamp>,
    /// Minutes between two passes.
    pub minutes: u32,
}

impl ReleaseSource {
    /// A channel of Nixpkgs at its usual place: `nixos-unstable`, `nixos-26.05-small`, `nixpkgs-unstable`.
    pub fn of_nixpkgs(name: &str) -> ReleaseSource {
        let (kind, rest) = name.split_once('-').unwrap_or((name, ""));
        let folder = match kind {
            "nixpkgs" => "nixpkgs/".to_owned(),
            _ => format!("{kind}/{rest}/"),
        };
        ReleaseSource {
            name: name.to_owned(),
            distribution: "nixpkgs".to_owned(),
            url: format!("https://channels.nixos.org/{name}/"),
            listing: Some("https://nix-releases.s3.amazonaws.com/".to_owned()),
            releases: "https://releases.nixos.org/".to_owned(),
            folder,
            history: 0,
            supported_until: None,
            minutes: 30,
        }
    }
}

/// What a pass over a channel came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ReleaseReport {
    /// As of a feed; its records are those of no feed and stay 0.
    #[serde(flatten)]
    pub pass: FollowReport,
    /// The releases that were imported, in order.
    pub releases: Vec<ChannelSummary>,
}

/// How far the channel was followed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    validators: Validators,
    /// When the newest release held was made.
    newest: Option<Timestamp>,
    /// Folders of the history that are held.
    held: BTreeSet<String>,
    /// How many releases before the newest were wanted, and are there.
    history: usize,
}

/// Follows a channel to its newest release, and keeps how it went under `releases-NAME`.
///
/// # Errors
/// Only when the program's own side fails: what is wrong with the channel is in the report and in its state.
pub async fn follow_releases(
    store: &Store,
    fetcher: &Fetcher,
    channel: &ReleaseSource,
) -> Result<ReleaseReport, JobError> {
    let server = Server {
        name: format!("releases-{}", channel.name),
        url: channel.url.clone(),
        key: None,
        minutes: channel.minutes,
    };
    let state = store.follow_state(&server.name).await?;
    let mut run = Run::new(store, fetcher, server, state);
    let mut releases = Vec::new();
    let problem = match pass(&mut run, store, channel, &mut releases).await {
        Ok(()) => None,
        Err(FollowError::Job(error)) => return Err(error),
        Err(error) => Some(describe(&error)),
    };
    if let Some(until) = channel.supported_until {
        store.put_support(&channel.name, Some(until)).await?;
    }
    let pass = run.finish_with(problem, releases.iter().any(|one: &ChannelSummary| one.new));
    Ok(ReleaseReport {
        pass: pass.await?,
        releases,
    })
}

async fn pass(
    run: &mut Run<'_>,
    store: &Store,
    channel: &ReleaseSource,
    releases: &mut Vec<ChannelSummary>,
) -> Result<(), FollowError> {
    let mut state: State = run.cursor();
    if channel.history > state.history {
        history(run, store, channel, &mut state, releases).await?;
    }
    let url = format!("{}git-revision", channel.url);
    let asked = run.get(url, state.validators.clone(), Duration::ZERO);
    let found = match asked.await? {
        Fetched::Unchanged => return Ok(()),
        Fetched::Absent => return Err(shape("there is no git-revision at its address")),
        found @ Fetched::New { .. } => Found::read(found)?,
    };
    if let Some(newest) = state.newest
        && found.released < newest
    {
        return Err(FollowError::Older {
            held: newest.to_string(),
            given: found.released.to_string(),
        });
    }
    state.validators = found.validators.clone();
    state.newest = Some(found.released);
    releases.push(import(run, store, channel, &found).await?);
    run.save(&state).await
}

/// The beginning of a release.
struct Found {
    /// Its folder, with a slash at the end.
    folder: String,
    revision: String,
    released: Timestamp,
    validators: Validators,
}

impl Found {
    fn read(fetched: Fetched) -> Result<Found, FollowError> {
        let Fetched::New {
            download,
            validators,
            url,
        } = fetched
        else {
            return Err(shape("there is no git-revision in its folder"));
        };
        let text = String::from_utf8(read(&download)?).map_err(shape)?;
        let revision = text.trim();
        let fine = matches!(revision.len(), 40 | 64)
            && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !fine {
            let shown: String = revision.chars().take(60).collect();
            return Err(shape(format!("its git-revision is {shown:?}")));
        }
        let date = validators.last_modified.as_deref().unwrap_or_default();
        let released = jiff::fmt::rfc2822::parse(date)
            .map_err(|_| shape("its server does not say how old its git-revision is"))?;
        let folder = url.strip_suffix("git-revision");
        Ok(Found {
            folder: folder
                .ok_or_else(|| shape("its address has a query"))?
                .to_owned(),
            revision: revision.to_owned(),
            released: released.timestamp(),
            validators,
        })
    }
}

/// Fetches and imports a release.
async fn import(
    run: &mut Run<'_>,
    store: &Store,
    channel: &ReleaseSource,
    found: &Found,
) -> Result<ChannelSummary, FollowError> {
    let packages = file(run, &found.folder, "packages.json.br").await?;
    let packages = packages.ok_or_else(|| shape("there is no packages.json.br in its folder"))?;
    // Old releases have none.
    let paths = file(run, &found.folder, "store-paths.xz").await?;
    let release = Release {
        distribution: channel.distribution.clone(),
        channel: channel.name.clone(),
        revision: found.revision.clone(),
        released: found.released,
    };
    let files = ReleaseFiles {
        packages: packages.input(),
        derivations: None,
        store_paths: paths.as_ref().map(Download::input),
    };
    match import_release(store, release, files, &()).await {
        // A list that is none is the channel's fault, not the program's.
        Err(JobError::Inventory { source, .. }) => Err(shape(describe(&source))),
        outcome => Ok(outcome?),
    }
}

async fn file(
    run: &mut Run<'_>,
    folder: &str,
    name: &str,
) -> Result<Option<Download>, FollowError> {
    let url = format!("{folder}{name}");
    match run.get(url, Validators::default(), Duration::ZERO).await? {
        Fetched::New { download, .. } => Ok(Some(download)),
        Fetched::Absent | Fetched::Unchanged => Ok(None),
    }
}

/// The releases before the newest, oldest first; each is noted when it is held.
async fn history(
    run: &mut Run<'_>,
    store: &Store,
    channel: &ReleaseSource,
    state: &mut State,
    releases: &mut Vec<ChannelSummary>,
) -> Result<(), FollowError> {
    let Some(listing) = &channel.listing else {
        return Err(shape("no listing of its releases is known"));
    };
    let mut folders = listing::folders(run, listing, &channel.folder).await?;
    folders.sort_by(|a, b| nix_version::nix::compare(a, b));
    // The last one is the newest, which its own address leads to.
    folders.pop();
    let wanted = folders.len().saturating_sub(channel.history);
    for folder in folders.split_off(wanted) {
        if state.held.contains(&folder) {
            continue;
        }
        let root = format!("{}{folder}", channel.releases);
        let url = format!("{root}git-revision");
        let asked = run.get(url, Validators::default(), Duration::ZERO).await?;
        // Releases of the first years have none: they tell no revision.
        if !matches!(asked, Fetched::Absent) {
            let found = Found::read(asked)?;
            releases.push(import(run, store, channel, &found).await?);
        }
        state.held.insert(folder);
        if state.held.len() > MAX_HELD {
            state.held.pop_first();
        }
        run.save(state).await?;
    }
    state.history = channel.history;
    Ok(())
}
