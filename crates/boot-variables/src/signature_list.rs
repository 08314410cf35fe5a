//! EFI_SIGNATURE_LIST: the content of PK, KEK, db, dbx, MokList and MokListX.

use crate::error::{take, u32_at};
use crate::{Error, Guid, Result, guids};
use boot_signature::{Certificate, HashAlgorithm};
use serde::Serialize;

/// Longest list data that is read; dbx has some 20 kB.
pub const MAX_LIST: usize = 16 * 1024 * 1024;
/// Length of a list's header: type, three sizes.
const HEADER: usize = 28;

/// What an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A certificate.
    X509,
    /// Hash of an image.
    Image(HashAlgorithm),
    /// Hash of a certificate's signed part and the time from which it is revoked (zero: always).
    CertificateHash(HashAlgorithm),
    /// A type that is kept but not understood.
    Other(Guid),
}

impl EntryKind {
    const KNOWN: [(Guid, EntryKind); 8] = [
        (guids::X509, EntryKind::X509),
        (guids::SHA1, EntryKind::Image(HashAlgorithm::Sha1)),
        (guids::SHA256, EntryKind::Image(HashAlgorithm::Sha256)),
        (guids::SHA384, EntryKind::Image(HashAlgorithm::Sha384)),
        (guids::SHA512, EntryKind::Image(HashAlgorithm::Sha512)),
        (
            guids::X509_SHA256,
            EntryKind::CertificateHash(HashAlgorithm::Sha256),
        ),
        (
            guids::X509_SHA384,
            EntryKind::CertificateHash(HashAlgorithm::Sha384),
        ),
        (
            guids::X509_SHA512,
            EntryKind::CertificateHash(HashAlgorithm::Sha512),
        ),
    ];

    fn of(guid: Guid) -> EntryKind {
        let known = EntryKind::KNOWN.iter().find(|(known, _)| *known == guid);
        known.map_or(EntryKind::Other(guid), |(_, kind)| *kind)
    }

    /// The list type.
    pub fn guid(self) -> Guid {
        match self {
            EntryKind::Other(guid) => guid,
            kind => {
                let known = EntryKind::KNOWN.iter().find(|(_, known)| *known == kind);
                known.map_or(guids::X509, |(guid, _)| *guid)
            }
        }
    }
}

/// One entry of a list, with its list's type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// What the data is.
    pub kind: EntryKind,
    /// Who put it there.
    pub owner: Guid,
    /// Certificate, hash, or hash and time.
    pub data: Vec<u8>,
}

impl Entry {
    /// A certificate's entry.
    pub fn certificate(owner: Guid, certificate: &Certificate) -> Entry {
        Entry {
            kind: EntryKind::X509,
            owner,
            data: certificate.der().to_vec(),
        }
    }

    /// The entry of an image by its SHA-256.
    pub fn image_sha256(owner: Guid, digest: &[u8; 32]) -> Entry {
        Entry {
            kind: EntryKind::Image(HashAlgorithm::Sha256),
            owner,
            data: digest.to_vec(),
        }
    }

    /// The entry that revokes a certificate by the SHA-256 of its signed part, from the beginning of time.
    pub fn certificate_sha256(owner: Guid, certificate: &Certificate) -> Entry {
        let mut data = HashAlgorithm::Sha256.digest(&certificate.to_be_signed());
        data.extend([0; 16]);
        Entry {
            kind: EntryKind::CertificateHash(HashAlgorithm::Sha256),
            owner,
            data,
        }
    }

    /// The certificate, when it is one and parses.
    pub fn as_certificate(&self) -> Option<Certificate> {
        match self.kind {
            EntryKind::X509 => Certificate::from_der(&self.data).ok(),
            _ => None,
        }
    }

    /// One line for a person.
    pub fn describe(&self) -> String {
        match self.kind {
            EntryKind::X509 => match self.as_certificate() {
                Some(certificate) => format!("certificate {}", certificate.subject()),
                None => format!("certificate that does not parse, {} bytes", self.data.len()),
            },
            EntryKind::Image(hash) => format!("image {hash} {}", hex::encode(&self.data)),
            EntryKind::CertificateHash(hash) => {
                let length = self.data.len().saturating_sub(16);
                format!(
                    "certificate by {hash} {}",
                    hex::encode(&self.data[..length])
                )
            }
            EntryKind::Other(guid) => format!("type {guid}, {} bytes", self.data.len()),
        }
    }
}

impl Serialize for Entry {
    fn serialize<S: serde::Serializer>(
        &self,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut out = serializer.serialize_struct("Entry", 3)?;
        out.serialize_field("type", &self.kind.guid())?;
        out.serialize_field("owner", &self.owner)?;
        out.serialize_field("description", &self.describe())?;
        out.end()
    }
}

/// All entries of a sequence of lists, in order.
pub fn read_lists(bytes: &[u8]) -> Result<Vec<Entry>> {
    const WHAT: &str = "signature list";
    if bytes.len() > MAX_LIST {
        return Err(Error::Limit {
            what: "length of signature lists",
            found: bytes.len(),
            limit: MAX_LIST,
        });
    }
    let mut entries = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let wrong = |why| Error::Invalid {
            what: WHAT,
            offset: at,
            why,
        };
        let kind = take(bytes, at, HEADER, WHAT)?;
        let kind = EntryKind::of(Guid(kind[..16].try_into().expect("sixteen bytes")));
        let list = u32_at(bytes, at + 16, WHAT)?;
        let header = u32_at(bytes, at + 20, WHAT)?;
        let size = u32_at(bytes, at + 24, WHAT)?;
        take(bytes, at, list, WHAT)?;
        let body = list
            .checked_sub(HEADER)
            .and_then(|rest| rest.checked_sub(header))
            .ok_or_else(|| wrong("its size is less than its header"))?;
        if size <= 16 {
            return Err(wrong("its entries are too small for an owner and data"));
        }
        if !body.is_multiple_of(size) {
            return Err(wrong("its length is not a whole number of entries"));
        }
        let expected = match kind {
            EntryKind::Image(hash) => Some(hash.digest(b"").len()),
            EntryKind::CertificateHash(hash) => Some(hash.digest(b"").len() + 16),
            _ => None,
        };
        if expected.is_some_and(|length| length + 16 != size) {
            return Err(wrong("its entries do not have the length of their hash"));
        }
        let data = &bytes[at + HEADER + header..at + list];
        entries.extend(data.chunks_exact(size).map(|entry| Entry {
            kind,
            owner: Guid(entry[..16].try_into().expect("sixteen bytes")),
            data: entry[16..].to_vec(),
        }));
        at += list;
    }
    Ok(entries)
}

/// Writes lists: entries of one type, length and neighbourhood share a list, except certificates, which have one each, as
/// firmware and efitools write them.
pub fn write_lists(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = entries;
    while let [first, ..] = rest {
        let same =
            |entry: &&Entry| entry.kind == first.kind && entry.data.len() == first.data.len();
        let count = match first.kind {
            EntryKind::X509 => 1,
            _ => rest.iter().take_while(same).count(),
        };
        let size = first.data.len() + 16;
        bytes.extend(first.kind.guid().0);
        for number in [HEADER + count * size, 0, size] {
            bytes.extend((number as u32).to_le_bytes());
        }
        for entry in &rest[..count] {
            bytes.extend(entry.owner.0);
            bytes.extend(&entry.data);
        }
        rest = &rest[count..];
    }
    bytes
}

/// What an update does to a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", content = "entry", rename_all = "kebab-case")]
pub enum Change {
    /// New.
    Added(Entry),
    /// Gone.
    Removed(Entry),
}

/// Entries of `after` that `before` lacks, and the other way round. Order and repetition do not matter; an entry of
/// another owner is another entry.
pub fn diff(before: &[Entry], after: &[Entry]) -> Vec<Change> {
    let only = |these: &[Entry], those: &[Entry]| {
        let mut found: Vec<Entry> = these
            .iter()
            .filter(|e| !those.contains(e))
            .cloned()
            .collect();
        found.dedup();
        found
    };
    let mut changes: Vec<Change> = only(before, after)
        .into_iter()
        .map(Change::Removed)
        .collect();
    changes.extend(only(after, before).into_iter().map(Change::Added));
    changes
}

/// The list after an appending write: firmware keeps what is there and adds what is new.
pub fn merge(before: &[Entry], appended: &[Entry]) -> Vec<Entry> {
    let mut merged = before.to_vec();
    for entry in appended {
        if !merged.contains(entry) {
            merged.push(entry.clone());
        }
    }
    merged
}
