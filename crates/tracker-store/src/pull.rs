//! Pull requests as their forge tells of them: what is new of them, by number, by label, and what they claim.
//!
//! Invariant: an older telling of a pull request never replaces a newer one, in whatever order files are imported.

use crate::Store;
use crate::error::{Result, StoreError};
use crate::statement::statements;
use crate::value::{Row, Value, json, values};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use tracker_landing::index::RequestNote;
use tracker_landing::request::{PullRequest, RequestState};

statements! {
    PULLS_HELD = "SELECT number, updated FROM pull_request WHERE number IN ({list:0})";
    PULL_PUT = "INSERT INTO pull_request (number, title, author, state, base, head, created, updated, merged, merge_commit, labels, vulnerabilities, backport_of, claims) VALUES {rows:14} ON CONFLICT (number) DO UPDATE SET title = excluded.title, author = excluded.author, state = excluded.state, base = excluded.base, head = excluded.head, created = excluded.created, updated = excluded.updated, merged = excluded.merged, merge_commit = excluded.merge_commit, labels = excluded.labels, vulnerabilities = excluded.vulnerabilities, backport_of = excluded.backport_of, claims = excluded.claims";
    LABELS_DROP = "DELETE FROM pull_label WHERE pull_request IN ({list:0})";
    LABEL_ADD = "INSERT INTO pull_label (label, pull_request, updated) VALUES {rows:3} ON CONFLICT (label, pull_request) DO UPDATE SET updated = excluded.updated";
    PULLS = "SELECT number, title, author, state, base, head, created, updated, merged, merge_commit, labels, vulnerabilities, backport_of FROM pull_request WHERE number IN ({list:0})";
    LABELLED = "SELECT pull_request FROM pull_label WHERE label = $1 ORDER BY updated DESC, pull_request DESC LIMIT $2";
    NOTES = "SELECT number, merge_commit, vulnerabilities, backport_of FROM pull_request WHERE claims = 1 ORDER BY number";
    NEWEST = "SELECT MAX(updated) FROM pull_request";
    LABELS = "SELECT label, COUNT(*) FROM pull_label GROUP BY label ORDER BY COUNT(*) DESC, label LIMIT $1";
}

/// Pull requests of one label that are looked through for those that bear others too.
const MAX_LABELLED: i64 = 20_000;

/// What became of pull requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PullCounts {
    /// Not held before.
    pub added: u64,
    /// Told anew.
    pub changed: u64,
    /// Held in this telling or a newer one.
    pub unchanged: u64,
}

impl std::ops::AddAssign for PullCounts {
    fn add_assign(&mut self, other: PullCounts) {
        self.added += other.added;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
    }
}

impl Store {
    /// Keeps pull requests, those apart that are held as new already.
    pub async fn put_pulls(&self, pulls: &[PullRequest]) -> Result<PullCounts> {
        let mut session = self.write().await?;
        // Of several tellings of one, the newest.
        let mut newest: BTreeMap<u32, &PullRequest> = BTreeMap::new();
        for pull in pulls {
            let held = newest.entry(pull.number).or_insert(pull);
            if pull.updated > held.updated {
                *held = pull;
            }
        }
        let numbers = newest.keys().map(|number| Value::from(*number)).collect();
        let mut held: HashMap<u32, Timestamp> = HashMap::new();
        for row in session.rows_in(&PULLS_HELD, &[], numbers).await? {
            held.insert(row.number(0)?, row.instant(1)?);
        }
        let mut counts = PullCounts::default();
        let (mut rows, mut labels, mut moved) = (Vec::new(), Vec::new(), Vec::new());
        for (number, pull) in newest {
            match held.get(&number) {
                Some(updated) if *updated >= pull.updated => {
                    counts.unchanged += 1;
                    continue;
                }
                Some(_) => counts.changed += 1,
                None => counts.added += 1,
            }
            let claims = !pull.vulnerabilities.is_empty() || !pull.backport_of.is_empty();
            moved.push(Value::from(number));
            rows.extend(values![
                number,
                pull.title.as_str(),
                pull.author.as_str(),
                pull.state.word(),
                pull.base.as_str(),
                pull.head.as_str(),
                pull.created,
                pull.updated,
                pull.merged,
                pull.merge_commit.map(|name| name.to_string()).as_deref(),
                json(&pull.labels),
                json(&pull.vulnerabilities),
                json(&pull.backport_of),
                i64::from(claims),
            ]);
            for label in &pull.labels {
                labels.extend(values![label.as_str(), number, pull.updated]);
            }
        }
        session.execute_in(&LABELS_DROP, &[], moved).await?;
        session.insert(&PULL_PUT, 14, rows).await?;
        session.insert(&LABEL_ADD, 3, labels).await?;
        session.commit().await?;
        Ok(counts)
    }

    /// A pull request.
    pub async fn pull(&self, number: u32) -> Result<Option<PullRequest>> {
        let mut session = self.read().await?;
        let row = session.row(&PULLS, values![number]).await?;
        row.as_ref().map(pull).transpose()
    }

    /// Pull requests that bear all of these labels, the latest told of first, at most `limit`.
    pub async fn pulls_labelled(
        &self,
        labels: &[String],
        limit: usize,
    ) -> Result<Vec<PullRequest>> {
        let mut session = self.read().await?;
        let mut numbers: Option<Vec<u32>> = None;
        for label in labels {
            let given = values![label.as_str(), MAX_LABELLED];
            let rows = session.rows(&LABELLED, given).await?;
            let bearing: Vec<u32> = rows
                .iter()
                .map(|row| row.number(0))
                .collect::<Result<_>>()?;
            numbers = Some(match numbers {
                None => bearing,
                Some(mut held) => {
                    let bearing: std::collections::HashSet<u32> = bearing.into_iter().collect();
                    held.retain(|number| bearing.contains(number));
                    held
                }
            });
        }
        let mut numbers = numbers.unwrap_or_default();
        numbers.truncate(limit);
        let wanted = numbers.into_iter().map(Value::from).collect();
        let rows = session.rows_in(&PULLS, &[], wanted).await?;
        let mut pulls: Vec<PullRequest> = rows.iter().map(pull).collect::<Result<_>>()?;
        pulls.sort_by_key(|pull| std::cmp::Reverse((pull.updated, pull.number)));
        pulls.dedup_by_key(|pull| pull.number);
        Ok(pulls)
    }

    /// The labels that most pull requests bear, with how many.
    pub async fn pull_labels(&self, limit: u32) -> Result<Vec<(String, u32)>> {
        let mut session = self.read().await?;
        let rows = session.rows(&LABELS, values![limit]).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?, row.number(1)?)))
            .collect()
    }

    /// What pull requests claim that their commits may not, by number.
    pub async fn pull_notes(&self) -> Result<Vec<RequestNote>> {
        let mut session = self.read().await?;
        let rows = session.rows(&NOTES, Vec::new()).await?;
        rows.iter()
            .map(|row| {
                Ok(RequestNote {
                    number: row.number(0)?,
                    merge_commit: row.optional_text(1)?.and_then(|name| name.parse().ok()),
                    vulnerabilities: row.json(2)?,
                    backport_of: row.json(3)?,
                })
            })
            .collect()
    }

    /// The time of the newest telling; a sign of whether anything is new.
    pub async fn pulls_updated(&self) -> Result<Option<Timestamp>> {
        let mut session = self.read().await?;
        match session.row(&NEWEST, Vec::new()).await? {
            Some(row) => row.optional_instant(0),
            None => Ok(None),
        }
    }
}

fn pull(row: &Row) -> Result<PullRequest> {
    let state = row.text(3)?;
    Ok(PullRequest {
        number: row.number(0)?,
        title: row.text(1)?,
        author: row.text(2)?,
        state: RequestState::read(&state)
            .ok_or_else(|| StoreError::damaged("state of a pull request", &state))?,
        base: row.text(4)?,
        head: row.text(5)?,
        created: row.instant(6)?,
        updated: row.instant(7)?,
        merged: row.optional_instant(8)?,
        merge_commit: row.optional_text(9)?.and_then(|name| name.parse().ok()),
        labels: row.json(10)?,
        vulnerabilities: row.json(11)?,
        backport_of: row.json(12)?,
    })
}
