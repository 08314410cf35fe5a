//! Commits that change the same, by `git patch-id --stable`: backports that no message tells.
//!
//! Compared are commits beside the trunk that do not say where they were picked from, and those of the trunk that have their author
//! and time, or their title. What was looked for before is not looked for again: only commits that came since, or that reached
//! the trunk since, can make a new pair.
//! Invariant: looking in steps finds the pairs that looking once finds.

use super::{LandingIndex, LineName};
use crate::graph::{CommitNumber, ObjectName};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Commits of one likeness that are compared.
const MAX_ALIKE: usize = 16;

/// The line whose head is the last commit that was there when commits were compared.
pub const COMPARED_LAST: &str = "last";

/// The line whose head is the trunk's then.
pub const COMPARED_TRUNK: &str = "trunk";

/// What is known of what commits change.
#[derive(Debug, Default)]
pub(super) struct Alike {
    /// Patch ids of the commits that were compared.
    patches: HashMap<ObjectName, ObjectName>,
    /// Commits of the trunk, each with those beside it that change the same.
    pairs: HashMap<CommitNumber, Vec<CommitNumber>>,
}

impl Alike {
    pub(super) fn take(&mut self, patches: Vec<(ObjectName, ObjectName)>) {
        self.patches.extend(patches);
    }

    pub(super) fn of(&self, commit: CommitNumber) -> &[CommitNumber] {
        self.pairs.get(&commit).map_or(&[], Vec::as_slice)
    }
}

/// A likeness of one kind: by author and time, or by title.
type Key = (bool, u32);

/// Keys, with a sieve before them that lets few others pass.
struct Keys {
    sieve: Vec<bool>,
    held: HashSet<Key>,
}

impl Keys {
    const SIEVE: usize = 1 << 16;

    fn new(keys: impl Iterator<Item = Key>) -> Keys {
        let mut new = Keys {
            sieve: vec![false; Self::SIEVE],
            held: HashSet::new(),
        };
        for key in keys {
            if let Some(place) = new.sieve.get_mut(key.1 as usize % Self::SIEVE) {
                *place = true;
            }
            new.held.insert(key);
        }
        new
    }

    fn has(&self, key: Key) -> bool {
        self.sieve.get(key.1 as usize % Self::SIEVE) == Some(&true) && self.held.contains(&key)
    }
}

impl LandingIndex {
    /// Commits whose patches are to be compared, without those that were, newest first, at most `limit`.
    pub fn to_compare(&self, limit: usize) -> Vec<ObjectName> {
        let Some(ancestry) = &self.ancestry else {
            return Vec::new();
        };
        let graph = &self.graph;
        let keys = |commit: CommitNumber| {
            let likeness = graph.likeness(commit);
            [(false, likeness.author), (true, likeness.title)]
                .into_iter()
                .filter(|(_, digest)| *digest != 0)
        };
        let is_plain = |commit: &CommitNumber| graph.parents(*commit).len() == 1;
        let since = self.compared();
        let is_fresh = |commit: &CommitNumber| {
            since.is_none_or(|(count, length)| {
                let entry = ancestry.entry(*commit);
                commit.index() >= count || (ancestry.landed(*commit).is_some() && entry >= length)
            })
        };
        let fresh = Keys::new(
            graph
                .commits()
                .filter(is_fresh)
                .filter(is_plain)
                .flat_map(keys),
        );
        let fresh_keys = |commit: CommitNumber| keys(commit).filter(|key| fresh.has(*key));
        let mut wanted: HashMap<Key, Vec<CommitNumber>> = HashMap::new();
        for commit in graph.commits() {
            if ancestry.landed(commit).is_some() || fresh_keys(commit).next().is_none() {
                continue;
            }
            let claims = graph.mentions(commit);
            if is_plain(&commit) && claims.is_none_or(|claims| claims.picked_from.is_empty()) {
                for key in fresh_keys(commit) {
                    wanted.entry(key).or_default().push(commit);
                }
            }
        }
        let sought = Keys::new(wanted.keys().copied());
        let mut found: HashSet<CommitNumber> = HashSet::new();
        let mut tried: HashMap<Key, usize> = HashMap::new();
        // The newest are compared first, so that a limit leaves out the oldest.
        for commit in graph.commits().rev() {
            for key in keys(commit).filter(|key| sought.has(*key)) {
                if !is_plain(&commit) || ancestry.landed(commit).is_none() {
                    break;
                }
                let tried = tried.entry(key).or_default();
                *tried += 1;
                if *tried <= MAX_ALIKE {
                    found.insert(commit);
                    let others = wanted.get(&key).into_iter().flatten();
                    found.extend(others.rev().take(MAX_ALIKE));
                }
            }
        }
        let mut found: Vec<CommitNumber> = found.into_iter().collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        let names = found.into_iter().map(|commit| graph.name(commit));
        names
            .filter(|name| !self.alike.patches.contains_key(name))
            .take(limit)
            .collect()
    }

    /// How many commits there were when commits were compared last, and how long the trunk was; `None` if they never were, or
    /// the trunk was rewritten since.
    fn compared(&self) -> Option<(usize, u32)> {
        let head = |line: &str| {
            let seen = self.last_head(&LineName::Compared(line.to_owned()))?;
            self.graph.find(&seen.commit)
        };
        let (last, trunk) = (head(COMPARED_LAST)?, head(COMPARED_TRUNK)?);
        let ancestry = self.ancestry.as_ref()?;
        let on_trunk = ancestry.landed(trunk) == Some(trunk);
        on_trunk.then(|| (last.index() + 1, ancestry.entry(trunk) + 1))
    }

    /// Links commits beside the trunk with those of the trunk that change the same.
    pub(super) fn settle_alike(&mut self) {
        self.alike.pairs.clear();
        let Some(ancestry) = &self.ancestry else {
            return;
        };
        let mut same: BTreeMap<ObjectName, Vec<CommitNumber>> = BTreeMap::new();
        for (commit, patch) in &self.alike.patches {
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
                self.alike.pairs.insert(*original, beside);
            }
        }
    }
}
