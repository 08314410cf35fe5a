//! Findings: a table of evidence and decisions.

use crate::{alice, at};
use tracker_match::FindingStatus::{self, Affected, Fixed, NotAffected, UnderInvestigation};
use tracker_triage::decisions::Decided;
use tracker_triage::derive::{Contradiction, Evidence, derive};
use tracker_triage::state::{DecidedState, FindingState, FixedBy, Justification};

fn evidence(status: FindingStatus) -> Evidence {
    Evidence {
        status,
        fixed_by: FixedBy::Version,
        present: true,
        supported: true,
    }
}

fn decided(value: DecidedState) -> Decided<DecidedState> {
    Decided {
        value,
        event: 7,
        at: at(0),
        actor: alice(),
        reason: None,
    }
}

#[test]
fn evidence_alone_decides_where_nobody_did() {
    let ended = |status| Evidence {
        supported: false,
        ..evidence(status)
    };
    let gone = |status| Evidence {
        present: false,
        ..evidence(status)
    };
    let patched = Evidence {
        fixed_by: FixedBy::Patch,
        ..evidence(Fixed)
    };
    for (given, state) in [
        (evidence(Affected), FindingState::Affected),
        (
            evidence(UnderInvestigation),
            FindingState::UnderInvestigation,
        ),
        (evidence(Fixed), FindingState::FixedByVersion),
        (patched, FindingState::FixedByPatch),
        (evidence(NotAffected), FindingState::NotAffected),
        (ended(Affected), FindingState::EndOfLife),
        (ended(UnderInvestigation), FindingState::EndOfLife),
        (ended(Fixed), FindingState::FixedByVersion),
        (ended(NotAffected), FindingState::NotAffected),
        (gone(Affected), FindingState::Removed),
        (gone(Fixed), FindingState::Removed),
    ] {
        let found = derive(given, None);
        assert_eq!(
            (found.state, found.decided, found.contradiction),
            (state, None, None),
            "{given:?}"
        );
    }
}

#[test]
fn a_decision_wins_and_what_speaks_against_it_comes_up() {
    let clears = Some(Contradiction::EvidenceClears);
    let affects = Some(Contradiction::EvidenceAffects);
    let justified = DecidedState::NotAffected(Justification::VulnerableCodeNotPresent);
    for (status, said, state, against) in [
        (
            Affected,
            DecidedState::Affected,
            FindingState::Affected,
            None,
        ),
        (
            Fixed,
            DecidedState::Affected,
            FindingState::Affected,
            clears,
        ),
        (
            NotAffected,
            DecidedState::Affected,
            FindingState::Affected,
            clears,
        ),
        (
            UnderInvestigation,
            DecidedState::Affected,
            FindingState::Affected,
            None,
        ),
        (
            Fixed,
            DecidedState::WillNotFix,
            FindingState::WillNotFix,
            clears,
        ),
        (
            Affected,
            DecidedState::WillNotFix,
            FindingState::WillNotFix,
            None,
        ),
        (
            Affected,
            DecidedState::UnderInvestigation,
            FindingState::UnderInvestigation,
            None,
        ),
        (
            Fixed,
            DecidedState::UnderInvestigation,
            FindingState::UnderInvestigation,
            clears,
        ),
        (
            Affected,
            DecidedState::Fixed(FixedBy::Patch),
            FindingState::FixedByPatch,
            affects,
        ),
        (
            Fixed,
            DecidedState::Fixed(FixedBy::Patch),
            FindingState::FixedByPatch,
            None,
        ),
        (
            UnderInvestigation,
            DecidedState::Fixed(FixedBy::Version),
            FindingState::FixedByVersion,
            None,
        ),
        (Affected, justified, FindingState::NotAffected, None),
        (Fixed, justified, FindingState::NotAffected, None),
    ] {
        let found = derive(evidence(status), Some(&decided(said)));
        assert_eq!(
            (found.state, found.contradiction),
            (state, against),
            "{status:?} {said:?}"
        );
        assert_eq!(
            (found.decided, found.justification),
            (Some(7), said.justification())
        );
    }
}

#[test]
fn the_end_of_a_channel_and_of_a_package_stand_above_decisions() {
    let ended = Evidence {
        supported: false,
        ..evidence(Affected)
    };
    let open = derive(ended, Some(&decided(DecidedState::Affected)));
    assert_eq!(
        (open.state, open.decided),
        (FindingState::EndOfLife, Some(7))
    );
    let closed = derive(ended, Some(&decided(DecidedState::WillNotFix)));
    assert_eq!(closed.state, FindingState::WillNotFix);
    let patched = derive(ended, Some(&decided(DecidedState::Fixed(FixedBy::Patch))));
    assert_eq!(patched.contradiction, None);
    let gone = Evidence {
        present: false,
        ..evidence(Affected)
    };
    let gone = derive(gone, Some(&decided(DecidedState::Affected)));
    assert_eq!((gone.state, gone.decided), (FindingState::Removed, None));
}

#[test]
fn every_state_is_told_to_whoever_knows_four() {
    for state in FindingState::ALL {
        let expected = match state {
            FindingState::Affected | FindingState::WillNotFix | FindingState::EndOfLife => Affected,
            FindingState::UnderInvestigation => UnderInvestigation,
            FindingState::FixedByVersion | FindingState::FixedByPatch => Fixed,
            FindingState::NotAffected | FindingState::Removed => NotAffected,
        };
        assert_eq!(state.status(), expected);
        assert_eq!(FindingState::of(state.name()), Some(*state));
    }
    for state in DecidedState::all() {
        assert_eq!(DecidedState::of(&state.name()), Some(state));
    }
}
