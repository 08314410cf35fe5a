//! Who says who somebody is: one provider, whichever it is.
//!
//! Invariant: a provider's answer is taken or refused as a whole; nothing of it reaches a reader.

use super::PublicAddress;
use super::github::{GitHub, GitHubSettings};
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
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderError {
    /// The code is used up, too old, or was never given: begin anew.
    #[error("the provider does not take the code: {0}")]
    Code(String),
    /// What it gave to ask about teams with was taken back.
    #[error("the provider no longer lets the tracker ask")]
    Withdrawn,
    /// It is silent, breaks off or fails: try later.
    #[error("the provider does not answer: {0}")]
    Silent(String),
    /// It says something that is no answer.
    #[error("the provider's answer is not understood: {0}")]
    Odd(String),
}

/// Somebody whom a provider knows.
#[derive(Clone)]
pub(crate) struct Known {
    /// What never changes there.
    pub(crate) subject: String,
    /// What they are called there now.
    pub(crate) login: String,
    /// The role that their teams give.
    pub(crate) role: Role,
    /// What to ask about their teams with.
    pub(crate) credential: String,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Known({} {}, …)", self.subject, self.login)
    }
}

/// A provider.
#[derive(Debug)]
pub(crate) enum Provider {
    GitHub(GitHub),
}

impl Provider {
    pub(super) fn github(
        settings: GitHubSettings,
        public: &PublicAddress,
    ) -> Result<Provider, ProviderSetupError> {
        GitHub::new(settings, public.of(CALLBACK)).map(Provider::GitHub)
    }

    /// Its word in the database.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Provider::GitHub(_) => "github",
        }
    }

    /// Its name on screen.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Provider::GitHub(_) => "GitHub",
        }
    }

    /// Where a form may lead besides this site.
    pub(crate) fn origin(&self) -> &str {
        match self {
            Provider::GitHub(github) => github.origin(),
        }
    }

    /// Where somebody is sent to sign in.
    pub(crate) fn sign_in(&self, secret: &Secret) -> String {
        match self {
            Provider::GitHub(github) => github.sign_in(secret),
        }
    }

    /// Who came back with a code.
    pub(crate) async fn identify(
        &self,
        code: &str,
        secret: &Secret,
    ) -> Result<Known, ProviderError> {
        match self {
            Provider::GitHub(github) => github.identify(code, secret).await,
        }
    }

    /// The role that somebody's teams give now.
    pub(crate) async fn role(&self, credential: &str) -> Result<Role, ProviderError> {
        match self {
            Provider::GitHub(github) => github.role(credential).await,
        }
    }
}
