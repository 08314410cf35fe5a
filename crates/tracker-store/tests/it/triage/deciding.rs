//! What an act writes, and what takes it back.

use super::{
    CHANNEL, alice, decide, derive, detail, follows, found, item, one, prepared, queue,
    release_again, tomorrow,
};
use crate::{first_page, ids};
use jiff::Timestamp;
use tracker_match::FindingStatus::{Affected, Fixed, NotAffected};
use tracker_store::view::VulnerabilityFilter;
use tracker_store::{
    Act, Cause, Conditions, DerivationOutcome, Derived, Store, StoreError, Targets, TriageDetail,
    Undo,
};
use tracker_testkit::fixture::{derived, finding, matched};
use tracker_testkit::on_both_databases;
use tracker_triage::query::Query;
use tracker_triage::state::{DecidedState, Dismissal, FindingState, FixedBy, MatchState};
use tracker_triage::{Action, Event, Place, Subject};

on_both_databases! {
    async fn a_dismissal_leaves_lists_and_an_undo_brings_it_back(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, Affected).await;
        assert_eq!(found(&store, "is:open").await, ["3/musl", "2/musl", "1/zlib", "1/musl"]);
        let affected = VulnerabilityFilter { states: vec![Affected], ..VulnerabilityFilter::default() };
        assert_eq!(ids(&first_page(&store, &affected).await).len(), 3);
        let outcome = decide(&store, one("CVE-2024-0003", "musl"), Action::Dismiss(Dismissal::WrongPackage)).await;
        assert_eq!((outcome.changed.len(), outcome.unchanged, outcome.findings), (1, 0, 1));
        assert_eq!(found(&store, "is:open").await, ["2/musl", "1/zlib", "1/musl"]);
        assert_eq!(ids(&first_page(&store, &affected).await).len(), 2);
        let view = detail(&store, "CVE-2024-0003", "musl").await;
        assert_eq!((view.row.state, view.findings[0].state, view.findings[0].derived), (MatchState::Dismissed, FindingState::NotAffected, Affected));
        assert_eq!((view.findings[0].decided, view.log.len()), (outcome.act, 1));
        assert_eq!((view.log[0].actor.clone(), view.log[0].reason.as_deref()), (alice(), Some("so it is")));
        follows(&store).await;
        // The same again changes nothing.
        let again = decide(&store, one("CVE-2024-0003", "musl"), Action::Dismiss(Dismissal::WrongPackage)).await;
        assert_eq!((again.act, again.unchanged), (None, 1));
        let act = outcome.act.unwrap();
        let undone = store.undo(&alice(), Undo::Event(act), None, false).await.unwrap();
        assert_eq!((undone.changed, undone.findings), (vec![item("CVE-2024-0003", "musl")], 1));
        assert_eq!(found(&store, "is:open").await.len(), 4);
        assert_eq!(ids(&first_page(&store, &affected).await).len(), 3);
        let refused = store.undo(&alice(), Undo::Event(act), None, false).await.unwrap_err();
        assert!(matches!(refused, StoreError::Triage(_)), "{refused}");
        // And an undo of the undo dismisses it again.
        store.undo(&alice(), Undo::Event(undone.act.unwrap()), None, false).await.unwrap();
        assert_eq!(detail(&store, "CVE-2024-0003", "musl").await.row.state, MatchState::Dismissed);
        follows(&store).await;
    }

    async fn a_decision_wins_over_a_new_version_and_the_contradiction_is_work(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, Affected).await;
        let place = Place { channel: Some(CHANNEL.to_owned()), attribute: None };
        let state = DecidedState::Affected;
        decide(&store, one("CVE-2024-0002", "musl"), Action::SetState { place: place.clone(), state }).await;
        decide(&store, one("CVE-2024-0002", "musl"), Action::Confirm).await;
        assert_eq!(found(&store, "is:contradicted").await, Vec::<String>::new());
        release_again(&store, "bbb", "2024-02-01T00:00:00Z").await;
        derive(&store, Fixed).await;
        // Where nobody decided, the version did.
        assert_eq!(detail(&store, "CVE-2024-0003", "musl").await.findings[0].state, FindingState::FixedByVersion);
        let view = detail(&store, "CVE-2024-0002", "musl").await;
        assert_eq!((view.findings[0].state, view.findings[0].contradicted), (FindingState::Affected, true));
        assert_eq!(found(&store, "is:contradicted").await, ["2/musl"]);
        assert!(found(&store, "is:open").await.contains(&"2/musl".to_owned()));
        follows(&store).await;
        decide(&store, one("CVE-2024-0002", "musl"), Action::WithdrawState { place }).await;
        let view = detail(&store, "CVE-2024-0002", "musl").await;
        assert_eq!((view.findings[0].state, view.findings[0].decided), (FindingState::FixedByVersion, None));
        assert_eq!(found(&store, "is:contradicted").await, Vec::<String>::new());
        let page = store.vulnerability("CVE-2024-0002").await.unwrap().unwrap();
        assert_eq!(page.matches[0].findings[0].status, Fixed);
        let kinds: Vec<&str> = page.history.iter().map(|entry| entry.kind.as_str()).collect();
        assert!(["state-set", "confirmed", "state-withdrawn", "finding-changed"].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
        follows(&store).await;
    }

    async fn a_match_that_goes_and_comes_back_has_its_decisions(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, Affected).await;
        decide(&store, one("CVE-2024-0001", "zlib"), Action::Confirm).await;
        decide(&store, one("CVE-2024-0001", "zlib"), Action::Assign(Some("bob".to_owned()))).await;
        release_again(&store, "bbb", "2024-02-01T00:00:00Z").await;
        let inventory = store.current_packages("nixpkgs").await.unwrap();
        let due = store.due(&inventory, 100).await.unwrap();
        store.put_derivation("nixpkgs", due.vulnerabilities.iter().map(|due| derived(&due.id, Vec::new())).collect(), due.mark).await.unwrap();
        assert_eq!(found(&store, "").await, Vec::<String>::new());
        release_again(&store, "ccc", "2024-03-01T00:00:00Z").await;
        derive(&store, Affected).await;
        assert_eq!(found(&store, "state:confirmed assignee:bob").await, ["1/zlib"]);
        follows(&store).await;
    }

    async fn decisions_outlive_other_weights(database) {
        let store = database.open().await;
        prepared(&store).await;
        store.begin_derivation("nixpkgs", "one").await.unwrap();
        derive(&store, Affected).await;
        decide(&store, one("CVE-2024-0002", "musl"), Action::Confirm).await;
        decide(&store, one("CVE-2024-0002", "musl"), Action::Assign(Some("bob".to_owned()))).await;
        decide(&store, one("CVE-2024-0003", "musl"), Action::Dismiss(Dismissal::WrongPackage)).await;
        let told = async |id: &str| {
            let log = store.triage_log(id, 0, 100).await.unwrap().unwrap();
            log.into_iter().map(|entry| (entry.event.sentence(), entry.reason.unwrap_or_default())).collect::<Vec<_>>()
        };
        let (confirmed, dismissed) = (told("CVE-2024-0002").await, told("CVE-2024-0003").await);

        // The weights change and one score with them: all is matched again, only that match is written.
        assert_eq!(store.begin_derivation("nixpkgs", "two").await.unwrap(), Some(Cause::Weights));
        let inventory = store.current_packages("nixpkgs").await.unwrap();
        let due = store.due(&inventory, 100).await.unwrap();
        assert_eq!(due.vulnerabilities.len(), 3);
        let mut before = found(&store, "").await;
        let matches = due.vulnerabilities.iter().map(|due| scored(&due.id, if due.id.ends_with('2') { 0.55 } else { 0.9 })).collect();
        let outcome = store.put_derivation("nixpkgs", matches, due.mark).await.unwrap();
        assert_eq!((outcome.matched, outcome.unmatched, outcome.findings_changed), (0, 0, 0));
        let mut after = found(&store, "").await;
        before.sort();
        after.sort();
        assert_eq!(after, before);

        // What people decided stands, and the history says what moved and why, of that match alone.
        assert_eq!(found(&store, "state:confirmed assignee:bob").await, ["2/musl"]);
        assert_eq!(found(&store, "state:dismissed").await, ["3/musl"]);
        assert_eq!(told("CVE-2024-0003").await, dismissed);
        let history = told("CVE-2024-0002").await;
        assert_eq!(history[..confirmed.len()], confirmed);
        let [(sentence, why)] = &history[confirmed.len()..] else { panic!("{history:?}") };
        assert!(sentence.starts_with("match to musl in nixpkgs scores 0.55, was "), "{sentence}");
        assert_eq!(why, "matching itself changed");
        follows(&store).await;

        // A match that other weights find no more comes back with its decision.
        store.begin_derivation("nixpkgs", "three").await.unwrap();
        let due = store.due(&inventory, 100).await.unwrap();
        let none = due.vulnerabilities.iter().map(|due| derived(&due.id, Vec::new())).collect();
        store.put_derivation("nixpkgs", none, due.mark).await.unwrap();
        assert_eq!(found(&store, "").await, Vec::<String>::new());
        store.begin_derivation("nixpkgs", "four").await.unwrap();
        derive(&store, Affected).await;
        assert_eq!(found(&store, "state:confirmed assignee:bob").await, ["2/musl"]);
        assert_eq!(found(&store, "state:dismissed").await, ["3/musl"]);
        follows(&store).await;
    }

    async fn all_but_these_is_one_act_that_one_undo_takes_back(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, Affected).await;
        let targets = Targets::AllBut { vulnerability: "CVE-2024-0001".to_owned(), keep: vec![Subject::new("nixpkgs", "zlib")] };
        decide(&store, targets, Action::Dismiss(Dismissal::WrongPackage)).await;
        assert_eq!(found(&store, "state:dismissed").await, ["1/musl"]);
        let everything = Targets::Query(Query::parse("kev:no").unwrap());
        let act = Act { targets: everything, action: Action::Confirm, reason: None, dry_run: true };
        let tried = store.decide(&alice(), &act).await.unwrap();
        assert_eq!((tried.changed.len(), tried.dry_run), (4, true));
        assert_eq!(found(&store, "state:confirmed").await, Vec::<String>::new());
        let done = store.decide(&alice(), &Act { dry_run: false, ..act }).await.unwrap();
        assert_eq!(found(&store, "state:confirmed").await.len(), 4);
        follows(&store).await;
        let undone = store.undo(&alice(), Undo::Act(done.act.unwrap()), Some("too fast"), false).await.unwrap();
        assert_eq!(undone.changed.len(), 4);
        assert_eq!(found(&store, "state:confirmed").await, Vec::<String>::new());
        assert_eq!(found(&store, "state:dismissed").await, ["1/musl"]);
        follows(&store).await;
    }

    async fn a_package_that_was_not_proposed_can_be_added_and_taken_away(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, Affected).await;
        let absent = Act { targets: one("CVE-2024-0002", "nowhere"), action: Action::AddPackage, reason: None, dry_run: false };
        assert!(matches!(store.decide(&alice(), &absent).await, Err(StoreError::NoItem { .. })));
        let outcome = decide(&store, one("CVE-2024-0002", "curl"), Action::AddPackage).await;
        let view = detail(&store, "CVE-2024-0002", "curl").await;
        assert_eq!((view.row.added, view.findings[0].state), (true, FindingState::UnderInvestigation));
        assert_eq!(view.reasons[0].feature, "added-by-hand");
        // It is due, and matching is told what to derive.
        let inventory = store.current_packages("nixpkgs").await.unwrap();
        let due = store.due(&inventory, 100).await.unwrap();
        assert_eq!(due.vulnerabilities.len(), 1);
        let added = store.added_families("nixpkgs", vec!["CVE-2024-0002".to_owned()]).await.unwrap();
        assert_eq!(added["CVE-2024-0002"], ["curl"]);
        // Matching that does not find it leaves it.
        derive(&store, Affected).await;
        assert_eq!(found(&store, "is:added").await, ["2/curl"]);
        follows(&store).await;
        store.undo(&alice(), Undo::Event(outcome.act.unwrap()), None, false).await.unwrap();
        assert_eq!(found(&store, "is:added").await, Vec::<String>::new());
        assert_eq!(found(&store, "family:curl").await, Vec::<String>::new());
        follows(&store).await;
    }

    async fn what_time_changes_is_settled(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, Affected).await;
        assert_eq!(store.settle().await.unwrap(), (0, 0));
        store.put_support(CHANNEL, Some(Timestamp::from_second(1).unwrap())).await.unwrap();
        assert_eq!(store.settle().await.unwrap(), (4, 0));
        assert_eq!(detail(&store, "CVE-2024-0001", "musl").await.findings[0].state, FindingState::EndOfLife);
        assert_eq!(found(&store, "is:open").await, Vec::<String>::new());
        assert_eq!(found(&store, "status:end-of-life").await.len(), 4);
        assert_eq!(store.settle().await.unwrap(), (0, 0));
        follows(&store).await;
    }

    async fn a_snooze_ends_by_itself_and_views_are_kept(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, Affected).await;
        decide(&store, one("CVE-2024-0001", "musl"), Action::Snooze(Some(tomorrow()))).await;
        decide(&store, one("CVE-2024-0002", "musl"), Action::Comment("Looks odd.".to_owned())).await;
        assert_eq!(found(&store, "is:open").await, ["3/musl", "2/musl", "1/zlib"]);
        assert_eq!(found(&store, "is:snoozed").await, ["1/musl"]);
        assert_eq!(detail(&store, "CVE-2024-0002", "musl").await.decisions.comments, 1);
        let query = Query::parse("maintainer:@me  kev:yes").unwrap();
        store.save_view(&alice(), "mine", &query, false, &Conditions::default()).await.unwrap();
        store.save_view(&alice(), "ours", &query, true, &Conditions::default()).await.unwrap();
        let names = |views: Vec<tracker_store::ViewRow>| views.into_iter().map(|view| view.view).collect::<Vec<_>>();
        assert_eq!(names(store.views(Some(&alice())).await.unwrap()), ["mine", "ours"]);
        assert_eq!(names(store.views(None).await.unwrap()), ["ours"]);
        store.drop_view(&alice(), "ours", &Conditions::default()).await.unwrap();
        let gone = store.drop_view(&alice(), "ours", &Conditions::default()).await;
        assert!(matches!(gone, Err(StoreError::NoView { .. })));
        assert_eq!(names(store.views(None).await.unwrap()), Vec::<String>::new());
        let log = store.triage_log("CVE-2024-0002", 0, 100).await.unwrap().unwrap();
        assert!(log.iter().any(|entry| matches!(&entry.event, Event::Commented { text, .. } if text == "Looks odd.")));
        assert_eq!(store.triage_log("CVE-1", 0, 100).await.unwrap(), None);
    }

    async fn the_queue_is_walked_in_pages_both_ways(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, NotAffected).await;
        let all: Vec<_> = queue(&store, "").await.rows;
        let query = Query::everything();
        let ask = |after: Option<String>, before: Option<String>| tracker_store::view::PageRequest { limit: 2, after, before, ..Default::default() };
        let first = store.queue(&query, Timestamp::now(), None, &ask(None, None)).await.unwrap();
        assert!(first.previous.is_none());
        let second = store.queue(&query, Timestamp::now(), None, &ask(first.next.clone(), None)).await.unwrap();
        assert!(second.next.is_none());
        let walked: Vec<_> = first.rows.iter().chain(&second.rows).map(|row| row.id.clone()).collect();
        assert_eq!(walked, all.iter().map(|row| row.id.clone()).collect::<Vec<_>>());
        let back = store.queue(&query, Timestamp::now(), None, &ask(None, second.previous)).await.unwrap();
        assert_eq!(back.rows.len(), 2);
        assert_eq!(back.rows[0].id, first.rows[0].id);
        let wrong = store.queue(&query, Timestamp::now(), None, &ask(Some("u1.1".to_owned()), None)).await;
        assert!(matches!(wrong, Err(StoreError::Token { .. })));
        let patched = Action::SetState { place: Place::ALL, state: DecidedState::Fixed(FixedBy::Patch) };
        decide(&store, one("CVE-2024-0001", "zlib"), patched).await;
        assert_eq!(found(&store, &format!("fixed:{CHANNEL}")).await, ["1/zlib"]);
        assert_eq!(found(&store, "is:contradicted").await, ["1/zlib"]);
    }

    async fn a_package_that_a_release_drops_is_removed_and_may_come_back(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive_musl(&store, &["curl", "musl"]).await;
        let place = Place { channel: None, attribute: Some("curl".to_owned()) };
        decide(&store, one("CVE-2024-0001", "musl"), Action::SetState { place, state: DecidedState::WillNotFix }).await;
        release_again(&store, "bbb", "2024-02-01T00:00:00Z").await;
        derive_musl(&store, &["musl"]).await;
        let states = |view: &TriageDetail| view.findings.iter().map(|finding| (finding.state, finding.decided.is_some())).collect::<Vec<_>>();
        let view = detail(&store, "CVE-2024-0001", "musl").await;
        assert_eq!(states(&view), [(FindingState::Removed, false), (FindingState::Affected, false)]);
        // Another decision leaves it as it is, and so does deriving the same again.
        decide(&store, one("CVE-2024-0001", "musl"), Action::Confirm).await;
        release_again(&store, "ccc", "2024-03-01T00:00:00Z").await;
        assert_eq!(derive_musl(&store, &["musl"]).await.findings_changed, 0);
        follows(&store).await;
        release_again(&store, "ddd", "2024-04-01T00:00:00Z").await;
        derive_musl(&store, &["curl", "musl"]).await;
        let view = detail(&store, "CVE-2024-0001", "musl").await;
        assert_eq!(states(&view), [(FindingState::WillNotFix, true), (FindingState::Affected, false)]);
        follows(&store).await;
    }
}

/// What [`derive`] finds while musl is affected, with another score for musl.
fn scored(id: &str, score: f64) -> Derived {
    let musl = finding(CHANNEL, "musl", "1.1.22", Affected);
    let mut matches = vec![matched(id, "musl", score, vec![musl])];
    if id.ends_with('1') {
        let zlib = finding(CHANNEL, "zlib", "1.2", Affected);
        matches.push(matched(id, "zlib", 0.5, vec![zlib]));
    }
    derived(id, matches)
}

/// A family of two packages in every vulnerability, of which the channel's release has some.
async fn derive_musl(store: &Store, there: &[&str]) -> DerivationOutcome {
    let inventory = store.current_packages("nixpkgs").await.unwrap();
    let due = store.due(&inventory, 100).await.unwrap();
    let found = due.vulnerabilities.iter().map(|due| {
        let findings = there
            .iter()
            .map(|name| finding(CHANNEL, name, "1.1.22", Affected));
        let mut one = matched(&due.id, "musl", 0.9, findings.collect());
        one.matched.attributes = vec!["curl".to_owned(), "musl".to_owned()];
        derived(&due.id, vec![one])
    });
    store
        .put_derivation("nixpkgs", found.collect(), due.mark)
        .await
        .unwrap()
}
