//! Suggestions, and decisions that two people have to agree on.

use crate::{entry, musl};
use proptest::prelude::*;
use tracker_people::SecondPerson;
use tracker_record::Severity;
use tracker_triage::command::{CommandError, reviewed, second_person};
use tracker_triage::state::{DecidedState, Dismissal, MatchState};
use tracker_triage::{Action, Actor, ActorKind, Decisions, Entry, Event, Place, Verdict};

const RULE: SecondPerson = SecondPerson {
    from: Some(Severity::High),
};

fn acts() -> Vec<Action> {
    vec![
        Action::Confirm,
        Action::Dismiss(Dismissal::WrongPackage),
        Action::Dismiss(Dismissal::Duplicate),
        Action::SetState {
            place: Place::ALL,
            state: DecidedState::WillNotFix,
        },
        Action::Reopen,
        Action::Agree(None),
        Action::Suggest(Verdict::Confirm),
        Action::Decline(None),
        Action::WithdrawSuggestion,
    ]
}

fn named(name: &str, kind: ActorKind) -> Actor {
    Actor::new(kind, name)
}

/// Does something where it may need two; gives whether anything was written.
fn act(log: &mut Vec<Entry>, severity: Severity, action: &Action, actor: &Actor) -> bool {
    let held = Decisions::fold(log);
    let Ok(Some(event)) = reviewed(RULE, severity, action, &musl(), &held, actor) else {
        return false;
    };
    let mut next = entry(log.len() as u64 + 1, event);
    next.actor = actor.clone();
    log.push(next);
    true
}

#[test]
fn two_have_to_say_the_same() {
    let [alice, bob] = ["alice", "bob"].map(|name| named(name, ActorKind::Person));
    let dismiss = Action::Dismiss(Dismissal::WrongPackage);
    let mut log = Vec::new();
    assert!(act(&mut log, Severity::Critical, &dismiss, &alice));
    assert_eq!(Decisions::fold(&log).state(), MatchState::Proposed);
    // Her own word again, by whatever proof, is no second one; neither is another verdict of somebody else.
    let token = named("alice", ActorKind::Token);
    assert!(!act(&mut log, Severity::Critical, &dismiss, &token));
    let other = Action::Dismiss(Dismissal::Duplicate);
    assert!(act(&mut log, Severity::Critical, &other, &bob));
    assert_eq!(Decisions::fold(&log).state(), MatchState::Proposed);
    assert!(act(&mut log, Severity::Critical, &dismiss, &bob));
    let held = Decisions::fold(&log);
    assert_eq!(held.state(), MatchState::Dismissed);
    assert_eq!(held.suggestions, [], "it is answered");
    // Below the severity one is enough.
    let mut log = Vec::new();
    assert!(act(&mut log, Severity::Medium, &dismiss, &alice));
    assert_eq!(Decisions::fold(&log).state(), MatchState::Dismissed);
}

#[test]
fn a_suggestion_holds_when_one_of_the_team_agrees() {
    let [maintainer, alice, bob] =
        ["maintainer", "alice", "bob"].map(|name| named(name, ActorKind::Person));
    let suggest = Action::Suggest(Verdict::Dismiss {
        why: Dismissal::WrongPackage,
    });
    let agree = |log: &[Entry], severity, actor: &Actor| {
        let held = Decisions::fold(log);
        reviewed(RULE, severity, &Action::Agree(None), &musl(), &held, actor)
    };
    let nothing = agree(&[], Severity::Low, &alice);
    assert_eq!(nothing, Err(CommandError::NothingSuggested));
    let mut log = Vec::new();
    assert!(act(&mut log, Severity::Low, &suggest, &maintainer));
    assert!(!act(&mut log, Severity::Low, &suggest, &maintainer), "said");
    let agreed = agree(&log, Severity::Low, &alice).unwrap();
    assert!(matches!(agreed, Some(Event::Dismissed { .. })));
    // Where two of the team have to agree, a maintainer is none of them.
    assert!(act(
        &mut log,
        Severity::Critical,
        &Action::Agree(None),
        &alice
    ));
    assert_eq!(Decisions::fold(&log).state(), MatchState::Proposed);
    assert!(act(
        &mut log,
        Severity::Critical,
        &Action::Agree(None),
        &bob
    ));
    assert_eq!(Decisions::fold(&log).state(), MatchState::Dismissed);
}

#[test]
fn a_suggestion_is_declined_or_withdrawn_with_a_word() {
    let [maintainer, other, alice, bob] =
        ["maintainer", "other", "alice", "bob"].map(|name| named(name, ActorKind::Person));
    let suggest = |why| Action::Suggest(Verdict::Dismiss { why });
    let mut log = Vec::new();
    assert!(act(
        &mut log,
        Severity::Low,
        &suggest(Dismissal::Duplicate),
        &maintainer
    ));
    assert!(act(
        &mut log,
        Severity::Low,
        &suggest(Dismissal::WrongPackage),
        &other
    ));
    let waiting = |log: &[Entry]| -> Vec<u64> {
        let held = Decisions::fold(log);
        held.suggestions
            .iter()
            .map(|one| one.suggested.event)
            .collect()
    };
    assert_eq!(waiting(&log), [1, 2]);
    // Each takes back their own, by whatever proof; nobody that of another.
    assert!(!act(
        &mut log,
        Severity::Low,
        &Action::WithdrawSuggestion,
        &alice
    ));
    let token = named("maintainer", ActorKind::Token);
    assert!(act(
        &mut log,
        Severity::Low,
        &Action::WithdrawSuggestion,
        &token
    ));
    assert_eq!(waiting(&log), [2]);
    // One of the team declines what is named, and what was answered is none any more.
    assert!(!act(
        &mut log,
        Severity::Low,
        &Action::Decline(Some(1)),
        &alice
    ));
    assert!(act(
        &mut log,
        Severity::Low,
        &Action::Decline(Some(2)),
        &alice
    ));
    assert_eq!(waiting(&log), Vec::<u64>::new());
    assert!(!act(
        &mut log,
        Severity::Low,
        &Action::Decline(None),
        &alice
    ));
    // An undo of that lets it wait again.
    log.push(entry(5, Event::Undone { event: 4 }));
    assert_eq!(waiting(&log), [2]);
    assert!(!act(
        &mut log,
        Severity::Low,
        &Action::Agree(Some(1)),
        &alice
    ));
    assert!(act(
        &mut log,
        Severity::Low,
        &Action::Agree(Some(2)),
        &alice
    ));
    assert_eq!(Decisions::fold(&log).state(), MatchState::Dismissed);
    // A severe decision that waits for the second person is refused by them in the same way.
    let mut log = Vec::new();
    let dismiss = Action::Dismiss(Dismissal::WrongPackage);
    assert!(act(&mut log, Severity::Critical, &dismiss, &alice));
    assert!(act(
        &mut log,
        Severity::Critical,
        &Action::Decline(None),
        &bob
    ));
    assert!(act(&mut log, Severity::Critical, &dismiss, &bob));
    let held = Decisions::fold(&log);
    assert_eq!(
        held.state(),
        MatchState::Proposed,
        "what was refused counts for nobody"
    );
}

#[test]
fn the_rule_is_the_last_that_was_asked_for_and_not_undone() {
    let asked = |sequence, from| entry(sequence, Event::SecondPersonAsked { from });
    let mut log = vec![asked(1, Some(Severity::High)), asked(2, None)];
    assert_eq!(second_person(&log).from, None);
    log.push(entry(3, Event::Undone { event: 2 }));
    assert_eq!(second_person(&log).from, Some(Severity::High));
    assert_eq!(second_person(&[]), SecondPerson::default());
}

proptest! {
    /// Whatever one person does, alone and under two proofs, changes no state and no finding of a severe match.
    #[test]
    fn one_person_alone_decides_nothing(steps in proptest::collection::vec((0..9_usize, any::<bool>()), 0..30)) {
        let mut log = Vec::new();
        for (action, token) in steps {
            let kind = if token { ActorKind::Token } else { ActorKind::Person };
            act(&mut log, Severity::High, &acts()[action], &named("alice", kind));
            let held = Decisions::fold(&log);
            prop_assert_eq!(held.state(), MatchState::Proposed);
            prop_assert!(held.places.is_empty());
        }
    }

    /// What holds after two people acted was said by both.
    #[test]
    fn what_holds_was_said_by_two(steps in proptest::collection::vec((0..4_usize, any::<bool>()), 0..30)) {
        let mut log = Vec::new();
        for (action, first) in steps {
            let name = if first { "alice" } else { "bob" };
            act(&mut log, Severity::Critical, &acts()[action], &named(name, ActorKind::Person));
        }
        for (position, entry) in log.iter().enumerate() {
            if let Event::Dismissed { why, .. } = &entry.event {
                let verdict = Verdict::Dismiss { why: *why };
                let said = log[..position].iter().any(|before| {
                    before.actor.name != entry.actor.name
                        && matches!(&before.event, Event::Suggested { verdict: said, .. } if *said == verdict)
                });
                prop_assert!(said);
            }
        }
    }
}
