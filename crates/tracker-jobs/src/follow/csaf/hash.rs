//! The hash that a provider publishes beside a document (CSAF 2.0, section 7.1.18): `sha256sum`'s line at the
//! document's address with `.sha256` or `.sha512` behind it, or where a ROLIE entry says.
//!
//! It tells a document that was cut off, mixed up or changed on its way. Who controls the provider's server controls
//! both, so it is no signature. Invariant: a document whose hash is there and differs is never imported.

use super::super::FollowError;
use super::super::file::read;
use super::super::run::Run;
use super::BETWEEN;
use super::list::Entry;
use crate::fetch::{Fetched, Validators};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha512};

/// A kind of hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Sha256,
    Sha512,
}

impl Kind {
    const ALL: [Kind; 2] = [Kind::Sha256, Kind::Sha512];

    const fn ending(self) -> &'static str {
        match self {
            Kind::Sha256 => ".sha256",
            Kind::Sha512 => ".sha512",
        }
    }

    fn of(self, bytes: &[u8]) -> String {
        match self {
            Kind::Sha256 => hex::encode(Sha256::digest(bytes)),
            Kind::Sha512 => hex::encode(Sha512::digest(bytes)),
        }
    }
}

/// What is known of a provider's hashes.
#[derive(Debug, Default)]
pub(super) struct Hashes {
    /// The kind that was there the last time.
    pub(super) kind: Option<Kind>,
    /// None was there in this pass: it is not asked for again before the next.
    none: bool,
    /// Documents for which there was none.
    pub(super) missing: u64,
}

impl Hashes {
    pub(super) fn new(kind: Option<Kind>) -> Hashes {
        Hashes {
            kind,
            ..Hashes::default()
        }
    }

    /// Holds a document against its hash, if the provider has one.
    ///
    /// # Errors
    /// [`FollowError::Altered`] if it is another document's.
    pub(super) async fn check(
        &mut self,
        run: &mut Run<'_>,
        entry: &Entry,
        bytes: &[u8],
    ) -> Result<(), FollowError> {
        if let Some((kind, url)) = listed(entry) {
            return match fetch(run, url).await? {
                Some(text) => compare(entry, kind, &text, bytes),
                None => {
                    self.missing += 1;
                    Ok(())
                }
            };
        }
        let kinds = match self.kind {
            Some(kind) => vec![kind],
            None if self.none => Vec::new(),
            None => Kind::ALL.to_vec(),
        };
        for kind in kinds {
            let url = format!("{}{}", entry.url, kind.ending());
            if let Some(text) = fetch(run, &url).await? {
                self.kind = Some(kind);
                return compare(entry, kind, &text, bytes);
            }
        }
        self.none = self.kind.is_none();
        self.missing += 1;
        Ok(())
    }
}

/// The strongest hash that the entry itself names.
fn listed(entry: &Entry) -> Option<(Kind, &str)> {
    Kind::ALL.into_iter().rev().find_map(|kind| {
        let mut hashes = entry.hashes.iter();
        let url = hashes.find(|url| url.ends_with(kind.ending()))?;
        Some((kind, url.as_str()))
    })
}

async fn fetch(run: &mut Run<'_>, url: &str) -> Result<Option<Vec<u8>>, FollowError> {
    match run
        .get(url.to_owned(), Validators::default(), BETWEEN)
        .await?
    {
        Fetched::New { download, .. } => read(&download).map(Some),
        Fetched::Absent | Fetched::Unchanged => Ok(None),
    }
}

fn compare(entry: &Entry, kind: Kind, text: &[u8], bytes: &[u8]) -> Result<(), FollowError> {
    let published = text.split(u8::is_ascii_whitespace).next();
    let published = published.unwrap_or_default().to_ascii_lowercase();
    if published == kind.of(bytes).as_bytes() {
        return Ok(());
    }
    let reason = format!("{} has another {}", entry.url, &kind.ending()[1..]);
    Err(FollowError::Altered { reason })
}
