//! Copying a whole database into another, of the same kind or the other: backups, restoring, and moving from SQLite
//! to PostgreSQL are all this.
//!
//! Invariants: a copy that is not finished says so ([`Store::open`] refuses it) and is taken up again where it
//! stopped; it is finished only after every row was compared with the source's.

pub(crate) mod catalog;
pub(crate) mod words;

use crate::Store;
use crate::error::{Result, StoreError};
use crate::session::Session;
use crate::statement::statements;
use crate::value::{Value, values};
use crate::writer::Counters;
use catalog::Table;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

statements! {
    UNFINISHED = "SELECT source FROM copy_state";
    BEGIN_COPY = "INSERT INTO copy_state (source, started) VALUES ($1, $2)";
    FINISH_COPY = "DELETE FROM copy_state";
    HELD = "SELECT (SELECT count(*) FROM counter) + (SELECT count(*) FROM feed) + (SELECT count(*) FROM follow) + (SELECT count(*) FROM person)";
}

/// What a copy is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CopyPhase {
    /// Rows go from the source to the target.
    Rows,
    /// The text indexes are made.
    Words,
    /// Each row is compared with the source's.
    Verify,
}

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyStep {
    /// What it does.
    pub phase: CopyPhase,
    /// Rows done in this phase, those of an earlier attempt included.
    pub done: u64,
    /// Rows in this phase.
    pub total: u64,
}

/// What was copied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CopySummary {
    /// Rows by table.
    pub tables: Vec<CopiedTable>,
    /// Rows that an earlier attempt had copied already.
    pub resumed: u64,
}

/// A table of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CopiedTable {
    /// Its name.
    pub name: String,
    /// Its rows, each compared with the source's.
    pub rows: u64,
}

impl CopySummary {
    /// Rows in all.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

impl Store {
    /// Copies everything into `target`, which must be empty or hold a part of the same copy
    /// ([`Store::open_target`]).
    ///
    /// # Errors
    /// [`StoreError::Target`] when the target holds something else, or when the source changed since a copy into it
    /// was begun; [`StoreError::Differs`] when a row is not the same on both sides.
    pub async fn copy_to(
        &self,
        target: &Store,
        each: &mut (dyn FnMut(CopyStep) + Send),
    ) -> Result<CopySummary> {
        let tables = catalog::tables().await?;
        let mut source = self.read().await?;
        begin(&mut source, target).await?;
        let counted = count(&tables, &mut source).await?;
        let total = counted.iter().map(|table| table.rows).sum();
        let mut done = 0;
        let mut resumed = 0;
        for table in &tables {
            let mut step = |rows| {
                done += rows;
                let phase = CopyPhase::Rows;
                each(CopyStep { phase, done, total });
            };
            resumed += copy_table(table, &mut source, target, &mut step).await?;
        }
        let texts = words::counts(&mut source).await?.iter().sum::<i64>() as u64;
        let mut done = 0;
        words::rebuild(target, &mut |rows| {
            done += rows;
            let (phase, total) = (CopyPhase::Words, texts);
            each(CopyStep { phase, done, total });
        })
        .await?;
        let mut done = 0;
        let mut copied = target.read().await?;
        for table in &tables {
            verify(table, &mut source, &mut copied, &mut |rows| {
                done += rows;
                let phase = CopyPhase::Verify;
                each(CopyStep { phase, done, total });
            })
            .await?;
        }
        if words::counts(&mut copied).await? != words::counts(&mut source).await? {
            return Err(StoreError::Differs {
                table: "vulnerability_words, attribute_words".to_owned(),
                key: "their numbers of texts".to_owned(),
            });
        }
        drop(copied);
        let mut session = target.write().await?;
        session.execute(&FINISH_COPY, Vec::new()).await?;
        session.commit().await?;
        target.analyze().await?;
        Ok(CopySummary {
            tables: counted,
            resumed,
        })
    }

    /// What a copy would consist of.
    pub async fn sizes(&self) -> Result<CopySummary> {
        let tables = catalog::tables().await?;
        let mut session = self.read().await?;
        Ok(CopySummary {
            tables: count(&tables, &mut session).await?,
            resumed: 0,
        })
    }
}

async fn count(tables: &[Table], session: &mut Session) -> Result<Vec<CopiedTable>> {
    let mut counted = Vec::with_capacity(tables.len());
    for table in tables {
        let rows = session.select(table.count(), Vec::new()).await?;
        counted.push(CopiedTable {
            name: table.name.clone(),
            rows: rows[0].integer(0)? as u64,
        });
    }
    Ok(counted)
}

/// The source of a copy into this database that is not finished.
pub(crate) async fn unfinished(session: &mut Session) -> Result<Option<String>> {
    let row = session.row(&UNFINISHED, Vec::new()).await?;
    row.map(|row| row.text(0)).transpose()
}

/// Marks the target, or finds that it was marked for the same state of the same source.
async fn begin(source: &mut Session, target: &Store) -> Result<()> {
    let counters = Counters::load(source).await?;
    let digest = Sha256::digest(format!("{counters:?}"));
    let start: &[u8; 16] = digest.first_chunk().expect("SHA-256 has 32 bytes");
    let mark = format!("{:032x}", u128::from_be_bytes(*start));
    let mut session = target.write().await?;
    match unfinished(&mut session).await? {
        Some(held) if held == mark => return Ok(()),
        Some(_) => {
            return Err(StoreError::Target {
                reason: "a copy of another state of the source was begun into it; begin anew with an empty database",
            });
        }
        None => {}
    }
    if session.count(&HELD, Vec::new()).await? != 0 {
        return Err(StoreError::Target {
            reason: "it holds data already",
        });
    }
    let now = Timestamp::now();
    session.execute(&BEGIN_COPY, values![mark, now]).await?;
    session.commit().await
}

/// Copies what of a table the target has not; gives how many rows it had.
async fn copy_table(
    table: &Table,
    source: &mut Session,
    target: &Store,
    each: &mut (dyn FnMut(u64) + Send),
) -> Result<u64> {
    let mut reader = target.read().await?;
    let dialect = reader.dialect();
    let last = reader.select(table.last(dialect), Vec::new()).await?;
    let held = reader.select(table.count(), Vec::new()).await?[0].integer(0)? as u64;
    drop(reader);
    let mut after = last.first().map(|row| table.read_key(row)).transpose()?;
    each(held);
    loop {
        let batch = read(table, source, after.as_deref()).await?;
        let Some(last) = batch.last() else {
            return Ok(held);
        };
        after = Some(table.key(last).to_vec());
        let count = batch.len() as u64;
        let mut session = target.write().await?;
        let at_once = table.rows_at_once();
        let mut rows = batch.into_iter().peekable();
        while rows.peek().is_some() {
            let some: Vec<Vec<Value>> = rows.by_ref().take(at_once).collect();
            let sql = table.insert(dialect, some.len());
            session.change(sql, some.concat()).await?;
        }
        session.commit().await?;
        each(count);
    }
}

/// Rows behind a key.
async fn read(
    table: &Table,
    session: &mut Session,
    after: Option<&[Value]>,
) -> Result<Vec<Vec<Value>>> {
    let sql = table.select(session.dialect(), after.is_some());
    let values = after.map(<[Value]>::to_vec).unwrap_or_default();
    let rows = session.select(sql, values).await?;
    rows.iter().map(|row| table.read(row)).collect()
}

/// Walks both tables and compares each row.
async fn verify(
    table: &Table,
    source: &mut Session,
    target: &mut Session,
    each: &mut (dyn FnMut(u64) + Send),
) -> Result<()> {
    let mut after: Option<Vec<Value>> = None;
    loop {
        let wanted = read(table, source, after.as_deref()).await?;
        let held = read(table, target, after.as_deref()).await?;
        let same = wanted.iter().zip(&held).take_while(|(a, b)| a == b).count();
        if same < wanted.len().max(held.len()) {
            let row = wanted.get(same).or_else(|| held.get(same));
            let key = row.map(|row| table.key(row)).unwrap_or_default();
            return Err(StoreError::Differs {
                table: table.name.clone(),
                key: format!("{key:?}"),
            });
        }
        let Some(last) = wanted.last() else {
            return Ok(());
        };
        after = Some(table.key(last).to_vec());
        each(wanted.len() as u64);
    }
}
