//! Items as those see them whom they name.
//!
//! Invariant: whoever is not named gets what they would get if there were no such item.

use super::statements as sql;
use crate::error::Result;
use crate::triage::statements::FAMILY_PLACES;
use crate::value::{Row, values};
use crate::{Store, blob};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;
use tracker_people::{Embargo, Permit, Person, PersonId, SeeEmbargo};
use tracker_record::{Record, Severity, Vulnerability};
use tracker_triage::Subject;

/// Items in a list.
const MOST: i64 = 500;

/// An item in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EmbargoRow {
    /// What it is called in addresses.
    pub name: String,
    /// The id of the vulnerability.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its severity.
    pub severity: Severity,
    /// Since when it is held.
    pub created: Timestamp,
    /// When it ends by itself.
    pub ends: Option<Timestamp>,
    /// When it became public.
    pub released: Option<Timestamp>,
}

/// An item whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EmbargoDetail {
    /// The row.
    #[serde(flatten)]
    pub row: EmbargoRow,
    /// The description.
    pub description: Option<String>,
    /// The record that it will be.
    pub record: Record,
    /// The families that it is said to concern.
    pub families: Vec<Subject>,
    /// Where they are on the channels' latest releases.
    pub places: Vec<EmbargoPlace>,
    /// Who may know of it.
    pub people: Vec<Person>,
    /// What was done and said, newest first.
    pub notes: Vec<EmbargoNote>,
    /// How much was done and said.
    #[serde(skip)]
    pub version: u64,
}

/// A package that an item concerns, on a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EmbargoPlace {
    /// Distribution and family.
    #[serde(flatten)]
    pub subject: Subject,
    /// Channel.
    pub channel: String,
    /// Attribute.
    pub attribute: String,
    /// Version there.
    pub version: Option<String>,
}

/// A line of an item's own log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EmbargoNote {
    /// When.
    pub at: Timestamp,
    /// Who; `tracker` where its time was over.
    pub author: String,
    /// `made`, `named`, `unnamed`, `until`, `comment` or `released`.
    pub kind: String,
    /// What.
    pub text: String,
}

impl EmbargoDetail {
    /// The rule that it is under.
    pub fn embargo(&self) -> Embargo {
        Embargo {
            people: self.people.iter().map(|person| person.id).collect(),
            until: self.row.released.or(self.row.ends),
        }
    }
}

impl Store {
    /// The items that name somebody, the newest first.
    pub async fn embargoes(&self, permit: Permit<'_, SeeEmbargo>) -> Result<Vec<EmbargoRow>> {
        let mut session = self.read().await?;
        let mine = values![permit.by().0, MOST];
        let rows = session.rows(&sql::MINE, mine).await?;
        rows.iter().map(|line| Ok(row(line)?.0)).collect()
    }

    /// An item, if it names somebody.
    pub async fn embargo(
        &self,
        permit: Permit<'_, SeeEmbargo>,
        name: &str,
    ) -> Result<Option<EmbargoDetail>> {
        let person = permit.by();
        let mut session = self.read().await?;
        let found = session.row(&sql::ONE, values![person.0, name]).await?;
        let Some(found) = found else {
            return Ok(None);
        };
        let key = found.integer(0)?;
        let (row, record) = row(&found)?;
        let families: Vec<Subject> = found.json(6)?;
        let mut places = Vec::new();
        for subject in families.iter().collect::<BTreeSet<_>>() {
            let place = values![subject.distribution.as_str(), subject.family.as_str()];
            for line in session.rows(&FAMILY_PLACES, place).await? {
                places.push(EmbargoPlace {
                    subject: subject.clone(),
                    channel: line.text(0)?,
                    attribute: line.text(1)?,
                    version: line.optional_text(2)?,
                });
            }
        }
        let mut people = Vec::new();
        for line in session.rows(&sql::NAMED, values![person.0, key]).await? {
            people.push(Person {
                id: PersonId(line.integer(0)?),
                handle: line.text(1)?,
                github: line.optional_text(2)?,
            });
        }
        let mut notes = Vec::new();
        for line in session.rows(&sql::NOTES, values![person.0, key]).await? {
            notes.push(EmbargoNote {
                at: line.instant(0)?,
                author: line.text(1)?,
                kind: line.text(2)?,
                text: line.text(3)?,
            });
        }
        let said = session
            .count(&sql::VERSION, values![person.0, name])
            .await?;
        let merged = Vulnerability::merge(row.id.clone(), [record.clone()]);
        Ok(Some(EmbargoDetail {
            description: merged.description().map(|stated| stated.value.text.clone()),
            row,
            record,
            families,
            places,
            people,
            notes,
            version: said as u64,
        }))
    }
}

/// The first six columns, with the record.
fn row(row: &Row) -> Result<(EmbargoRow, Record)> {
    let record: Record = blob::decode(row.integer(0)?, &row.bytes(2)?)?;
    let merged = Vulnerability::merge(record.id.clone(), [record.clone()]);
    let summary = merged.summary();
    let line = EmbargoRow {
        name: row.text(1)?,
        id: record.id.clone(),
        title: summary.title,
        severity: summary.severity,
        created: row.instant(3)?,
        ends: row.optional_instant(4)?,
        released: row.optional_instant(5)?,
    };
    Ok((line, record))
}
