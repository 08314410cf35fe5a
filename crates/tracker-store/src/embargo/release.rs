//! How an item becomes a record like any other, by hand or because its time is over.
//!
//! Invariant: an item is released once, in one transaction with the record, the families and their events; nothing of it
//! is public before that commits.

use super::{answered, held, note, statements as sql};
use crate::Store;
use crate::blob;
use crate::error::Result;
use crate::record::{self, IncomingRecord};
use crate::session::Session;
use crate::triage::Under;
use crate::triage::decide::add_families;
use crate::value::values;
use crate::writer::Writer;
use jiff::Timestamp;
use tracker_people::{HandleEmbargo, Permit};
use tracker_record::{Record, public_ids};
use tracker_triage::Actor;

impl Store {
    /// Releases the items whose time is over; gives how many. To be called now and then: until then they stay held.
    pub async fn release_embargoes(&self) -> Result<u64> {
        let mut writer = self.writer().await?;
        let released = release_due(&mut writer).await?;
        writer.commit().await?;
        Ok(released)
    }

    pub(super) async fn release_embargo(
        &self,
        permit: Permit<'_, HandleEmbargo>,
        name: &str,
        under: Option<Under<'_>>,
    ) -> Result<bool> {
        let mut writer = self.writer().await?;
        if answered(&mut writer.session, permit.by(), name, under).await? {
            return Ok(true);
        }
        let Some(key) = held(&mut writer.session, permit.by(), name).await? else {
            return Ok(false);
        };
        release(&mut writer, key, &permit.actor()).await?;
        if let Some(under) = under {
            under.keep(&mut writer.session, writer.now, &()).await?;
        }
        writer.commit().await?;
        Ok(true)
    }
}

/// Whether something's embargo is over.
pub(crate) async fn is_due(session: &mut Session, now: Timestamp) -> Result<bool> {
    let due = session.rows(&sql::DUE, values![now]).await?;
    Ok(!due.is_empty())
}

/// Releases what is due within a transaction of the caller.
pub(crate) async fn release_due(writer: &mut Writer) -> Result<u64> {
    let now = values![writer.now];
    let due = writer.session.rows(&sql::DUE, now).await?;
    for row in &due {
        release(writer, row.integer(0)?, &Actor::tracker()).await?;
    }
    Ok(due.len() as u64)
}

async fn release(writer: &mut Writer, key: i64, actor: &Actor) -> Result<()> {
    let Some(row) = writer.session.row(&sql::DOCUMENT, values![key]).await? else {
        return Ok(());
    };
    let record: Record = blob::decode(key, &row.bytes(3)?)?;
    let digest = row.bytes(0)?;
    let digest = digest.try_into().map_err(|_| {
        crate::StoreError::damaged(format!("embargo {key}"), "its digest has another length")
    })?;
    let id = record.id.clone();
    let incoming = IncomingRecord {
        digest,
        raw_zstd: row.bytes(1)?,
        raw_len: row.number(2)?,
        vulnerabilities: public_ids(&record),
        record,
    };
    record::put(writer, vec![incoming]).await?;
    add_families(writer, actor, &id, row.json(4)?).await?;
    let now = writer.now;
    let session = &mut writer.session;
    session.execute(&sql::RELEASED, values![key, now]).await?;
    note(
        session,
        key,
        &actor.to_string(),
        "released",
        "public from now on",
        now,
    )
    .await
}
