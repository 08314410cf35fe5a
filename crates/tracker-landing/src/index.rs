//! The index in memory: commits, branches and channels, put together from the segments of an archive.
//!
//! Invariant: answers come from what was taken in before the last [`LandingIndex::settle`]; taking the same segments in again,
//! or in another cut, leads to the same answers.

use crate::ancestry::Ancestry;
use crate::archive::{HeadSeen, Segment};
use crate::eta::{Move, TrackRecord};
use crate::graph::{CommitNumber, Graph, GraphError, ObjectName};
use crate::history::{ChannelHistory, ChannelRelease};
use crate::pipeline::KnownFix;
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

/// Commits of one likeness that are compared.
const MAX_ALIKE: usize = 16;

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
    /// Patch ids of the commits that were compared.
    patches: HashMap<ObjectName, ObjectName>,
    /// Commits of the trunk, each with those beside it that change the same.
    alike: HashMap<CommitNumber, Vec<CommitNumber>>,
    /// Vulnerabilities that the names of added files name.
    files: HashMap<CommitNumber, Vec<String>>,
    /// Pull requests' metadata, by number.
    requests: BTreeMap<u32, RequestNote>,
    /// What the board is made from, made when it is first asked for.
    fixes: OnceLock<Vec<KnownFix>>,
    /// Backports by the metadata of pull requests: original to backports.
    request_backports: HashMap<u32, Vec<u32>>,
    /// Merges that fed one branch from another: (from, into) to the moves.
    feeds: BTreeMap<(String, String), Vec<Move>>,
}

impl LandingIndex {
    /// An index of nothing.
    pub fn new() -> LandingIndex {
        LandingIndex::default()
    }

    /// Takes a segment in. Commits that are known already are passed over.
    ///
    /// # Errors
    /// Those of [`Graph::push`], other than a commit that came before.
    pub fn take(&mut self, segment: Segment) -> Result<(), GraphError> {
        match segment {
            Segment::Commits(commits) => {
                for commit in commits {
                    let ids = commit.mentions.vulnerabilities.clone();
                    match self.graph.push(commit) {
                        Ok(number) => {
                            for id in ids {
                                self.vulnerabilities.entry(id).or_default().push(number);
                            }
                        }
                        Err(GraphError::Duplicate(_)) => {}
                        Err(error) => return Err(error),
                    }
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
            Segment::Patches(patches) => self.patches.extend(patches),
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
        self.alike.get(&commit).map_or(&[], Vec::as_slice)
    }

    /// Vulnerabilities that the names of the files which a commit adds name.
    pub(crate) fn named_by_files(&self, commit: CommitNumber) -> &[String] {
        self.files.get(&commit).map_or(&[], Vec::as_slice)
    }

    /// Commits whose patches are to be compared: those beside the trunk that do not say where they were picked from, and those
    /// of the trunk that have their author and time, or their title; without those that were compared, newest first, at most `limit`.
    pub fn to_compare(&self, limit: usize) -> Vec<ObjectName> {
        let Some(ancestry) = &self.ancestry else {
            return Vec::new();
        };
        let is_plain = |commit: &CommitNumber| self.graph.parents(*commit).len() == 1;
        let beside: Vec<CommitNumber> = self
            .graph
            .commits()
            .filter(|commit| ancestry.landed(*commit).is_none() && is_plain(commit))
            .filter(|commit| {
                let claims = self.graph.mentions(*commit);
                claims.is_none_or(|claims| claims.picked_from.is_empty())
            })
            .collect();
        let keys = |commit: CommitNumber| {
            let likeness = self.graph.likeness(commit);
            [(0, likeness.author), (1, likeness.title)]
                .into_iter()
                .filter(|(_, digest)| *digest != 0)
        };
        let mut wanted: HashMap<(u8, u32), Vec<CommitNumber>> = HashMap::new();
        for commit in &beside {
            for key in keys(*commit) {
                wanted.entry(key).or_default().push(*commit);
            }
        }
        let mut found: HashSet<CommitNumber> = HashSet::new();
        let mut tried: HashMap<(u8, u32), usize> = HashMap::new();
        // The newest are compared first, so that a limit leaves out the oldest.
        for commit in self.graph.commits().rev() {
            if !is_plain(&commit) || ancestry.landed(commit).is_none() {
                continue;
            }
            for key in keys(commit) {
                let Some(others) = wanted.get(&key) else {
                    continue;
                };
                let tried = tried.entry(key).or_default();
                *tried += 1;
                if *tried <= MAX_ALIKE {
                    found.insert(commit);
                    found.extend(others.iter().rev().take(MAX_ALIKE));
                }
            }
        }
        let mut found: Vec<CommitNumber> = found.into_iter().collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        let names = found.into_iter().map(|commit| self.graph.name(commit));
        names
            .filter(|name| !self.patches.contains_key(name))
            .take(limit)
            .collect()
    }

    /// Links commits beside the trunk with those of the trunk that change the same.
    fn settle_alike(&mut self) {
        self.alike.clear();
        let Some(ancestry) = &self.ancestry else {
            return;
        };
        let mut same: BTreeMap<ObjectName, Vec<CommitNumber>> = BTreeMap::new();
        for (commit, patch) in &self.patches {
            // A commit that changes nothing has no patch id.
            if *patch != ObjectName([0; 20])
                && let Some(commit) = self.graph.find(commit)
            {
                same.entry(*patch).or_default().push(commit);
            }
        }
        for mut commits in same.into_values() {
            commits.sort_unstable();
            let (trunk, beside): (Vec<_>, Vec<_>) = commits
                .into_iter()
                .partition(|commit| ancestry.landed(*commit).is_some());
            if let Some(original) = trunk.first().filter(|_| !beside.is_empty()) {
                self.alike.insert(*original, beside);
            }
        }
    }

    /// Brings the answers up to date with everything that was taken in.
    pub fn settle(&mut self) {
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
            (Some(head), Some(ancestry)) => ancestry.advance(&self.graph, head),
            (Some(head), none) => *none = Some(Ancestry::new(&self.graph, head)),
            (None, ancestry) => *ancestry = None,
        }
        self.settle_feeds();
        self.settle_channels();
        self.settle_alike();
        self.fixes = OnceLock::new();
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
            let channel = self.channel(ancestry, feeding, list);
            self.channels.insert(name, channel);
        }
    }

    fn channel(
        &self,
        ancestry: &Ancestry,
        feeding: String,
        mut list: Vec<(ChannelRelease, Option<CommitNumber>)>,
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

    /// When one branch was merged into another, along the chain of first parents of the one that took it.
    fn settle_feeds(&mut self) {
        self.feeds.clear();
        let wanted: Vec<(String, String)> = self
            .branches
            .keys()
            .flat_map(|into| feeders(into, self.trunk.as_deref().unwrap_or_default()))
            .collect();
        for (from, into) in wanted {
            let Some(head) = self.branches.get(&into) else {
                continue;
            };
            let mut moves = Vec::new();
            for step in first_parents(&self.graph, *head).take(MAX_FEED_WALK) {
                let merged = self.graph.mentions(step).and_then(|m| m.merge.as_ref());
                if merged.is_some_and(|merged| merged.from == from)
                    && let Some(tip) = self.graph.parents(step).get(1)
                {
                    moves.push(Move {
                        at: self.graph.time(step),
                        contains_until: self.graph.time(*tip),
                    });
                }
            }
            moves.reverse();
            self.feeds.insert((from, into), moves);
        }
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

    /// When `from` was merged into `into`, oldest first.
    pub fn feed(&self, from: &str, into: &str) -> &[Move] {
        self.feeds
            .get(&(from.to_owned(), into.to_owned()))
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
            TrackRecord::replay(&channel.moves, &merges)
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
