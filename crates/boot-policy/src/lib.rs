//! Signed PCR policies: "whoever holds this key says that PCR 11 may have this value". Made, written as systemd writes them
//! (`.pcrsig`), read and verified.
//!
//! Invariants: no I/O, no TPM; without policy references the JSON is byte-equal to that of systemd-measure 252.
//!
//! Sources: TPM 2.0 library part 3 (PolicyPCR, PolicyAuthorize), systemd's `tpm2-util` and `systemd-measure`.

mod document;
mod policy;

#[cfg(test)]
mod tests;

pub use document::{MAX_DOCUMENT, SignedPolicies, SignedPolicy};
pub use policy::{MAX_REFERENCE, pcr_policy, sign, to_be_signed, verifies};

/// Why a policy could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The JSON is not what systemd writes.
    #[error("signed policies: {0}")]
    Json(#[from] serde_json::Error),
    /// A value breaks a rule.
    #[error("signed policies: {what}: {why}")]
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
