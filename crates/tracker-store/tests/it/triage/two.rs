//! Suggestions and second persons, as the database enforces them.

use super::{derive, item, prepared};
use jiff::Timestamp;
use tracker_match::FindingStatus::Affected;
use tracker_record::Severity;
use tracker_store::view::PageRequest;
use tracker_store::{Act, ActOutcome, Store, Targets, Undo};
use tracker_testkit::on_both_databases;
use tracker_triage::query::Query;
use tracker_triage::state::Dismissal;
use tracker_triage::{Action, Actor, ActorKind, MatchState, Verdict};

const ALL: &str = "pname:musl";

fn person(name: &str) -> Actor {
    Actor::new(ActorKind::Person, name)
}

async fn act(store: &Store, who: &str, query: &str, action: Action) -> ActOutcome {
    let act = Act {
        targets: Targets::Query(Query::parse(query).unwrap()),
        action,
        reason: None,
        dry_run: false,
    };
    store.decide(&person(who), &act).await.unwrap()
}

async fn count(store: &Store, query: &str) -> u64 {
    let query = Query::parse(query).unwrap();
    let page = store
        .queue(&query, Timestamp::now(), None, &PageRequest::default())
        .await
        .unwrap();
    page.total.unwrap()
}

on_both_databases! {
    async fn a_bulk_decision_takes_effect_where_one_is_enough_and_waits_where_not(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, Affected).await;
        // The fixture's scores are 3.0, 6.0 and 9.0.
        store.ask_second_person(&person("root"), Some(Severity::High), Some("policy")).await.unwrap();
        assert_eq!(store.second_person().await.unwrap().from, Some(Severity::High));
        let dismiss = || Action::Dismiss(Dismissal::WrongPackage);
        let first = act(&store, "alice", ALL, dismiss()).await;
        assert_eq!((first.changed.len(), first.awaiting), (3, 1));
        assert_eq!(count(&store, "pname:musl state:dismissed").await, 2);
        assert_eq!(count(&store, "is:suggested").await, 1);
        let again = act(&store, "alice", ALL, dismiss()).await;
        assert_eq!((again.changed.len(), again.unchanged), (0, 3), "her own word is no second one");
        let second = act(&store, "bob", "is:suggested", Action::Agree(None)).await;
        assert_eq!((second.changed.len(), second.awaiting), (1, 0));
        assert_eq!(count(&store, "pname:musl state:dismissed").await, 3);
        assert_eq!(count(&store, "is:suggested").await, 0);
        // One undo brings the suggestion back, and with it the need for a second.
        store.undo(&person("bob"), Undo::Event(second.act.unwrap()), None, false).await.unwrap();
        assert_eq!(count(&store, "is:suggested").await, 1);
        assert_eq!(store.check_triage(&mut || ()).await.unwrap(), []);
        assert_eq!(store.rebuild_triage(&mut || ()).await.unwrap(), 0);
        assert_eq!(count(&store, "is:suggested").await, 1);
        // Without the rule, one is enough.
        store.ask_second_person(&person("root"), None, None).await.unwrap();
        act(&store, "alice", ALL, dismiss()).await;
        assert_eq!(count(&store, "pname:musl state:dismissed").await, 3);
        store.close().await;
    }

    async fn a_maintainers_suggestion_decides_nothing(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, Affected).await;
        let suggest = Action::Suggest(Verdict::Confirm);
        let suggested = act(&store, "maintainer", "id:CVE-2024-0001 pname:musl", suggest).await;
        assert_eq!((suggested.changed.len(), suggested.findings), (1, 0));
        let musl = item("CVE-2024-0001", "musl");
        let detail = store.triage_item(&musl, Timestamp::now()).await.unwrap().unwrap();
        assert_eq!((detail.row.state, detail.row.suggested), (MatchState::Proposed, true));
        assert_eq!(detail.decisions.suggestions[0].suggested.actor.name, "maintainer");
        act(&store, "alice", "is:suggested", Action::Agree(None)).await;
        let detail = store.triage_item(&musl, Timestamp::now()).await.unwrap().unwrap();
        assert_eq!((detail.row.state, detail.row.suggested), (MatchState::Confirmed, false));
        let nothing = Act {
            targets: Targets::Items(vec![musl]),
            action: Action::Agree(None),
            reason: None,
            dry_run: false,
        };
        let nothing = store.decide(&person("alice"), &nothing).await.unwrap_err();
        assert_eq!(nothing.to_string(), "nothing is suggested");
        store.close().await;
    }

    async fn who_is_bound_by_the_rule_does_not_take_it_back(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, Affected).await;
        let root = Actor::new(ActorKind::Operator, "root");
        let asked = store.ask_second_person(&root, Some(Severity::High), None).await.unwrap();
        for actor in [person("alice"), Actor::new(ActorKind::Token, "alice")] {
            for undo in [Undo::Event(asked), Undo::Act(asked)] {
                let refused = store.undo(&actor, undo, None, false).await.unwrap_err();
                assert!(refused.to_string().contains("command line alone"), "{refused}");
            }
        }
        assert_eq!(store.second_person().await.unwrap().from, Some(Severity::High));
        let undone = store.undo(&root, Undo::Event(asked), None, false).await.unwrap();
        assert_eq!(store.second_person().await.unwrap().from, None);
        // Nor is what the operator took back theirs to bring back.
        let again = Undo::Event(undone.act.unwrap());
        assert!(store.undo(&person("alice"), again, None, false).await.is_err());
        store.undo(&root, again, None, false).await.unwrap();
        assert_eq!(store.second_person().await.unwrap().from, Some(Severity::High));
        store.close().await;
    }

    async fn an_undo_that_is_undone_is_nobodys_second_word(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, Affected).await;
        let severe = "id:CVE-2024-0003 pname:musl";
        let dismissed = "id:CVE-2024-0003 state:dismissed";
        let dismiss = || Action::Dismiss(Dismissal::WrongPackage);
        // Alone while nobody asked for two, and taken back.
        let first = act(&store, "alice", severe, dismiss()).await.act.unwrap();
        let undo = async |who: &str, event| {
            store.undo(&person(who), Undo::Event(event), None, false).await.unwrap()
        };
        let back = undo("alice", first).await.act.unwrap();
        let root = Actor::new(ActorKind::Operator, "root");
        store.ask_second_person(&root, Some(Severity::High), None).await.unwrap();
        let again = undo("alice", back).await;
        assert_eq!((again.awaiting, count(&store, dismissed).await), (1, 0));
        assert_eq!(count(&store, "is:suggested").await, 1, "it waits as if it were said anew");
        let said = undo("alice", back).await;
        assert_eq!((said.act, said.unchanged), (None, 1));
        // Somebody else's word is the second one.
        let agreed = undo("bob", back).await;
        assert_eq!((agreed.awaiting, count(&store, dismissed).await), (0, 1));
        // Who agreed and takes that back is not overruled by the other alone, and may be of the old opinion again.
        let regretted = undo("bob", agreed.act.unwrap()).await.act.unwrap();
        assert_eq!(count(&store, dismissed).await, 0);
        let alone = undo("alice", regretted).await;
        assert_eq!((alone.act, alone.unchanged, count(&store, dismissed).await), (None, 1, 0));
        undo("bob", regretted).await;
        assert_eq!(count(&store, dismissed).await, 1);
        // What is less severe holds again by one word.
        let mild = act(&store, "alice", "id:CVE-2024-0001 pname:musl", dismiss()).await.act.unwrap();
        let back = undo("bob", mild).await.act.unwrap();
        assert_eq!(undo("alice", back).await.awaiting, 0);
        assert_eq!(count(&store, "id:CVE-2024-0001 state:dismissed").await, 1);
        assert_eq!(store.check_triage(&mut || ()).await.unwrap(), []);
        store.close().await;
    }
}
