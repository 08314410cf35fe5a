//! Triage as its callers see it: the log, findings, rank, queries, rules.

mod decide;
mod families;
mod findings;
mod log;
mod queries;
mod ranking;
mod rules;
mod two;

use jiff::Timestamp;
use std::collections::BTreeMap;
use tracker_record::Severity;
use tracker_triage::state::FindingState;
use tracker_triage::{Actor, ActorKind, Entry, Event, Item, MatchState, Subject};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("it is in this century")
}

fn alice() -> Actor {
    Actor::new(ActorKind::Person, "alice")
}

fn musl() -> Subject {
    Subject::new("nixpkgs", "musl")
}

fn entry(sequence: u64, event: Event) -> Entry {
    Entry {
        sequence,
        vulnerability: Some("CVE-2024-0001".to_owned()),
        at: at(sequence as i64),
        actor: alice(),
        group: None,
        reason: None,
        event,
    }
}

/// A match of musl, affected on one channel and fixed on another.
fn item() -> Item {
    let channels = [
        ("nixos-24.05", FindingState::FixedByVersion),
        ("nixos-23.11", FindingState::Affected),
    ];
    Item {
        vulnerability: "CVE-2024-0001".to_owned(),
        distribution: "nixpkgs".to_owned(),
        family: "musl".to_owned(),
        words: tracker_triage::words::index(["CVE-2024-0001", "Overflow in musl's printf"]),
        state: MatchState::Proposed,
        severity: Severity::High,
        score_tenths: Some(75),
        exploited: false,
        epss_ppm: Some(40_000),
        confidence_ppm: 930_000,
        dependents: None,
        default_install: false,
        since: at(0),
        channels: channels
            .map(|(name, state)| (name.to_owned(), state.bit()))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        attributes: vec!["musl".to_owned(), "pkgsMusl.musl".to_owned()],
        pnames: vec!["musl".to_owned()],
        maintainers: vec!["alyssa".to_owned()],
        assignee: None,
        snoozed_until: None,
        suppressed_until: None,
        contradicted: false,
        added: false,
        suggested: false,
    }
}
