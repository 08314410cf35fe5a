//! The text indexes of a copy: made anew, because SQLite's hold no text that could be read back.
//!
//! Invariant: they are made in the order of keys, so that a copy that was killed goes on behind the last one.

use crate::blob;
use crate::error::Result;
use crate::inventory::statements::ATTRIBUTE_WORDS_ADD;
use crate::record::{statements as record, words_of};
use crate::statement::{Statement, statements};
use crate::value::{Value, values};
use crate::words;
use crate::{Store, session::Session};
use std::collections::BTreeMap;
use tracker_record::Record;

statements! {
    VULNERABILITIES = "SELECT key, id FROM vulnerability WHERE key > $1 ORDER BY key LIMIT 256";
    /// The last of all, to which words are complete.
    LAST = "SELECT coalesce(max(key), 0) FROM vulnerability";
    VULNERABILITY_WORDS_LAST = sqlite "SELECT coalesce(max(vulnerability), 0) FROM vulnerability_words_text"
        postgres "SELECT coalesce(max(rowid), 0) FROM vulnerability_words";
    /// As above, for counting.
    VULNERABILITY_WORDS_COUNT = sqlite "SELECT count(*) FROM vulnerability_words_text"
        postgres "SELECT count(*) FROM vulnerability_words";
    ATTRIBUTES = "SELECT key, name, pname FROM attribute WHERE key > $1 ORDER BY key LIMIT 4096";
    /// FTS5 without content lists no rows of its own; the ids stand in its table of sizes.
    ATTRIBUTE_WORDS_LAST = sqlite "SELECT coalesce(max(id), 0) FROM attribute_words_docsize"
        postgres "SELECT coalesce(max(rowid), 0) FROM attribute_words";
    /// As above, for counting.
    ATTRIBUTE_WORDS_COUNT = sqlite "SELECT count(*) FROM attribute_words_docsize"
        postgres "SELECT count(*) FROM attribute_words";
}

/// How many texts of the two kinds are indexed.
pub(super) async fn counts(session: &mut Session) -> Result<[i64; 2]> {
    Ok([
        session
            .count(&VULNERABILITY_WORDS_COUNT, Vec::new())
            .await?,
        session.count(&ATTRIBUTE_WORDS_COUNT, Vec::new()).await?,
    ])
}

/// Whether vulnerabilities are not indexed, as behind a step of the schema that made the index anew.
pub(crate) async fn are_behind(session: &mut Session) -> Result<bool> {
    let last = session.count(&LAST, Vec::new()).await?;
    Ok(session.count(&VULNERABILITY_WORDS_LAST, Vec::new()).await? < last)
}

/// Indexes what is not indexed yet; `each` hears how many were added.
pub(crate) async fn rebuild(store: &Store, each: &mut dyn FnMut(u64)) -> Result<()> {
    loop {
        let mut session = store.write().await?;
        let last = session.count(&VULNERABILITY_WORDS_LAST, Vec::new()).await?;
        let texts = vulnerabilities(&mut session, last).await?;
        if !finish_batch(session, &record::WORDS_ADD, texts, each).await? {
            break;
        }
    }
    loop {
        let mut session = store.write().await?;
        let last = session.count(&ATTRIBUTE_WORDS_LAST, Vec::new()).await?;
        let mut texts = Vec::new();
        for row in session.rows(&ATTRIBUTES, values![last]).await? {
            let (name, pname) = (row.text(1)?, row.text(2)?);
            let pieces = words::name_pieces([name.as_str(), pname.as_str()]);
            texts.extend(values![row.integer(0)?, pieces]);
        }
        if !finish_batch(session, &ATTRIBUTE_WORDS_ADD, texts, each).await? {
            break;
        }
    }
    Ok(())
}

/// Writes a batch; false if there was nothing left to write.
async fn finish_batch(
    mut session: Session,
    statement: &Statement,
    texts: Vec<Value>,
    each: &mut dyn FnMut(u64),
) -> Result<bool> {
    let count = texts.len() as u64 / 2;
    session.insert(statement, 2, texts).await?;
    session.commit().await?;
    each(count);
    Ok(count > 0)
}

async fn vulnerabilities(session: &mut Session, after: i64) -> Result<Vec<Value>> {
    let rows = session.rows(&VULNERABILITIES, values![after]).await?;
    let mut ids: BTreeMap<i64, (String, BTreeMap<i64, Record>)> = BTreeMap::new();
    for row in &rows {
        ids.insert(row.integer(0)?, (row.text(1)?, BTreeMap::new()));
    }
    let keys = ids.keys().map(|key| Value::from(*key)).collect();
    let members = session.rows_in(&record::RECORDS_OF_VULNERABILITIES, &[], keys);
    for row in members.await? {
        let key = row.integer(1)?;
        if let Some((_, records)) = ids.get_mut(&row.integer(0)?) {
            records.insert(key, blob::decode(key, &row.bytes(2)?)?);
        }
    }
    let mut texts = Vec::with_capacity(ids.len() * 2);
    for (key, (id, records)) in ids {
        texts.extend(values![key, words_of(id, records.into_values())]);
    }
    Ok(texts)
}
