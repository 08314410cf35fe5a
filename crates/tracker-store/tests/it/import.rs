//! Importing records: counts, joining, superseding, history.

use tracker_record::Source;
use tracker_store::view::{PageRequest, VulnerabilityFilter};
use tracker_testkit::{fixture, on_both_databases};

on_both_databases! {
    async fn a_record_is_found_after_its_import_and_unchanged_after_the_next(database) {
        let store = database.open().await;
        let record = fixture::record(Source::Nvd, "CVE-2024-0001", "Overflow in libfoo");
        let outcome = store.put_records(vec![fixture::incoming(record.clone())]).await.unwrap();
        assert_eq!((outcome.added, outcome.changed, outcome.unchanged), (1, 0, 0));
        assert_eq!(outcome.touched, ["CVE-2024-0001"]);
        let again = store.put_records(vec![fixture::incoming(record.clone())]).await.unwrap();
        assert_eq!((again.added, again.changed, again.unchanged), (0, 0, 1));
        assert!(again.touched.is_empty());
        assert!(store.known_digests().await.unwrap().contains(&fixture::incoming(record.clone()).digest));

        let detail = store.vulnerability("cve-2024-0001").await.unwrap().unwrap();
        assert_eq!(detail.records[0].record, record);
        assert_eq!(detail.summary.title, "Overflow in libfoo");
        let raw = store.raw_record(Source::Nvd, "CVE-2024-0001").await.unwrap();
        assert_eq!(raw, Some(fixture::raw(&record)));
        let filter = VulnerabilityFilter { text: Some("libfoo over".to_owned()), ..VulnerabilityFilter::default() };
        let page = store.vulnerabilities(&filter, &PageRequest { limit: 10, ..PageRequest::default() }).await.unwrap();
        assert_eq!(page.rows, [detail.summary]);
        assert_eq!(page.total, Some(1));
    }
}
