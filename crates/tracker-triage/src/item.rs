//! A match in the queue: everything that the query language can ask of it.
//!
//! Invariant: a plain value; a query answers from it alone, as a database does from its columns.

use crate::rank::RankInputs;
use crate::state::{FindingState, MatchState};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use tracker_record::Severity;

/// A match with all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// Public id of the vulnerability.
    pub vulnerability: String,
    /// Distribution.
    pub distribution: String,
    /// Package family.
    pub family: String,
    /// Words of the vulnerability, as [`crate::words::index`] gives them.
    #[serde(skip)]
    pub words: String,
    /// Where the match stands.
    pub state: MatchState,
    /// Band of the leading score.
    pub severity: Severity,
    /// The leading score in tenths.
    pub score_tenths: Option<u8>,
    /// In the KEV catalogue.
    pub exploited: bool,
    /// EPSS probability in millionths.
    pub epss_ppm: Option<u32>,
    /// Probability of the match in millionths.
    pub confidence_ppm: u32,
    /// How many packages depend on it.
    pub dependents: Option<u32>,
    /// Whether every installation has it.
    pub default_install: bool,
    /// When it was first matched.
    pub since: Timestamp,
    /// States of its findings by channel, as a set of [`FindingState::bit`].
    pub channels: BTreeMap<String, u32>,
    /// Attributes of the family.
    pub attributes: Vec<String>,
    /// Their names without version.
    pub pnames: Vec<String>,
    /// Maintainers of the family on the channels' latest releases.
    pub maintainers: Vec<String>,
    /// Who deals with it.
    pub assignee: Option<String>,
    /// Until when it is out of sight.
    pub snoozed_until: Option<Timestamp>,
    /// Until when a rule hides it.
    pub suppressed_until: Option<Timestamp>,
    /// Whether evidence speaks against a decision.
    pub contradicted: bool,
    /// Whether it was added by hand.
    pub added: bool,
    /// Whether a suggestion waits for an answer.
    pub suggested: bool,
}

impl Item {
    /// What its rank is computed from.
    pub fn rank_inputs(&self) -> RankInputs {
        RankInputs {
            score_tenths: self.score_tenths,
            exploited: self.exploited,
            epss_ppm: self.epss_ppm,
            confidence_ppm: self.confidence_ppm,
            dependents: self.dependents,
            default_install: self.default_install,
            since: self.since,
        }
    }

    /// The states of its findings on any channel.
    pub fn states(&self) -> u32 {
        self.channels.values().fold(0, |all, states| all | states)
    }

    /// Whether it is work: proposed with something open, or contradicted; and neither snoozed nor hidden by a rule.
    pub fn is_open(&self, now: Timestamp) -> bool {
        let open = FindingState::Affected.bit() | FindingState::UnderInvestigation.bit();
        let later = |until: Option<Timestamp>| until.is_some_and(|until| until > now);
        let undecided = self.state == MatchState::Proposed && self.states() & open != 0;
        (undecided || self.contradicted)
            && !later(self.snoozed_until)
            && !later(self.suppressed_until)
    }
}
