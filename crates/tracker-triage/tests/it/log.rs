//! The log: stored forms, folding, undo.

use crate::{alice, at, entry, musl};
use proptest::prelude::*;
use tracker_triage::event::{Cells, EventError};
use tracker_triage::state::{
    DecidedState, Dismissal, FindingState, FixedBy, Justification, MatchState,
};
use tracker_triage::{
    Board, Decisions, Entry, Event, EventKind, Families, Place, Subject, Verdict,
};

fn subject() -> impl Strategy<Value = Subject> {
    (0..3).prop_map(|number| Subject::new("nixpkgs", format!("family-{number}")))
}

fn place() -> impl Strategy<Value = Place> {
    (0..3, 0..3).prop_map(|(channel, attribute)| Place {
        channel: (channel > 0).then(|| format!("channel-{channel}")),
        attribute: (attribute > 0).then(|| format!("attribute-{attribute}")),
    })
}

fn decided() -> impl Strategy<Value = DecidedState> {
    proptest::sample::select(DecidedState::all().collect::<Vec<_>>())
}

fn verdicts() -> Vec<Verdict> {
    let place = Place {
        channel: Some("a".to_owned()),
        attribute: None,
    };
    let states = DecidedState::all().map(move |state| Verdict::State {
        place: place.clone(),
        state,
    });
    let dismissals = Dismissal::all().map(|why| Verdict::Dismiss { why });
    states.chain(dismissals).chain([Verdict::Confirm]).collect()
}

/// A decision, without undo.
fn decision() -> impl Strategy<Value = Event> {
    let dismissals: Vec<Dismissal> = Dismissal::all().collect();
    prop_oneof![
        subject().prop_map(|subject| Event::Confirmed { subject }),
        (subject(), proptest::sample::select(dismissals))
            .prop_map(|(subject, why)| Event::Dismissed { subject, why }),
        subject().prop_map(|subject| Event::Reopened { subject }),
        (subject(), place(), decided()).prop_map(|(subject, place, state)| Event::StateSet {
            subject,
            place,
            state
        }),
        (subject(), place()).prop_map(|(subject, place)| Event::StateWithdrawn { subject, place }),
        (
            subject(),
            proptest::sample::select(verdicts()),
            any::<bool>()
        )
            .prop_map(|(subject, verdict, decides)| Event::Suggested {
                subject,
                verdict,
                decides
            }),
        (subject(), 1..30_u64, any::<bool>()).prop_map(|(subject, suggestion, own)| if own {
            Event::SuggestionWithdrawn {
                subject,
                suggestion,
            }
        } else {
            Event::Declined {
                subject,
                suggestion,
            }
        }),
        subject().prop_map(|subject| Event::PackageAdded { subject }),
        (subject(), "[a-z ]{1,8}").prop_map(|(subject, text)| Event::Commented { subject, text }),
        (subject(), proptest::option::of("[a-z]{1,5}"))
            .prop_map(|(subject, to)| Event::Assigned { subject, to }),
        (subject(), proptest::option::of(0..9_i64)).prop_map(|(subject, until)| Event::Snoozed {
            subject,
            until: until.map(at)
        }),
        (1..4_u64).prop_map(|rule| Event::RuleMade {
            rule,
            query: "kev:yes".to_owned(),
            expires: at(9)
        }),
        (1..4_u64).prop_map(|rule| Event::RuleEnded { rule }),
        (1..4_u64).prop_map(|rule| Event::RuleExpired { rule }),
        ("[ab]", any::<bool>()).prop_map(|(view, shared)| Event::ViewSaved {
            view,
            query: "kev:yes".to_owned(),
            shared
        }),
        "[ab]".prop_map(|view| Event::ViewDropped { view }),
        subject().prop_map(|subject| Event::Unmatched { subject }),
    ]
}

/// A log whose undo events name one of the events before them, undo or not.
fn log() -> impl Strategy<Value = Vec<Entry>> {
    let step = (
        decision(),
        proptest::option::weighted(0.3, any::<prop::sample::Index>()),
        0..2,
    );
    proptest::collection::vec(step, 0..40).prop_map(|steps| {
        let mut log: Vec<Entry> = Vec::new();
        for (position, (event, undo, vulnerability)) in steps.into_iter().enumerate() {
            let mut next = entry(position as u64 + 1, event);
            next.vulnerability = Some(format!("CVE-{vulnerability}"));
            if let Some(index) = undo
                && !log.is_empty()
            {
                let target = &log[index.index(log.len())];
                next.vulnerability.clone_from(&target.vulnerability);
                next.event = Event::Undone {
                    event: target.sequence,
                };
            }
            log.push(next);
        }
        log
    })
}

fn applied(log: &[Entry]) -> Board {
    let mut board = Board::default();
    for entry in log {
        board.apply(entry);
    }
    board
}

proptest! {
    #[test]
    fn folding_anew_gives_what_taking_in_one_by_one_gave(log in log()) {
        prop_assert_eq!(applied(&log), Board::fold(&log));
    }

    #[test]
    fn undoing_the_last_decision_restores_what_was_before(log in log(), event in decision()) {
        let before = applied(&log);
        let mut after = log.clone();
        let sequence = log.len() as u64 + 1;
        after.push(entry(sequence, event.clone()));
        after.push(entry(sequence + 1, Event::Undone { event: sequence }));
        prop_assert_eq!(&applied(&after), &before);
        // And undoing that brings the decision back.
        let mut again = after.clone();
        again.push(entry(sequence + 2, Event::Undone { event: sequence + 1 }));
        let mut plain = log;
        plain.push(entry(sequence, event));
        prop_assert_eq!(applied(&again), applied(&plain));
    }

    #[test]
    fn undoing_any_event_equals_a_log_without_it(log in log(), which in any::<prop::sample::Index>()) {
        // Undo events are about other events, so they are left out of what is undone here.
        let plain: Vec<Entry> = log.into_iter().filter(|entry| !matches!(entry.event, Event::Undone { .. })).collect();
        prop_assume!(!plain.is_empty());
        let gone = plain[which.index(plain.len())].clone();
        let mut undone = plain.clone();
        let mut undo = entry(plain.len() as u64 + 1, Event::Undone { event: gone.sequence });
        undo.vulnerability.clone_from(&gone.vulnerability);
        undone.push(undo);
        let without: Vec<Entry> = plain.into_iter().filter(|entry| entry.sequence != gone.sequence).collect();
        prop_assert_eq!(applied(&undone), Board::fold(&without));
    }

    #[test]
    fn decisions_of_a_vulnerability_are_those_of_the_board(log in log()) {
        let board = Board::fold(&log);
        for vulnerability in ["CVE-0", "CVE-1"] {
            let own: Vec<Entry> = log.iter().filter(|entry| entry.vulnerability.as_deref() == Some(vulnerability)).cloned().collect();
            for (subject, decisions) in Decisions::by_subject(&own, &Families::default()) {
                prop_assert_eq!(decisions, board.decisions(vulnerability, &subject));
            }
        }
    }

    #[test]
    fn a_stored_event_reads_back(event in decision()) {
        prop_assert_eq!(Event::decode(&event.encode()).unwrap(), event);
    }

    #[test]
    fn any_text_is_an_event_or_an_error(text in "\\PC{0,60}") {
        let is_event = Event::decode(&text).is_ok();
        prop_assert!(!is_event || text.contains("kind"));
    }
}

#[test]
fn derived_events_read_back_and_are_told() {
    let cells = Cells {
        channel: "nixos-24.05".to_owned(),
        state: Some(FindingState::FixedByVersion),
        attributes: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
    };
    let subject = musl();
    let events = [
        (
            Event::Matched {
                subject: subject.clone(),
                confidence_ppm: 970_000,
                findings: vec![cells.clone()],
            },
            "matched to musl in nixpkgs, score 0.97",
        ),
        (
            Event::FindingChanged {
                subject: subject.clone(),
                from: Some(FindingState::Affected),
                cells: cells.clone(),
            },
            "nixos-24.05: fixed, was affected: a, b, c and 1 more",
        ),
        (
            Event::FindingChanged {
                subject: subject.clone(),
                from: None,
                cells: Cells {
                    attributes: vec!["a".to_owned()],
                    ..cells.clone()
                },
            },
            "nixos-24.05: fixed, new there: a",
        ),
        (
            Event::StateSet {
                subject,
                place: Place {
                    channel: Some("nixos-24.05".to_owned()),
                    attribute: None,
                },
                state: DecidedState::NotAffected(Justification::InlineMitigationsAlreadyExist),
            },
            "musl in nixpkgs on nixos-24.05: decided not affected: inline mitigations already exist",
        ),
    ];
    for (event, sentence) in events {
        assert_eq!(event.sentence(), sentence);
        assert_eq!(Event::decode(&event.encode()).unwrap(), event);
        assert!(
            event
                .encode()
                .contains(&format!("\"kind\":\"{}\"", event.kind()))
        );
    }
}

#[test]
fn a_newer_form_is_refused_not_guessed() {
    let newer = Event::Undone { event: 1 }
        .encode()
        .replace("\"v\":1", "\"v\":2");
    assert!(matches!(
        Event::decode(&newer),
        Err(EventError::Version { version: 2 })
    ));
    let unknown = "{\"v\":1,\"event\":{\"kind\":\"sung\"}}";
    assert!(matches!(Event::decode(unknown), Err(EventError::Form(_))));
}

#[test]
fn what_was_decided_of_a_part_is_overruled_by_a_later_word_on_the_whole() {
    let set = |sequence, channel: Option<&str>, state| {
        let place = Place {
            channel: channel.map(str::to_owned),
            attribute: None,
        };
        entry(
            sequence,
            Event::StateSet {
                subject: musl(),
                place,
                state,
            },
        )
    };
    let log = [
        set(1, Some("a"), DecidedState::WillNotFix),
        set(2, None, DecidedState::Affected),
        set(3, Some("b"), DecidedState::Fixed(FixedBy::Patch)),
    ];
    let decisions = Decisions::fold(&log);
    let of = |channel| {
        decisions
            .of(channel, "musl")
            .map(|decided| (decided.value, decided.event))
    };
    assert_eq!(of("a"), Some((DecidedState::Affected, 2)));
    assert_eq!(of("b"), Some((DecidedState::Fixed(FixedBy::Patch), 3)));
    // A dismissed match is not affected anywhere, whatever was said of its findings.
    let dismissed = entry(
        4,
        Event::Dismissed {
            subject: musl(),
            why: Dismissal::WrongPackage,
        },
    );
    let decisions = Decisions::fold(&[log.to_vec(), vec![dismissed]].concat());
    let found = decisions.of("b", "musl").unwrap();
    assert_eq!(
        found.value,
        DecidedState::NotAffected(Justification::ComponentNotPresent)
    );
    assert_eq!(
        (found.actor, decisions.state()),
        (alice(), MatchState::Dismissed)
    );
}

#[test]
fn every_kind_is_in_the_list_as_it_is_stored() {
    // Of a kind that it does not know, the reader of the stored form names those that it knows.
    let unknown = Event::decode("{\"v\":1,\"event\":{\"kind\":\"sung\"}}").unwrap_err();
    let told = std::error::Error::source(&unknown).unwrap().to_string();
    let (_, known) = told.split_once("expected one of ").unwrap();
    let (known, _) = known.rsplit_once('`').unwrap();
    let stored: Vec<&str> = known
        .split(", ")
        .map(|name| name.trim_matches('`'))
        .collect();
    let mut listed: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(stored.len(), listed.len(), "{told}");
    listed.retain(|name| !stored.contains(name));
    assert_eq!(listed, [""; 0]);
}

proptest! {
    #[test]
    fn a_kind_is_read_back_and_nothing_else_is_one(event in decision(), word in "[a-z-]{1,60}") {
        let kind: EventKind = event.kind().parse().unwrap();
        prop_assert_eq!(kind.to_string(), event.kind());
        let known = EventKind::ALL.iter().any(|kind| kind.name() == word);
        prop_assert_eq!(word.parse::<EventKind>().is_ok(), known);
    }
}

#[test]
fn an_unknown_kind_names_those_that_there_are() {
    let told = "nonsense".parse::<EventKind>().unwrap_err().to_string();
    assert!(
        told.starts_with("`nonsense` is no kind of event; the kinds are record-added,"),
        "{told}"
    );
    assert!(told.ends_with("view-dropped"), "{told}");
}
