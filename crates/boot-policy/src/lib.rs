//! TPM2 policies: described as rules, compiled to the digest that a TPM would compute, and satisfied by the fewest commands.
//! Signed PCR policies, "whoever holds this key says that PCR 11 may have this value", are written as systemd writes them
//! (`.pcrsig`), read and verified; so are the LUKS2 tokens that say how a disk is unlocked.
//!
//! Invariants: no I/O, no TPM; without policy references the JSON is byte-equal to that of systemd-measure 252.
//!
//! Sources: TPM 2.0 library parts 1 to 3, systemd's `tpm2-util`, `systemd-measure` and `pcrlock`.

mod booted;
mod credential;
mod digest;
mod document;
mod layout;
mod members;
mod name;
mod owner;
mod pcr_set;
mod reference;
mod rule;
mod signed;
mod starts;
mod stored;
mod token;
mod tree;

#[cfg(test)]
mod tests;

pub use booted::{Booted, Known};
pub use credential::MAX_CREDENTIAL;
pub use digest::{Comparison, MAX_ALTERNATIVES, PolicyDigest};
pub use document::{MAX_DOCUMENT, SignedPolicies, SignedPolicy};
pub use layout::Layout;
pub use members::Members;
pub use name::{KeyArea, Name, NvAttributes, NvPublic};
pub use owner::Owner;
pub use pcr_set::PcrSet;
pub use reference::{FLOOR_REFERENCE, MAX_REFERENCE, PolicyReference};
pub use rule::{Approved, Base, Command, Policy, Refusal, Rule, State};
pub use signed::{Claim, Floor, sign, to_be_signed, verifies};
pub use starts::{Change, Partition, Stage};
pub use stored::{MAX_STORED, Place, StoredPolicy};
pub use token::{MAX_TOKEN, PrimaryKey, SigningKey, TOKEN_TYPE, Token};
pub use tree::{MAX_LEAVES, OrTree};

/// Why a policy could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The JSON is not what systemd writes.
    #[error("signed policies")]
    Json(#[from] serde_json::Error),
    /// The JSON of a stored policy is not what systemd-pcrlock writes.
    #[error("stored policy")]
    Stored(#[source] serde_json::Error),
    /// Values of registers that no policy of systemd-pcrlock's has.
    #[error(transparent)]
    Pcrlock(#[from] boot_measure::pcrlock::PcrlockError),
    /// A token that is no JSON object.
    #[error("token")]
    Token(#[source] serde_json::Error),
    /// A value breaks a rule.
    #[error("{what}: {why}")]
    Invalid {
        /// Which.
        what: String,
        /// The rule.
        why: &'static str,
    },
    /// The key did not sign, or is of the wrong kind.
    #[error(transparent)]
    Signature(#[from] boot_signature::Error),
}

/// What the functions of this crate answer.
pub type Result<T> = std::result::Result<T, Error>;

/// Bytes of a hexadecimal text; `what` names it in the error.
pub(crate) fn unhex(text: &str, what: &str) -> Result<Vec<u8>> {
    hex::decode(text).map_err(|_| Error::Invalid {
        what: what.to_owned(),
        why: "it is not hexadecimal",
    })
}
