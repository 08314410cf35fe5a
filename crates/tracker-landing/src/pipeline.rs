//! The pipeline as a board: how each channel stands, which security fixes wait for it, and what was promised of them.
//!
//! A *fix* is a change whose commits or pull request name a vulnerability; it is counted once, with its backports. What was
//! *promised* of it is the upper end of the forecast that could be made when it reached the channel's branch, from what was
//! known then: a fix that comes later than that is *late*.
//! Invariant: a promise never saw a move of the channel that came after the fix was merged.

use crate::answer::{self, Asked, Change, Eta, instant};
use crate::eta::{self, TrackRecord};
use crate::graph::{CommitNumber, ObjectName};
use crate::history::ChannelRelease;
use crate::index::{Channel, LandingIndex, feeders};
use crate::message::is_about;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::HashSet;

/// Fixes whose commits are older than this, in seconds, against the newest of the trunk are on no board.
const WINDOW: i64 = 400 * 86_400;

/// Fixes on the board.
const MAX_FIXES: usize = 5_000;

/// A change that names vulnerabilities, with all it takes to ask where it is.
#[derive(Debug)]
pub(crate) struct KnownFix {
    commit: CommitNumber,
    request: Option<u32>,
    picks: Vec<CommitNumber>,
    undoing: Vec<CommitNumber>,
    vulnerabilities: Vec<String>,
    topic: Option<String>,
}

/// A security fix and a channel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fix {
    /// The commit that brought it.
    pub commit: ObjectName,
    /// Its pull request.
    pub pull_request: Option<u32>,
    /// The vulnerabilities that it names.
    pub vulnerabilities: Vec<String>,
    /// What it says it is about, often the package.
    pub topic: Option<String>,
    /// The branch it is in: the channel's, or one that flows into it.
    pub branch: String,
    /// When it came there.
    pub since: Timestamp,
    /// The latest time that was promised of it when it reached the channel's branch; `None` where nothing could be promised.
    pub promised: Option<Timestamp>,
    /// The first release that has it.
    pub landed: Option<ChannelRelease>,
    /// When it will be there; `None` where it is.
    pub eta: Option<Eta>,
}

impl Fix {
    /// When it became late: the promise, if it had not landed by then.
    pub fn late(&self, now: Timestamp) -> Option<Timestamp> {
        let came = self.landed.as_ref().map_or(now, |release| release.time);
        self.promised.filter(|promised| *promised < came)
    }
}

/// A channel on the board.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChannelBoard {
    /// The channel.
    pub channel: String,
    /// The branch that it is built from.
    pub branch: String,
    /// Its newest release.
    pub newest: Option<ChannelRelease>,
    /// Seconds since that.
    pub age: Option<i64>,
    /// Times it moved on.
    pub moves: usize,
    /// The middle of its gaps between moves, in seconds.
    pub usual_gap: Option<i64>,
    /// Times it went to a release that does not contain the one before.
    pub rollbacks: usize,
    /// Releases whose commit is not in the index.
    pub unknown_releases: usize,
    /// What was promised of changes, against what came of it; `None` until forecasts can be checked.
    pub record: Option<TrackRecord>,
    /// Fixes that are on their way to it, those that wait longest first.
    pub waiting: Vec<Fix>,
    /// Fixes of the last weeks that came late or are late.
    pub late: Vec<Fix>,
}

/// A vulnerability's fix in a channel's newest release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LandedFix {
    /// The commit that names the vulnerability.
    pub commit: ObjectName,
    /// Its pull request.
    pub pull_request: Option<u32>,
    /// The first release that has it.
    pub release: ChannelRelease,
}

impl LandingIndex {
    /// The fixes of the last 400 days, each once.
    fn known_fixes(&self) -> &[KnownFix] {
        self.fixes().get_or_init(|| {
            let Some(ancestry) = self.ancestry() else {
                return Vec::new();
            };
            let graph = self.graph();
            let newest = graph.commits().map(|commit| graph.time(commit)).max();
            let since = newest.unwrap_or(0) - WINDOW;
            let mut named: Vec<CommitNumber> = self
                .all_naming()
                .filter(|commit| graph.time(*commit) >= since)
                .collect();
            // Originals before their backports, then in order.
            named.sort_unstable_by_key(|commit| (ancestry.landed(*commit).is_none(), *commit));
            named.dedup();
            let mut told: HashSet<CommitNumber> = HashSet::new();
            let mut fixes = Vec::new();
            for commit in named {
                if fixes.len() >= MAX_FIXES || told.contains(&commit) {
                    continue;
                }
                let own = graph.mentions(commit).and_then(|m| m.pull_request);
                let request = own.or_else(|| self.carried_by(ancestry, commit));
                let found =
                    request.and_then(|request| self.find(&Asked::PullRequest(request)).ok());
                let (whole, request) = match found {
                    // A staging-next merge carries much; the change is the commit itself then.
                    Some((merge, _)) if !self.gathers(merge) => (merge, request),
                    _ => (commit, own),
                };
                if !told.insert(whole) {
                    continue;
                }
                told.insert(commit);
                let Change {
                    picks,
                    undoing,
                    backport_requests,
                    vulnerabilities,
                    ..
                } = answer::change(self, ancestry, whole, request);
                told.extend(picks.iter().copied());
                for backport in backport_requests {
                    let found = self.find(&Asked::PullRequest(backport));
                    told.extend(found.ok().map(|(commit, _)| commit));
                }
                let topic = |commit| graph.mentions(commit).and_then(|m| m.topic.clone());
                fixes.push(KnownFix {
                    commit: whole,
                    request,
                    picks,
                    undoing,
                    vulnerabilities,
                    topic: topic(whole).or_else(|| topic(commit)),
                });
            }
            fixes
        })
    }

    /// Whether a merge brought a gathering branch, which carries many changes.
    fn gathers(&self, merge: CommitNumber) -> bool {
        let merged = self.graph().mentions(merge).and_then(|m| m.merge.as_ref());
        merged.is_some_and(|merged| merged.from.starts_with("staging"))
    }

    /// The fixes that concern a channel: those on their way to it, and those that it got since `since`.
    pub fn fixes_of(&self, name: &str, since: Timestamp, now: Timestamp) -> Vec<Fix> {
        let (Some(channel), Some(ancestry)) = (self.channels().get(name), self.ancestry()) else {
            return Vec::new();
        };
        let branch = channel.feeding();
        let stages: Vec<String> = std::iter::once(branch.to_owned())
            .chain(
                feeders(branch, self.trunk().unwrap_or_default())
                    .into_iter()
                    .map(|(from, _)| from),
            )
            .collect();
        let mut fixes = Vec::new();
        for known in self.known_fixes() {
            let change = Change {
                index: self,
                ancestry,
                commit: known.commit,
                picks: known.picks.clone(),
                undoing: known.undoing.clone(),
                vulnerabilities: Vec::new(),
                backport_requests: Vec::new(),
            };
            let landed = change.landed(channel);
            if landed.as_ref().is_some_and(|release| release.time < since) {
                continue;
            }
            let undone = self
                .branches()
                .get(branch)
                .and_then(|tip| change.undone(*tip));
            if undone.is_some() {
                continue;
            }
            let stage = stages
                .iter()
                .find_map(|stage| Some((stage, change.arrival_on(stage)?)));
            let Some((stage, merged)) = stage else {
                continue;
            };
            let promised = (stage == branch)
                .then(|| promise(channel, merged, self.record(channel)))
                .flatten();
            fixes.push(Fix {
                commit: self.graph().name(known.commit),
                pull_request: known.request,
                vulnerabilities: known.vulnerabilities.clone(),
                topic: known.topic.clone(),
                branch: stage.clone(),
                since: instant(merged),
                promised,
                eta: landed.is_none().then(|| answer::eta(&change, channel, now)),
                landed,
            });
        }
        fixes.sort_by(|a, b| a.since.cmp(&b.since).then(a.commit.cmp(&b.commit)));
        fixes
    }

    /// How a channel stands; late fixes since `since`.
    pub fn board(&self, name: &str, since: Timestamp, now: Timestamp) -> Option<ChannelBoard> {
        let channel = self.channels().get(name)?;
        let history = channel.history();
        let newest = history.releases().last().cloned();
        let fixes = self.fixes_of(name, since, now);
        let record = self.record(channel);
        let moves = channel.moves();
        let mut gaps: Vec<i64> = moves
            .iter()
            .zip(moves.iter().skip(1))
            .map(|(a, b)| b.at - a.at)
            .collect();
        gaps.sort_unstable();
        Some(ChannelBoard {
            channel: name.to_owned(),
            branch: channel.feeding().to_owned(),
            age: newest
                .as_ref()
                .map(|newest| now.as_second() - newest.time.as_second()),
            newest,
            moves: moves.len(),
            usual_gap: gaps.get(gaps.len() / 2).copied(),
            rollbacks: history.rollbacks(),
            unknown_releases: channel.strangers().len(),
            record: (record.changes > 0).then(|| record.clone()),
            waiting: fixes
                .iter()
                .filter(|fix| fix.landed.is_none())
                .cloned()
                .collect(),
            late: fixes
                .into_iter()
                .filter(|fix| fix.late(now).is_some())
                .collect(),
        })
    }

    /// The commit that fixes a vulnerability in a package that bears one of `names`, if the newest release of the channel has it:
    /// one that names the vulnerability, says that it is about the package, and is not undone there.
    pub fn landed_fix(
        &self,
        vulnerability: &str,
        names: &[&str],
        channel: &str,
    ) -> Option<LandedFix> {
        let channel = self.channels().get(channel)?;
        let ancestry = self.ancestry()?;
        let graph = self.graph();
        let about = |commit: &CommitNumber| {
            let topic = graph.mentions(*commit).and_then(|m| m.topic.as_deref());
            topic.is_some_and(|topic| names.iter().any(|name| is_about(topic, name)))
        };
        let named = self.naming(vulnerability).iter().copied().filter(about);
        let landed = named.filter_map(|commit| {
            let request = graph.mentions(commit).and_then(|m| m.pull_request);
            let change = answer::change(self, ancestry, commit, request);
            let release = change.landed(channel)?;
            Some((commit, request, release))
        });
        // The first to land; of several the original before its backports.
        let first = landed.min_by_key(|(commit, _, release)| {
            (release.time, ancestry.landed(*commit).is_none(), *commit)
        });
        first.map(|(commit, request, release)| LandedFix {
            commit: graph.name(commit),
            pull_request: request.or_else(|| self.carried_by(ancestry, commit)),
            release,
        })
    }
}

/// The upper end of the forecast at the moment of merging, from the moves before it.
fn promise(channel: &Channel, merged: i64, record: &TrackRecord) -> Option<Timestamp> {
    channel.promised(merged, || {
        let said = eta::forecast(channel.past(), merged, merged, record.widening).ok()?;
        said.high.map(|high| instant(merged.saturating_add(high)))
    })
}
