//! What is known of a channel's past: its moves, and how its jobset stood, as far as that was watched.
//!
//! Invariant: what is told of a moment was seen at that moment or before, and no longer before than [`PHASE_LASTS`].

use super::Move;
use serde::{Deserialize, Serialize};

/// What was seen of a jobset is taken to hold for so long, in seconds: watching that ended says nothing of today.
pub const PHASE_LASTS: i64 = 2 * 86_400;

/// How the job that moves a channel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Its parts are being built, and none has failed so far.
    Building,
    /// It failed, or a part of it did: this evaluation cannot move the channel.
    Blocked,
    /// It passed: the channel moves to it, or has moved, and waits for the next evaluation.
    Passed,
}

impl Phase {
    const WORDS: [(Phase, &'static str); 3] = [
        (Phase::Building, "building"),
        (Phase::Blocked, "blocked"),
        (Phase::Passed, "passed"),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        let mut words = Self::WORDS.iter();
        words
            .find(|(held, _)| *held == self)
            .map_or("", |(_, word)| word)
    }

    /// The phase that a word names.
    pub fn read(word: &str) -> Option<Phase> {
        let mut words = Self::WORDS.iter();
        words
            .find(|(_, held)| *held == word)
            .map(|(phase, _)| *phase)
    }
}

/// A phase and when it was seen, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhaseSeen {
    /// When.
    pub at: i64,
    /// What.
    pub phase: Phase,
}

/// The past of a channel, or of merges from one branch into another.
#[derive(Debug, Clone, Copy)]
pub struct Past<'a> {
    /// The moves, in order of time.
    pub moves: &'a [Move],
    /// How the jobset was seen, in order of time; empty where nobody watched.
    pub phases: &'a [PhaseSeen],
}

impl<'a> From<&'a [Move]> for Past<'a> {
    fn from(moves: &'a [Move]) -> Past<'a> {
        Past { moves, phases: &[] }
    }
}

impl Past<'_> {
    /// How the jobset stood at a moment, and since when, as far as it was seen.
    pub(super) fn phase(&self, moment: i64) -> Option<(Phase, i64)> {
        let seen = self.phases.partition_point(|seen| seen.at <= moment);
        let seen = self.phases.get(..seen)?;
        let last = seen.last().filter(|last| moment - last.at <= PHASE_LASTS)?;
        let same = seen
            .iter()
            .rev()
            .take_while(|each| each.phase == last.phase);
        let since = same.last().map_or(last.at, |first| first.at);
        Some((last.phase, since))
    }
}
