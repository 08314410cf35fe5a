//! Which commits brought a change to other branches, and which undid it, by what commits and pull requests say of each other.
//!
//! Invariant: every link names what it was found by; each commit is listed once, by the strongest.

use super::{MAX_BACKPORTS, instant};
use crate::ancestry::Ancestry;
use crate::graph::{CommitNumber, ObjectName};
use crate::index::LandingIndex;
use jiff::Timestamp;
use serde::Serialize;

/// What a backport was found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    /// Its message names the commit it was picked from.
    Message,
    /// It changes the same lines in the same way (`git patch-id --stable`).
    Patch,
    /// Its pull request says which one it is a backport of.
    Request,
}

/// A commit that took the change to another branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backport {
    /// The commit; for a link by pull request its merge.
    pub commit: ObjectName,
    /// The commit it brings there.
    pub of: ObjectName,
    /// When it was made.
    pub time: Timestamp,
    /// Its pull request.
    pub pull_request: Option<u32>,
    /// What it was found by.
    pub by: Link,
}

/// A commit that says it undoes the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Revert {
    /// The commit.
    pub commit: ObjectName,
    /// When it was made.
    pub time: Timestamp,
    /// Whether it undoes all of the change, as far as can be told: it names the change itself, its pull request, or its only commit.
    pub whole: bool,
}

/// What was found.
pub(super) struct Links {
    pub(super) backports: Vec<Backport>,
    pub(super) picks: Vec<CommitNumber>,
    pub(super) reverts: Vec<Revert>,
    /// The reverts that undo all of it.
    pub(super) undoing: Vec<CommitNumber>,
}

/// The links of a change: `parts` are its commits, the asked one first.
pub(super) fn links(
    index: &LandingIndex,
    ancestry: &Ancestry,
    parts: &[CommitNumber],
    request: Option<u32>,
) -> Links {
    let graph = index.graph();
    let mut links = Links {
        backports: Vec::new(),
        picks: Vec::new(),
        reverts: Vec::new(),
        undoing: Vec::new(),
    };
    let mut pick = |commit: CommitNumber, of: ObjectName, by: Link| {
        if links.picks.contains(&commit) || links.picks.len() >= MAX_BACKPORTS {
            return;
        }
        let own = graph.mentions(commit).and_then(|m| m.pull_request);
        let pull_request = own.or_else(|| index.carried_by(ancestry, commit));
        // The merge of a pull request whose commits are listed says nothing new.
        let listed = |held: &Backport| held.pull_request.is_some() && held.pull_request == own;
        if by == Link::Request && links.backports.iter().any(listed) {
            return;
        }
        links.picks.push(commit);
        links.backports.push(Backport {
            commit: graph.name(commit),
            of,
            time: instant(graph.time(commit)),
            pull_request,
            by,
        });
    };
    for part in parts {
        let of = graph.name(*part);
        for commit in graph.picks_of(&of) {
            pick(*commit, of, Link::Message);
        }
        for commit in index.alike(*part) {
            pick(*commit, of, Link::Patch);
        }
    }
    let asked = parts.first().map(|commit| graph.name(*commit));
    if let Some((request, of)) = request.zip(asked) {
        for commit in index.backports_of_request(request) {
            pick(commit, of, Link::Request);
        }
    }
    let single = parts
        .iter()
        .filter(|part| graph.parents(**part).len() < 2)
        .count()
        == 1;
    let mut revert = |commit: CommitNumber, whole: bool| {
        let name = graph.name(commit);
        if links.reverts.iter().any(|held| held.commit == name) {
            return;
        }
        links.reverts.push(Revert {
            commit: name,
            time: instant(graph.time(commit)),
            whole,
        });
        if whole {
            links.undoing.push(commit);
        }
    };
    for (place, part) in parts.iter().enumerate() {
        for commit in graph.reverts_of(&graph.name(*part)) {
            revert(*commit, place == 0 || single);
        }
    }
    let requests = links.backports.iter().filter_map(|held| held.pull_request);
    for request in request.into_iter().chain(requests) {
        for commit in graph.reverts_of_request(request) {
            revert(*commit, true);
        }
    }
    for commit in &links.picks {
        for commit in graph.reverts_of(&graph.name(*commit)) {
            revert(*commit, single);
        }
    }
    links
}
