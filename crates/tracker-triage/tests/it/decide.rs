//! Acts: what becomes an event, what changes nothing, what cannot be.

use crate::{alice, at, entry, musl};
use tracker_triage::command::{Action, CommandError, MAX_COMMENT, check_reason, check_undo};
use tracker_triage::state::{DecidedState, Dismissal};
use tracker_triage::{Decisions, Event, Place};

#[test]
fn an_act_that_changes_nothing_is_no_event() {
    let place = Place {
        channel: Some("a".to_owned()),
        attribute: None,
    };
    let acts = [
        Action::Confirm,
        Action::Dismiss(Dismissal::WrongPackage),
        Action::SetState {
            place: place.clone(),
            state: DecidedState::WillNotFix,
        },
        Action::Assign(Some("bob".to_owned())),
        Action::Snooze(Some(at(100))),
        Action::AddPackage,
    ];
    for act in acts {
        act.check(at(0)).unwrap();
        let event = act
            .event(&musl(), &Decisions::default(), &alice())
            .unwrap()
            .expect("it is new");
        let held = Decisions::fold(&[entry(1, event)]);
        assert_eq!(
            act.event(&musl(), &held, &alice()).unwrap(),
            None,
            "{act:?}"
        );
    }
    assert_eq!(
        Action::Reopen
            .event(&musl(), &Decisions::default(), &alice())
            .unwrap(),
        None
    );
    let withdraw = Action::WithdrawState { place };
    let refused = withdraw
        .event(&musl(), &Decisions::default(), &alice())
        .unwrap_err();
    assert_eq!(refused.to_string(), "nothing is decided on a");
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |act: Action| act.check(at(0)).unwrap_err();
    assert_eq!(
        refused(Action::Comment(" \n".to_owned())),
        CommandError::EmptyComment
    );
    assert!(matches!(
        refused(Action::Comment("x".repeat(MAX_COMMENT + 1))),
        CommandError::TooLong { .. }
    ));
    assert!(matches!(
        refused(Action::Assign(Some("a\u{1b}".to_owned()))),
        CommandError::NotAName { .. }
    ));
    assert!(matches!(
        refused(Action::Snooze(Some(at(0)))),
        CommandError::Time { .. }
    ));
    assert!(matches!(
        refused(Action::Snooze(Some(at(86_400 * 400)))),
        CommandError::Time { .. }
    ));
    assert!(check_reason(Some(&"x".repeat(2001))).is_err());
    assert!(check_reason(None).is_ok());
}

#[test]
fn only_a_decision_that_holds_can_be_undone() {
    let log = [
        entry(1, Event::Confirmed { subject: musl() }),
        entry(2, Event::Unmatched { subject: musl() }),
        entry(3, Event::Undone { event: 1 }),
    ];
    assert_eq!(check_undo(&log, 1), Err(CommandError::Undone { event: 1 }));
    assert_eq!(check_undo(&log, 2), Err(CommandError::Derived { event: 2 }));
    assert_eq!(check_undo(&log, 3), Ok(()));
    assert_eq!(check_undo(&log, 4), Err(CommandError::NoEvent { event: 4 }));
}
