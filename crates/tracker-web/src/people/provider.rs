//! Who says who somebody is: one provider, whichever it is.
//!
//! Invariant: a provider's answer is taken or refused as a whole; nothing of it reaches a reader.

use std::fmt;
use std::pin::Pin;
use tracker_people::{Role, Secret};

/// Where a provider sends people back to.
pub(crate) const CALLBACK: &str = "/sign-in/callback";

/// Why a provider cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum ProviderSetupError {
    /// Nobody could be sent back: say where the tracker is reached.
    #[error("sign-in needs the address under which the tracker is reached")]
    PublicAddress,
    /// An address of the provider is none.
    #[error("`{0}` is no address of a provider: expected `https://HOST`, or `http://` for tests")]
    Address(String),
    /// The system has no certificates to trust, or cannot open connections.
    #[error("the provider cannot be reached securely")]
    Client(#[source] reqwest::Error),
}

/// Why a provider does not say who somebody is.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProviderError {
    /// The code is used up, too old, or was never given: begin anew.
    #[error("the provider does not take the code: {0}")]
    Code(String),
    /// What it gave to ask about teams with was taken back.
    #[error("the provider no longer lets the tracker ask")]
    Withdrawn,
    /// It knows them, and they are in none of the groups that may come in.
    #[error("who comes in has to be in a group, and they are in none")]
    NotAdmitted,
    /// It is silent, breaks off or fails: try later.
    #[error("the provider does not answer: {0}")]
    Silent(String),
    /// It says something that is no answer.
    #[error("the provider's answer is not understood: {0}")]
    Odd(String),
}

/// Somebody whom a provider knows.
#[derive(Clone)]
pub struct Known {
    /// What never changes there.
    pub subject: String,
    /// What they are called there now.
    pub login: String,
    /// The role that their teams give.
    pub role: Role,
    /// What to ask about their teams with, if they can be asked about.
    pub credential: Option<String>,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Known({} {}, …)", self.subject, self.login)
    }
}

/// What a provider says in a while.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, ProviderError>> + Send + 'a>>;

/// A provider.
pub trait Provider: fmt::Debug + Send + Sync {
    /// Its word in the database.
    fn word(&self) -> &'static str;

    /// Its name on screen.
    fn name(&self) -> &str;

    /// Where a form may lead besides this site, as an origin.
    fn origin(&self) -> Answer<'_, String>;

    /// Where somebody is sent to sign in, with the state, nonce and challenge of a secret.
    fn sign_in<'a>(&'a self, secret: &'a Secret) -> Answer<'a, String>;

    /// Who came back with a code.
    fn identify<'a>(&'a self, code: &'a str, secret: &'a Secret) -> Answer<'a, Known>;

    /// The role that somebody's teams give now.
    fn role<'a>(&'a self, credential: &'a str) -> Answer<'a, Role>;
}
