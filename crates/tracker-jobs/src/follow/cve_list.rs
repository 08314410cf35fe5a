//! The CVE list: hourly deltas from its log of changes; all of it from an archive at first, and after a gap.
//!
//! Below the feed's address lie `deltaLog.json`, the last weeks' deltas, and each record by its id; the archive of
//! all is GitHub's of the same branch. Many changes come in one piece (`archives`), a few record by record, which
//! are asked for by their ids, never by the links that a log names.
//! Invariant: deltas are applied in the order of their times, and the cursor is the time of the last one applied.

mod archives;

use super::FollowError;
use super::file::{broken, read, shape};
use super::run::Run;
use crate::fetch::{Fetched, Validators};
use crate::input::Input;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The time between two requests for records.
const BETWEEN: Duration = Duration::from_millis(20);

/// More changed records than this are taken from the archive.
const MAX_RECORDS: usize = 20_000;

/// More changed records than this are looked for in the archives of the days' changes.
const FEW_RECORDS: usize = 20;

/// Records that are fetched before they are imported together.
const BATCH: usize = 500;

/// How far the list was followed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    /// The time of the last delta applied; none before the first archive.
    reached: Option<Timestamp>,
    validators: Validators,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delta {
    fetch_time: Timestamp,
    number_of_changes: u64,
    #[serde(default)]
    new: Vec<Change>,
    #[serde(default)]
    updated: Vec<Change>,
    #[serde(default)]
    error: Vec<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    cve_id: String,
    date_updated: Option<Timestamp>,
}

pub(super) async fn follow(run: &mut Run<'_>) -> Result<(), FollowError> {
    let mut state: State = run.cursor();
    let url = format!("{}deltaLog.json", run.feed.url);
    let asked = run
        .get(url, state.validators.clone(), Duration::ZERO)
        .await?;
    let (bytes, validators) = match asked {
        Fetched::Unchanged => return Ok(()),
        Fetched::Absent => return Err(shape("there is no deltaLog.json at its address")),
        Fetched::New {
            download,
            validators,
            ..
        } => (read(&download)?, validators),
    };
    let mut deltas: Vec<Delta> = serde_json::from_slice(&bytes).map_err(|error| broken(&error))?;
    deltas.sort_by_key(|delta| delta.fetch_time);
    let (Some(first), Some(last)) = (deltas.first(), deltas.last()) else {
        return Err(shape("its log of changes is empty"));
    };
    let (oldest, newest) = (first.fetch_time, last.fetch_time);
    for delta in &deltas {
        let listed = (delta.new.len() + delta.updated.len() + delta.error.len()) as u64;
        if listed < delta.number_of_changes {
            let (time, number) = (delta.fetch_time, delta.number_of_changes);
            let reason = format!("{listed} of {number} changes in the delta of {time}");
            return Err(FollowError::Truncated { reason });
        }
    }
    if let Some(reached) = state.reached
        && newest < reached
    {
        return Err(FollowError::Older {
            held: reached.to_string(),
            given: newest.to_string(),
        });
    }
    let since = deltas
        .into_iter()
        .filter(|delta| Some(delta.fetch_time) > state.reached);
    let changed: Vec<Delta> = since.collect();
    let records: usize = changed
        .iter()
        .map(|delta| delta.new.len() + delta.updated.len())
        .sum();
    if state.reached.is_none_or(|reached| reached < oldest) || records > MAX_RECORDS {
        baseline(run).await?;
    } else {
        apply(run, &state, changed).await?;
    }
    state.reached = Some(newest);
    state.validators = validators;
    run.save(&state).await
}

/// Everything, from the archive.
async fn baseline(run: &mut Run<'_>) -> Result<(), FollowError> {
    let url = archives::Places::of(&run.feed.url).all;
    match run.get(url, Validators::default(), Duration::ZERO).await? {
        Fetched::New { download, .. } => run.import(vec![download.input()]).await,
        Fetched::Absent | Fetched::Unchanged => Err(shape("there is no archive of the list")),
    }
}

/// The records of deltas, each once: from the days' archives where they are many, then one by one, in batches.
async fn apply(run: &mut Run<'_>, state: &State, deltas: Vec<Delta>) -> Result<(), FollowError> {
    // A record is taken as it is now, so once is enough for all its changes; the last one says how new it must be.
    let mut wanted: BTreeMap<String, Option<Timestamp>> = BTreeMap::new();
    let mut until = None;
    for delta in deltas {
        until = Some(delta.fetch_time);
        for change in delta.new.into_iter().chain(delta.updated) {
            path(&change.cve_id)
                .ok_or_else(|| shape(format!("{:?} is no CVE id", change.cve_id)))?;
            wanted.insert(change.cve_id, change.date_updated);
        }
    }
    if wanted.len() > FEW_RECORDS
        && let (Some(since), Some(until)) = (state.reached, until)
    {
        archives::import(run, since, until, &mut wanted).await?;
    }
    let mut waiting: Vec<Input> = Vec::new();
    for id in wanted.keys() {
        let Some(path) = path(id) else { continue };
        let url = format!("{}{path}", run.feed.url);
        match run.get(url, Validators::default(), BETWEEN).await? {
            Fetched::New { download, .. } => waiting.push(Input::Bytes {
                name: path,
                bytes: read(&download)?,
            }),
            // Withdrawn from the list since: what was held of it stays.
            Fetched::Absent | Fetched::Unchanged => {}
        }
        if waiting.len() >= BATCH {
            run.import_changes(std::mem::take(&mut waiting)).await?;
        }
    }
    if waiting.is_empty() {
        return Ok(());
    }
    run.import_changes(waiting).await
}

/// Where a record lies: `2024/1xxx/CVE-2024-1234.json`.
fn path(id: &str) -> Option<String> {
    let (year, number) = id.strip_prefix("CVE-")?.split_once('-')?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let fine =
        year.len() == 4 && (4..=19).contains(&number.len()) && digits(year) && digits(number);
    let thousands = number.get(..number.len().checked_sub(3)?)?;
    fine.then(|| format!("{year}/{thousands}xxx/{id}.json"))
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn records_are_found() {
        assert_eq!(
            path("CVE-2024-1234").unwrap(),
            "2024/1xxx/CVE-2024-1234.json"
        );
        assert_eq!(
            path("CVE-2021-44228").unwrap(),
            "2021/44xxx/CVE-2021-44228.json"
        );
        for bad in [
            "CVE-2024-12",
            "CVE-2024-../x",
            "GHSA-1",
            "CVE-20é4-1234",
            "CVE-2024-12é34",
        ] {
            assert_eq!(path(bad), None, "{bad}");
        }
    }
}
