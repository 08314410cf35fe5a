//! What follows from a change of families, or from its undo, for what is stored of two families.
//!
//! Invariant: matches, findings and rows of the queue move with their attributes and keep their evidence and age; what
//! they are then is told by derived events, with the change as the reason.

use super::{families, put};
use crate::derive::statements::{BASIS_NEXT, GENERATION_NEXT};
use crate::error::{Result, StoreError};
use crate::session::Session;
use crate::triage::decide::{BATCH, MAX_ITEMS, original};
use crate::triage::lay::{Regrouped, regroup};
use crate::triage::{log, statements as sql};
use crate::value::{Value, values};
use crate::writer::{Counter, Writer};
use std::collections::BTreeMap;
use tracker_triage::family::check_decided;
use tracker_triage::{Entry, Event, Families, FamilyChange};

/// The vulnerabilities that are matched to one of a change's families.
pub(super) async fn touched(
    session: &mut Session,
    change: &FamilyChange,
) -> Result<Vec<(i64, String)>> {
    let names = values![change.family.as_str(), change.into.as_str()];
    let rows = session
        .rows_in(
            &sql::MATCHED_TO_FAMILIES,
            &[change.distribution.as_str().into()],
            names,
        )
        .await?;
    if rows.len() > MAX_ITEMS {
        return Err(StoreError::TooMany { limit: MAX_ITEMS });
    }
    rows.iter()
        .map(|row| Ok((row.integer(0)?, row.text(1)?)))
        .collect()
}

/// Counts the attributes of a change's families as it is now, and moves everything that goes with them.
pub(super) async fn settle(
    writer: &mut Writer,
    change: &FamilyChange,
    touched: &[(i64, String)],
    because: &str,
) -> Result<()> {
    let families = families(&mut writer.session).await?;
    let regrouped = Regrouped {
        distribution: change.distribution.clone(),
        families: counted(&mut writer.session, change, &families).await?,
        because: because.to_owned(),
    };
    for batch in touched.chunks(BATCH) {
        regroup(writer, batch, &regrouped).await?;
    }
    for (key, _) in touched {
        let position = writer.next(Counter::Touched);
        let row = values![*key, position];
        writer.session.execute(&sql::TOUCH, row).await?;
    }
    // A derivation that is under way has an index of the families as they were.
    let session = &mut writer.session;
    let name = || values![change.distribution.as_str()];
    session.execute(&BASIS_NEXT, name()).await?;
    session.execute(&GENERATION_NEXT, name()).await?;
    writer.changed();
    Ok(())
}

/// Counts attributes to their families; gives the family of each that belongs to one of the two.
async fn counted(
    session: &mut Session,
    change: &FamilyChange,
    families: &Families,
) -> Result<BTreeMap<String, String>> {
    let distribution = change.distribution.as_str();
    let names = values![change.family.as_str(), change.into.as_str()];
    let rows = session
        .rows_in(&sql::ATTRIBUTES_OF_FAMILIES, &[distribution.into()], names)
        .await?;
    let mut all = BTreeMap::new();
    let mut moved: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for row in rows {
        let (name, held) = (row.text(1)?, row.text(3)?);
        let family = families.assigned(distribution, &name, &row.text(2)?);
        if family != held {
            let keys = moved.entry(family.clone()).or_default();
            keys.push(Value::from(row.integer(0)?));
        }
        all.insert(name, family);
    }
    for (family, keys) in moved {
        session
            .execute_in(&sql::ATTRIBUTES_COUNTED, &[family.as_str().into()], keys)
            .await?;
    }
    Ok(all)
}

/// A change that an act takes back or makes anew.
pub(in crate::triage) struct Undoing {
    change: FamilyChange,
    touched: Vec<(i64, String)>,
    holds: bool,
}

impl Undoing {
    /// Checks that an event can be undone; nothing if it is no change of families.
    pub(in crate::triage) async fn check(
        session: &mut Session,
        entries: &[Entry],
        target: &Entry,
    ) -> Result<Option<Undoing>> {
        let Some(change) = FamilyChange::of(original(entries, target)) else {
            return Ok(None);
        };
        let held = families(session).await?;
        held.check_undo(&change, target.sequence)?;
        let stake = held.at_stake(&change);
        let touched = touched(session, &change).await?;
        for batch in touched.chunks(BATCH) {
            let keys = batch.iter().map(|(key, _)| Value::from(*key)).collect();
            let entries = log::entries(session, keys).await?;
            for (key, id) in batch {
                let entries = entries.get(key).map_or(&[][..], Vec::as_slice);
                check_decided(target.sequence, &stake, id, entries)?;
            }
        }
        let holds = held.changes().iter().any(|one| one.event == change.event);
        Ok(Some(Undoing {
            change,
            touched,
            holds: !holds,
        }))
    }
}

/// Carries out what an undo event says of a change of families; gives how many vulnerabilities it is about.
pub(in crate::triage) async fn undo(
    writer: &mut Writer,
    undoing: &Undoing,
    sequence: u64,
) -> Result<u64> {
    let Undoing {
        change,
        touched,
        holds,
    } = undoing;
    put(&mut writer.session, change, sequence, *holds).await?;
    let again = if *holds { "again: " } else { "undone: " };
    let event: Event = change.to_event();
    let because = format!("{again}{}", event.sentence());
    settle(writer, change, touched, &because).await?;
    Ok(touched.len() as u64)
}
