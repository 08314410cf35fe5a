//! Sign-in through an OpenID provider: the code flow with PKCE, state and nonce (OpenID Connect Core 1.0, section 3.1).
//! Layer: tracker, web; a cargo feature of the binary.
//!
//! Reading order: [`OidcSettings`], `lookup` (the provider's documents, kept for a while), `provider` (the flow). What is
//! believed of an answer is `tracker-identity`'s matter; how long and large an answer may be, `tracker-web`'s.
//!
//! Invariant: a person is known by issuer and subject together; a name or an address is never who somebody is.

mod lookup;
mod provider;

pub use provider::Oidc;
pub use tracker_identity::{Groups, Others};

use std::fmt;
use std::time::Duration;

/// A client of an OpenID provider, and which groups give which role.
#[derive(Clone)]
pub struct OidcSettings {
    /// The issuer, as its tokens and its document write it, letter by letter.
    pub issuer: String,
    /// Where its discovery document is, if not below the issuer.
    pub discovery: Option<String>,
    /// The client's id.
    pub client: String,
    /// Its secret.
    pub secret: String,
    /// What the provider is called on screen.
    pub name: String,
    /// What is asked for, `openid` among it.
    pub scopes: Vec<String>,
    /// The groups.
    pub groups: Groups,
    /// How often keys are asked for again because a token names one that is not among them.
    pub refetch: Duration,
}

/// As often as keys may be asked for again, unless settings say otherwise.
pub const REFETCH: Duration = Duration::from_mins(1);

impl fmt::Debug for OidcSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OidcSettings({} at {})", self.client, self.issuer)
    }
}
