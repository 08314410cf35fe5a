//! Records that their source states no more: they are kept, with their document and history, and state nothing.
//!
//! Invariant: a withdrawal is one transaction with its event; what a source states again is taken as it comes, whatever
//! its date.

use super::statements;
use super::{Accepted, Change, IncomingRecord, place, write_records};
use crate::Store;
use crate::blob;
use crate::error::Result;
use crate::value::{Value, clean, values};
use std::collections::{BTreeSet, HashMap};
use tracker_record::{Source, public_ids};

/// What of a record is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawal<'a> {
    /// All of it.
    Whole,
    /// What this author within the source says.
    Of(&'a str),
}

/// Records that are taken back in one transaction.
const BATCH: usize = 500;

impl Store {
    /// The ids of the records that a source states, of those that begin with `prefix`, for which `is_lost` holds; and how
    /// many it states.
    pub async fn stated_records(
        &self,
        source: Source,
        prefix: &str,
        mut is_lost: impl FnMut(&str) -> bool,
    ) -> Result<(Vec<String>, u64)> {
        let mut session = self.read().await?;
        let (mut lost, mut all, mut last) = (Vec::new(), 0, i64::MIN);
        loop {
            let after = values![source.as_str(), last];
            let rows = session.rows(&statements::STATED, after).await?;
            for row in &rows {
                last = row.integer(0)?;
                let id = row.text(1)?;
                if id.starts_with(prefix) {
                    all += 1;
                    if is_lost(&id) {
                        lost.push(id);
                    }
                }
            }
            if rows.is_empty() {
                return Ok((lost, all));
            }
        }
    }

    /// Notes that a source takes records back; how many were held with something to take back.
    ///
    /// The documents stay, and so do the vulnerabilities with their history, decisions and other records. Killed in
    /// between, some of the records are withdrawn, and the rest is with the next call.
    pub async fn withdraw(
        &self,
        source: Source,
        ids: &[String],
        what: Withdrawal<'_>,
    ) -> Result<u64> {
        let mut count = 0;
        for batch in ids.chunks(BATCH) {
            count += self.withdraw_batch(source, batch, what).await?;
        }
        Ok(count)
    }

    async fn withdraw_batch(
        &self,
        source: Source,
        ids: &[String],
        what: Withdrawal<'_>,
    ) -> Result<u64> {
        let mut writer = self.writer().await?;
        let ids: BTreeSet<String> = ids.iter().cloned().map(clean).collect();
        let ids = ids.into_iter().map(Value::from).collect();
        let mut digests = HashMap::new();
        let held = &statements::RECORDS_HELD;
        let own = [Value::from(source.as_str())];
        for row in writer.session.rows_in(held, &own, ids).await? {
            if row.optional_instant(4)?.is_none() {
                digests.insert(row.integer(0)?, row.bytes(2)?);
            }
        }
        let keys = digests.keys().map(|key| Value::from(*key)).collect();
        let documents = &statements::DOCUMENTS;
        let mut accepted = Vec::new();
        for row in writer.session.rows_in(documents, &[], keys).await? {
            let key = row.integer(0)?;
            let held = blob::decode(key, &row.bytes(1)?)?;
            let vulnerabilities = public_ids(&held);
            let (record, change) = match what {
                Withdrawal::Whole => (held.withdrawn(), Change::Withdrawn),
                Withdrawal::Of(origin) => {
                    let rest = held.clone().without(origin);
                    if rest == held {
                        continue;
                    }
                    (rest, Change::Changed)
                }
            };
            let digest = digests.get(&key).and_then(|digest| digest.first_chunk());
            let mut digest: [u8; 32] = digest.copied().unwrap_or_default();
            if change == Change::Changed {
                // The same document states it anew if it comes again.
                digest = digest.map(|byte| !byte);
            }
            let incoming = IncomingRecord {
                digest,
                raw_zstd: row.bytes(2)?,
                raw_len: row.number(3)?,
                vulnerabilities,
                record,
            };
            accepted.push(Accepted {
                key,
                change,
                incoming,
            });
        }
        let count = accepted.len() as u64;
        if count > 0 {
            accepted.sort_by_key(|accepted| accepted.key);
            write_records(&mut writer, &accepted).await?;
            place(&mut writer, accepted).await?;
        }
        writer.commit().await?;
        Ok(count)
    }

    /// What a feed was noted to name since [`Store::forget_sightings`].
    pub async fn sightings(&self, feed: &str) -> Result<Vec<String>> {
        let mut session = self.read().await?;
        let rows = session.rows(&statements::SIGHTINGS, values![feed]).await?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    /// Notes that a feed names these records.
    pub async fn put_sightings(&self, feed: &str, ids: &[String]) -> Result<()> {
        let mut session = self.write().await?;
        let rows = ids.iter().flat_map(|id| values![feed, clean(id.clone())]);
        let rows = rows.collect();
        session.insert(&statements::SIGHTING_ADD, 2, rows).await?;
        session.commit().await
    }

    /// Begins looking through a feed anew.
    pub async fn forget_sightings(&self, feed: &str) -> Result<()> {
        let mut session = self.write().await?;
        let forget = &statements::SIGHTINGS_FORGET;
        session.execute(forget, values![feed]).await?;
        session.commit().await
    }
}
