//! Records that their source states no more, and documents of one date that differ: what is held of them.

use crate::{first_page, ids};
use tracker_record::{RecordState, Source, Stated};
use tracker_store::view::VulnerabilityFilter;
use tracker_store::{Store, Withdrawal};
use tracker_testkit::fixture::{self, incoming, record};
use tracker_testkit::on_both_databases;

async fn kinds(store: &Store, id: &str) -> Vec<String> {
    let detail = store.vulnerability(id).await.expect("it can be read");
    let detail = detail.expect("it is there");
    detail.history.into_iter().map(|entry| entry.kind).collect()
}

async fn stated(store: &Store, prefix: &str) -> u64 {
    let counted = store.stated_records(Source::Debian, prefix, |_| false);
    counted.await.expect("they can be counted").1
}

/// What Debian says of a package.
fn statement(id: &str) -> tracker_record::Record {
    let mut statement = record(Source::Debian, id, "A package");
    statement.aliases = vec!["CVE-2026-0001".to_owned()];
    statement
        .affected
        .push(fixture::affected("debian", "openssl", "3"));
    statement.modified = None;
    statement
}

on_both_databases! {
    async fn what_is_withdrawn_states_nothing_and_is_not_lost(database) {
        let store = database.open().await;
        let kept = record(Source::Nvd, "CVE-2026-0001", "Overflow");
        let statements = [statement("openssl/CVE-2026-0001"), statement("other/CVE-2026-0001")];
        let mut batch: Vec<_> = statements.iter().cloned().map(incoming).collect();
        batch.push(incoming(kept));
        store.put_records(batch.clone()).await.unwrap();
        assert_eq!((stated(&store, "").await, stated(&store, "openssl/").await), (2, 1));

        let (lost, all) = store.stated_records(Source::Debian, "", |id| id.starts_with("openssl")).await.unwrap();
        assert_eq!((lost.as_slice(), all), (&["openssl/CVE-2026-0001".to_owned()][..], 2));
        for (count, growth) in [(1, 1), (0, 0)] {
            let before = kinds(&store, "CVE-2026-0001").await.len();
            assert_eq!(store.withdraw(Source::Debian, &lost, Withdrawal::Whole).await.unwrap(), count);
            assert_eq!(kinds(&store, "CVE-2026-0001").await.len(), before + growth);
        }
        let detail = store.vulnerability("CVE-2026-0001").await.unwrap().unwrap();
        assert_eq!(detail.summary.state, RecordState::Published);
        let debian: Vec<_> = detail.records.iter().filter(|view| view.record.source == Source::Debian).collect();
        assert_eq!(debian[0].record, statements[0].clone().withdrawn());
        assert!(debian[0].record.affected.is_empty() && debian[0].withdrawn.is_some());
        assert_eq!((&debian[1].record, debian[1].withdrawn), (&statements[1], None));
        assert_eq!(detail.history[0].kind, "record-withdrawn");
        assert_eq!(detail.history[0].text, "debian openssl/CVE-2026-0001");
        // The document is still there, and its search words are not.
        let raw = store.raw_record(Source::Debian, &lost[0]).await.unwrap();
        assert_eq!(raw, Some(fixture::raw(&statements[0])));
        assert_eq!(stated(&store, "").await, 1);
        let sources = store.sources().await.unwrap();
        let held = sources.iter().find(|source| source.source == Source::Debian).unwrap();
        assert_eq!(held.records, 1);
        assert!(!store.known_digests().await.unwrap().contains(&batch[0].digest));
        assert_eq!(store.check(true, &mut || ()).await.unwrap(), []);

        // What is stated again is taken, the very same document too, and only once.
        for (changed, unchanged) in [(1, 1), (0, 2)] {
            let outcome = store.put_records(batch[..2].to_vec()).await.unwrap();
            assert_eq!((outcome.added, outcome.changed, outcome.unchanged), (0, changed, unchanged));
        }
        let detail = store.vulnerability("CVE-2026-0001").await.unwrap().unwrap();
        assert!(detail.records.iter().all(|view| view.withdrawn.is_none()));
        assert_eq!(detail.history[0].kind, "record-changed");
        assert_eq!(stated(&store, "").await, 2);
    }

    async fn a_vulnerability_whose_every_record_is_withdrawn_stays_with_its_history(database) {
        let store = database.open().await;
        let mut alone = record(Source::Debian, "openssl/TEMP-0000001-ABCDEF", "A package");
        alone.aliases = vec!["TEMP-0000001-ABCDEF".to_owned()];
        store.put_records(vec![incoming(alone.clone())]).await.unwrap();
        let id = ["openssl/TEMP-0000001-ABCDEF".to_owned()];
        store.withdraw(Source::Debian, &id, Withdrawal::Whole).await.unwrap();
        let detail = store.vulnerability("TEMP-0000001-ABCDEF").await.unwrap().unwrap();
        assert_eq!(detail.summary.state, RecordState::Withdrawn);
        assert_eq!(kinds(&store, "TEMP-0000001-ABCDEF").await, ["record-withdrawn", "record-added"]);
        let all = first_page(&store, &VulnerabilityFilter::default()).await;
        assert_eq!(ids(&all), ["TEMP-0000001-ABCDEF"]);
        // An older document that is stated again is taken too: there is nothing newer that it could undo.
        alone.modified = Some(fixture::at("2001-01-01T00:00:00Z"));
        assert_eq!(store.put_records(vec![incoming(alone)]).await.unwrap().changed, 1);
        let detail = store.vulnerability("TEMP-0000001-ABCDEF").await.unwrap().unwrap();
        assert_eq!(detail.summary.state, RecordState::Published);
    }

    async fn one_author_takes_back_what_he_said_and_no_more(database) {
        let store = database.open().await;
        let mut both = record(Source::CveList, "CVE-2026-0001", "Overflow");
        both.exploitation.push(Stated { origin: "adp:CISA-ADP".to_owned(), ..fixture::kev() });
        store.put_records(vec![incoming(both.clone())]).await.unwrap();
        assert!(store.vulnerability("CVE-2026-0001").await.unwrap().unwrap().summary.exploited);
        let id = ["CVE-2026-0001".to_owned()];
        for count in [1, 0] {
            let back = store.withdraw(Source::CveList, &id, Withdrawal::Of("adp:CISA-ADP")).await;
            assert_eq!(back.unwrap(), count);
        }
        let detail = store.vulnerability("CVE-2026-0001").await.unwrap().unwrap();
        assert!(!detail.summary.exploited);
        assert_eq!(detail.records[0].record, both.clone().without("adp:CISA-ADP"));
        assert_eq!((detail.summary.title.as_str(), detail.records[0].withdrawn), ("Overflow", None));
        assert_eq!(store.put_records(vec![incoming(both)]).await.unwrap().changed, 1);
        assert!(store.vulnerability("CVE-2026-0001").await.unwrap().unwrap().summary.exploited);
    }

    async fn of_two_documents_of_one_date_the_same_is_held_whatever_their_order(database) {
        let store = database.open().await;
        let less = record(Source::Nvd, "CVE-2026-0001", "Overflow");
        let mut more = less.clone();
        more.cvss.push(fixture::cvss(98));
        // As much is said by either: their texts decide.
        let (mut one, mut other) = (more.clone(), more.clone());
        one.cvss[0].value.score_tenths = 91;
        other.cvss[0].value.score_tenths = 92;
        let all = [&less, &one, &more, &other].map(|record| incoming(record.clone()));
        let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]];
        for (number, order) in orders.into_iter().enumerate() {
            for index in order {
                store.put_records(vec![all[index].clone()]).await.unwrap();
            }
            // In one batch as in several.
            let batch = order.map(|index| all[index].clone()).to_vec();
            let outcome = store.put_records(batch).await.unwrap();
            assert_eq!((outcome.added, outcome.changed), (0, 0), "order {number}");
            assert_eq!((outcome.unchanged, outcome.superseded), (1, 3), "order {number}");
            let detail = store.vulnerability("CVE-2026-0001").await.unwrap().unwrap();
            assert_eq!(detail.records[0].record, more, "order {number}");
        }
        let mut fresh = record(Source::Nvd, "CVE-2026-0002", "Overflow");
        let mut batch = vec![incoming(fresh.clone())];
        fresh.cvss.push(fixture::cvss(98));
        batch.insert(0, incoming(fresh.clone()));
        let outcome = store.put_records(batch).await.unwrap();
        assert_eq!((outcome.added, outcome.changed, outcome.superseded), (1, 0, 1));
        let detail = store.vulnerability("CVE-2026-0002").await.unwrap().unwrap();
        assert_eq!(detail.records[0].record, fresh);
    }

    async fn a_better_reader_is_heard_although_document_and_date_are_the_same(database) {
        let store = database.open().await;
        let mut long = record(Source::Nvd, "CVE-2026-0001", "Overflow");
        let raw = incoming(long.clone());
        long.cvss.push(fixture::cvss(98));
        let first = tracker_store::IncomingRecord { digest: [1; 32], record: long.clone(), ..raw.clone() };
        store.put_records(vec![first]).await.unwrap();
        // It finds less in the same bytes: what the first one found was wrong.
        let second = tracker_store::IncomingRecord { digest: [2; 32], ..raw.clone() };
        assert_eq!(store.put_records(vec![second]).await.unwrap().changed, 1);
        let detail = store.vulnerability("CVE-2026-0001").await.unwrap().unwrap();
        assert_eq!(detail.records[0].record, raw.record);
    }

    async fn sightings_are_of_their_feed_and_forgotten_when_told(database) {
        let store = database.open().await;
        let ids = |ids: &[&str]| -> Vec<String> { ids.iter().map(|id| (*id).to_owned()).collect() };
        store.put_sightings("euvd", &ids(&["a", "b"])).await.unwrap();
        store.put_sightings("euvd", &ids(&["b", "c"])).await.unwrap();
        store.put_sightings("other", &ids(&["z"])).await.unwrap();
        let mut seen = store.sightings("euvd").await.unwrap();
        seen.sort();
        assert_eq!(seen, ["a", "b", "c"]);
        store.forget_sightings("euvd").await.unwrap();
        assert!(store.sightings("euvd").await.unwrap().is_empty());
        assert_eq!(store.sightings("other").await.unwrap(), ["z"]);
    }
}
