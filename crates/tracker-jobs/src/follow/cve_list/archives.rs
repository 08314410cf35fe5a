//! The archives of a day's changes that the CVE list publishes as assets of its releases: one request, many records.
//!
//! An hourly release has `DAY_delta_CVEs_at_HH00Z.zip`, all that changed since midnight, and at the end of the day
//! `DAY_delta_CVEs_at_end_of_day.zip`. Addresses are built from a release's tag and an asset's name, never taken
//! from the listing. Invariant: a record counts as brought only if the archive has it at least as new as the log
//! of changes says, so an archive that is late, missing or wrong costs requests, never records.

use super::super::FollowError;
use super::super::file::read;
use super::super::run::Run;
use crate::fetch::{Download, FetchError, Fetched, Validators};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::time::Duration;
use tracker_record::unpack::unpack;

/// The largest record of an archive that is looked into, in bytes.
const MAX_RECORD_BYTES: u64 = 32 << 20;

/// Longer gaps than this many days are not filled from archives: the listing does not reach further back.
const MAX_DAYS: usize = 4;

/// Where the list's parts lie.
pub(super) struct Places {
    /// The listing of releases.
    pub(super) releases: String,
    /// Where the assets of a release lie, below its tag; none if they lie beside the records.
    downloads: Option<String>,
    /// The archive of all records.
    pub(super) all: String,
    beside: String,
}

impl Places {
    /// GitHub's addresses for a branch's raw files; elsewhere `releases.json`, the assets and `all.zip` lie beside
    /// the records.
    pub(super) fn of(url: &str) -> Places {
        let parts = url
            .strip_prefix("https://raw.githubusercontent.com/")
            .map(|rest| rest.split('/'));
        if let Some(mut parts) = parts
            && let (Some(owner), Some(name), Some(branch)) =
                (parts.next(), parts.next(), parts.next())
        {
            return Places {
                releases: format!(
                    "https://api.github.com/repos/{owner}/{name}/releases?per_page=100"
                ),
                downloads: Some(format!(
                    "https://github.com/{owner}/{name}/releases/download/"
                )),
                all: format!("https://github.com/{owner}/{name}/archive/refs/heads/{branch}.zip"),
                beside: url.to_owned(),
            };
        }
        Places {
            releases: format!("{url}releases.json"),
            downloads: None,
            all: format!("{url}all.zip"),
            beside: url.to_owned(),
        }
    }

    fn asset(&self, tag: &str, name: &str) -> String {
        match &self.downloads {
            Some(downloads) => format!("{downloads}{tag}/{name}"),
            None => format!("{}{name}", self.beside),
        }
    }
}

#[derive(Debug, Deserialize)]
struct Release {
    tag_name: String,
    #[serde(default)]
    assets: Vec<Asset>,
}

#[derive(Debug, Deserialize)]
struct Asset {
    name: String,
}

/// Imports the archives of the days from `since` to `until` and takes what they brought out of `wanted`.
///
/// # Errors
/// Only those of the import: without archives everything stays wanted.
pub(super) async fn import(
    run: &mut Run<'_>,
    since: Timestamp,
    until: Timestamp,
    wanted: &mut BTreeMap<String, Option<Timestamp>>,
) -> Result<(), FollowError> {
    let places = Places::of(&run.feed.url);
    let day = |at: Timestamp| Offset::UTC.to_datetime(at).date();
    let days: Vec<Date> = day(since)
        .series(jiff::ToSpan::day(1))
        .take_while(|one| *one <= day(until))
        .take(MAX_DAYS + 1)
        .collect();
    if days.len() > MAX_DAYS {
        return Ok(());
    }
    let Some(listing) = fetch(run, places.releases.clone()).await? else {
        return Ok(());
    };
    let Ok(releases) = serde_json::from_slice::<Vec<Release>>(&read(&listing)?) else {
        tracing::info!("the listing of releases has another shape");
        return Ok(());
    };
    for day in days {
        let Some((tag, name)) = newest(&releases, day) else {
            continue;
        };
        let Some(archive) = fetch(run, places.asset(tag, name)).await? else {
            continue;
        };
        let brought = dates(&read(&archive)?);
        if brought.is_empty() {
            continue;
        }
        run.import_changes(vec![archive.input()]).await?;
        wanted.retain(|id, changed| match (changed, brought.get(id)) {
            (Some(changed), Some(held)) => held < changed,
            _ => true,
        });
    }
    Ok(())
}

/// A body, unless the server has none or refuses it: then the records are asked for one by one.
async fn fetch(run: &mut Run<'_>, url: String) -> Result<Option<Download>, FollowError> {
    match run.get(url, Validators::default(), Duration::ZERO).await {
        Ok(Fetched::New { download, .. }) => Ok(Some(download)),
        Ok(Fetched::Absent | Fetched::Unchanged)
        | Err(FollowError::Fetch(FetchError::Refused { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Tag and name of the archive that holds most of a day's changes.
fn newest(releases: &[Release], day: Date) -> Option<(&str, &str)> {
    let prefix = format!("{day}_delta_CVEs_at_");
    let plain = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    releases
        .iter()
        .flat_map(|release| release.assets.iter().map(move |asset| (release, asset)))
        .filter_map(|(release, asset)| {
            let at = asset.name.strip_prefix(&prefix)?.strip_suffix(".zip")?;
            let hour = match at {
                "end_of_day" => 24,
                _ => at.strip_suffix("00Z")?.parse().ok().filter(|h| *h < 24)?,
            };
            let fine = plain(&release.tag_name) && plain(&asset.name);
            fine.then_some((hour, release.tag_name.as_str(), asset.name.as_str()))
        })
        .max_by_key(|(hour, _, _): &(u8, _, _)| *hour)
        .map(|(_, tag, name)| (tag, name))
}

/// The records of an archive and when each was changed last; what cannot be read is not among them.
fn dates(archive: &[u8]) -> BTreeMap<String, Timestamp> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Document {
        cve_metadata: Metadata,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Metadata {
        cve_id: String,
        date_updated: Timestamp,
    }
    let mut found = BTreeMap::new();
    let unpacked = unpack("delta.zip", Cursor::new(archive), |_, content| {
        let mut text = Vec::new();
        let Ok(content) = content else { return };
        if content
            .take(MAX_RECORD_BYTES)
            .read_to_end(&mut text)
            .is_err()
        {
            return;
        }
        if let Ok(document) = serde_json::from_slice::<Document>(&text) {
            let Metadata {
                cve_id,
                date_updated,
            } = document.cve_metadata;
            found.insert(cve_id, date_updated);
        }
    });
    if let Err(error) = unpacked {
        tracing::info!(%error, "an archive of changes cannot be unpacked");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Asset, Places, Release, newest};

    #[test]
    fn places_follow_from_the_address() {
        let places =
            Places::of("https://raw.githubusercontent.com/CVEProject/cvelistV5/main/cves/");
        assert_eq!(
            places.all,
            "https://github.com/CVEProject/cvelistV5/archive/refs/heads/main.zip"
        );
        assert_eq!(
            places.releases,
            "https://api.github.com/repos/CVEProject/cvelistV5/releases?per_page=100"
        );
        assert_eq!(
            places.asset("cve_2026-01-01_1200Z", "x.zip"),
            "https://github.com/CVEProject/cvelistV5/releases/download/cve_2026-01-01_1200Z/x.zip"
        );
        let mirror = Places::of("http://mirror/cves/");
        assert_eq!(mirror.all, "http://mirror/cves/all.zip");
        assert_eq!(mirror.asset("t", "x.zip"), "http://mirror/cves/x.zip");
    }

    #[test]
    fn the_fullest_archive_of_a_day_is_taken() {
        let release = |tag: &str, names: &[&str]| Release {
            tag_name: tag.to_owned(),
            assets: names
                .iter()
                .map(|name| Asset {
                    name: (*name).to_owned(),
                })
                .collect(),
        };
        let releases = [
            release(
                "cve_2026-01-02_0900Z",
                &["2026-01-02_delta_CVEs_at_0900Z.zip"],
            ),
            release(
                "cve_2026-01-02_0000Z",
                &[
                    "2026-01-01_delta_CVEs_at_end_of_day.zip",
                    "2026-01-01_all_CVEs_at_midnight.zip.zip",
                ],
            ),
            release(
                "cve_2026-01-01_2300Z",
                &["2026-01-01_delta_CVEs_at_2300Z.zip"],
            ),
            release("../x", &["2026-01-03_delta_CVEs_at_0100Z.zip"]),
            release("y", &["2026-01-03_delta_CVEs_at_9900Z.zip"]),
        ];
        let of = |day: &str| newest(&releases, day.parse().unwrap());
        assert_eq!(
            of("2026-01-01"),
            Some((
                "cve_2026-01-02_0000Z",
                "2026-01-01_delta_CVEs_at_end_of_day.zip"
            ))
        );
        assert_eq!(
            of("2026-01-02"),
            Some(("cve_2026-01-02_0900Z", "2026-01-02_delta_CVEs_at_0900Z.zip"))
        );
        assert_eq!(of("2026-01-03"), None);
    }
}
