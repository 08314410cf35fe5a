//! Families merged and split: which package is counted where, and which decisions follow it.

use crate::{at, entry};
use proptest::prelude::*;
use std::collections::BTreeSet;
use tracker_triage::family::{check_decided, check_merge, check_name, check_split};
use tracker_triage::state::{DecidedState, Dismissal};
use tracker_triage::{
    Decisions, Entry, Event, Families, FamilyChange, FamilyError, MatchState, Place, Subject,
};

/// Attributes `a` to `d`; each is of the family of its letter by itself.
const ATTRIBUTES: [&str; 4] = ["a", "b", "c", "d"];

fn subject(family: &str) -> Subject {
    Subject::new("nixpkgs", family)
}

fn split(family: &str, members: &[&str], into: &str) -> Event {
    Event::FamilySplit {
        distribution: "nixpkgs".to_owned(),
        family: family.to_owned(),
        members: members.iter().map(|&member| member.to_owned()).collect(),
        into: into.to_owned(),
    }
}

fn merge(family: &str, members: &[&str], into: &str) -> Event {
    match split(family, members, into) {
        Event::FamilySplit {
            distribution,
            family,
            members,
            into,
        } => Event::FamilyMerged {
            distribution,
            family,
            members,
            into,
        },
        other => other,
    }
}

/// An entry that concerns no vulnerability.
fn general(sequence: u64, event: Event) -> Entry {
    Entry {
        vulnerability: None,
        ..entry(sequence, event)
    }
}

/// The decisions of a log in which the two kinds of entries stand among each other.
fn folded(log: &[Entry]) -> std::collections::BTreeMap<Subject, Decisions> {
    let own = |of: bool| {
        let kept = log
            .iter()
            .filter(move |entry| entry.vulnerability.is_some() == of);
        kept.cloned().collect::<Vec<_>>()
    };
    Decisions::by_subject(&own(true), &Families::fold(own(false).iter()))
}

fn family() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(ATTRIBUTES.to_vec())
}

fn place() -> impl Strategy<Value = Place> {
    let named =
        |names: &[&'static str]| proptest::option::of(proptest::sample::select(names.to_vec()));
    (named(&["one", "two"]), named(&ATTRIBUTES)).prop_map(|(channel, attribute)| Place {
        channel: channel.map(str::to_owned),
        attribute: attribute.map(str::to_owned),
    })
}

/// Something decided about a family.
fn decision() -> impl Strategy<Value = Event> {
    let states: Vec<DecidedState> = DecidedState::all().collect();
    let of = |family: &str| subject(family);
    prop_oneof![
        family().prop_map(move |family| Event::Confirmed {
            subject: of(family)
        }),
        family().prop_map(move |family| Event::Dismissed {
            subject: of(family),
            why: Dismissal::WrongPackage
        }),
        (family(), place(), proptest::sample::select(states)).prop_map(
            move |(family, place, state)| Event::StateSet {
                subject: of(family),
                place,
                state
            }
        ),
        (family(), 0..9_i64).prop_map(move |(family, until)| Event::Snoozed {
            subject: of(family),
            until: Some(at(until))
        }),
        family().prop_map(move |family| Event::PackageAdded {
            subject: of(family)
        }),
    ]
}

fn change() -> impl Strategy<Value = Event> {
    let members = proptest::sample::subsequence(ATTRIBUTES.to_vec(), 1..4);
    (family(), members, family(), any::<bool>()).prop_map(|(from, members, into, splits)| {
        if splits {
            split(from, &members, into)
        } else {
            merge(from, &members, into)
        }
    })
}

/// A log of decisions about one vulnerability and of changes, the latter one in four.
fn log() -> impl Strategy<Value = Vec<Entry>> {
    let step = prop_oneof![3 => decision(), 1 => change()];
    proptest::collection::vec(step, 0..30).prop_map(|events| {
        let numbered = events.into_iter().zip(1..);
        let entries = numbered.map(|(event, sequence)| match event.subject() {
            Some(_) => entry(sequence, event),
            None => general(sequence, event),
        });
        entries.collect()
    })
}

/// What is decided of findings by places alone, without a dismissal of the whole.
fn placed(decisions: Option<&Decisions>, channel: &str, attribute: &str) -> Option<DecidedState> {
    let mut decisions = decisions?.clone();
    decisions.verdict = None;
    decisions
        .of(channel, attribute)
        .map(|decided| decided.value)
}

proptest! {
    #[test]
    fn a_split_loses_and_changes_nothing(log in log(), members in proptest::sample::subsequence(ATTRIBUTES.to_vec(), 1..4)) {
        let before = folded(&log);
        let mut after = log.clone();
        after.push(general(log.len() as u64 + 1, split("a", &members, "new")));
        let after = folded(&after);
        let (old, new) = (before.get(&subject("a")), after.get(&subject("new")));
        prop_assert_eq!(old.is_some(), new.is_some());
        if let (Some(old), Some(new), Some(rest)) = (old, new, after.get(&subject("a"))) {
            prop_assert_eq!(&new.verdict, &old.verdict);
            prop_assert_eq!(&rest.verdict, &old.verdict);
            prop_assert_eq!((new.added, new.snoozed_until), (old.added, old.snoozed_until));
        }
        for attribute in ATTRIBUTES {
            let counted = if members.contains(&attribute) { "new" } else { "a" };
            for channel in ["one", "two"] {
                prop_assert_eq!(
                    placed(after.get(&subject(counted)), channel, attribute),
                    placed(old, channel, attribute)
                );
            }
        }
        for (other, held) in before.iter().filter(|(other, _)| other.family != "a") {
            prop_assert_eq!(after.get(other), Some(held));
        }
    }

    #[test]
    fn a_merge_loses_and_changes_nothing(log in log(), members in proptest::sample::subsequence(ATTRIBUTES.to_vec(), 1..4)) {
        let before = folded(&log);
        let mut after = log.clone();
        after.push(general(log.len() as u64 + 1, merge("a", &members, "b")));
        let after = folded(&after);
        let (old, stays) = (before.get(&subject("a")), before.get(&subject("b")));
        let joined = after.get(&subject("b"));
        prop_assert!(!after.contains_key(&subject("a")));
        let said = |held: Option<&Decisions>| held.and_then(|held| held.verdict.clone());
        prop_assert_eq!(said(joined), said(stays).or(said(old)));
        for attribute in ATTRIBUTES {
            for channel in ["one", "two"] {
                let is_member = members.contains(&attribute);
                let own = is_member.then(|| placed(old, channel, attribute)).flatten();
                let held = placed(joined, channel, attribute);
                match own {
                    // What was decided for it when it was a member of the family that went.
                    Some(own) => prop_assert_eq!(held, Some(own)),
                    None if !is_member => {
                        let kept = placed(stays, channel, attribute);
                        // What names an attribute that was no member any more is kept beside.
                        if kept.is_some() && placed(old, channel, attribute).is_none() {
                            prop_assert_eq!(held, kept);
                        }
                    }
                    None => {}
                }
            }
        }
    }

    #[test]
    fn an_undone_change_never_was(log in log(), event in change(), later in decision()) {
        let next = log.len() as u64 + 1;
        let mut undone = log.clone();
        undone.push(general(next, event.clone()));
        undone.push(general(next + 1, Event::Undone { event: next }));
        undone.push(entry(next + 2, later.clone()));
        let mut without = log.clone();
        without.push(entry(next + 2, later.clone()));
        prop_assert_eq!(folded(&undone), folded(&without));
        // And undoing that makes the change anew, where it was.
        undone.push(general(next + 3, Event::Undone { event: next + 1 }));
        let mut plain = log;
        plain.push(general(next, event));
        plain.push(entry(next + 2, later));
        prop_assert_eq!(folded(&undone), folded(&plain));
    }

    #[test]
    fn a_decision_holds_for_its_heirs_and_for_nobody_else(changes in proptest::collection::vec(change(), 0..8), at in 0..9_usize) {
        // One decision among changes, so that whoever has one has that.
        let at = at.min(changes.len());
        let mut log: Vec<Entry> = changes.into_iter().zip(1..).map(|(event, number)| general(number * 2, event)).collect();
        let families = Families::fold(log.iter());
        let decided = at as u64 * 2 + 1;
        log.insert(at, entry(decided, Event::Confirmed { subject: subject("a") }));
        let holders: BTreeSet<Subject> = folded(&log).into_iter().filter(|(_, held)| held.verdict.is_some()).map(|(subject, _)| subject).collect();
        // A family merged into itself is left as it is by neither; such a change is refused before it is written.
        prop_assume!(families.changes().iter().all(|change| change.family != change.into));
        prop_assert_eq!(holders, families.heirs(&subject("a"), decided));
    }

    #[test]
    fn every_attribute_is_counted_to_one_family(changes in proptest::collection::vec(change(), 0..12), undone in proptest::option::of(1..12_u64)) {
        let mut log: Vec<Entry> = changes.into_iter().zip(1..).map(|(event, number)| general(number, event)).collect();
        if let Some(event) = undone && event <= log.len() as u64 {
            log.push(general(log.len() as u64 + 1, Event::Undone { event }));
        }
        let families = Families::fold(log.iter());
        for attribute in ATTRIBUTES {
            // One by one is the same as all at once.
            let stepwise = families.changes().iter().fold(attribute.to_owned(), |held, change| {
                Families::of(vec![change.clone()]).assigned("nixpkgs", attribute, &held)
            });
            prop_assert_eq!(families.assigned("nixpkgs", attribute, attribute), stepwise);
            prop_assert_eq!(families.assigned("guix", attribute, attribute), attribute);
        }
    }

    #[test]
    fn a_stored_change_reads_back(event in change()) {
        prop_assert_eq!(Event::decode(&event.encode()).unwrap(), event.clone());
        let held = general(7, event.clone());
        let change = FamilyChange::of(&held).expect("it is one");
        prop_assert_eq!(change.to_event(), event);
    }

    #[test]
    fn a_name_that_passes_can_stand_in_an_address(name in "\\PC{0,12}") {
        if check_name(&name).is_ok() {
            prop_assert!(!name.contains(['/', '?', '#', '%', ' ', '"', ':', ',', '(', '\\']));
            prop_assert!(!name.starts_with('.'));
        }
    }
}

#[test]
fn what_is_found_later_follows_a_merge_and_not_a_split() {
    let log = [
        general(1, split("openssl", &["openssl_1_1"], "openssl_1_1")),
        general(2, merge("libressl", &["libressl"], "openssl")),
    ];
    let families = Families::fold(log.iter());
    let named = |of: &str| {
        families
            .successors(&subject(of))
            .into_iter()
            .map(|one| one.family)
            .collect::<Vec<_>>()
    };
    assert_eq!(named("openssl"), ["openssl", "openssl_1_1"]);
    assert_eq!(
        (named("openssl_1_1"), named("libressl")),
        (vec!["openssl_1_1".to_owned()], vec!["openssl".to_owned()])
    );
    let of = |attribute: &str, own: &str| families.assigned("nixpkgs", attribute, own);
    assert_eq!(of("openssl_1_1", "openssl"), "openssl_1_1");
    assert_eq!(of("openssl_3", "openssl"), "openssl");
    assert_eq!(of("libressl_4", "libressl"), "openssl");
    assert_eq!(of("curl", "curl"), "curl");
}

#[test]
fn a_split_names_members_and_leaves_some() {
    let members: BTreeSet<String> = ["a", "b", "c"].map(str::to_owned).into();
    let check = |split: &[&str], into: Option<&str>| {
        let split: Vec<String> = split.iter().map(|&one| one.to_owned()).collect();
        check_split(&subject("x"), &members, &split, into)
    };
    assert_eq!(
        check(&["b", "b"], None).unwrap(),
        (vec!["b".to_owned()], "b".to_owned())
    );
    assert_eq!(check(&["b", "a"], Some("n")).unwrap().1, "n");
    assert_eq!(check(&[], None), Err(FamilyError::NoMember));
    assert_eq!(check(&["a", "b"], None), Err(FamilyError::Unnamed));
    assert!(matches!(
        check(&["d"], None),
        Err(FamilyError::NotAMember { .. })
    ));
    assert!(matches!(
        check(&["a", "b", "c"], Some("n")),
        Err(FamilyError::Whole { .. })
    ));
    assert!(matches!(
        check(&["a"], Some("a b")),
        Err(FamilyError::NotAName { .. })
    ));
    let nobody = check_split(&subject("x"), &BTreeSet::new(), &["a".to_owned()], None);
    assert!(matches!(nobody, Err(FamilyError::NoFamily { .. })));
}

#[test]
fn families_that_were_decided_otherwise_do_not_merge() {
    let (one, two) = (subject("a"), subject("b"));
    let log = [
        entry(
            1,
            Event::Confirmed {
                subject: one.clone(),
            },
        ),
        entry(
            2,
            Event::Dismissed {
                subject: two.clone(),
                why: Dismissal::WrongPackage,
            },
        ),
    ];
    let held = Decisions::by_subject(&log, &Families::default());
    let both = [("CVE-1", &held), ("CVE-2", &held)];
    let refused = check_merge(&one, &two, both.into_iter()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "decisions contradict each other about CVE-1 and one more: `a` is confirmed by event 1, `b` is dismissed by event 2"
    );
    let agreed = Decisions::by_subject(&log[..1], &Families::default());
    assert_eq!(
        check_merge(&one, &two, [("CVE-1", &agreed)].into_iter()),
        Ok(())
    );
}

#[test]
fn an_undo_waits_for_what_rests_on_it() {
    let log = [
        general(1, split("a", &["b"], "b")),
        general(2, merge("c", &["c"], "b")),
        general(3, merge("d", &["d"], "e")),
    ];
    let families = Families::fold(log.iter());
    let change = |index: usize| families.changes()[index].clone();
    assert_eq!(
        families.check_undo(&change(0), 1),
        Err(FamilyError::Later { event: 1, later: 2 })
    );
    assert_eq!(families.check_undo(&change(1), 2), Ok(()));
    assert_eq!(families.at_stake(&change(1)), subject("b"));
    // Decided while it was a family of its own: that would be lost.
    let decided = [entry(
        4,
        Event::Confirmed {
            subject: subject("b"),
        },
    )];
    let refused = check_decided(2, &subject("b"), "CVE-1", &decided).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "event 2 cannot be undone: event 4 decided about `b` since, in CVE-1"
    );
    assert_eq!(check_decided(4, &subject("b"), "CVE-1", &decided), Ok(()));
    let taken_back = [decided[0].clone(), entry(5, Event::Undone { event: 4 })];
    assert_eq!(
        check_decided(2, &subject("b"), "CVE-1", &taken_back),
        Ok(())
    );
}

#[test]
fn a_decision_made_before_covers_the_member_that_left() {
    let log = [
        entry(
            1,
            Event::Confirmed {
                subject: subject("a"),
            },
        ),
        general(2, split("a", &["b"], "b")),
        entry(
            3,
            Event::Dismissed {
                subject: subject("b"),
                why: Dismissal::WrongPackage,
            },
        ),
    ];
    let held = folded(&log);
    assert_eq!(held[&subject("a")].state(), MatchState::Confirmed);
    assert_eq!(held[&subject("b")].state(), MatchState::Dismissed);
    let before = folded(&log[..2]);
    let copied = before[&subject("b")]
        .verdict
        .as_ref()
        .expect("it was confirmed");
    assert_eq!(copied.event, 1, "the decision is the same one, not another");
}
