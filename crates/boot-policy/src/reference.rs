//! Policy references: what a signed policy is bound to beside its key, so that what is sealed for one accepts no other policy of the key.
//!
//! Invariant: no reference is written in two ways, so what is read and written again is the same document.
//!
//! Source: `systemd-measure --policyref` of systemd 262, which signs and writes `ref`.

use crate::{Error, Result, unhex};
use boot_signature::HashAlgorithm;

/// The reference of policies with a floor, its bytes as they are. A disk that is enrolled with it accepts no policy of the same key
/// that has none, so what was signed before there was a floor does not get round it.
pub const FLOOR_REFERENCE: &[u8] = b"rootstock.floor";
/// Longest policy reference: a digest of the session's algorithm.
pub const MAX_REFERENCE: usize = 32;
/// Longest name of one.
const MAX_NAME: usize = 255;

/// A policy reference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PolicyReference {
    /// None: the policies of systemd up to 261, and all later ones that none was asked for.
    #[default]
    None,
    /// The SHA-256 of a name that is not empty: systemd's since 262.
    Name(String),
    /// One to 32 bytes, as they are: [`FLOOR_REFERENCE`], which systemd does not know.
    Bytes(Vec<u8>),
}

impl PolicyReference {
    /// That of a name; an empty name is none.
    ///
    /// # Errors
    /// When it is longer than 255 bytes.
    pub fn of_name(name: &str) -> Result<PolicyReference> {
        match name.len() {
            0 => Ok(PolicyReference::None),
            1..=MAX_NAME => Ok(PolicyReference::Name(name.to_owned())),
            _ => Err(wrong("its name is longer than 255 bytes")),
        }
    }

    /// That of policies with a floor.
    pub fn of_floor() -> PolicyReference {
        PolicyReference::Bytes(FLOOR_REFERENCE.to_vec())
    }

    /// The bytes that are signed behind the policy digest.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            PolicyReference::None => Vec::new(),
            PolicyReference::Name(name) => HashAlgorithm::Sha256.digest(name.as_bytes()),
            PolicyReference::Bytes(bytes) => bytes.clone(),
        }
    }

    /// From a document's `ref` and `polref`.
    pub(crate) fn read(name: Option<&str>, bytes: Option<&str>) -> Result<PolicyReference> {
        let bytes = bytes.map_or(Ok(Vec::new()), |text| unhex(text, "polref"))?;
        if bytes.len() > MAX_REFERENCE {
            return Err(wrong("it is longer than 32 bytes"));
        }
        let name = PolicyReference::of_name(name.unwrap_or_default())?;
        match (name, bytes.is_empty()) {
            (name, true) => Ok(name),
            (PolicyReference::None, false) => Ok(PolicyReference::Bytes(bytes)),
            (_, false) => Err(wrong("it is there by name and as bytes")),
        }
    }

    /// As a document's `ref` and `polref`.
    pub(crate) fn write(&self) -> (Option<String>, Option<String>) {
        match self {
            PolicyReference::None => (None, None),
            PolicyReference::Name(name) => (Some(name.clone()), None),
            PolicyReference::Bytes(bytes) => (None, Some(hex::encode(bytes))),
        }
    }
}

fn wrong(why: &'static str) -> Error {
    Error::Invalid {
        what: "policy reference".to_owned(),
        why,
    }
}
