//! A finding turns to fixed when the release that contains its fix is out, and back when the channel loses it.

use super::repository::{New, Repository};
use super::run;
use std::path::Path;
use tracker_jobs::derive;
use tracker_jobs::landing::{LandingFolder, join};
use tracker_match::FindingStatus::{self, Affected, Fixed};
use tracker_record::Source;
use tracker_store::Store;
use tracker_testkit::fixture::{affected, incoming, package, record, release};
use tracker_testkit::on_both_databases;

const ID: &str = "CVE-2024-1111";

fn commit<'a>(branch: &'a str, hour: i64, message: &'a str) -> New<'a> {
    New {
        branch,
        from: None,
        merge: &[],
        hour,
        message,
        file: None,
    }
}

/// curl 8.0 is affected by its version on both channels.
async fn fill(store: &Store) {
    let mut one = record(Source::CveList, ID, "An overflow in curl");
    one.affected.push(affected("curl", "curl", "8.9"));
    store.put_records(vec![incoming(one)]).await.unwrap();
    for (channel, revision) in [("nixos-24.05", "aaaa"), ("nixos-unstable", "bbbb")] {
        let release = release(channel, revision, "2024-04-01T00:00:00Z");
        store
            .put_release(&release, vec![package("curl", "curl", "8.0")])
            .await
            .unwrap();
    }
    derive(store, &()).await.unwrap();
}

/// Brings the index up to date, joins it, and gives the status on each channel.
async fn joined(
    store: &Store,
    repository: &Repository,
    folder: &Path,
    at: i64,
) -> Vec<FindingStatus> {
    run(repository, folder, at);
    let opened = LandingFolder::open(folder).unwrap();
    join(store, opened.index()).await.unwrap();
    derive(store, &()).await.unwrap();
    let mut findings = store.findings_of(vec![ID.to_owned()]).await.unwrap();
    findings.sort_by(|a, b| a.channel.cmp(&b.channel));
    findings.into_iter().map(|finding| finding.status).collect()
}

on_both_databases! {
    async fn a_finding_is_fixed_once_its_channel_has_the_fix(database) {
        let store = database.open().await;
        fill(&store).await;
        let mut repository = Repository::new();
        let from = |branch, from, hour, message| New { from: Some(from), ..commit(branch, hour, message) };
        repository.write(&[
            commit("master", 0, "begin"),
            from("release-24.05", 1, 1, "release: begin"),
            commit("master", 2, "curl: patch an overflow\n\nFixes CVE-2024-1111"),
            commit("master", 3, "wget: mention CVE-2024-1111"),
        ]);
        repository.git(&["update-ref", "refs/heads/nixos-unstable", &repository.name(1)]);
        repository.git(&["update-ref", "refs/heads/nixos-24.05", &repository.name(2)]);
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        // Merged, but in no release yet.
        assert_eq!(joined(&store, &repository, folder, 5).await, [Affected, Affected]);
        repository.git(&["update-ref", "refs/heads/nixos-unstable", &repository.name(3)]);
        assert_eq!(joined(&store, &repository, folder, 10).await, [Affected, Fixed]);
        let detail = store.vulnerability(ID).await.unwrap().unwrap();
        let unstable = detail.matches[0].findings.iter().find(|one| one.channel == "nixos-unstable").unwrap();
        let said = &unstable.evidence[0];
        assert!(said.contains(&repository.name(3)[..12]) && said.contains("names CVE-2024-1111"), "{said}");
        assert!(detail.history.iter().any(|entry| entry.text.starts_with("nixos-unstable: fixed, was affected")));
        // Again, and nothing changes; a match of everything anew keeps it.
        let opened = LandingFolder::open(folder).unwrap();
        assert_eq!(join(&store, opened.index()).await.unwrap().changed, 0);

        // The backport arrives: it is fixed everywhere.
        let pick = format!("curl: patch an overflow\n\nFixes CVE-2024-1111\n\n(cherry picked from commit {})\n", repository.name(3));
        repository.write(&[commit("release-24.05", 12, &pick)]);
        repository.git(&["update-ref", "refs/heads/nixos-24.05", &repository.name(5)]);
        assert_eq!(joined(&store, &repository, folder, 20).await, [Fixed, Fixed]);
        assert_eq!(store.fixed_events(9).await.unwrap().len(), 1);

        // It is undone on the release branch.
        let undo = format!("Revert \"curl\"\n\nThis reverts commit {}.\n", repository.name(5));
        repository.write(&[commit("release-24.05", 22, &undo)]);
        repository.git(&["update-ref", "refs/heads/nixos-24.05", &repository.name(6)]);
        assert_eq!(joined(&store, &repository, folder, 30).await, [Affected, Fixed]);
        // And the other channel goes back to before the fix.
        repository.git(&["update-ref", "refs/heads/nixos-unstable", &repository.name(1)]);
        assert_eq!(joined(&store, &repository, folder, 40).await, [Affected, Affected]);
    }
}
