//! Signatures on boot files: Authenticode on PE images, PKCS#7 on authenticated variables, dm-verity root hashes and
//! policies. Assembling, parsing, verifying; the private key is behind [`Signer`].
//!
//! Invariants: no I/O and no private key here; the same inputs give the same bytes (no time stamp, no randomness); every
//! reason why a signature is not good is a [`Problem`] of its own; foreign DER is bounded in size and count.
//!
//! Sources: RFC 5652 and RFC 2315 (SignedData), "Windows Authenticode Portable Executable Signature Format", EDK II's
//! `DxeImageVerificationLib` and `AuthVariableLib` for what firmware accepts.

mod algorithm;
mod authenticode;
mod certificate;
mod chain;
mod error;
mod issue;
mod signed_data;
mod spc;

#[cfg(test)]
mod tests;

pub use algorithm::{HashAlgorithm, KeyAlgorithm, PublicKey, Request, Signer, sign_message};
pub use authenticode::{
    Problem, SignatureReport, Strictness, attach, detach, read_signatures, sign_image, strip,
    verify_image,
};
pub use certificate::Certificate;
pub use chain::{MAX_CHAIN, chain};
pub use error::Error;
pub use issue::{CertificateRequest, Profile, issue};
pub use signed_data::{DetachedForm, MAX_SIGNATURE, SignedMessage, sign_detached};

/// What the functions of this crate answer.
pub type Result<T> = std::result::Result<T, Error>;
