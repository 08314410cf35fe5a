//! From a feed and a package list to findings, and again when either changes.

use crate::import::{bytes, import};
use jiff::Timestamp;
use tracker_inventory::Release;
use tracker_jobs::{ChannelSummary, Input, JobError, derive, import_channel};
use tracker_match::FindingStatus;
use tracker_store::Store;
use tracker_testkit::on_both_databases;

pub(crate) fn packages(version: &str) -> Input {
    let list = format!(
        r#"{{"version":2,"channel":"nixos-19.09","commit":"aaaa","packages":{{
            "musl":{{"name":"musl-{version}","pname":"musl","version":"{version}","system":"x86_64-linux",
                "drvPath":"/nix/store/00000000000000000000000000000000-musl-{version}.drv","outputs":{{}},"meta":{{}}}},
            "bad":7}}}}"#
    );
    bytes("packages.json", list)
}

/// A graph of the package's derivation with one patch.
pub(crate) fn graph(version: &str, patch: &str) -> Input {
    let lines = [
        format!(
            r#"{{"i":0,"drv":"11111111111111111111111111111111-{patch}.drv","name":"{patch}","outputs":{{}},"in":[],"fod":1,"url":"https://example.org/{patch}"}}"#
        ),
        format!(
            r#"{{"i":1,"drv":"00000000000000000000000000000000-musl-{version}.drv","name":"musl-{version}","outputs":{{}},"in":[0]}}"#
        ),
    ];
    bytes("drvs.jsonl", lines.join("\n"))
}

pub(crate) fn release(revision: &str, day: u8) -> Release {
    Release {
        distribution: "nixpkgs".to_owned(),
        channel: "nixos-19.09".to_owned(),
        revision: revision.to_owned(),
        released: format!("2019-11-{day:02}T00:00:00Z")
            .parse::<Timestamp>()
            .unwrap(),
    }
}

pub(crate) async fn channel(
    store: &Store,
    release: Release,
    packages: Input,
    graph: Option<Input>,
) -> ChannelSummary {
    import_channel(store, release, packages, graph, &())
        .await
        .unwrap()
}

async fn status(store: &Store) -> Vec<(FindingStatus, String)> {
    let detail = store
        .vulnerability("CVE-2019-14697")
        .await
        .unwrap()
        .unwrap();
    detail
        .matches
        .into_iter()
        .flat_map(|matched| matched.findings)
        .map(|finding| (finding.status, finding.version.unwrap_or_default()))
        .collect()
}

pub(crate) const NVD: &str = include_str!("../../../tracker-record/fixtures/nvd-1.1.json");

on_both_databases! {
    async fn findings_follow_feeds_and_releases(database) {
        let store = database.open().await;
        import(&store, vec![bytes("nvd.json", NVD)]).await;
        let first = channel(&store, release("aaaa", 1), packages("1.1.22"), None).await;
        assert!(first.new && first.current);
        assert_eq!((first.packages, first.rejected_count), (1, 1));
        assert_eq!(first.rejected[0].entry, "bad");
        assert_eq!(first.notes, Vec::<String>::new());

        let derived = derive(&store, &()).await.unwrap().distributions.remove(0);
        assert_eq!((derived.vulnerabilities, derived.matched), (1, 1));
        assert_eq!(status(&store).await, [(FindingStatus::Affected, "1.1.22".to_owned())]);

        // Nothing changed, nothing is due.
        let derived = derive(&store, &()).await.unwrap().distributions.remove(0);
        assert_eq!(derived.vulnerabilities, 0);

        // The channel moves on.
        let second = channel(&store, release("bbbb", 2), packages("1.1.24"), None).await;
        assert_eq!(second.moved, Some(1));
        assert_eq!(second.notes, ["the list is of revision aaaa, not bbbb"]);
        let derived = derive(&store, &()).await.unwrap().distributions.remove(0);
        assert_eq!((derived.vulnerabilities, derived.findings_changed), (1, 1));
        assert_eq!(status(&store).await, [(FindingStatus::Fixed, "1.1.24".to_owned())]);

        // The record changes.
        let wider = NVD.replace("1.1.23", "1.2.0").replace("2020-03-14", "2020-03-15");
        assert_eq!(import(&store, vec![bytes("nvd.json", wider)]).await.total().changed, 1);
        derive(&store, &()).await.unwrap();
        assert_eq!(status(&store).await, [(FindingStatus::Affected, "1.1.24".to_owned())]);
    }

    async fn a_patch_in_the_derivation_graph_fixes(database) {
        let store = database.open().await;
        import(&store, vec![bytes("nvd.json", NVD)]).await;
        let graph = graph("1.1.22", "CVE-2019-14697.patch");
        let summary = channel(&store, release("aaaa", 1), packages("1.1.22"), Some(graph)).await;
        assert_eq!(summary.joined, Some(1));
        derive(&store, &()).await.unwrap();
        assert_eq!(status(&store).await, [(FindingStatus::Fixed, "1.1.22".to_owned())]);
    }
}

#[tokio::test]
async fn a_plain_list_is_read_and_what_is_none_is_refused_whole() {
    let database = tracker_testkit::Database::new(tracker_testkit::Kind::Sqlite).await;
    let store = database.open().await;
    let plain = bytes("list.json", r#"[{"name":"musl","version":"1.1.22"}]"#);
    let mut guix = release("aaaa", 1);
    guix.distribution = "guix".to_owned();
    assert_eq!(channel(&store, guix, plain, None).await.packages, 1);
    for (content, expected) in [
        ("{\"a\":1}", "`x.json`"),
        ("{\"packages\":{", "`x.json`"),
        ("7", "`x.json`"),
    ] {
        let input = bytes("x.json", content);
        let outcome = import_channel(&store, release("bbbb", 2), input, None, &()).await;
        let error = outcome.unwrap_err();
        assert!(matches!(error, JobError::Inventory { .. }), "{error:?}");
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(store.channels().await.unwrap().len(), 1);
}
