//! The log as everybody reads it, and what somebody maintains.

use super::{CHANNEL, alice, derive, item, prepared};
use tracker_match::FindingStatus::Affected;
use tracker_store::view::PageRequest;
use tracker_store::{Act, Conditions, LogFilter, Store, Targets, Undo};
use tracker_testkit::fixture::{package, release};
use tracker_testkit::on_both_databases;
use tracker_triage::query::Query;
use tracker_triage::{Action, Event};

fn filter(vulnerability: Option<&str>) -> LogFilter {
    LogFilter {
        vulnerability: vulnerability.map(str::to_owned),
        ..LogFilter::default()
    }
}

async fn kinds(store: &Store, of: Option<&str>) -> Vec<&'static str> {
    let page = store.log_page(&filter(of), &hundred()).await;
    let rows = page.unwrap().unwrap().rows;
    rows.iter().map(|line| line.entry.event.kind()).collect()
}

fn hundred() -> PageRequest {
    PageRequest {
        limit: 100,
        ..PageRequest::default()
    }
}

on_both_databases! {
    async fn the_log_is_walked_from_both_ends(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, Affected).await;
        let act = |text: &str| Act {
            targets: Targets::Items(vec![item("CVE-2024-0001", "musl")]),
            action: Action::Comment(text.to_owned()),
            reason: None,
            dry_run: false,
        };
        for number in 0..5 {
            store.decide(&alice(), &act(&format!("word {number}"))).await.unwrap();
        }
        let own = Query::parse("kev:yes").unwrap();
        let free = Conditions::default();
        let saved = store.save_view(&alice(), "private matters", &own, false, &free).await.unwrap().unwrap();
        let undone = store.undo_view(&alice(), saved, &free).await.unwrap();
        store.undo_view(&alice(), undone, &free).await.unwrap();
        assert_eq!(kinds(&store, None).await, ["commented"; 5], "what is one's own stays so");
        let history = kinds(&store, Some("CVE-2024-0001")).await;
        assert_eq!(history.len(), 8, "{history:?}");
        assert_eq!(history.last(), Some(&"record-added"));
        assert!(store.log_page(&filter(Some("CVE-1999-0001")), &PageRequest::default()).await.unwrap().is_none());
        let two = |after: Option<String>, before: Option<String>| PageRequest {
            limit: 2,
            after,
            before,
            ..PageRequest::default()
        };
        let first = store.log_page(&filter(None), &two(None, None)).await.unwrap().unwrap();
        let text = |page: &tracker_store::view::Page<tracker_store::LogLine>| -> Vec<String> {
            page.rows.iter().map(|line| line.text.clone()).collect()
        };
        assert_eq!(text(&first), ["musl: word 4", "musl: word 3"]);
        let second = store.log_page(&filter(None), &two(first.next.clone(), None)).await.unwrap().unwrap();
        assert_eq!(text(&second), ["musl: word 2", "musl: word 1"]);
        let back = store.log_page(&filter(None), &two(None, second.previous.clone())).await.unwrap().unwrap();
        assert_eq!(text(&back), text(&first));
        // Whose, of what kind, about which match.
        let bob = tracker_triage::Actor::new(tracker_triage::ActorKind::Token, "bob");
        store.decide(&bob, &act("his word")).await.unwrap();
        let some = async |filter: LogFilter| -> Vec<String> {
            let rows = store.log_page(&filter, &hundred()).await.unwrap().unwrap().rows;
            rows.iter().map(|line| line.text.clone()).collect()
        };
        let of = |actor: &str| LogFilter { actor: Some(actor.to_owned()), ..LogFilter::default() };
        assert_eq!(some(of("bob")).await, ["musl: his word"]);
        assert_eq!(some(of("token:bob")).await, ["musl: his word"]);
        assert_eq!(some(of("person:bob")).await, Vec::<String>::new());
        assert_eq!(some(of("alice")).await.len(), 5);
        let kind = |kind: &str| LogFilter { kind: Some(kind.parse().unwrap()), ..of("bob") };
        assert_eq!(some(kind("commented")).await.len(), 1);
        assert_eq!(some(kind("view-saved")).await, Vec::<String>::new());
        assert_eq!(some(LogFilter { vulnerability: Some("CVE-2024-0001".to_owned()), ..of("tracker") }).await.len(), 3);
        let zlib = item("CVE-2024-0001", "zlib");
        let log = store.item_log(&zlib, &hundred()).await.unwrap().unwrap().rows;
        assert!(log.iter().all(|line| !line.text.contains("musl")), "{log:?}");
        assert!(log.len() >= 2, "{log:?}");
        let musl = item("CVE-2024-0001", "musl");
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.item_log(&musl, &two(after, None)).await.unwrap().unwrap();
            seen.extend(page.rows.iter().map(|line| line.entry.sequence));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let whole = store.item_log(&musl, &hundred()).await.unwrap().unwrap();
        let whole: Vec<u64> = whole.rows.iter().map(|line| line.entry.sequence).collect();
        assert_eq!(seen, whole);
        assert!(store.item_log(&item("CVE-2024-0001", "none"), &PageRequest::default()).await.unwrap().is_none());
        // An undo is a line like any other.
        let last = first.rows[0].entry.sequence;
        store.undo(&alice(), Undo::Event(last), Some("mistyped"), false).await.unwrap();
        let page = store.log_page(&filter(None), &two(None, None)).await.unwrap().unwrap();
        assert!(matches!(page.rows[0].entry.event, Event::Undone { event } if event == last));
        assert_eq!(page.rows[0].entry.vulnerability.as_deref(), Some("CVE-2024-0001"));
        store.close().await;
    }

    async fn package_metadata_says_who_maintains_what(database) {
        let store = database.open().await;
        prepared(&store).await;
        let mut musl = package("musl", "musl", "1.2");
        musl.package.maintainers = vec!["alyssa".to_owned(), "ben@example.org".to_owned()];
        let mut zlib = package("zlib", "zlib", "1.3");
        zlib.package.maintainers = vec!["alyssa".to_owned()];
        let next = release(CHANNEL, "bbb", "2024-02-01T00:00:00Z");
        store.put_release(&next, vec![musl, zlib]).await.unwrap();
        let names = async |maintainer: &str| -> Vec<String> {
            let packages = store.maintained_by(maintainer, 10).await.unwrap();
            packages.into_iter().map(|one| one.attribute).collect()
        };
        assert_eq!(names("alyssa").await, ["musl", "zlib"]);
        assert_eq!(names("ben@example.org").await, ["musl"]);
        assert!(names("nobody").await.is_empty());
        store.close().await;
    }
}
