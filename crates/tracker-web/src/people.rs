//! Who asks: found once for each request, before any handler.
//!
//! Reading order: [`People`] (how people sign in here), `caller` (who asks), `provider`, `asking` and `github` (who
//! somebody is elsewhere), `cookies` and `seal` (what a browser keeps), `address` (where a request is from), `rates` (how often).
//! Invariant: without a live session or token a request is anonymous; a cookie counts for pages only, a token for the
//! API only.

mod address;
mod asking;
mod caller;
mod cookies;
mod github;
mod link;
mod provider;
mod rates;
mod seal;

pub use address::{NoPublicAddress, PublicAddress};
pub use asking::{provider_address, provider_answer, provider_client};
pub use github::{GitHubSettings, NoTeam, Team};
pub use link::{LinkError, sign_in_link};
pub use provider::{Answer, Known, Provider, ProviderError, ProviderSetupError};

pub(crate) use address::{Peer, next_path};
pub(crate) use caller::{Caller, identify};
pub(crate) use cookies::{SESSION, SIGN_IN};
pub(crate) use rates::{Rates, rate_of_api};

use crate::app::App;
use crate::error::Error;
use github::GitHub;
use jiff::SignedDuration;
use std::net::IpAddr;
use std::sync::Arc;
use tracker_people::{Rate, Secret, SecretKind, SessionRules, StandingRules};

/// How people sign in, and how often what may be tried.
#[derive(Debug, Clone, Default)]
pub struct PeopleSettings {
    /// Where the tracker is reached; without it nobody signs in through a provider.
    pub public: Option<PublicAddress>,
    /// Sign-in with GitHub.
    pub github: Option<GitHubSettings>,
    /// How long sessions hold.
    pub sessions: SessionRules,
    /// How long the membership in a team holds.
    pub standing: StandingRules,
    /// Proxies whose word about the address of a request is taken.
    pub trusted_proxies: Vec<IpAddr>,
    /// Requests of the API in a minute.
    pub api: ApiRates,
}

/// Requests of the API in a minute, all at once if need be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiRates {
    /// From one address without a token.
    pub address: u32,
    /// With one token.
    pub token: u32,
}

impl Default for ApiRates {
    fn default() -> ApiRates {
        ApiRates {
            address: 120,
            token: 1_200,
        }
    }
}

/// The same, ready for requests. Cheap to clone.
#[derive(Debug, Clone)]
pub struct People {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: PeopleSettings,
    provider: Option<Arc<dyn Provider>>,
    rates: Rates,
}

/// Attempts to sign in from one address.
const PER_ADDRESS: Rate = Rate::per(20, SignedDuration::from_mins(10));
/// Sign-ins of one account.
const PER_ACCOUNT: Rate = Rate::per(10, SignedDuration::from_hours(1));
/// How long a sign-in may take.
pub(crate) const SIGN_IN_TIME: SignedDuration = SignedDuration::from_mins(10);

impl Default for People {
    fn default() -> People {
        let settings = PeopleSettings::default();
        People::new(settings).expect("without a provider nothing can be wrong")
    }
}

impl People {
    /// Checks the settings, and makes the client of the provider.
    pub fn new(settings: PeopleSettings) -> Result<People, ProviderSetupError> {
        let provider: Option<Arc<dyn Provider>> = match (&settings.github, &settings.public) {
            (None, _) => None,
            (Some(_), None) => return Err(ProviderSetupError::PublicAddress),
            (Some(github), Some(public)) => {
                Some(Arc::new(GitHub::new(github.clone(), public.callback())?))
            }
        };
        Ok(People::of(settings, provider))
    }

    /// The same with a provider of another kind.
    pub fn through(settings: PeopleSettings, provider: Arc<dyn Provider>) -> People {
        People::of(settings, Some(provider))
    }

    fn of(settings: PeopleSettings, provider: Option<Arc<dyn Provider>>) -> People {
        let rates = Rates::new(settings.api);
        let inner = Inner {
            settings,
            provider,
            rates,
        };
        People {
            inner: Arc::new(inner),
        }
    }

    pub(crate) fn settings(&self) -> &PeopleSettings {
        &self.inner.settings
    }

    pub(crate) fn provider(&self) -> Option<&dyn Provider> {
        self.inner.provider.as_deref()
    }

    pub(crate) fn rates(&self) -> &Rates {
        &self.inner.rates
    }

    /// Whether cookies may only travel encrypted: everywhere but on the machine itself.
    pub(crate) fn is_secure(&self) -> bool {
        let public = self.inner.settings.public.as_ref();
        public.is_some_and(PublicAddress::is_encrypted)
    }
}

/// A fresh secret.
pub(crate) fn fresh(kind: SecretKind) -> Result<Secret, Error> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| Error::internal(error.to_string()))?;
    Ok(Secret::new(kind, random))
}

/// What a provider gave, sealed for the bearer of a secret; nothing if it gave nothing.
pub(crate) fn seal_for(secret: &Secret, credential: Option<&str>) -> Vec<u8> {
    credential.map_or_else(Vec::new, |credential| seal::seal(secret, credential))
}

/// Counts a step of a sign-in, an attempt to sign in from an address, or the sign-in of an account.
pub(crate) async fn count_sign_in(
    app: &App,
    what: Attempt<'_>,
    now: jiff::Timestamp,
) -> Result<(), Error> {
    let (counted, rate) = match what {
        Attempt::Step(peer) => return app.people.rates().count_step(peer, now),
        Attempt::From(peer) => {
            app.people.rates().count_step(peer, now)?;
            (format!("sign-in from {}", peer.counted()), &PER_ADDRESS)
        }
        Attempt::Of(person) => (format!("sign-in of {person}"), &PER_ACCOUNT),
    };
    match app.store.throttle(&counted, rate, now).await? {
        Ok(_) => Ok(()),
        Err(wait) => Err(Error::TooOften {
            seconds: wait.seconds(),
        }),
    }
}

/// What is counted of sign-ins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Attempt<'a> {
    /// Where a further step of it is from.
    Step(&'a Peer),
    /// Where it is from.
    From(&'a Peer),
    /// Whose it is.
    Of(i64),
}
