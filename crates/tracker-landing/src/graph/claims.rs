//! What commits say of other commits and of pull requests, by the commit and the other way round.
//!
//! Invariant: every claim is found from both of its ends; commits of one answer are in order.

use super::{CommitNumber, ObjectName};
use crate::message::Mentions;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::OnceLock;

/// Commits that say the same: nearly always one.
#[derive(Debug)]
enum Commits {
    One([CommitNumber; 1]),
    More(Vec<CommitNumber>),
}

/// Commits by what they say.
#[derive(Debug)]
pub(super) struct Sayers<K>(HashMap<K, Commits>);

impl<K> Default for Sayers<K> {
    fn default() -> Sayers<K> {
        Sayers(HashMap::new())
    }
}

impl<K: Hash + Eq> Sayers<K> {
    fn add(&mut self, key: K, commit: CommitNumber) {
        self.0
            .entry(key)
            .and_modify(|held| match held {
                Commits::One([first]) => *held = Commits::More(vec![*first, commit]),
                Commits::More(all) => all.push(commit),
            })
            .or_insert(Commits::One([commit]));
    }

    pub(super) fn of(&self, key: &K) -> &[CommitNumber] {
        match self.0.get(key) {
            Some(Commits::One(one)) => one,
            Some(Commits::More(all)) => all,
            None => &[],
        }
    }
}

/// The claims of all commits.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// In order of commits: they come in that order.
    said: Vec<(CommitNumber, Mentions)>,
    /// Made at the first question: who only takes commits in asks none.
    sayers: OnceLock<AllSayers>,
}

/// Commits by each of the things that they may say.
#[derive(Debug, Default)]
pub(super) struct AllSayers {
    pub(super) pull_requests: Sayers<u32>,
    pub(super) picked: Sayers<ObjectName>,
    pub(super) reverted: Sayers<ObjectName>,
    pub(super) backports: Sayers<u32>,
    pub(super) reverted_requests: Sayers<u32>,
}

impl AllSayers {
    fn add(&mut self, commit: CommitNumber, mentions: &Mentions) {
        if let Some(request) = mentions.pull_request {
            self.pull_requests.add(request, commit);
        }
        for original in &mentions.picked_from {
            self.picked.add(*original, commit);
        }
        for undone in &mentions.reverts {
            self.reverted.add(*undone, commit);
        }
        for request in &mentions.backport_of {
            self.backports.add(*request, commit);
        }
        for request in &mentions.reverts_requests {
            self.reverted_requests.add(*request, commit);
        }
    }
}

impl Claims {
    /// Takes in what the next commit says.
    pub(super) fn add(&mut self, commit: CommitNumber, mentions: Mentions) {
        if let Some(sayers) = self.sayers.get_mut() {
            sayers.add(commit, &mentions);
        }
        self.said.push((commit, mentions));
    }

    /// Who says what.
    pub(super) fn sayers(&self) -> &AllSayers {
        self.sayers.get_or_init(|| {
            let mut sayers = AllSayers::default();
            for (commit, mentions) in &self.said {
                sayers.add(*commit, mentions);
            }
            sayers
        })
    }

    /// What a commit says.
    pub(super) fn of(&self, commit: CommitNumber) -> Option<&Mentions> {
        // The newest commit is asked about while it is taken in, and most say nothing.
        let (last, mentions) = self.said.last()?;
        match last.cmp(&commit) {
            Ordering::Less => None,
            Ordering::Equal => Some(mentions),
            Ordering::Greater => {
                let place = self.said.binary_search_by_key(&commit, |(held, _)| *held);
                self.said.get(place.ok()?).map(|(_, mentions)| mentions)
            }
        }
    }
}
