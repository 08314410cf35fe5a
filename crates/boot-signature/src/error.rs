//! Why a signature could not be made or read.

/// What went wrong; what is merely wrong with a readable signature is a [`crate::Problem`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The image is not one that can be signed or verified.
    #[error(transparent)]
    Image(#[from] boot_pe::Error),
    /// DER or PEM that does not decode.
    #[error("{what}: {source}")]
    Der {
        /// What was read.
        what: &'static str,
        /// Where and why the decoder stopped.
        source: der::Error,
    },
    /// Well-formed data that breaks a rule.
    #[error("{what}: {why}")]
    Invalid {
        /// What was read or asked for.
        what: &'static str,
        /// The rule.
        why: &'static str,
    },
    /// More or longer than this crate reads.
    #[error("{what} is {found}, more than the limit of {limit}")]
    Limit {
        /// What is counted.
        what: &'static str,
        /// What there is.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// The key that should sign did not.
    #[error("the key did not sign {subject}")]
    Signer {
        /// What was to be signed.
        subject: String,
        /// The signer's own error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Names what a DER error was about.
pub(crate) fn der(what: &'static str) -> impl Fn(der::Error) -> Error {
    move |source| Error::Der { what, source }
}
