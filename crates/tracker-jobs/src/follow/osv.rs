//! An ecosystem in OSV's bucket: `modified_id.csv` says what changed when, newest first; `ID.json` is a record,
//! `all.zip` holds all.
//!
//! Invariant: the cursor is the time of the newest change that is held with all before it.

use super::FollowError;
use super::file::{read, shape};
use super::run::Run;
use crate::fetch::{Fetched, Validators};
use crate::input::Input;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// More changed records than this are taken from the archive.
const MAX_RECORDS: usize = 1000;

/// The time between two requests for records.
const BETWEEN: Duration = Duration::from_millis(20);

/// How far the ecosystem was followed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    reached: Option<Timestamp>,
    validators: Validators,
    /// Records that the table named.
    records: usize,
}

pub(super) async fn follow(run: &mut Run<'_>) -> Result<(), FollowError> {
    let held: State = run.cursor();
    let url = format!("{}modified_id.csv", run.feed.url);
    let asked = run.get(url, held.validators, Duration::ZERO).await?;
    let (bytes, validators) = match asked {
        Fetched::Unchanged => return Ok(()),
        Fetched::Absent => return Err(shape("there is no modified_id.csv at its address")),
        Fetched::New {
            download,
            validators,
            ..
        } => (read(&download)?, validators),
    };
    let text = String::from_utf8(bytes).map_err(shape)?;
    let changes = table(&text)?;
    let Some((newest, _)) = changes.first().copied() else {
        return Err(shape("its table of changes is empty"));
    };
    if let Some(reached) = held.reached
        && newest < reached
    {
        return Err(FollowError::Older {
            held: reached.to_string(),
            given: newest.to_string(),
        });
    }
    if changes.len() < held.records / 2 {
        let reason = format!("{} records after {}", changes.len(), held.records);
        return Err(FollowError::Truncated { reason });
    }
    let new: Vec<&str> = changes
        .iter()
        .take_while(|(changed, _)| Some(*changed) > held.reached)
        .map(|(_, id)| *id)
        .collect();
    if held.reached.is_none() || new.len() > MAX_RECORDS {
        let url = format!("{}all.zip", run.feed.url);
        match run.get(url, Validators::default(), Duration::ZERO).await? {
            Fetched::New { download, .. } => run.import(vec![download.input()]).await?,
            Fetched::Absent | Fetched::Unchanged => {
                return Err(shape("there is no all.zip at its address"));
            }
        }
    } else {
        let mut records = Vec::new();
        for id in new {
            let url = format!("{}{id}.json", run.feed.url);
            if let Fetched::New { download, .. } =
                run.get(url, Validators::default(), BETWEEN).await?
            {
                records.push(Input::Bytes {
                    name: format!("{id}.json"),
                    bytes: read(&download)?,
                });
            }
        }
        if !records.is_empty() {
            run.import_changes(records).await?;
        }
    }
    let reached = State {
        reached: Some(newest),
        validators,
        records: changes.len(),
    };
    run.save(&reached).await
}

/// Rows of time and id, which must be in descending order.
fn table(text: &str) -> Result<Vec<(Timestamp, &str)>, FollowError> {
    let mut rows: Vec<(Timestamp, &str)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let row = line
            .split_once(',')
            .and_then(|(time, id)| Some((time.parse().ok()?, id)));
        let Some((time, id)) = row else {
            // A table that ends within a row was cut off.
            let reason = format!("line {} is no time and id", number + 1);
            return Err(FollowError::Truncated { reason });
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
        if id.is_empty() || id.starts_with('.') || !id.bytes().all(plain) {
            return Err(shape(format!("line {}: {id:?} is no id", number + 1)));
        }
        if rows.last().is_some_and(|(before, _)| *before < time) {
            return Err(shape(format!(
                "line {} is newer than the one before",
                number + 1
            )));
        }
        rows.push((time, id));
    }
    Ok(rows)
}
