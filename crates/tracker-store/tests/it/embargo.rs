//! Items under embargo: for whom they are there, and how they become public.
//!
//! Invariant: before its release an item changes nothing that anybody reads whom it does not name.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail as its body does")]

use crate::{first_page, ids};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use tracker_people::{Principal, Role, SeeEmbargo};
use tracker_store::view::{PageRequest, VulnerabilityFilter};
use tracker_store::{Draft, EmbargoChange, Identity, ItemId, Store, StoreError};
use tracker_testkit::fixture::{at, incoming, package, record, release};
use tracker_testkit::on_both_databases;
use tracker_triage::{Query, Subject};

const ID: &str = "ROOTSTOCK-2026-0001";

fn document() -> Vec<u8> {
    let form = serde_json::json!({
        "id": ID,
        "modified": "2026-01-01T00:00:00Z",
        "published": "2026-01-01T00:00:00Z",
        "summary": "Quenching of the flux",
        "details": "A secret of some weight.",
        "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
    });
    serde_json::to_vec(&form).unwrap()
}

async fn someone(store: &Store, name: &str, role: Role) -> Principal {
    let identity = Identity {
        provider: "local",
        subject: name,
        login: name,
    };
    let id = store.person_of(&identity, Timestamp::now()).await.unwrap();
    let held = store.person(id).await.unwrap().unwrap();
    Principal::in_session(held.person, role)
}

async fn filled(store: &Store) {
    let public = incoming(record(
        tracker_record::Source::CveList,
        "CVE-2024-0001",
        "A public one",
    ));
    store.put_records(vec![public]).await.unwrap();
    let flux = vec![package("flux", "flux", "1.2")];
    let day = release("nixos-24.05", "aaa", "2024-05-01T00:00:00Z");
    store.put_release(&day, flux).await.unwrap();
}

/// Everything of the store that counts or lists, as text.
async fn told(store: &Store) -> String {
    let page = first_page(store, &VulnerabilityFilter::default()).await;
    let search = VulnerabilityFilter {
        text: Some("quenching".to_owned()),
        ..VulnerabilityFilter::default()
    };
    let found = first_page(store, &search).await;
    let everything = Query::parse("").unwrap();
    let queue = store
        .queue(
            &everything,
            at("2026-01-01T00:00:00Z"),
            None,
            &PageRequest::default(),
        )
        .await
        .unwrap();
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        ids(&page),
        page.total,
        found,
        queue,
        store.overview().await.unwrap(),
        store.totals().await.unwrap(),
        store.vulnerability(ID).await.unwrap(),
        store.package("nixpkgs", "flux").await.unwrap(),
    )
}

on_both_databases! {
    async fn an_item_is_there_for_those_whom_it_names(database) {
        let store = database.open().await;
        filled(&store).await;
        let before = told(&store).await;
        let now = Timestamp::now();
        let maker = someone(&store, "maker", Role::Triager).await;
        let named = someone(&store, "named", Role::Maintainer).await;
        let other = someone(&store, "other", Role::Administrator).await;
        let draft = Draft::read(&document()).unwrap();
        let families = BTreeSet::from([Subject::new("nixpkgs", "flux"), Subject::new("nixpkgs", "absent")]);
        let people = BTreeSet::from([named.person().unwrap().id]);
        let name = store
            .add_embargo(maker.permit().unwrap(), &draft, &families, &people, None, None, now)
            .await
            .unwrap();
        assert_eq!(told(&store).await, before, "an item leaves a trace");
        assert!(Principal::anonymous().permit::<SeeEmbargo>().is_err());
        assert!(store.embargoes(other.permit().unwrap()).await.unwrap().is_empty());
        assert_eq!(store.embargo(other.permit().unwrap(), &name).await.unwrap(), None);
        for somebody in [&maker, &named] {
            let mine = store.embargoes(somebody.permit().unwrap()).await.unwrap();
            assert_eq!(mine.len(), 1);
            let detail = store.embargo(somebody.permit().unwrap(), &name).await.unwrap().unwrap();
            assert_eq!((detail.row.id.as_str(), detail.people.len()), (ID, 2));
            assert_eq!(detail.places[0].version.as_deref(), Some("1.2"));
            assert!(detail.embargo().shows_to(somebody, now) && !detail.embargo().shows_to(&other, now));
        }
        // Nobody whom it does not name changes it, whatever their role.
        let permit = other.permit().unwrap();
        let lift = store.change_embargo(permit, &name, &EmbargoChange::Release, None, now).await;
        assert!(!lift.unwrap());
        assert!(!store.comment_embargo(other.permit().unwrap(), &name, "x", None, now).await.unwrap());
        assert!(store.comment_embargo(named.permit().unwrap(), &name, "Seen.", None, now).await.unwrap());
        let permit = || maker.permit().unwrap();
        let name_other = EmbargoChange::Name(other.person().unwrap().clone());
        assert!(store.change_embargo(permit(), &name, &name_other, None, now).await.unwrap());
        assert_eq!(store.embargoes(other.permit().unwrap()).await.unwrap().len(), 1);
        let gone = EmbargoChange::Unname(other.person().unwrap().clone());
        assert!(store.change_embargo(permit(), &name, &gone, None, now).await.unwrap());
        assert!(store.embargoes(other.permit().unwrap()).await.unwrap().is_empty());
        assert_eq!(told(&store).await, before);
        // By hand it becomes public, with what it concerns.
        assert!(store.change_embargo(permit(), &name, &EmbargoChange::Release, None, now).await.unwrap());
        let found = store.vulnerability(ID).await.unwrap().unwrap();
        assert_eq!(found.matches[0].family, "flux");
        let item = ItemId { vulnerability: ID.to_owned(), distribution: "nixpkgs".to_owned(), family: "flux".to_owned() };
        let item = store.triage_item(&item, now).await.unwrap().unwrap();
        assert_eq!(item.log[0].actor.name, "maker");
        let detail = store.embargo(named.permit().unwrap(), &name).await.unwrap().unwrap();
        let kinds: Vec<&str> = detail.notes.iter().map(|note| note.kind.as_str()).collect();
        assert_eq!(kinds, ["released", "unnamed", "named", "comment", "made"]);
        // Once public, it is decided about like any other.
        assert!(!store.change_embargo(permit(), &name, &EmbargoChange::Release, None, now).await.unwrap());
        let again = store.add_embargo(permit(), &draft, &families, &people, None, None, now).await;
        assert!(matches!(again, Err(StoreError::Public { id }) if id == ID));
        assert!(store.check(true, &mut || ()).await.unwrap().is_empty());
        assert_eq!(store.check_triage(&mut || ()).await.unwrap(), []);
        store.close().await;
    }

    async fn an_item_becomes_public_when_its_time_is_over_and_not_before(database) {
        let store = database.open().await;
        filled(&store).await;
        let maker = someone(&store, "maker", Role::Triager).await;
        let draft = Draft::read(&document()).unwrap();
        let now = Timestamp::now();
        let soon = now + SignedDuration::from_mins(5);
        let (none, nobody) = (BTreeSet::new(), BTreeSet::new());
        let name = store
            .add_embargo(maker.permit().unwrap(), &draft, &none, &nobody, Some(soon), None, now)
            .await
            .unwrap();
        assert_eq!(store.release_embargoes().await.unwrap(), 0);
        store.settle().await.unwrap();
        assert_eq!(store.vulnerability(ID).await.unwrap(), None);
        let over = EmbargoChange::Until(Some(now - SignedDuration::from_secs(1)));
        let permit = maker.permit().unwrap();
        assert!(store.change_embargo(permit, &name, &over, None, now).await.unwrap());
        // Still nothing of it until somebody looks at the clock.
        assert_eq!(store.vulnerability(ID).await.unwrap(), None);
        store.settle().await.unwrap();
        assert!(store.vulnerability(ID).await.unwrap().is_some());
        assert_eq!(store.release_embargoes().await.unwrap(), 0, "once");
        let last = EmbargoChange::Unname(maker.person().unwrap().clone());
        assert!(!store.change_embargo(maker.permit().unwrap(), &name, &last, None, now).await.unwrap());
        store.close().await;
    }

    async fn somebody_is_always_named(database) {
        let store = database.open().await;
        let maker = someone(&store, "maker", Role::Triager).await;
        let draft = Draft::read(&document()).unwrap();
        let now = Timestamp::now();
        let (none, nobody) = (BTreeSet::new(), BTreeSet::new());
        let permit = || maker.permit().unwrap();
        let name = store.add_embargo(permit(), &draft, &none, &nobody, None, None, now).await.unwrap();
        let last = EmbargoChange::Unname(maker.person().unwrap().clone());
        let left = store.change_embargo(permit(), &name, &last, None, now).await;
        assert!(matches!(left, Err(StoreError::LastPerson)));
        // Two teams may hold the same thing without learning of each other.
        let other = someone(&store, "other", Role::Triager).await;
        let second = store.add_embargo(other.permit().unwrap(), &draft, &none, &nobody, None, None, now).await.unwrap();
        assert_ne!(name, second);
        assert!(!store.change_embargo(permit(), &second, &EmbargoChange::Release, None, now).await.unwrap());
        store.close().await;
    }
}

#[test]
fn only_an_osv_document_is_held() {
    assert!(Draft::read(b"{}").is_err());
    assert!(Draft::read(br#"{"cveID":"CVE-2024-1","dateAdded":"2024-01-01"}"#).is_err());
    assert!(Draft::read(&vec![b' '; (1 << 20) + 1]).is_err());
    assert_eq!(Draft::read(&document()).unwrap().id(), ID);
}
