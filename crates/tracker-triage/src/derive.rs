//! A finding: decisions laid over evidence.
//!
//! The rule: what a person decided holds until it is withdrawn, and evidence that speaks against it comes up as work. Where
//! nobody decided, the evidence counts; an affected or open finding on a channel that gets no fixes any more is at its
//! end of life, and a package that a channel's release has no more is removed, whatever was decided about it.
//! Invariant: a pure function; the same evidence and decisions give the same finding.

use crate::decisions::Decided;
use crate::state::{DecidedState, FindingState, FixedBy, Justification};
use serde::Serialize;
use tracker_match::FindingStatus;

/// What matching, versions, patches and channels say of one package on one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// The verdict of versions and patches.
    pub status: FindingStatus,
    /// What fixed it, where it is fixed.
    pub fixed_by: FixedBy,
    /// Whether the channel's latest release has the package.
    pub present: bool,
    /// Whether the channel still gets fixes.
    pub supported: bool,
}

/// Evidence that speaks against a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contradiction {
    /// Decided affected, open or never to be fixed; the evidence says fixed or not affected.
    EvidenceClears,
    /// Decided fixed or not affected; the evidence says affected.
    EvidenceAffects,
}

/// Where a finding stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The state.
    pub state: FindingState,
    /// Why it is not affected, where that was said.
    pub justification: Option<Justification>,
    /// Sequence of the event that decided it; none where evidence did.
    pub decided: Option<u64>,
    /// What speaks against the decision.
    pub contradiction: Option<Contradiction>,
}

/// What the evidence alone says.
pub fn derived(evidence: Evidence) -> FindingState {
    if !evidence.present {
        return FindingState::Removed;
    }
    match (evidence.status, evidence.supported, evidence.fixed_by) {
        (FindingStatus::Affected | FindingStatus::UnderInvestigation, false, _) => {
            FindingState::EndOfLife
        }
        (FindingStatus::Affected, true, _) => FindingState::Affected,
        (FindingStatus::UnderInvestigation, true, _) => FindingState::UnderInvestigation,
        (FindingStatus::Fixed, _, FixedBy::Version) => FindingState::FixedByVersion,
        (FindingStatus::Fixed, _, FixedBy::Patch) => FindingState::FixedByPatch,
        (FindingStatus::NotAffected, _, _) => FindingState::NotAffected,
    }
}

/// Lays a decision over the evidence.
pub fn derive(evidence: Evidence, decided: Option<&Decided<DecidedState>>) -> Finding {
    let from_evidence = derived(evidence);
    let Some(decided) = decided.filter(|_| evidence.present) else {
        return Finding {
            state: from_evidence,
            justification: None,
            decided: None,
            contradiction: None,
        };
    };
    let state = decided.value.state();
    // What a decision left open at the end of support is as closed as what evidence left open.
    let state = if state.is_open() && !evidence.supported {
        FindingState::EndOfLife
    } else {
        state
    };
    Finding {
        state,
        justification: decided.value.justification(),
        decided: Some(decided.event),
        contradiction: contradiction(evidence, decided.value),
    }
}

fn contradiction(evidence: Evidence, decided: DecidedState) -> Option<Contradiction> {
    let clears = matches!(
        evidence.status,
        FindingStatus::Fixed | FindingStatus::NotAffected
    );
    match decided {
        DecidedState::Affected | DecidedState::UnderInvestigation | DecidedState::WillNotFix => {
            clears.then_some(Contradiction::EvidenceClears)
        }
        // That the package is not affected was said knowing what versions say: that is what such decisions are for.
        DecidedState::NotAffected(_) => None,
        DecidedState::Fixed(_) => (evidence.status == FindingStatus::Affected
            && evidence.supported)
            .then_some(Contradiction::EvidenceAffects),
    }
}
