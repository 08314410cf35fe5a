//! A request that comes twice, and one that comes too late.

use super::{alice, decide, derive, detail, one, prepared, rule};
use tracker_match::FindingStatus::Affected;
use tracker_store::{Act, Conditions, Once, StoreError, Targets, Undo};
use tracker_testkit::on_both_databases;
use tracker_triage::query::Query;
use tracker_triage::{Action, Actor, ActorKind};

fn once(key: &str, digest: &str) -> Conditions {
    let once = Once {
        key: key.to_owned(),
        digest: digest.to_owned(),
    };
    Conditions {
        once: Some(once),
        last: None,
    }
}

fn act(action: Action) -> Act {
    Act {
        targets: Targets::Query(Query::parse("family:musl").unwrap()),
        action,
        reason: None,
        dry_run: false,
    }
}

on_both_databases! {
    async fn a_request_that_comes_twice_is_carried_out_once(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, Affected).await;
        let comment = act(Action::Comment("seen".to_owned()));
        let first = store.decide_if(&alice(), &comment, &once("k", "a")).await.unwrap();
        assert_eq!(first.changed.len(), 3);
        let again = store.decide_if(&alice(), &comment, &once("k", "a")).await.unwrap();
        assert_eq!(again, first);
        assert_eq!(detail(&store, "CVE-2024-0001", "musl").await.decisions.comments, 1);
        let other = store.decide_if(&alice(), &comment, &once("k", "b")).await;
        assert!(matches!(other, Err(StoreError::KeyTaken { key }) if key == "k"));
        // A key is its sender's alone, and a dry run takes none.
        let bob = Actor::new(ActorKind::Person, "bob");
        let dry = Act { dry_run: true, ..comment.clone() };
        store.decide_if(&bob, &dry, &once("k", "a")).await.unwrap();
        store.decide_if(&bob, &comment, &once("k", "a")).await.unwrap();
        assert_eq!(detail(&store, "CVE-2024-0001", "musl").await.decisions.comments, 2);
        let back = Undo::Act(first.act.unwrap());
        for _ in 0..2 {
            let undone = store.undo_if(&alice(), back, None, false, &once("u", "c")).await.unwrap();
            assert_eq!(undone.changed.len(), 3);
        }
        let numbers = [
            store.make_rule(&alice(), &rule("family:zlib"), &once("r", "d")).await.unwrap(),
            store.make_rule(&alice(), &rule("family:zlib"), &once("r", "d")).await.unwrap(),
        ];
        assert_eq!(numbers[0], numbers[1]);
        assert_eq!(store.rules(jiff::Timestamp::now()).await.unwrap().len(), 1);
    }

    async fn a_decision_on_an_old_view_is_refused(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, Affected).await;
        let confirm = Act {
            targets: one("CVE-2024-0001", "musl"),
            ..act(Action::Confirm)
        };
        let last = |last| Conditions { once: None, last: Some(last) };
        decide(&store, one("CVE-2024-0001", "musl"), Action::Comment("meanwhile".to_owned())).await;
        let refused = store.decide_if(&alice(), &confirm, &last(0)).await;
        assert!(matches!(refused, Err(StoreError::Moved)));
        let seen = detail(&store, "CVE-2024-0001", "musl").await.log.last().unwrap().sequence;
        // What is decided about another match of the vulnerability does not matter.
        decide(&store, one("CVE-2024-0001", "zlib"), Action::Confirm).await;
        store.decide_if(&alice(), &confirm, &last(seen)).await.unwrap();
    }

    async fn an_act_is_told_again_with_whether_it_holds(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, Affected).await;
        let done = store.decide(&alice(), &act(Action::Confirm)).await.unwrap();
        let told = store.act(done.act.unwrap(), None).await.unwrap().unwrap();
        assert_eq!((told.events, told.undone), (3, false));
        let item = told.item.unwrap();
        assert_eq!(item.family, "musl");
        assert_eq!(told.first.vulnerability.as_deref(), Some(item.vulnerability.as_str()));
        let back = store.undo(&alice(), Undo::Act(told.act), None, false).await.unwrap();
        assert!(store.act(told.act, None).await.unwrap().unwrap().undone);
        let undo = store.act(back.act.unwrap(), None).await.unwrap().unwrap();
        assert_eq!((undo.events, undo.undone, undo.item.unwrap()), (3, false, item));
        let single = decide(&store, one("CVE-2024-0001", "musl"), Action::Confirm).await;
        assert_eq!(store.act(single.act.unwrap(), None).await.unwrap().unwrap().events, 1);
        // What the tracker derived is nobody's act.
        assert!(store.act(1, None).await.unwrap().is_none());
        assert!(store.act(u64::MAX, None).await.unwrap().is_none());
    }
}
