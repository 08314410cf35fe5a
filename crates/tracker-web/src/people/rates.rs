//! How often the API may be asked, and how often anybody may try to come in: buckets in this process's memory, since a
//! request that is refused must cost less than what it asked for.
//!
//! Invariant: the buckets are bounded in number, and full ones are forgotten first, which changes no answer.

use super::{ApiRates, Caller, Peer};
use crate::app::App;
use crate::error::Error;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tracker_people::{Rate, Taken, Wait};

/// Steps of sign-ins from one address, before the database is asked anything: a flood of them writes nothing.
const STEPS: Rate = Rate::per(60, SignedDuration::from_mins(1));
/// Buckets that are kept.
const MOST: usize = 50_000;
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Whose bucket it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Counted {
    Address(String),
    Token(i64),
    SignIn(String),
}

/// The buckets.
#[derive(Debug)]
pub(crate) struct Rates {
    address: Rate,
    token: Rate,
    buckets: Mutex<HashMap<Counted, Timestamp>>,
}

impl Rates {
    pub(super) fn new(rates: ApiRates) -> Rates {
        let minute = |number: u32| Rate::per(number.max(1), SignedDuration::from_mins(1));
        Rates {
            address: minute(rates.address),
            token: minute(rates.token),
            buckets: Mutex::new(HashMap::new()),
        }
    }

    /// Counts a request with a token that does not hold as one of its address.
    pub(super) fn count_refused(&self, peer: &Peer) -> Result<(), Error> {
        let counted = Counted::Address(peer.counted());
        refuse(self.take(self.address, counted, Timestamp::now()))
    }

    /// Counts a step of a sign-in: its beginning, its end, a link.
    pub(super) fn count_step(&self, peer: &Peer, now: Timestamp) -> Result<(), Error> {
        refuse(self.take(STEPS, Counted::SignIn(peer.counted()), now))
    }

    fn take_of_api(
        &self,
        caller: &Caller,
        peer: &Peer,
        now: Timestamp,
    ) -> (Rate, Result<Taken, Wait>) {
        let (rate, counted) = match caller.token() {
            Some(key) => (self.token, Counted::Token(key)),
            None => (self.address, Counted::Address(peer.counted())),
        };
        (rate, self.take(rate, counted, now))
    }

    fn take(&self, rate: Rate, counted: Counted, now: Timestamp) -> Result<Taken, Wait> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST {
            buckets.retain(|_, full| *full > now);
            if buckets.len() >= MOST {
                buckets.clear();
            }
        }
        let taken = rate.take(buckets.get(&counted).copied(), now);
        if let Ok(taken) = &taken {
            buckets.insert(counted, taken.full);
        }
        taken
    }
}

fn refuse(taken: Result<Taken, Wait>) -> Result<(), Error> {
    taken.map(drop).map_err(|wait| Error::TooOften {
        seconds: wait.seconds(),
    })
}

/// Counts a request of the API, and says how many are left (draft-ietf-httpapi-ratelimit-headers).
pub(crate) async fn rate_of_api(
    State(app): State<App>,
    caller: Caller,
    peer: Peer,
    request: Request,
    next: Next,
) -> Response {
    if !request.uri().path().starts_with("/api/") {
        return next.run(request).await;
    }
    let (rate, taken) = app
        .people
        .rates()
        .take_of_api(&caller, &peer, Timestamp::now());
    let (mut response, left, seconds) = match taken {
        Ok(taken) => (next.run(request).await, taken.left, 60),
        Err(wait) => {
            let seconds = wait.seconds();
            let refused = Error::TooOften { seconds };
            (refused.into_response(), 0, seconds)
        }
    };
    let mut tell = |name, text: String| {
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().insert(name, value);
        }
    };
    tell(POLICY, format!("\"api\";q={};w=60", rate.burst));
    tell(LIMIT, format!("\"api\";r={left};t={seconds}"));
    response
}
