//! The index in memory: commits, branches and channels, put together from the segments of an archive.
//!
//! Invariant: answers come from what was taken in before the last [`LandingIndex::settle`]; taking the same segments in again,
//! or in another cut, leads to the same answers.

mod alike;
mod feeds;

use crate::ancestry::Ancestry;
use crate::archive::{Checked, HeadSeen, Segment};
use crate::eta::{Move, Past, Phase, PhaseSeen, TrackRecord};
use crate::graph::{CommitNumber, Graph, GraphError, ObjectName};
use crate::history::{ChannelHistory, ChannelRelease};
use crate::pipeline::KnownFix;
use alike::Alike;
pub use alike::{COMPARED_LAST, COMPARED_TRUNK};
use feeds::Feeds;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, OnceLock, PoisonError};

/// What a head belongs to: the first part of [`HeadSeen::line`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineName {
    /// The branch by which ancestry is indexed.
    Trunk(String),
    /// Another branch.
    Branch(String),
    /// A channel.
    Channel(String),
    /// How far the names of added files were looked at, by branch.
    Examined(String),
    /// Up to which commit commits that may change the same were looked for; the head is the trunk's then.
    Compared(String),
    /// How the job that moves a channel stood: the release's name is the word of the [`Phase`].
    Jobset(String),
}

impl LineName {
    /// Reads a line's name; `None` for one of a kind that this version does not know.
    pub fn read(text: &str) -> Option<LineName> {
        let (kind, name) = text.split_once(':')?;
        let name = name.to_owned();
        match kind {
            "trunk" => Some(LineName::Trunk(name)),
            "branch" => Some(LineName::Branch(name)),
            "channel" => Some(LineName::Channel(name)),
            "examined" => Some(LineName::Examined(name)),
            "compared" => Some(LineName::Compared(name)),
            "jobset" => Some(LineName::Jobset(name)),
            _ => None,
        }
    }
}

impl std::fmt::Display for LineName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LineName::Trunk(name) => write!(f, "trunk:{name}"),
            LineName::Branch(name) => write!(f, "branch:{name}"),
            LineName::Channel(name) => write!(f, "channel:{name}"),
            LineName::Examined(name) => write!(f, "examined:{name}"),
            LineName::Compared(name) => write!(f, "compared:{name}"),
            LineName::Jobset(name) => write!(f, "jobset:{name}"),
        }
    }
}

/// A release of a channel that is known from elsewhere: the revision may be the beginning of a commit's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideRelease {
    /// The channel.
    pub channel: String,
    /// A commit's name or the beginning of one.
    pub revision: String,
    /// When the channel moved to it.
    pub time: Timestamp,
}

/// What a pull request's metadata says that its commits may not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestNote {
    /// Its number.
    pub number: u32,
    /// The commit that brought it, where it is merged.
    pub merge_commit: Option<ObjectName>,
    /// Vulnerabilities that its title, its body or the names of its files name.
    pub vulnerabilities: Vec<String>,
    /// Pull requests that it says it is a backport of.
    pub backport_of: Vec<u32>,
}

/// A channel as the index knows it.
#[derive(Debug)]
pub struct Channel {
    history: ChannelHistory,
    head: Option<CommitNumber>,
    moves: Vec<Move>,
    phases: Vec<PhaseSeen>,
    feeding: String,
    strangers: Vec<String>,
    record: OnceLock<TrackRecord>,
    /// What was promised of changes, by the second at which they reached the channel's branch.
    promises: Mutex<HashMap<i64, Option<Timestamp>>>,
}

impl Channel {
    /// Its releases.
    pub fn history(&self) -> &ChannelHistory {
        &self.history
    }

    /// The commit of the newest release.
    pub fn head(&self) -> Option<CommitNumber> {
        self.head
    }

    /// How it moved, for forecasts.
    pub fn moves(&self) -> &[Move] {
        &self.moves
    }

    /// What forecasts are made from.
    pub fn past(&self) -> Past<'_> {
        Past {
            moves: &self.moves,
            phases: &self.phases,
        }
    }

    /// The branch that it is built from.
    pub fn feeding(&self) -> &str {
        &self.feeding
    }

    /// What was promised of a change that reached the channel's branch at `merged`, computed by `promise` at the first question:
    /// it follows from moves that do not change.
    pub(crate) fn promised(
        &self,
        merged: i64,
        promise: impl FnOnce() -> Option<Timestamp>,
    ) -> Option<Timestamp> {
        // A question that panicked has kept nothing.
        let promises = || self.promises.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = promises().get(&merged) {
            return *known;
        }
        let said = promise();
        promises().insert(merged, said);
        said
    }

    /// Releases whose commit the index does not know (or not clearly): gaps in the history until the next fetch.
    pub fn strangers(&self) -> &[String] {
        &self.strangers
    }
}

/// How many merges a track record replays: enough to judge, few enough to answer at once.
const RECORD_MERGES: usize = 300;

/// Bytes of a commit in a file, about.
const COMMIT_BYTES: u64 = 90;

/// Commits for which place is made before they come.
const MAX_RESERVED: usize = 4_000_000;

/// Commits that are walked back on a branch to find how it was fed.
const MAX_FEED_WALK: usize = 100_000;

/// Commits, branches and channels.
#[derive(Debug, Default)]
pub struct LandingIndex {
    graph: Graph,
    ancestry: Option<Ancestry>,
    trunk: Option<String>,
    /// Every head seen, by line; channels in any order of time.
    heads: BTreeMap<LineName, Vec<HeadSeen>>,
    outside: Vec<OutsideRelease>,
    branches: BTreeMap<String, CommitNumber>,
    channels: BTreeMap<String, Channel>,
    vulnerabilities: HashMap<String, Vec<CommitNumber>>,
    alike: Alike,
    /// Vulnerabilities that the names of added files name.
    files: HashMap<CommitNumber, Vec<String>>,
    /// Pull requests' metadata, by number.
    requests: BTreeMap<u32, RequestNote>,
    /// What the board is made from, made when it is first asked for.
    fixes: OnceLock<Vec<KnownFix>>,
    /// Backports by the metadata of pull requests: original to backports.
    request_backports: HashMap<u32, Vec<u32>>,
    feeds: Feeds,
}

impl LandingIndex {
    /// An index of nothing.
    pub fn new() -> LandingIndex {
        LandingIndex::default()
    }

    /// An index that is about to take in a file of so many bytes.
    pub fn for_bytes(length: u64) -> LandingIndex {
        let mut index = LandingIndex::new();
        let commits = usize::try_from(length / COMMIT_BYTES).unwrap_or(usize::MAX);
        index.graph.reserve(commits.min(MAX_RESERVED));
        index
    }

    /// Takes a segment in. Commits that are known already are passed over.
    ///
    /// # Errors
    /// Those of [`Graph::push`], other than a commit that came before.
    pub fn take(&mut self, segment: Segment) -> Result<(), GraphError> {
        match segment {
            Segment::Commits(commits) => {
                for commit in commits {
                    let number = self.graph.push(commit);
                    self.count_in(number)?;
                }
            }
            Segment::Head(head) => {
                if let Some(line) = LineName::read(&head.line) {
                    if let LineName::Trunk(name) = &line {
                        self.trunk = Some(name.clone());
                    }
                    self.heads.entry(line).or_default().push(head);
                }
            }
            Segment::Patches(patches) => self.alike.take(patches),
            Segment::Files(files) => {
                for (commit, ids) in files {
                    let Some(commit) = self.graph.find(&commit) else {
                        continue;
                    };
                    for id in &ids {
                        let named = self.vulnerabilities.entry(id.clone()).or_default();
                        if !named.contains(&commit) {
                            named.push(commit);
                        }
                    }
                    self.files.insert(commit, ids);
                }
            }
        }
        Ok(())
    }

    /// Takes a segment in as [`LandingIndex::take`] does, from its bytes; `false` where they cannot be read.
    ///
    /// # Errors
    /// As [`LandingIndex::take`].
    pub fn take_checked(&mut self, checked: &Checked) -> Result<bool, GraphError> {
        let commits = checked.commits(|raw| {
            let parents = raw.parents();
            let number = self
                .graph
                .add(raw.name, parents, raw.time, raw.likeness, raw.mentions);
            self.count_in(number)
        });
        if let Some(taken) = commits {
            return taken.map(|()| true);
        }
        let segment = checked.segment();
        segment.map_or(Ok(false), |segment| self.take(segment).map(|()| true))
    }

    /// Notes which vulnerabilities a commit that was added names; one that was there before is passed over.
    fn count_in(&mut self, number: Result<CommitNumber, GraphError>) -> Result<(), GraphError> {
        match number {
            Ok(number) => {
                let claims = self.graph.mentions(number);
                for id in claims.map_or(&[][..], |claims| &claims.vulnerabilities) {
                    self.vulnerabilities
                        .entry(id.clone())
                        .or_default()
                        .push(number);
                }
                Ok(())
            }
            Err(GraphError::Duplicate(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Replaces the releases that are known from elsewhere.
    pub fn set_outside(&mut self, releases: Vec<OutsideRelease>) {
        self.outside = releases;
    }

    /// Whether these are the releases known from elsewhere already.
    pub fn has_outside(&self, releases: &[OutsideRelease]) -> bool {
        self.outside == releases
    }

    /// Replaces what is known of pull requests from their metadata.
    pub fn set_requests(&mut self, notes: Vec<RequestNote>) {
        self.request_backports.clear();
        self.fixes = OnceLock::new();
        for note in &notes {
            for original in &note.backport_of {
                let backports = self.request_backports.entry(*original).or_default();
                backports.push(note.number);
            }
        }
        self.requests = notes.into_iter().map(|note| (note.number, note)).collect();
    }

    /// What is known of a pull request from its metadata.
    pub fn request(&self, number: u32) -> Option<&RequestNote> {
        self.requests.get(&number)
    }

    /// Pull requests whose metadata names this vulnerability, and the commits that brought them.
    pub fn requests_naming<'a>(
        &'a self,
        vulnerability: &'a str,
    ) -> impl Iterator<Item = (u32, Option<CommitNumber>)> + 'a {
        let names =
            move |note: &&RequestNote| note.vulnerabilities.iter().any(|id| id == vulnerability);
        self.requests.values().filter(names).map(|note| {
            let found = self.find(&crate::answer::Asked::PullRequest(note.number));
            (note.number, found.ok().map(|(commit, _)| commit))
        })
    }

    /// The merges that bring a pull request to other branches, by their messages or their metadata.
    pub(crate) fn backports_of_request(&self, request: u32) -> Vec<CommitNumber> {
        let mut found: Vec<CommitNumber> = self.graph.backports_of(request).to_vec();
        for backport in self.request_backports.get(&request).into_iter().flatten() {
            let commit = self.find(&crate::answer::Asked::PullRequest(*backport));
            found.extend(commit.ok().map(|(commit, _)| commit));
        }
        found
    }

    pub(crate) fn fixes(&self) -> &OnceLock<Vec<KnownFix>> {
        &self.fixes
    }

    /// Every commit that names a vulnerability, by itself or by its pull request's metadata.
    pub(crate) fn all_naming(&self) -> impl Iterator<Item = CommitNumber> + '_ {
        let noted = self
            .requests
            .values()
            .filter(|note| !note.vulnerabilities.is_empty());
        let noted = noted.filter_map(|note| {
            let found = self.find(&crate::answer::Asked::PullRequest(note.number));
            found.ok().map(|(commit, _)| commit)
        });
        self.vulnerabilities
            .values()
            .flatten()
            .copied()
            .chain(noted)
    }

    /// Vulnerabilities that commits name.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        self.vulnerabilities.keys().map(String::as_str)
    }

    /// Commits beside the trunk that change the same as this one of the trunk.
    pub(crate) fn alike(&self, commit: CommitNumber) -> &[CommitNumber] {
        self.alike.of(commit)
    }

    /// Vulnerabilities that the names of the files which a commit adds name.
    pub(crate) fn named_by_files(&self, commit: CommitNumber) -> &[String] {
        self.files.get(&commit).map_or(&[], Vec::as_slice)
    }

    /// Brings the answers up to date with everything that was taken in.
    pub fn settle(&mut self) {
        self.settle_branches();
        self.settle_channels();
        self.settle_alike();
        self.graph.gather_claims();
        self.fixes = OnceLock::new();
    }

    /// Brings branches and ancestry up to date, all that a writer asks.
    pub fn settle_branches(&mut self) {
        self.branches.clear();
        for (line, heads) in &self.heads {
            let (LineName::Trunk(name) | LineName::Branch(name)) = line else {
                continue;
            };
            let last = heads.last().and_then(|head| self.graph.find(&head.commit));
            if let Some(commit) = last {
                self.branches.insert(name.clone(), commit);
            }
        }
        let trunk = self.trunk.as_ref().and_then(|name| self.branches.get(name));
        match (trunk.copied(), &mut self.ancestry) {
            (Some(head), Some(ancestry)) => {
                ancestry.advance(&self.graph, head);
            }
            (Some(head), none) => *none = Some(Ancestry::new(&self.graph, head)),
            (None, ancestry) => *ancestry = None,
        }
    }

    fn settle_channels(&mut self) {
        self.channels.clear();
        let Some(ancestry) = &self.ancestry else {
            return;
        };
        let mut releases: BTreeMap<String, Vec<(ChannelRelease, Option<CommitNumber>)>> =
            BTreeMap::new();
        for (line, heads) in &self.heads {
            let LineName::Channel(name) = line else {
                continue;
            };
            let list = releases.entry(name.clone()).or_default();
            for head in heads {
                let Ok(time) = Timestamp::from_second(head.time) else {
                    continue;
                };
                let commit = self.graph.find(&head.commit);
                let name = if head.release.is_empty() {
                    head.commit.to_string()
                } else {
                    head.release.clone()
                };
                let release = ChannelRelease {
                    name,
                    commit: head.commit,
                    time,
                    observed: head.observed,
                };
                list.push((release, commit));
            }
        }
        for outside in &self.outside {
            let commit = self.graph.resolve(&outside.revision).ok();
            let name = commit.map_or(ObjectName([0; 20]), |commit| self.graph.name(commit));
            let release = ChannelRelease {
                name: outside.revision.clone(),
                commit: name,
                time: outside.time,
                observed: false,
            };
            releases
                .entry(outside.channel.clone())
                .or_default()
                .push((release, commit));
        }
        for (name, list) in releases {
            let feeding = feeding(&name, self.trunk.as_deref().unwrap_or_default());
            let jobset = self.heads(&LineName::Jobset(name.clone())).iter();
            let seen = |head: &HeadSeen| {
                let phase = Phase::read(&head.release)?;
                Some(PhaseSeen {
                    at: head.time,
                    phase,
                })
            };
            let mut phases: Vec<PhaseSeen> = jobset.filter_map(seen).collect();
            phases.sort_by_key(|seen| seen.at);
            let channel = self.channel(ancestry, feeding, list, phases);
            self.channels.insert(name, channel);
        }
    }

    fn channel(
        &self,
        ancestry: &Ancestry,
        feeding: String,
        mut list: Vec<(ChannelRelease, Option<CommitNumber>)>,
        phases: Vec<PhaseSeen>,
    ) -> Channel {
        // Where the channel itself dates a release, a poll that saw it later says nothing new.
        let dated: HashSet<CommitNumber> = list
            .iter()
            .filter(|(release, _)| !release.observed)
            .filter_map(|(_, commit)| *commit)
            .collect();
        list.retain(|(release, commit)| {
            !release.observed || commit.is_none_or(|commit| !dated.contains(&commit))
        });
        list.sort_by_key(|(release, _)| release.time);
        let mut channel = Channel {
            history: ChannelHistory::new(),
            head: None,
            moves: Vec::new(),
            phases,
            feeding,
            strangers: Vec::new(),
            record: OnceLock::new(),
            promises: Mutex::default(),
        };
        for (release, commit) in list {
            let Some(commit) = commit else {
                channel.strangers.push(release.name);
                continue;
            };
            if channel.head == Some(commit) {
                continue;
            }
            let at = release.time.as_second();
            let contains_until = self.graph.time(commit);
            channel
                .history
                .push(&self.graph, ancestry, release, commit)
                .expect("the list is sorted by time");
            channel.head = Some(commit);
            // A rollback brings nothing that was not there before.
            if channel
                .moves
                .last()
                .is_none_or(|last| last.contains_until < contains_until)
            {
                channel.moves.push(Move { at, contains_until });
            }
        }
        channel
    }

    /// The commits.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Containment by the trunk; `None` before a trunk was seen.
    pub fn ancestry(&self) -> Option<&Ancestry> {
        self.ancestry.as_ref()
    }

    /// Name of the trunk.
    pub fn trunk(&self) -> Option<&str> {
        self.trunk.as_deref()
    }

    /// Branches with their heads.
    pub fn branches(&self) -> &BTreeMap<String, CommitNumber> {
        &self.branches
    }

    /// Channels by name.
    pub fn channels(&self) -> &BTreeMap<String, Channel> {
        &self.channels
    }

    /// The heads up to which the names of added files were looked at.
    pub fn examined(&self) -> Vec<ObjectName> {
        self.heads
            .iter()
            .filter(|(line, _)| matches!(line, LineName::Examined(_)))
            .filter_map(|(_, heads)| heads.last())
            .map(|head| head.commit)
            .collect()
    }

    /// The last head that a line was seen at.
    pub fn last_head(&self, line: &LineName) -> Option<&HeadSeen> {
        self.heads.get(line)?.last()
    }

    /// Every head that a line was seen at, in the order in which they came in.
    pub fn heads(&self, line: &LineName) -> &[HeadSeen] {
        self.heads.get(line).map_or(&[], Vec::as_slice)
    }

    /// Commits whose message names a vulnerability, oldest first.
    pub fn naming(&self, vulnerability: &str) -> &[CommitNumber] {
        self.vulnerabilities
            .get(vulnerability)
            .map_or(&[], Vec::as_slice)
    }

    /// How forecasts for a channel would have done: changes of its branch, replayed against its moves.
    pub fn record<'a>(&'a self, channel: &'a Channel) -> &'a TrackRecord {
        channel.record.get_or_init(|| {
            let first = channel.moves.first().map_or(0, |step| step.at);
            let mut merges: Vec<i64> = self
                .branches
                .get(&channel.feeding)
                .into_iter()
                .flat_map(|head| first_parents(&self.graph, *head))
                .take(MAX_FEED_WALK)
                .map(|commit| self.graph.time(commit))
                .take_while(|time| *time >= first)
                .collect();
            merges.sort_unstable();
            let step = merges.len().div_ceil(RECORD_MERGES).max(1);
            let merges: Vec<i64> = merges.into_iter().step_by(step).collect();
            TrackRecord::replay(channel.past(), &merges)
        })
    }
}

/// A commit and its chain of first parents.
fn first_parents(graph: &Graph, head: CommitNumber) -> impl Iterator<Item = CommitNumber> + '_ {
    std::iter::successors(Some(head), |commit| graph.parents(*commit).first().copied())
}

/// The branch that a channel is built from, by Nixpkgs' names: `nixos-25.11-small` from `release-25.11`, those without a
/// number from the trunk.
pub fn feeding(channel: &str, trunk: &str) -> String {
    let is_number = |part: &&str| {
        part.split_once('.').is_some_and(|(year, month)| {
            let digits = |text: &str| text.len() == 2 && text.bytes().all(|c| c.is_ascii_digit());
            digits(year) && digits(month)
        })
    };
    match channel.split('-').find(is_number) {
        Some(number) => format!("release-{number}"),
        None => trunk.to_owned(),
    }
}

/// The branches that gather changes for a branch, nearest first, as pairs (from, into).
pub fn feeders(branch: &str, trunk: &str) -> Vec<(String, String)> {
    let suffix = if branch == trunk {
        String::new()
    } else if let Some(number) = branch.strip_prefix("release-") {
        format!("-{number}")
    } else {
        return Vec::new();
    };
    let (next, staging) = (format!("staging-next{suffix}"), format!("staging{suffix}"));
    vec![(next.clone(), branch.to_owned()), (staging, next)]
}

#[cfg(test)]
mod tests;
