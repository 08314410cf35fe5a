//! Who made what of what: one in-toto statement with a SLSA v1 predicate for each step, signed in a DSSE envelope, each naming the
//! statements of the steps before it.
//!
//! Invariants: the same chain gives the same statements, byte for byte (no time, no machine); a statement names all that
//! its step saw; [`verify()`] needs nothing but the chain file, the store and public keys.
//!
//! Sources: in-toto Attestation Framework v1 ("Statement"), SLSA v1.0 "Provenance", DSSE v1.0 "Protocol".

mod envelope;
mod keys;
mod sign;
mod statement;
mod token;
mod verify;

#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use thiserror::Error;

pub use envelope::{Envelope, MAX_SIGNATURES, PAYLOAD_TYPE};
pub use keys::{PublicKey, SigningKey};
pub use sign::sign;
pub use statement::{STATEMENTS, statements};
pub use verify::{Finding, Verified, verify};

/// Why a key or an envelope cannot be used.
#[derive(Debug, Error)]
pub enum ProvenanceError {
    /// The file cannot be read.
    #[error("{path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no key of a kind that is supported: Ed25519 or P-256, PEM, not encrypted.
    #[error("{0}: neither an Ed25519 nor a P-256 key in PEM")]
    Key(String),
    /// The token does not do it.
    #[error("token: {action}")]
    Token {
        /// What was asked of it.
        action: &'static str,
        /// Its answer.
        source: cryptoki::error::Error,
    },
    /// The reference to a token's key fits none, or more than one.
    #[error("{reference}: {problem}")]
    Reference {
        /// As given.
        reference: String,
        /// What is wrong.
        problem: String,
    },
    /// The envelope breaks a rule of its format.
    #[error("envelope: {0}")]
    Envelope(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}
