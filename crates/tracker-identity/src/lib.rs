//! What an OpenID provider says (OpenID Connect Core 1.0, Discovery 1.0), checked before anything of it is believed.
//! Layer: tracker, pure.
//!
//! Reading order: `discovery` (where the provider is asked), `keys` (what it signs with), `token` (who somebody is),
//! `groups` (which role that gives). Asking is another crate's matter: this one is given bytes and a time.
//!
//! Invariants: a claim is seen only of a token whose signature, issuer, audience, times and nonce hold; the algorithm is
//! one of two that need a public key, so that no token names one to its own advantage; every input is bounded.

mod discovery;
mod groups;
mod keys;
mod token;

pub use discovery::{ClientSecret, Discovery};
pub use groups::{Groups, Others};
pub use keys::Keys;
pub use token::{Claims, Expected, verify};

/// The longest document of a provider, in bytes.
pub const MAX_DOCUMENT: usize = 256 << 10;

/// Why something of a provider is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// It is longer than any honest one.
    #[error("{what} is longer than {limit} bytes")]
    TooLong {
        /// What.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// It is not what it should be.
    #[error("{what} is not understood: {problem}")]
    Shape {
        /// What.
        what: &'static str,
        /// Where it is wrong, or how.
        problem: String,
    },
    /// It is signed in a way that is not taken, or not at all.
    #[error("the token is signed with `{0}`; RS256 and ES256 are taken")]
    Algorithm(String),
    /// None of the keys is the one that it names: they may have changed since they were fetched.
    #[error("none of the keys is the one that the token names")]
    UnknownKey,
    /// The signature is not one of that key over that text.
    #[error("the token's signature does not hold")]
    Signature,
    /// A claim does not hold.
    #[error("the token's `{name}` {problem}")]
    Claim {
        /// The claim.
        name: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// Reads JSON that is not too long. What is wrong is told by its place alone: the text could hold a secret.
fn read_json<T: serde::de::DeserializeOwned>(
    what: &'static str,
    bytes: &[u8],
) -> Result<T, IdentityError> {
    if bytes.len() > MAX_DOCUMENT {
        return Err(IdentityError::TooLong {
            what,
            limit: MAX_DOCUMENT,
        });
    }
    serde_json::from_slice(bytes).map_err(|error| IdentityError::Shape {
        what,
        problem: format!("line {}, column {}", error.line(), error.column()),
    })
}

#[cfg(test)]
mod tests;
