//! Reading the row of a vulnerability that every list shows.
//!
//! Invariant: the columns are named once, in `VULNERABILITY_COLUMNS`, and read in that order here.

use crate::error::{Result, StoreError};
use crate::listing;
use crate::value::Row;
use crate::view::VulnerabilityRow;

/// Columns of `vulnerability AS v`.
macro_rules! vulnerability_columns {
    () => {
        "v.key, v.id, v.title, v.severity, v.score, v.exploited, v.epss, v.state, v.published, v.modified, v.family_count, v.families, v.channels"
    };
}
pub(crate) use vulnerability_columns;

/// How many they are.
pub(crate) const VULNERABILITY_COLUMNS: usize = 13;

/// Reads the columns from `first` on.
pub(crate) fn vulnerability(row: &Row, first: usize) -> Result<VulnerabilityRow> {
    let id = row.text(first + 1)?;
    let state = row.text(first + 7)?;
    let state = listing::state_of(&state)
        .ok_or_else(|| StoreError::damaged(&id, format!("state `{state}` is unknown")))?;
    let small = |index| {
        let value = row.optional_integer(first + index)?;
        Ok::<_, StoreError>(value.and_then(|value| u32::try_from(value).ok()))
    };
    Ok(VulnerabilityRow {
        title: row.text(first + 2)?,
        severity: listing::severity_of(row.integer(first + 3)?),
        score_tenths: small(4)?.and_then(|score| u8::try_from(score).ok()),
        exploited: row.integer(first + 5)? != 0,
        epss_ppm: small(6)?,
        state,
        published: row.optional_instant(first + 8)?,
        modified: row.optional_instant(first + 9)?,
        family_count: row.number(first + 10)?,
        families: row.json(first + 11)?,
        channels: row.json(first + 12)?,
        id,
    })
}
