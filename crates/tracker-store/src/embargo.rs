//! Items that are not public yet: reports that the team holds back until a date, or until somebody lets them go.
//!
//! Reading order: this (what comes in, and what is done about it), `read` (for whom an item names), `release` (how it
//! becomes a record like any other), `statements`.
//! Invariants: until its release nothing of an item stands in any table that another statement reads, so no list, count,
//! search, feed or export can tell of it; every read takes a [`Permit`] of whoever asks,
//! and to those whom an item does not name it answers as if there were none, whatever their role.

mod read;
mod release;
pub(crate) mod statements;

pub use read::{EmbargoDetail, EmbargoNote, EmbargoPlace, EmbargoRow};
pub(crate) use release::{is_due, release_due};

use crate::Store;
use crate::blob::Encoder;
use crate::error::{Result, StoreError};
use crate::session::Session;
use crate::triage::decide;
use crate::triage::once::{self, Once, Under};
use crate::value::{json, values};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use statements as sql;
use std::collections::BTreeSet;
use tracker_people::{Comment, HandleEmbargo, Permit, Person, PersonId};
use tracker_record::{Record, Source, public_ids, read_document};
use tracker_triage::Subject;

/// The largest document, in bytes.
const MAX_DOCUMENT: usize = 1 << 20;
/// The longest comment, in bytes.
const MAX_COMMENT: usize = 20_000;
/// The most families and people that an item names.
const MAX_NAMED: usize = 100;
/// The longest id, in bytes.
const MAX_ID: usize = 80;
/// As of a feed's raw documents.
const LEVEL: i32 = 1;

/// A document that is to be held back, read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    digest: [u8; 32],
    raw_zstd: Vec<u8>,
    raw_len: u32,
    record: Record,
}

/// Why a document cannot be held back.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// It is too long: leave something out.
    #[error("the document has {bytes} bytes; the limit is {MAX_DOCUMENT}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It is no record: correct it.
    #[error(transparent)]
    Read(#[from] tracker_record::ReadError),
    /// It is a record of another form: write it as OSV.
    #[error("the document is one of {source_name}; expected OSV")]
    NotOsv {
        /// What it is.
        source_name: &'static str,
    },
    /// The id is none: give another.
    #[error("it needs an id of at most {MAX_ID} letters, digits and `-_.:`")]
    Id,
    /// There is no title: give one.
    #[error("it needs a title")]
    Title,
    /// The severity is told in no form that is known: write it as a vector, or leave it out.
    #[error("the vector is no CVSS vector of version 3 or 4")]
    Vector,
    /// It cannot be compressed.
    #[error("the document cannot be compressed")]
    Compress(#[source] std::io::Error),
}

impl Draft {
    /// Reads an OSV document.
    ///
    /// # Errors
    /// When it is none, or too long.
    pub fn read(raw: &[u8]) -> Result<Draft, DraftError> {
        let bytes = raw.len();
        let raw_len = u32::try_from(bytes).ok().filter(|_| bytes <= MAX_DOCUMENT);
        let raw_len = raw_len.ok_or(DraftError::TooLong { bytes })?;
        let record = read_document(raw)?.record;
        if record.source != Source::Osv {
            let source_name = record.source.as_str();
            return Err(DraftError::NotOsv { source_name });
        }
        Ok(Draft {
            digest: Sha256::digest(raw).into(),
            raw_zstd: zstd::bulk::compress(raw, LEVEL).map_err(DraftError::Compress)?,
            raw_len,
            record,
        })
    }

    /// The id that the document gives the vulnerability.
    pub fn id(&self) -> &str {
        &self.record.id
    }
}

/// What is to be held back, in the words of whoever reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report<'a> {
    /// The id that the vulnerability will have.
    pub id: &'a str,
    /// Title.
    pub summary: &'a str,
    /// Description, in Markdown; may be empty.
    pub details: &'a str,
    /// CVSS vector of version 3 or 4; may be empty.
    pub vector: &'a str,
}

impl Report<'_> {
    /// The OSV document of it, read and checked.
    ///
    /// # Errors
    /// When something of it cannot be.
    pub fn draft(&self, now: Timestamp) -> Result<Draft, DraftError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        if self.id.is_empty() || self.id.len() > MAX_ID || !self.id.chars().all(plain) {
            return Err(DraftError::Id);
        }
        if self.summary.trim().is_empty() {
            return Err(DraftError::Title);
        }
        let severity = match self.vector.get(..7) {
            Some("CVSS:4.") => Some("CVSS_V4"),
            Some("CVSS:3.") => Some("CVSS_V3"),
            _ if self.vector.is_empty() => None,
            _ => return Err(DraftError::Vector),
        };
        let severity =
            severity.map(|kind| serde_json::json!({ "type": kind, "score": self.vector }));
        let document = serde_json::json!({
            "schema_version": "1.7.0",
            "id": self.id,
            "modified": now,
            "published": now,
            "summary": self.summary,
            "details": self.details,
            "severity": severity.into_iter().collect::<Vec<_>>(),
        });
        Draft::read(document.to_string().as_bytes())
    }
}

/// What is changed about an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmbargoChange {
    /// Somebody may know of it.
    Name(Person),
    /// Somebody may no longer; what they know they know.
    Unname(Person),
    /// It ends by itself at an instant, or only by hand.
    Until(Option<Timestamp>),
    /// It is public from now on.
    Release,
}

impl Store {
    /// Holds a document back, for the eyes of the person of the permit and of those named; gives the name of the item.
    ///
    /// # Errors
    /// [`StoreError::Public`] when a vulnerability of one of its ids is public already, [`StoreError::TooMany`] when it
    /// names too many.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a part of the form that is sent"
    )]
    pub async fn add_embargo(
        &self,
        permit: Permit<'_, HandleEmbargo>,
        draft: &Draft,
        families: &BTreeSet<Subject>,
        people: &BTreeSet<PersonId>,
        until: Option<Timestamp>,
        once: Option<&Once>,
        now: Timestamp,
    ) -> Result<String> {
        if families.len() > MAX_NAMED || people.len() > MAX_NAMED {
            return Err(StoreError::TooMany { limit: MAX_NAMED });
        }
        let mut session = self.write().await?;
        // The answer that is kept is a name that tells nothing.
        if let Some(name) = once::answered(&mut session, &permit.actor(), once).await? {
            return Ok(name);
        }
        for id in public_ids(&draft.record) {
            if decide::vulnerability(&mut session, &id).await?.is_some() {
                return Err(StoreError::Public { id });
            }
        }
        let key = session.count(&sql::NEXT, Vec::new()).await?;
        let name = name_of(key, &draft.digest, now);
        let families: Vec<&Subject> = families.iter().collect();
        let given = values![
            key,
            name.as_str(),
            &draft.digest[..],
            draft.raw_zstd.as_slice(),
            draft.raw_len,
            Encoder::new().encode(&draft.record),
            json(&families),
            now,
            until,
            None::<Timestamp>,
        ];
        session.execute(&sql::ADD, given).await?;
        for person in people.iter().chain([&permit.by()]) {
            session.execute(&sql::NAME, values![key, person.0]).await?;
        }
        let ends = until.map_or_else(
            || "until somebody lifts it".to_owned(),
            |at| format!("until {at}"),
        );
        note(
            &mut session,
            key,
            &permit.person().handle,
            "made",
            &ends,
            now,
        )
        .await?;
        once::keep(&mut session, &permit.actor(), once, now, &name).await?;
        session.commit().await?;
        Ok(name)
    }

    /// Changes something about an item. False if there is none of this name that names the person of the permit, or if
    /// it is public already.
    ///
    /// # Errors
    /// [`StoreError::LastPerson`] when nobody would be named any more, [`StoreError::KeyTaken`] and [`StoreError::Moved`]
    /// when a condition does not hold.
    pub async fn change_embargo(
        &self,
        permit: Permit<'_, HandleEmbargo>,
        name: &str,
        change: &EmbargoChange,
        under: Option<Under<'_>>,
        now: Timestamp,
    ) -> Result<bool> {
        if *change == EmbargoChange::Release {
            return self.release_embargo(permit, name, under).await;
        }
        let mut session = self.write().await?;
        if answered(&mut session, permit.by(), name, under).await? {
            return Ok(true);
        }
        let Some(key) = held(&mut session, permit.by(), name).await? else {
            return Ok(false);
        };
        let (kind, text) = match change {
            EmbargoChange::Name(person) => {
                let named = values![key, person.id.0];
                session.execute(&sql::NAME, named).await?;
                ("named", person.handle.clone())
            }
            EmbargoChange::Unname(person) => {
                let others = session
                    .rows(&sql::NAMED, values![permit.by().0, key])
                    .await?;
                if others.len() == 1 {
                    return Err(StoreError::LastPerson);
                }
                let gone = values![key, person.id.0];
                session.execute(&sql::UNNAME, gone).await?;
                ("unnamed", person.handle.clone())
            }
            EmbargoChange::Until(until) => {
                session.execute(&sql::ENDS, values![key, *until]).await?;
                let text = until.map_or_else(
                    || "until somebody lifts it".to_owned(),
                    |at| format!("until {at}"),
                );
                ("until", text)
            }
            EmbargoChange::Release => unreachable!("it was answered above"),
        };
        let author = &permit.person().handle;
        note(&mut session, key, author, kind, &text, now).await?;
        if let Some(under) = under {
            under.keep(&mut session, now, &()).await?;
        }
        session.commit().await?;
        Ok(true)
    }

    /// Says something of an item. False if there is none of this name that names the person of the permit.
    ///
    /// # Errors
    /// [`StoreError::Triage`] when the comment is empty or too long.
    pub async fn comment_embargo(
        &self,
        permit: Permit<'_, Comment>,
        name: &str,
        text: &str,
        under: Option<Under<'_>>,
        now: Timestamp,
    ) -> Result<bool> {
        let text = text.trim();
        if text.is_empty() {
            return Err(tracker_triage::CommandError::EmptyComment.into());
        }
        if text.len() > MAX_COMMENT {
            let error = tracker_triage::CommandError::TooLong {
                what: "comment",
                bytes: text.len(),
                limit: MAX_COMMENT,
            };
            return Err(error.into());
        }
        let mut session = self.write().await?;
        if answered(&mut session, permit.by(), name, under).await? {
            return Ok(true);
        }
        let Some(key) = held(&mut session, permit.by(), name).await? else {
            return Ok(false);
        };
        let author = &permit.person().handle;
        note(&mut session, key, author, "comment", text, now).await?;
        if let Some(under) = under {
            under.keep(&mut session, now, &()).await?;
        }
        session.commit().await?;
        Ok(true)
    }
}

/// Whether a change of an item was carried out before; if it was not, nobody did anything about the item since.
async fn answered(
    session: &mut Session,
    person: PersonId,
    name: &str,
    under: Option<Under<'_>>,
) -> Result<bool> {
    let Some(under) = under else {
        return Ok(false);
    };
    let about = values![person.0, name];
    let before: Option<()> = under.answered(session, &sql::VERSION, about).await?;
    Ok(before.is_some())
}

/// The key of an item that names somebody and is not public yet.
async fn held(session: &mut Session, person: PersonId, name: &str) -> Result<Option<i64>> {
    let row = session.row(&sql::ONE, values![person.0, name]).await?;
    match row {
        Some(row) if row.optional_instant(5)?.is_none() => row.integer(0).map(Some),
        _ => Ok(None),
    }
}

async fn note(
    session: &mut Session,
    embargo: i64,
    author: &str,
    kind: &str,
    text: &str,
    now: Timestamp,
) -> Result<()> {
    let key = session.count(&sql::NEXT_NOTE, Vec::new()).await?;
    let given = values![key, embargo, now, author, kind, text];
    session.execute(&sql::NOTE_ADD, given).await.map(drop)
}

/// A name that tells neither how many items there are nor what this one says.
fn name_of(key: i64, digest: &[u8; 32], now: Timestamp) -> String {
    let mut hash = Sha256::new();
    hash.update(digest);
    hash.update(key.to_be_bytes());
    hash.update(now.as_nanosecond().to_be_bytes());
    hex::encode(&hash.finalize()[..10])
}
