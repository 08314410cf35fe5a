//! Whatever people do, in any order: what is stored follows from the log, and undo restores.

use super::{alice, derive, follows, item, one, prepared, release_again};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use tracker_match::FindingStatus::{Affected, Fixed};
use tracker_store::{Act, Store, TriageDetail, Undo};
use tracker_testkit::on_both_databases;
use tracker_triage::state::{DecidedState, Dismissal, FixedBy};
use tracker_triage::{Action, Place, Verdict};

/// Acts of one history.
const STEPS: usize = 16;

#[derive(Debug, Clone)]
enum Step {
    Do(&'static str, &'static str, Action),
    Undo(prop::sample::Index),
    Derive(bool),
}

fn action() -> impl Strategy<Value = Action> {
    let place = prop_oneof![
        Just(Place::ALL),
        Just(Place {
            channel: Some(super::CHANNEL.to_owned()),
            attribute: None
        }),
        Just(Place {
            channel: None,
            attribute: Some("musl".to_owned())
        }),
    ];
    let states = vec![
        DecidedState::Affected,
        DecidedState::WillNotFix,
        DecidedState::Fixed(FixedBy::Patch),
    ];
    prop_oneof![
        Just(Action::Confirm),
        Just(Action::Dismiss(Dismissal::WrongPackage)),
        Just(Action::Reopen),
        (place.clone(), proptest::sample::select(states))
            .prop_map(|(place, state)| Action::SetState { place, state }),
        place.prop_map(|place| Action::WithdrawState { place }),
        proptest::option::of("[a-c]").prop_map(Action::Assign),
        proptest::option::of(1..3_i64).prop_map(|days| Action::Snooze(
            days.map(|days| jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days))
        )),
        Just(Action::AddPackage),
        Just(Action::Agree(None)),
        Just(Action::Decline(None)),
        Just(Action::WithdrawSuggestion),
        Just(Action::Suggest(Verdict::Confirm)),
        Just(Action::Suggest(Verdict::Dismiss {
            why: Dismissal::Duplicate
        })),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let places = vec![
        ("CVE-2024-0001", "musl"),
        ("CVE-2024-0001", "zlib"),
        ("CVE-2024-0002", "musl"),
        ("CVE-2024-0003", "curl"),
    ];
    prop_oneof![
        6 => (proptest::sample::select(places), action()).prop_map(|((id, family), action)| Step::Do(id, family, action)),
        3 => any::<prop::sample::Index>().prop_map(Step::Undo),
        1 => any::<bool>().prop_map(Step::Derive),
    ]
}

/// What holds of the four places, without the log itself and the time.
async fn shown(store: &Store) -> Vec<Option<TriageDetail>> {
    let now = jiff::Timestamp::from_second(4_000_000_000).unwrap();
    let mut all = Vec::new();
    for (id, family) in [
        ("CVE-2024-0001", "musl"),
        ("CVE-2024-0001", "zlib"),
        ("CVE-2024-0002", "musl"),
        ("CVE-2024-0003", "curl"),
    ] {
        let mut detail = store.triage_item(&item(id, family), now).await.unwrap();
        if let Some(detail) = &mut detail {
            detail.log.clear();
            for finding in &mut detail.findings {
                finding.since = None;
            }
            // What was added, undone and added again is seen for the first time again.
            if family == "curl" {
                detail.row.since = now;
                detail.row.rank.age = 0;
                detail.row.rank.total = 0;
            }
        }
        all.push(detail);
    }
    all
}

on_both_databases! {
    async fn any_history_follows_from_its_log(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, Affected).await;
        let mut runner = TestRunner::deterministic();
        let mut events = Vec::new();
        let mut releases = 0;
        for step in proptest::collection::vec(step(), STEPS).new_tree(&mut runner).unwrap().current() {
            let before = shown(&store).await;
            let act = match step {
                Step::Do(id, family, action) => {
                    let act = Act { targets: one(id, family), action, reason: None, dry_run: false };
                    // What cannot be done (withdrawing nothing, a match that is not there) leaves everything as it is.
                    match store.decide(&alice(), &act).await {
                        Ok(outcome) => outcome.act,
                        Err(_) => {
                            assert_eq!(shown(&store).await, before, "{act:?}");
                            None
                        }
                    }
                }
                Step::Undo(index) if !events.is_empty() => {
                    let event = events[index.index(events.len())];
                    store.undo(&alice(), Undo::Event(event), None, false).await.ok().and_then(|outcome| outcome.act)
                }
                Step::Undo(_) => None,
                Step::Derive(fixed) => {
                    releases += 1;
                    release_again(&store, &format!("r{releases}"), &format!("2024-02-{releases:02}T00:00:00Z")).await;
                    derive(&store, if fixed { Fixed } else { Affected }).await;
                    None
                }
            };
            if let Some(act) = act {
                // Undoing it at once restores what was shown, and undoing that brings it back.
                let after = shown(&store).await;
                let undone = store.undo(&alice(), Undo::Event(act), None, false).await.unwrap();
                assert_eq!(shown(&store).await, before);
                store.undo(&alice(), Undo::Event(undone.act.unwrap()), None, false).await.unwrap();
                assert_eq!(shown(&store).await, after);
                events.push(act);
            }
        }
        assert!(events.len() > 3, "{events:?}");
        follows(&store).await;
    }
}
