//! Why a key can't be used; each variant says what a person can do about it.

use std::path::PathBuf;

/// What went wrong with a key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{path}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key file of an unknown or refused kind.
    #[error("{path}: {why}", path = path.display())]
    KeyFile {
        /// Which.
        path: PathBuf,
        /// Why.
        why: &'static str,
    },
    /// A key reference that does not parse.
    #[error("key `{reference}`: {why}")]
    Reference {
        /// The text without secrets.
        reference: String,
        /// The rule that it breaks.
        why: String,
    },
    /// The PIN could not be had.
    #[error("PIN: {why}")]
    Pin {
        /// Why.
        why: String,
    },
    /// A token call failed.
    #[error("PKCS#11 {action}")]
    Token {
        /// What was tried.
        action: &'static str,
        /// The module's answer.
        source: cryptoki::error::Error,
    },
    /// No token, or not exactly one key, fits a URI.
    #[error("`{uri}`: {why}")]
    NotFound {
        /// The URI.
        uri: String,
        /// What was found instead.
        why: String,
    },
    /// A request file was written; the signature is missing still.
    #[error(
        "signature wanted: sign {request} and put the answer into {answer}, then run this command again",
        request = request.display(),
        answer = answer.display()
    )]
    Requested {
        /// The bytes to sign.
        request: PathBuf,
        /// Where the signature is expected.
        answer: PathBuf,
    },
    /// It would be asked for, and nothing may be written.
    #[error("a signature would be asked for by {}", request.display())]
    WouldRequest {
        /// Where the bytes to sign would be.
        request: PathBuf,
    },
    /// An offline folder that can't be used.
    #[error("{path}: {why}", path = path.display())]
    Offline {
        /// Folder or answer file.
        path: PathBuf,
        /// Why.
        why: &'static str,
    },
    /// The system gave no randomness, or the key algorithm failed.
    #[error("key algorithm: {why}")]
    Algorithm {
        /// What failed.
        why: String,
    },
    /// A certificate has a key of another kind.
    #[error(transparent)]
    Signature(boot_signature::Error),
}

impl Error {
    pub(crate) fn token(action: &'static str) -> impl Fn(cryptoki::error::Error) -> Error {
        move |source| Error::Token { action, source }
    }

    pub(crate) fn algorithm(error: impl std::fmt::Display) -> Error {
        Error::Algorithm {
            why: error.to_string(),
        }
    }
}
