//! Suppression rules: what they hide, until when, what they must not hide unasked, and how they are renewed.

use super::{alice, derive, follows, found, prepared, queue, release_again, rule, tomorrow};
use jiff::{SignedDuration, Timestamp};
use tracker_match::FindingStatus::Affected;
use tracker_store::view::PageRequest;
use tracker_store::{Conditions, NewRule, Once, Store, StoreError, Undo};
use tracker_testkit::on_both_databases;
use tracker_triage::query::Query;
use tracker_triage::rule::HIDDEN_SEVERE;
use tracker_triage::{Actor, ActorKind};

const FREE: Conditions = Conditions {
    once: None,
    last: None,
};

fn last(last: u64) -> Conditions {
    Conditions {
        once: None,
        last: Some(last),
    }
}

fn once(key: &str) -> Conditions {
    Conditions {
        once: Some(Once {
            key: key.to_owned(),
            digest: key.to_owned(),
        }),
        last: None,
    }
}

async fn numbers(store: &Store) -> Vec<(u64, bool)> {
    let rules = store.rules(Timestamp::now()).await.unwrap();
    rules.iter().map(|row| (row.rule, row.due)).collect()
}

on_both_databases! {
    async fn rules_hide_until_they_end_and_survive_a_bump(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, Affected).await;
        let musl = NewRule { reason: Some("not ours"), ..rule("pname:musl") };
        let first = store.make_rule(&alice(), &musl, &FREE).await.unwrap();
        assert_eq!(found(&store, "is:open").await, ["1/zlib"]);
        assert_eq!(found(&store, "is:suppressed").await.len(), 3);
        release_again(&store, "bbb", "2024-02-01T00:00:00Z").await;
        derive(&store, Affected).await;
        assert_eq!(found(&store, "is:open").await, ["1/zlib"]);
        // Once its time is over it hides nothing, noticed or not, and waits to be looked at.
        let later = tomorrow() + SignedDuration::from_hours(1);
        let request = PageRequest { limit: 9, ..PageRequest::default() };
        let open = store.queue(&Query::parse("is:open").unwrap(), later, None, &request).await.unwrap();
        assert_eq!(open.rows.len(), 4);
        assert!(store.rules(later).await.unwrap()[0].due);
        assert_eq!(numbers(&store).await, [(first, false)]);
        let other = store.make_rule(&alice(), &rule("family:zlib"), &FREE).await.unwrap();
        assert_eq!(found(&store, "is:open").await, Vec::<String>::new());
        store.end_rule(&alice(), first, None, &FREE).await.unwrap();
        assert_eq!(found(&store, "is:suppressed").await, ["1/zlib"]);
        store.undo(&alice(), Undo::Event(other), None, false).await.unwrap();
        assert_eq!(found(&store, "is:suppressed").await, Vec::<String>::new());
        let again = store.end_rule(&alice(), first, None, &FREE).await;
        assert!(matches!(again, Err(StoreError::NoRule { .. })));
        let moving = store.make_rule(&alice(), &rule("age<7d"), &FREE).await;
        assert!(matches!(moving, Err(StoreError::Query(_))));
        follows(&store).await;
    }

    async fn what_is_severe_is_hidden_only_by_who_says_so(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, Affected).await;
        let preview = store.rule_preview("pname:musl", 2).await.unwrap();
        assert_eq!((preview.total, preview.severe, preview.more), (3, 1, true));
        assert_eq!(preview.would_hide.len(), 2);
        assert_eq!(preview.would_hide_severe[0].vulnerability, "CVE-2024-0003");
        let careful = NewRule { hides_severe: false, ..rule("pname:musl") };
        let refused = store.make_rule(&alice(), &careful, &FREE).await;
        assert!(matches!(refused, Err(StoreError::HidesSevere { severe: 1 })));
        assert_eq!(found(&store, "is:suppressed").await, Vec::<String>::new(), "nothing was written");
        // What is not severe needs no word; what was dismissed is none of it.
        let low = NewRule { hides_severe: false, ..rule("pname:musl severity<=medium") };
        store.make_rule(&alice(), &low, &FREE).await.unwrap();
        assert_eq!(found(&store, "is:suppressed").await, ["2/musl", "1/musl"]);
        assert_eq!(queue(&store, HIDDEN_SEVERE).await.total, Some(0));
        store.make_rule(&alice(), &rule("pname:musl"), &FREE).await.unwrap();
        assert_eq!(found(&store, HIDDEN_SEVERE).await, ["3/musl"], "it stays in sight beside the rules");
        follows(&store).await;
    }

    async fn a_rule_that_expires_is_work_until_it_is_renewed_or_ended(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, Affected).await;
        let soon = Timestamp::now() + SignedDuration::from_millis(400);
        let short = NewRule { expires: soon, reason: Some("for now"), ..rule("pname:musl") };
        let old = store.make_rule(&alice(), &short, &FREE).await.unwrap();
        assert_eq!(found(&store, "is:suppressed").await.len(), 3);
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        assert_eq!(found(&store, "is:open").await.len(), 4, "it hides nothing any more");
        assert_eq!(numbers(&store).await, [(old, true)]);
        assert_eq!(store.settle().await.unwrap(), (0, 1));
        assert_eq!(store.settle().await.unwrap(), (0, 0), "it is noticed once");
        assert!(store.rules(Timestamp::now()).await.unwrap()[0].state.expired);
        // Renewing asks for the same word, keeps the reason, and is one act, done once.
        let bob = Actor::new(ActorKind::Person, "bob");
        let careful = store.renew_rule(&bob, old, tomorrow(), None, false, &FREE).await;
        assert!(matches!(careful, Err(StoreError::HidesSevere { severe: 1 })));
        let (_, seen) = store.rule(old, Timestamp::now()).await.unwrap().unwrap();
        assert!(seen > old, "the last event is that it expired");
        let late = store.renew_rule(&bob, old, tomorrow(), None, true, &last(old)).await;
        assert!(matches!(late, Err(StoreError::Moved)));
        let new = store.renew_rule(&bob, old, tomorrow(), None, true, &once("k")).await.unwrap();
        assert_eq!(store.renew_rule(&bob, old, tomorrow(), None, true, &once("k")).await.unwrap(), new);
        assert_eq!(numbers(&store).await, [(new, false)]);
        let (held, _) = store.rule(new, Timestamp::now()).await.unwrap().unwrap();
        assert_eq!((held.state.reason.as_deref(), held.state.actor.name.as_str()), (Some("for now"), "bob"));
        assert_eq!(found(&store, "is:suppressed").await.len(), 3);
        store.undo(&bob, Undo::Act(new), None, false).await.unwrap();
        assert_eq!(numbers(&store).await, [(old, true)], "the old one waits again");
        // Or it is ended for good.
        let (_, seen) = store.rule(old, Timestamp::now()).await.unwrap().unwrap();
        store.end_rule(&bob, old, Some("looked at"), &last(seen)).await.unwrap();
        assert_eq!(numbers(&store).await, []);
        let gone = store.renew_rule(&bob, old, tomorrow(), None, true, &FREE).await;
        assert!(matches!(gone, Err(StoreError::NoRule { .. })));
        follows(&store).await;
    }

    async fn a_view_is_its_owners_and_each_step_is_taken_back(database) {
        let store = database.open().await;
        let [kev, high] = ["kev:yes", "severity>=high"].map(|text| Query::parse(text).unwrap());
        let bob = Actor::new(ActorKind::Person, "bob");
        let query = async || store.view(&alice(), "mine").await.unwrap().map(|(row, _)| row.query);
        let first = store.save_view(&alice(), "mine", &kev, false, &once("a")).await.unwrap().unwrap();
        assert_eq!(store.save_view(&alice(), "mine", &kev, false, &once("a")).await.unwrap(), Some(first));
        assert_eq!(store.save_view(&alice(), "mine", &kev, false, &FREE).await.unwrap(), None, "it stands so");
        let stale = store.save_view(&alice(), "mine", &high, false, &last(0)).await;
        assert!(matches!(stale, Err(StoreError::Moved)));
        let second = store.save_view(&alice(), "mine", &high, false, &last(first)).await.unwrap().unwrap();
        assert_eq!(query().await.as_deref(), Some("severity>=high"));
        let undo = store.undo_view(&alice(), second, &FREE).await.unwrap();
        assert_eq!(query().await.as_deref(), Some("kev:yes"));
        store.undo_view(&alice(), undo, &FREE).await.unwrap();
        assert_eq!(query().await.as_deref(), Some("severity>=high"));
        let dropped = store.drop_view(&alice(), "mine", &once("d")).await.unwrap();
        assert_eq!(store.drop_view(&alice(), "mine", &once("d")).await.unwrap(), dropped);
        assert_eq!(query().await, None);
        // Nobody else takes it back, by whatever way, nor is told of it.
        let foreign = store.undo_view(&bob, dropped, &FREE).await;
        assert!(matches!(foreign, Err(StoreError::Triage(_))));
        let foreign = store.undo(&bob, Undo::Event(dropped), None, false).await;
        assert!(matches!(foreign, Err(StoreError::Triage(_))));
        assert!(store.act(dropped, Some(&bob)).await.unwrap().is_none());
        assert!(store.act(dropped, Some(&alice())).await.unwrap().is_some());
        store.undo_view(&alice(), dropped, &FREE).await.unwrap();
        assert_eq!(query().await.as_deref(), Some("severity>=high"));
        let other = store.make_rule(&alice(), &rule("kev:yes"), &FREE).await.unwrap();
        let wrong = store.undo_view(&alice(), other, &FREE).await;
        assert!(matches!(wrong, Err(StoreError::Triage(_))), "a rule is no view");
        follows(&store).await;
    }
}
