//! The snapshot that `demo` serves: files in the feeds' own formats, part of the program.
//!
//! Invariant: it is read by the same code as any other file; nothing here knows what is in it.

use crate::progress::Display;
use anyhow::Context;
use jiff::Timestamp;
use serde::Deserialize;
use tracker_inventory::Release;
use tracker_jobs::Input;
use tracker_store::Store;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../demo/", $name)))),*]
    };
}

/// Every file, by name.
const FILES: &[(&str, &[u8])] = files![
    "snapshot.json",
    "nvd.json",
    "cve-list.jsonl",
    "osv.jsonl",
    "kev.json",
    "nixos-19.09-2019-10-03.packages.json",
    "nixos-19.09-2019-10-03.derivations.jsonl",
    "nixos-19.09-2019-11-17.packages.json",
    "nixos-19.09-2019-11-17.derivations.jsonl",
    "nixos-unstable-2026-01-03.packages.json",
    "nixos-unstable-2026-05-03.packages.json",
];

/// `snapshot.json`: which files are what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Snapshot {
    distribution: String,
    feeds: Vec<String>,
    releases: Vec<SnapshotRelease>,
}

/// A channel release of the snapshot.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SnapshotRelease {
    channel: String,
    released: Timestamp,
    revision: String,
    packages: String,
    derivations: Option<String>,
}

fn file(name: &str) -> anyhow::Result<&'static [u8]> {
    let found = FILES.iter().find(|(known, _)| *known == name);
    found
        .map(|(_, bytes)| *bytes)
        .with_context(|| format!("the snapshot has no file `{name}`"))
}

fn snapshot() -> anyhow::Result<Snapshot> {
    serde_json::from_slice(file("snapshot.json")?).context("snapshot.json")
}

fn input(name: &str) -> anyhow::Result<Input> {
    Ok(Input::Bytes {
        name: name.to_owned(),
        bytes: file(name)?.to_vec(),
    })
}

/// Reads the snapshot into a database and derives what follows from it.
pub(crate) async fn load(store: &Store, progress: &Display) -> anyhow::Result<()> {
    let snapshot = snapshot()?;
    let feeds = snapshot
        .feeds
        .iter()
        .map(|name| input(name))
        .collect::<anyhow::Result<_>>()?;
    let summary = tracker_jobs::import_feeds(store, feeds, progress).await?;
    anyhow::ensure!(
        summary.is_clean(),
        "the snapshot's feeds are not clean: {:?} {:?}",
        summary.rejected,
        summary.refused
    );
    for release in snapshot.releases {
        let packages = input(&release.packages)?;
        let derivations = release.derivations.as_deref().map(input).transpose()?;
        let release = Release {
            distribution: snapshot.distribution.clone(),
            channel: release.channel,
            revision: release.revision,
            released: release.released,
        };
        tracker_jobs::import_channel(store, release, packages, derivations, progress).await?;
    }
    tracker_jobs::derive(store, progress).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{FILES, file, snapshot};
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn the_program_carries_exactly_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo");
        let there: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "README.md")
            .collect();
        let carried: BTreeSet<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(carried, there);
    }

    #[test]
    fn the_snapshot_names_every_file_it_carries() {
        let snapshot = snapshot().unwrap();
        let releases = snapshot.releases.iter();
        let named: BTreeSet<String> = releases
            .flat_map(|release| [Some(release.packages.clone()), release.derivations.clone()])
            .flatten()
            .chain(snapshot.feeds.iter().cloned())
            .chain(["snapshot.json".to_owned()])
            .collect();
        assert_eq!(named.len(), FILES.len());
        assert!(named.iter().all(|name| file(name).is_ok()));
        let channels: BTreeSet<_> = snapshot
            .releases
            .iter()
            .map(|release| &release.channel)
            .collect();
        assert_eq!(channels.len(), 2);
    }
}
