//! What monitoring asks: readiness, totals, connections.

use tracker_record::Source;
use tracker_store::Totals;
use tracker_testkit::fixture::{incoming, package, record, release};
use tracker_testkit::on_both_databases;

on_both_databases! {
    async fn a_database_is_ready_when_it_is_migrated_and_answers(database) {
        let store = database.open().await;
        assert!(store.is_ready().await.expect("it answers"));
        let connections = store.connections();
        assert!(connections.busy + connections.idle <= connections.most, "{connections:?}");
        assert!(connections.most > 0);
        let lost = store.clone();
        store.close().await;
        assert!(lost.is_ready().await.is_err(), "a closed database is not ready");
    }

    async fn totals_follow_what_is_imported(database) {
        let store = database.open().await;
        let empty = Totals { records: 0, vulnerabilities: 0, packages: 0, matches: 0 };
        assert_eq!(store.totals().await.expect("totals"), empty);
        // Two sources on one vulnerability, and one of them once more.
        for source in [Source::Nvd, Source::CveList, Source::Nvd] {
            let batch = vec![incoming(record(source, "CVE-2024-0001", "One"))];
            store.put_records(batch).await.expect("the record is kept");
        }
        let packages = vec![package("musl", "musl", "1.1.22"), package("zlib", "zlib", "1.2")];
        let release = release("nixos-19.09", "aaa", "2024-01-01T00:00:00Z");
        store.put_release(&release, packages).await.expect("the release is kept");
        let held = Totals { records: 2, vulnerabilities: 1, packages: 2, matches: 0 };
        assert_eq!(store.totals().await.expect("totals"), held);
    }
}
