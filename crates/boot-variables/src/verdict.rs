//! The oracle's answer: a status, the reason with the entry that decides, and what would change it.

use crate::Guid;
use boot_pe::sbat::Revoked;
use serde::Serialize;

/// What LoadImage returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// It is loaded.
    Success,
    /// Refused by signature checks.
    AccessDenied,
    /// Refused by shim.
    SecurityViolation,
    /// Not an image for this machine.
    Unsupported,
    /// An image that can't be loaded.
    LoadError,
    /// Refused by shim before it looks at signatures.
    InvalidParameter,
}

/// The entry that decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryName {
    /// db, dbx, MokList, MokListX, or shim's own.
    pub list: &'static str,
    /// Its place, from 0.
    pub index: usize,
    /// Who put it there.
    pub owner: Guid,
    /// What it is.
    pub description: String,
}

/// Why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Reason {
    /// Nothing is checked.
    SecureBootOff,
    /// shim was told not to check.
    ValidationOff,
    /// The file can't be loaded, signed or not.
    NotLoadable {
        /// Why.
        error: String,
    },
    /// Its hash is forbidden.
    HashForbidden {
        /// By this.
        entry: EntryName,
    },
    /// A certificate that one of its signatures leads to is forbidden.
    CertificateForbidden {
        /// By this.
        entry: EntryName,
        /// Which signature, from 0.
        signature: usize,
    },
    /// Its hash is allowed.
    HashAllowed {
        /// By this.
        entry: EntryName,
    },
    /// One of its signatures leads to an allowed certificate.
    CertificateAllowed {
        /// By this.
        entry: EntryName,
        /// Which signature, from 0.
        signature: usize,
        /// Subjects from the signer to the entry.
        chain: Vec<String>,
    },
    /// The certificate table can't be walked to its end.
    TableCorrupt {
        /// Why.
        error: String,
    },
    /// It has no signature and its hash is nowhere.
    Unsigned,
    /// No signature leads to an allowed certificate, and its hash is nowhere.
    NotAllowed {
        /// Signers of its readable signatures.
        signers: Vec<String>,
    },
    /// shim demands SBAT data and the file has none (or it is malformed).
    SbatMissing {
        /// What was found.
        found: String,
    },
    /// A component is older than the level demands.
    SbatRevoked {
        /// Which.
        revoked: Vec<Revoked>,
        /// Date stamp of the level.
        level: String,
    },
}

/// The answer for one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Whether it would be started.
    pub boots: bool,
    /// What LoadImage returns.
    pub status: Status,
    /// Why.
    #[serde(flatten)]
    pub reason: Reason,
    /// What would change the answer.
    pub remedies: Vec<String>,
}

impl Decision {
    pub(crate) fn new(status: Status, reason: Reason, remedies: Vec<String>) -> Decision {
        Decision {
            boots: status == Status::Success,
            status,
            reason,
            remedies,
        }
    }

    pub(crate) fn allow(reason: Reason) -> Decision {
        let remedies = match &reason {
            Reason::HashAllowed { entry } | Reason::CertificateAllowed { entry, .. } => {
                vec![format!(
                    "removing entry {} of {}, or revoking it, would refuse the file",
                    entry.index, entry.list
                )]
            }
            _ => Vec::new(),
        };
        Decision::new(Status::Success, reason, remedies)
    }
}
