//! Importing records: counts, joining and parting, superseding, history, sources.

use crate::{first_page, ids};
use tracker_record::{Severity, Source};
use tracker_store::ImportCounts;
use tracker_store::view::VulnerabilityFilter;
use tracker_testkit::fixture::{self, incoming, record};
use tracker_testkit::on_both_databases;

on_both_databases! {
    async fn a_record_is_found_after_its_import_and_unchanged_after_the_next(database) {
        let store = database.open().await;
        let record = record(Source::Nvd, "CVE-2024-0001", "Overflow in libfoo");
        let outcome = store.put_records(vec![incoming(record.clone())]).await.unwrap();
        assert_eq!((outcome.added, outcome.changed, outcome.unchanged), (1, 0, 0));
        assert_eq!(outcome.touched, ["CVE-2024-0001"]);
        let again = store.put_records(vec![incoming(record.clone())]).await.unwrap();
        assert_eq!((again.added, again.changed, again.unchanged), (0, 0, 1));
        assert!(again.touched.is_empty());
        let known = store.known_digests().await.unwrap();
        assert!(known.contains(&incoming(record.clone()).digest));
        assert!(!known.contains(&[0; 32]));

        let detail = store.vulnerability("cve-2024-0001").await.unwrap().unwrap();
        assert_eq!(detail.records[0].record, record);
        assert_eq!(detail.summary.title, "Overflow in libfoo");
        let raw = store.raw_record(Source::Nvd, "CVE-2024-0001").await.unwrap();
        assert_eq!(raw, Some(fixture::raw(&record)));
        assert_eq!(store.raw_record(Source::Osv, "CVE-2024-0001").await.unwrap(), None);
        assert_eq!(store.vulnerability("CVE-2024-9999").await.unwrap(), None);
    }

    async fn a_later_version_takes_the_place_of_an_older_one_and_not_the_other_way(database) {
        let store = database.open().await;
        let old = record(Source::Nvd, "CVE-2024-0001", "Old");
        let mut new = record(Source::Nvd, "CVE-2024-0001", "New");
        new.modified = Some(fixture::at("2024-06-01T00:00:00Z"));
        new.cvss.push(fixture::cvss(98));
        store.put_records(vec![incoming(old.clone())]).await.unwrap();
        let outcome = store.put_records(vec![incoming(new.clone())]).await.unwrap();
        assert_eq!((outcome.changed, outcome.superseded), (1, 0));
        let outcome = store.put_records(vec![incoming(old)]).await.unwrap();
        assert_eq!((outcome.changed, outcome.superseded), (0, 1));
        let detail = store.vulnerability("CVE-2024-0001").await.unwrap().unwrap();
        assert_eq!(detail.summary.title, "New");
        assert_eq!(detail.summary.severity, Severity::Critical);
        assert_eq!(detail.records.len(), 1);
        let kinds: Vec<_> = detail.history.iter().map(|entry| entry.kind.as_str()).collect();
        assert_eq!(kinds, ["record-changed", "record-added"]);
        // The search follows: the words of the old version are gone.
        let search = |text: &str| VulnerabilityFilter { text: Some(text.to_owned()), ..VulnerabilityFilter::default() };
        assert_eq!(ids(&first_page(&store, &search("new")).await), ["CVE-2024-0001"]);
        assert!(first_page(&store, &search("old")).await.rows.is_empty());
    }

    async fn another_writing_of_the_same_age_that_says_the_same_is_unchanged(database) {
        let store = database.open().await;
        let record = record(Source::Nvd, "CVE-2024-0001", "One");
        let mut other = incoming(record.clone());
        other.digest = [7; 32];
        let outcome = store.put_records(vec![incoming(record.clone()), other.clone()]).await.unwrap();
        assert_eq!((outcome.added, outcome.changed, outcome.unchanged), (1, 0, 1));
        let outcome = store.put_records(vec![other.clone(), incoming(record.clone()), other]).await.unwrap();
        assert_eq!((outcome.added, outcome.changed, outcome.unchanged), (0, 0, 3));
        let mut different = record;
        different.cvss.push(fixture::cvss(98));
        let outcome = store.put_records(vec![incoming(different)]).await.unwrap();
        assert_eq!((outcome.changed, outcome.unchanged), (1, 0));
    }

    async fn a_batch_with_one_record_twice_keeps_the_later(database) {
        let store = database.open().await;
        let first = record(Source::Nvd, "CVE-2024-0001", "First");
        let mut second = record(Source::Nvd, "CVE-2024-0001", "Second");
        second.modified = Some(fixture::at("2024-06-01T00:00:00Z"));
        let batch = vec![incoming(second.clone()), incoming(first), incoming(second)];
        let outcome = store.put_records(batch).await.unwrap();
        assert_eq!((outcome.added, outcome.superseded, outcome.unchanged), (1, 1, 1));
        let detail = store.vulnerability("CVE-2024-0001").await.unwrap().unwrap();
        assert_eq!(detail.summary.title, "Second");
        assert_eq!(store.overview().await.unwrap().vulnerabilities, 1);
        assert_eq!(store.sources().await.unwrap()[0].records, 1);
    }

    async fn records_meet_under_the_public_id_whatever_order_they_come_in(database) {
        let store = database.open().await;
        let mut advisory = record(Source::Osv, "GHSA-aaaa-bbbb-cccc", "As the database says");
        advisory.aliases = vec!["CVE-2024-0001".to_owned()];
        store.put_records(vec![incoming(advisory)]).await.unwrap();
        let cve = record(Source::CveList, "CVE-2024-0001", "As the CVE list says");
        store.put_records(vec![incoming(cve)]).await.unwrap();
        let by_alias = store.vulnerability("GHSA-aaaa-bbbb-cccc").await.unwrap().unwrap();
        assert_eq!(by_alias, store.vulnerability("CVE-2024-0001").await.unwrap().unwrap());
        assert_eq!(by_alias.summary.id, "CVE-2024-0001");
        assert_eq!(by_alias.summary.title, "As the CVE list says");
        assert_eq!(by_alias.aliases, ["GHSA-aaaa-bbbb-cccc"]);
        assert_eq!(by_alias.records.len(), 2);
        assert_eq!(store.overview().await.unwrap().vulnerabilities, 1);
    }

    async fn a_record_about_two_vulnerabilities_joins_each_but_not_both(database) {
        let store = database.open().await;
        let mut both = record(Source::Osv, "GO-2024-0001", "Two in one");
        both.aliases = vec!["CVE-2024-0001".to_owned(), "CVE-2024-0002".to_owned()];
        let outcome = store.put_records(vec![incoming(both)]).await.unwrap();
        assert_eq!(outcome.touched, ["CVE-2024-0001", "CVE-2024-0002"]);
        for id in ["CVE-2024-0001", "CVE-2024-0002"] {
            let detail = store.vulnerability(id).await.unwrap().unwrap();
            assert_eq!((detail.summary.id.as_str(), detail.records.len()), (id, 1));
        }
    }

    async fn a_record_that_gets_a_public_id_moves_there_with_its_history(database) {
        let store = database.open().await;
        let alone = record(Source::Osv, "GHSA-aaaa-bbbb-cccc", "Not numbered yet");
        store.put_records(vec![incoming(alone.clone())]).await.unwrap();
        let mut numbered = alone;
        numbered.aliases = vec!["CVE-2024-0001".to_owned()];
        numbered.modified = Some(fixture::at("2024-06-01T00:00:00Z"));
        let outcome = store.put_records(vec![incoming(numbered)]).await.unwrap();
        assert_eq!(outcome.touched, ["CVE-2024-0001", "GHSA-aaaa-bbbb-cccc"]);
        let detail = store.vulnerability("GHSA-aaaa-bbbb-cccc").await.unwrap().unwrap();
        assert_eq!(detail.summary.id, "CVE-2024-0001");
        let kinds: Vec<_> = detail.history.iter().map(|entry| entry.kind.as_str()).collect();
        assert_eq!(kinds, ["record-changed", "record-added"]);
        let page = first_page(&store, &VulnerabilityFilter::default()).await;
        assert_eq!((ids(&page), page.total), (vec!["CVE-2024-0001".to_owned()], Some(1)));
        assert_eq!(store.overview().await.unwrap().vulnerabilities, 1);
    }

    async fn an_import_is_noted_with_its_counts(database) {
        let store = database.open().await;
        assert_eq!(store.last_change().await.unwrap(), None);
        let at = fixture::at("2024-03-01T00:00:00Z");
        let counts = ImportCounts { added: 1, rejected: 7, ..ImportCounts::default() };
        store.put_records(vec![incoming(record(Source::Nvd, "CVE-2024-0001", "One"))]).await.unwrap();
        store.record_import(Source::Nvd, &counts, at).await.unwrap();
        store.record_import(Source::Kev, &ImportCounts::default(), at).await.unwrap();
        let sources = store.sources().await.unwrap();
        assert_eq!(sources.len(), 2);
        assert_eq!((sources[0].source, sources[0].records, sources[0].rejected), (Source::Nvd, 1, 7));
        assert_eq!(sources[0].imported, Some(at));
        assert_eq!(sources[0].newest, Some(fixture::at("2024-01-02T00:00:00Z")));
        assert_eq!((sources[1].source, sources[1].newest), (Source::Kev, None));
        assert!(store.last_change().await.unwrap().is_some());
    }

    async fn a_text_with_a_nul_character_is_kept_as_it_is_and_shown_without(database) {
        let store = database.open().await;
        let hostile = record(Source::Osv, "X-\0-1", "before\0after");
        store.put_records(vec![incoming(hostile.clone())]).await.unwrap();
        let page = first_page(&store, &VulnerabilityFilter::default()).await;
        assert_eq!(page.rows[0].title, "before\u{fffd}after");
        let detail = store.vulnerability(&page.rows[0].id).await.unwrap().unwrap();
        assert_eq!(detail.records[0].record, hostile);
        // The second import finds it again.
        let again = store.put_records(vec![incoming(hostile)]).await.unwrap();
        assert_eq!((again.added, again.unchanged), (0, 1));
    }

    async fn an_unknown_id_leads_to_ids_like_it(database) {
        let store = database.open().await;
        let batch = ["CVE-2024-0001", "CVE-2024-0012", "CVE-2023-7777"];
        let batch = batch.map(|id| incoming(record(Source::Nvd, id, "One")));
        store.put_records(batch.to_vec()).await.unwrap();
        assert_eq!(store.similar_ids("cve-2024-00", 5).await.unwrap(), ["CVE-2024-0001", "CVE-2024-0012"]);
        assert_eq!(store.similar_ids("CVE-2024-0019", 5).await.unwrap(), ["CVE-2024-0012"]);
        assert!(store.similar_ids("nothing", 5).await.unwrap().is_empty());
        assert!(store.similar_ids("", 5).await.unwrap().is_empty());
        let long = format!("CVE-2024-0012{}", "9".repeat(4_000));
        let begun = std::time::Instant::now();
        assert_eq!(store.similar_ids(&long, 5).await.unwrap(), ["CVE-2024-0012"]);
        // A statement a character took more than a second.
        assert!(begun.elapsed() < std::time::Duration::from_millis(500), "{:?}", begun.elapsed());
    }
}
