//! Where is this change: the way it took, the branches and channels that have it, and when the others will.
//!
//! Invariant: every time in an answer is one that git or a channel stated, or is marked as forecast; what is not known says why.

mod forecast;
mod links;
#[cfg(test)]
mod tests;

use crate::ancestry::Ancestry;
use crate::graph::{CommitNumber, Graph, GraphError, MIN_PREFIX, ObjectName};
use crate::history::{ChannelRelease, Stay};
use crate::index::{Channel, LandingIndex};
use crate::journey::{self, Hop};
use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;

pub(crate) use forecast::eta;
pub use forecast::{Eta, Prospect};
pub use links::{Backport, Link, Revert};

/// Commits of a pull request that are looked at for picks.
pub const MAX_CHANGE: usize = 250;

/// Backports that an answer lists.
pub const MAX_BACKPORTS: usize = 100;

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// A pull request: `#N`, or its address.
    PullRequest(u32),
    /// Digits alone: a pull request, or else the beginning of a commit's name.
    Digits(u32, String),
    /// A commit's name or its beginning, or its address.
    Commit(String),
}

impl Asked {
    /// Reads what a person typed.
    pub fn read(text: &str) -> Asked {
        let text = text.trim();
        let after = |marker: &str| {
            let rest = text.rsplit_once(marker)?.1;
            rest.split(['/', '#', '?']).next()
        };
        if let Some(number) = after("/pull/").and_then(|number| number.parse().ok()) {
            return Asked::PullRequest(number);
        }
        if let Some(name) = after("/commit/") {
            return Asked::Commit(name.to_owned());
        }
        if let Some(number) = text
            .strip_prefix('#')
            .and_then(|number| number.parse().ok())
        {
            return Asked::PullRequest(number);
        }
        match text.parse() {
            Ok(number) if text.len() <= 9 => Asked::Digits(number, text.to_owned()),
            _ => Asked::Commit(text.to_owned()),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum AnswerError {
    /// The commit's name is none, unknown or ambiguous.
    #[error(transparent)]
    Commit(#[from] GraphError),
    /// No commit of the index says that it is this pull request's: it is not merged, or the index is older.
    #[error("no commit in the index belongs to pull request {0}")]
    NoPullRequest(u32),
    /// Nothing was indexed yet.
    #[error("the index holds no commits; run `landing index` first")]
    Empty,
}

/// A step of the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathStep {
    /// The commit: the change itself first, then the merges that carried it on.
    pub commit: ObjectName,
    /// When it was made.
    pub time: Timestamp,
    /// The branch that was merged, where the merge says so.
    pub from: Option<String>,
    /// The branch that the change was in from then on, where it is known.
    pub into: Option<String>,
    /// The pull request that the merge names.
    pub pull_request: Option<u32>,
}

impl PathStep {
    /// The step in words, such as `staging merged into master`.
    pub fn words(&self) -> String {
        match (&self.from, &self.into) {
            (Some(from), Some(into)) => format!("{from} merged into {into}"),
            (None, Some(into)) => format!("made on {into}"),
            (Some(from), None) => format!("{from} merged"),
            (None, None) => "made".to_owned(),
        }
    }
}

impl Answer {
    /// How the way went on from the branches: the releases by which channels got the change itself, in order of time.
    pub fn releases(&self) -> Vec<(&Release, String)> {
        let landed = self.channels.iter().filter(|landing| landing.via.is_none());
        let named = landed.filter_map(|landing| Some((landing.first.as_ref()?, &landing.channel)));
        let mut releases: Vec<(&Release, String)> = named
            .map(|(first, channel)| {
                let seen = if first.observed {
                    "first seen"
                } else {
                    "released"
                };
                (first, format!("{seen} in {channel}"))
            })
            .collect();
        releases.sort_by_key(|(first, _)| first.time);
        releases
    }
}

/// Whether a branch has the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BranchTick {
    /// The branch.
    pub branch: String,
    /// Whether its head contains the change or a backport of it.
    pub contained: bool,
    /// When it came in.
    pub since: Option<Timestamp>,
    /// The backport by which it came, if it was one.
    pub via: Option<ObjectName>,
    /// A commit on the branch that says it undoes the change.
    pub reverted: Option<ObjectName>,
}

/// A release as an answer names it.
pub type Release = ChannelRelease;

/// How a channel stands to the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Its newest release has it.
    Landed,
    /// Its newest release has it, and a commit that says it undoes it.
    Reverted,
    /// An earlier release had it, the newest does not.
    Lost,
    /// No release has it.
    Waiting,
}

/// A channel and the change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChannelLanding {
    /// The channel.
    pub channel: String,
    /// The branch that it is built from.
    pub branch: String,
    /// How it stands.
    pub standing: Standing,
    /// The first release that has it, of the newest stretch of releases that do.
    pub first: Option<Release>,
    /// The release before that one: the change came between the two.
    pub before: Option<Release>,
    /// The release that lost it.
    pub lost: Option<Release>,
    /// The backport by which it came, if it was one.
    pub via: Option<ObjectName>,
    /// The commit of its newest release that says it undoes the change.
    pub reverted: Option<ObjectName>,
    /// The channel's newest release.
    pub newest: Option<Release>,
    /// When it will be there; `None` when it is.
    pub eta: Option<Eta>,
}

/// Where a change is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The commit: for a pull request the one that brought it.
    pub commit: ObjectName,
    /// Its committer time.
    pub time: Timestamp,
    /// Its pull request.
    pub pull_request: Option<u32>,
    /// Vulnerabilities that its commits name.
    pub vulnerabilities: Vec<String>,
    /// What its commits say they are about, where they name a vulnerability: often packages.
    pub topics: Vec<String>,
    /// The way it took.
    pub path: Vec<PathStep>,
    /// Branches, the trunk first.
    pub branches: Vec<BranchTick>,
    /// Channels by name.
    pub channels: Vec<ChannelLanding>,
    /// Commits picked from it.
    pub backports: Vec<Backport>,
    /// What it was picked from itself.
    pub picked_from: Vec<ObjectName>,
    /// Commits that say they revert it.
    pub reverts: Vec<Revert>,
}

/// What an answer is made from: the commits that count as the change, each with its arrival questions.
pub(crate) struct Change<'a> {
    pub(crate) index: &'a LandingIndex,
    pub(crate) ancestry: &'a Ancestry,
    pub(crate) commit: CommitNumber,
    pub(crate) picks: Vec<CommitNumber>,
    pub(crate) undoing: Vec<CommitNumber>,
    pub(crate) backport_requests: Vec<u32>,
    pub(crate) vulnerabilities: Vec<String>,
}

impl LandingIndex {
    /// The commit that is meant.
    ///
    /// # Errors
    /// [`AnswerError`].
    pub fn find(&self, asked: &Asked) -> Result<(CommitNumber, Option<u32>), AnswerError> {
        if self.graph().is_empty() {
            return Err(AnswerError::Empty);
        }
        match asked {
            Asked::PullRequest(number) => self.pull_request(*number),
            Asked::Digits(number, text) => self.pull_request(*number).or_else(|absent| {
                if text.len() < MIN_PREFIX {
                    return Err(absent);
                }
                match self.graph().resolve(text) {
                    Ok(commit) => Ok((commit, None)),
                    Err(GraphError::Unknown(_)) => Err(absent),
                    Err(error) => Err(error.into()),
                }
            }),
            Asked::Commit(text) => Ok((self.graph().resolve(text)?, None)),
        }
    }

    /// The merge of a pull request, or else the first commit that bears its number and is no pick of another.
    fn pull_request(&self, number: u32) -> Result<(CommitNumber, Option<u32>), AnswerError> {
        let commits = self.graph().of_pull_request(number);
        let claims = |commit: &&CommitNumber| self.graph().mentions(**commit);
        let merge = commits
            .iter()
            .find(|commit| claims(commit).is_some_and(|mentions| mentions.merge.is_some()));
        let own = || {
            commits
                .iter()
                .find(|commit| claims(commit).is_some_and(|m| m.picked_from.is_empty()))
        };
        let found = merge.or_else(own).or(commits.first()).copied();
        // A squashed one may not bear its number; its metadata names the commit.
        let noted = || {
            let name = self.request(number)?.merge_commit?;
            self.graph().find(&name)
        };
        let commit = found.or_else(noted);
        Ok((
            commit.ok_or(AnswerError::NoPullRequest(number))?,
            Some(number),
        ))
    }

    /// Where the change is at `now`.
    ///
    /// # Errors
    /// [`AnswerError`].
    pub fn answer(&self, asked: &Asked, now: Timestamp) -> Result<Answer, AnswerError> {
        let (commit, request) = self.find(asked)?;
        self.answer_for(commit, request, now)
    }

    /// Where the change that `commit` brought is at `now`; `request` where its number is known.
    ///
    /// # Errors
    /// [`AnswerError::Empty`] before a trunk was seen.
    pub fn answer_for(
        &self,
        commit: CommitNumber,
        request: Option<u32>,
        now: Timestamp,
    ) -> Result<Answer, AnswerError> {
        let graph = self.graph();
        let ancestry = self.ancestry().ok_or(AnswerError::Empty)?;
        let own = graph.mentions(commit).and_then(|m| m.pull_request);
        let parts = parts(graph, ancestry, commit);
        let links = links::links(self, ancestry, &parts, request.or(own));
        let mut change = Change::new(self, ancestry, &parts, &links);
        let path = change.path();
        let number = request
            .or(own)
            .or_else(|| path.iter().find_map(|step| step.pull_request));
        change.add_request(number);
        let mentions = || parts.iter().filter_map(|part| graph.mentions(*part));
        let mut topics: Vec<String> = Vec::new();
        for topic in mentions().filter_map(|mentions| mentions.topic.as_ref()) {
            if !topics.contains(topic) {
                topics.push(topic.clone());
            }
        }
        let picked_from = mentions().flat_map(|m| m.picked_from.clone()).collect();
        Ok(Answer {
            commit: graph.name(commit),
            time: instant(graph.time(commit)),
            pull_request: number,
            branches: change.branches(),
            channels: self
                .channels()
                .iter()
                .map(|(name, channel)| change.channel(name, channel, now))
                .collect(),
            vulnerabilities: change.vulnerabilities,
            topics,
            path,
            backports: links.backports,
            picked_from,
            reverts: links.reverts,
        })
    }

    /// The pull request whose merge carried a commit into a branch.
    pub(crate) fn carried_by(&self, ancestry: &Ancestry, commit: CommitNumber) -> Option<u32> {
        let branch = self.branches().values().find_map(|tip| {
            let hops = journey::to_branch(self.graph(), ancestry, *tip, commit)?;
            hops.first().map(|hop| hop.merge)
        })?;
        self.graph().mentions(branch)?.pull_request
    }
}

/// What an answer is made from, for other questions about the same change.
pub(crate) fn change<'a>(
    index: &'a LandingIndex,
    ancestry: &'a Ancestry,
    commit: CommitNumber,
    request: Option<u32>,
) -> Change<'a> {
    let parts = parts(index.graph(), ancestry, commit);
    let links = links::links(index, ancestry, &parts, request);
    let mut change = Change::new(index, ancestry, &parts, &links);
    change.add_request(request);
    change
}

/// The commits that a change consists of: what a merge's other parents have and its first has not.
fn parts(graph: &Graph, ancestry: &Ancestry, commit: CommitNumber) -> Vec<CommitNumber> {
    let mut parts = vec![commit];
    let is_request = graph
        .mentions(commit)
        .is_some_and(|mentions| mentions.pull_request.is_some() && mentions.merge.is_some());
    let Some((first, others)) = graph.parents(commit).split_first().filter(|_| is_request) else {
        return parts;
    };
    let mut open: Vec<CommitNumber> = others.to_vec();
    while let Some(next) = open.pop() {
        if parts.len() > MAX_CHANGE {
            break;
        }
        if parts.contains(&next) || ancestry.contains(graph, *first, next) {
            continue;
        }
        parts.push(next);
        open.extend_from_slice(graph.parents(next));
    }
    parts
}

impl<'a> Change<'a> {
    /// The change of these commits, the asked one first.
    fn new(
        index: &'a LandingIndex,
        ancestry: &'a Ancestry,
        parts: &[CommitNumber],
        links: &links::Links,
    ) -> Change<'a> {
        let mut change = Change {
            index,
            ancestry,
            commit: *parts.first().expect("a change has a commit"),
            picks: links.picks.clone(),
            undoing: links.undoing.clone(),
            backport_requests: links
                .backports
                .iter()
                .filter_map(|held| held.pull_request)
                .collect(),
            vulnerabilities: Vec::new(),
        };
        for part in parts {
            let claims = index.graph().mentions(*part);
            change.name(claims.map_or(&[], |claims| claims.vulnerabilities.as_slice()));
            change.name(index.named_by_files(*part));
        }
        change
    }

    /// Adds what the metadata of its pull request names.
    fn add_request(&mut self, request: Option<u32>) {
        if let Some(note) = request.and_then(|request| self.index.request(request)) {
            self.name(&note.vulnerabilities);
        }
    }

    fn name(&mut self, vulnerabilities: &[String]) {
        for id in vulnerabilities {
            if !self.vulnerabilities.contains(id) {
                self.vulnerabilities.push(id.clone());
            }
        }
    }

    /// The first release by which the channel has the change now; `None` if it has not, or has it undone.
    pub(crate) fn landed(&self, channel: &Channel) -> Option<Release> {
        let since = |commit| channel.history().since(self.ancestry, commit).cloned();
        let first = self
            .candidates()
            .filter_map(since)
            .min_by_key(|release| release.time)?;
        let undone = channel.head().and_then(|head| self.undone(head));
        undone.is_none().then_some(first)
    }

    /// The commits by which a line can have the change: itself first, then its backports.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = CommitNumber> + '_ {
        std::iter::once(self.commit).chain(self.picks.iter().copied())
    }

    /// When a branch got a commit; `None` if it has not.
    pub(crate) fn arrival(&self, tip: CommitNumber, commit: CommitNumber) -> Option<i64> {
        let hops = journey::to_branch(self.index.graph(), self.ancestry, tip, commit)?;
        let last = hops.last().map(|hop| hop.time);
        Some(last.unwrap_or_else(|| self.index.graph().time(commit)))
    }

    /// A commit that `head` contains and that says it undoes the change, unless `head` undoes that again.
    pub(crate) fn undone(&self, head: CommitNumber) -> Option<ObjectName> {
        let graph = self.index.graph();
        let has = |commit: CommitNumber| self.ancestry.contains(graph, head, commit);
        let standing = |revert: &&CommitNumber| {
            has(**revert)
                && !graph
                    .reverts_of(&graph.name(**revert))
                    .iter()
                    .any(|again| has(*again))
        };
        self.undoing
            .iter()
            .find(standing)
            .map(|revert| graph.name(*revert))
    }

    /// When a branch got the change by any of its candidates.
    pub(crate) fn arrival_on(&self, branch: &str) -> Option<i64> {
        let tip = *self.index.branches().get(branch)?;
        self.candidates()
            .filter_map(|commit| self.arrival(tip, commit))
            .min()
    }

    fn path(&self) -> Vec<PathStep> {
        let graph = self.index.graph();
        let trunk = self.index.trunk().unwrap_or_default();
        // To the trunk if it is there, else to the first branch that has it.
        let (branch, hops): (Option<&str>, Vec<Hop>) =
            if self.ancestry.landed(self.commit).is_some() {
                (
                    Some(trunk),
                    journey::to_trunk(graph, self.ancestry, self.commit),
                )
            } else {
                let found = self.index.branches().iter().find_map(|(name, tip)| {
                    let hops = journey::to_branch(graph, self.ancestry, *tip, self.commit)?;
                    Some((Some(name.as_str()), hops))
                });
                found.unwrap_or_default()
            };
        let merged = |hop: &Hop| graph.mentions(hop.merge).and_then(|m| m.merge.clone());
        let mut steps = Vec::with_capacity(hops.len() + 1);
        let mut into = branch.map(str::to_owned);
        for hop in hops.iter().rev() {
            let names = merged(hop);
            let from = names.as_ref().map(|names| names.from.clone());
            steps.push(PathStep {
                commit: graph.name(hop.merge),
                time: instant(hop.time),
                from: from.clone(),
                into: into.or_else(|| names.and_then(|names| names.into)),
                pull_request: graph.mentions(hop.merge).and_then(|m| m.pull_request),
            });
            into = from;
        }
        steps.push(PathStep {
            commit: graph.name(self.commit),
            time: instant(graph.time(self.commit)),
            from: graph
                .mentions(self.commit)
                .and_then(|mentions| mentions.merge.as_ref())
                .map(|names| names.from.clone()),
            into,
            pull_request: graph.mentions(self.commit).and_then(|m| m.pull_request),
        });
        steps.reverse();
        steps
    }

    fn branches(&self) -> Vec<BranchTick> {
        let trunk = self.index.trunk().unwrap_or_default();
        let mut ticks: Vec<BranchTick> = self
            .index
            .branches()
            .iter()
            .map(|(branch, tip)| {
                let came = self
                    .candidates()
                    .find_map(|commit| Some((commit, self.arrival(*tip, commit)?)));
                BranchTick {
                    reverted: came.and_then(|_| self.undone(*tip)),
                    branch: branch.clone(),
                    contained: came.is_some(),
                    since: came.map(|(_, time)| instant(time)),
                    via: came
                        .filter(|(commit, _)| *commit != self.commit)
                        .map(|(commit, _)| self.index.graph().name(commit)),
                }
            })
            .collect();
        ticks.sort_by_key(|tick| tick.branch != trunk);
        ticks
    }

    fn channel(&self, name: &str, channel: &Channel, now: Timestamp) -> ChannelLanding {
        let history = channel.history();
        // The candidate that the channel has now, by the earliest release; else the one it had.
        let mut best: Option<(CommitNumber, Stay<'_>)> = None;
        for commit in self.candidates() {
            let Some(stay) = history.stays(self.ancestry, commit).pop() else {
                continue;
            };
            let better = best.as_ref().is_none_or(|(_, held)| {
                (stay.lost.is_some(), stay.first.time) < (held.lost.is_some(), held.first.time)
            });
            if better {
                best = Some((commit, stay));
            }
        }
        let head = best.as_ref().and_then(|_| channel.head());
        let reverted = head.and_then(|head| self.undone(head));
        let standing = match &best {
            Some((_, stay)) if stay.lost.is_none() => match reverted {
                Some(_) => Standing::Reverted,
                None => Standing::Landed,
            },
            Some(_) => Standing::Lost,
            None => Standing::Waiting,
        };
        let via = best
            .as_ref()
            .map(|(commit, _)| *commit)
            .filter(|c| *c != self.commit);
        let stay = best.map(|(_, stay)| stay);
        ChannelLanding {
            channel: name.to_owned(),
            branch: channel.feeding().to_owned(),
            standing,
            first: stay.as_ref().map(|stay| stay.first.clone()),
            before: stay.as_ref().and_then(|stay| stay.before.cloned()),
            lost: stay.as_ref().and_then(|stay| stay.lost.cloned()),
            via: via.map(|commit| self.index.graph().name(commit)),
            reverted: reverted.filter(|_| standing == Standing::Reverted),
            newest: history.releases().last().cloned(),
            eta: matches!(standing, Standing::Waiting | Standing::Lost)
                .then(|| eta(self, channel, now)),
        }
    }
}

/// Git's times are any integer; those beyond the calendar are set to its end.
pub(crate) fn instant(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(if second < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}
