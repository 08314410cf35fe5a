//! What stands around every request: limits before it, headers and the form of errors after it.
//!
//! Invariant: no answer leaves without the security headers, and no error without a way out.

use crate::error::{Error, Problem};
use crate::operate::Operations;
use crate::pages::{Account, failure};
use crate::told::Told;
use crate::twin::{self, Format};
use axum::Router;
use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use std::any::Any;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tracing::Instrument;

/// What a request may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest path and query, in bytes.
    pub address: usize,
    /// Largest request body, in bytes: more than any form.
    pub body: u64,
    /// The same of a decision over the API, which may name more than a thousand matches.
    pub decision: u64,
    /// Longest time until a body has come.
    pub body_time: Duration,
    /// Longest time for an answer.
    pub time: Duration,
    /// Connections at once; further ones wait.
    pub connections: usize,
    /// Longest time until a connection's next request has sent its headers.
    pub headers: Duration,
    /// Longest time in which nothing of an answer is taken.
    pub taking: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            address: 4_096,
            body: 65_536,
            decision: 262_144,
            body_time: Duration::from_secs(10),
            time: Duration::from_secs(20),
            connections: 1_024,
            headers: Duration::from_secs(20),
            taking: Duration::from_secs(20),
        }
    }
}

impl Limits {
    /// Those of one address.
    fn at(self, path: &str) -> Limits {
        if path != DECISIONS {
            return self;
        }
        Limits {
            body: self.decision,
            ..self
        }
    }
}

/// Where decisions are sent to.
const DECISIONS: &str = "/api/v1/decisions";

/// Nothing from elsewhere, no script unless a page says so, no frame; forms only lead back here.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The same with our script file, and what it asks of us.
const POLICY_WITH_SCRIPT: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Says that a page has our script beside it; a page without this may run none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WithScript;

/// Where a form of a page leads besides this site: to the provider through which people sign in. A browser holds the
/// redirection after a form to the policy, too.
#[derive(Debug, Clone)]
pub(crate) struct FormsLeadTo(pub(crate) String);

/// Headers of an answer that stand beside a problem.
const BESIDE: [HeaderName; 6] = [
    header::ALLOW,
    header::RETRY_AFTER,
    header::SET_COOKIE,
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
];

const HEADERS: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=()",
    ),
];

/// The router with its guard.
pub(crate) fn around(router: Router, limits: Limits, operations: Operations) -> Router {
    router
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state((limits, operations), guard))
        .layer(CompressionLayer::new())
}

/// A panic is our mistake: logged as such, answered like any failure. Its hook has printed where it was.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    Error::internal("a handler panicked").into_response()
}

async fn guard(
    State((limits, operations)): State<(Limits, Operations)>,
    mut request: Request,
    next: Next,
) -> Response {
    let told = Told::new(&mut request);
    let limits = limits.at(request.uri().path());
    request.extensions_mut().insert(limits);
    let _under_way = operations.requests().under_way();
    let mut response = match refuse(&request, limits) {
        Some(error) => error.into_response(),
        None => {
            let answer = next.run(request).instrument(told.span());
            match tokio::time::timeout(limits.time, answer).await {
                Ok(response) => response,
                Err(_) => Error::TimedOut {
                    seconds: limits.time.as_secs(),
                }
                .into_response(),
            }
        }
    };
    let format = twin::split(told.path()).1;
    let account = response.extensions_mut().remove::<Account>();
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let mut written = match format {
            Format::Html => failure::page(&problem, told.path(), account.unwrap_or_default()),
            Format::Json => failure::document(&problem, told.path()),
        };
        for name in BESIDE {
            for value in response.headers().get_all(&name) {
                written.headers_mut().append(name.clone(), value.clone());
            }
        }
        written
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response = written;
    }
    let mut policy = policy(response.extensions_mut().remove::<FormsLeadTo>());
    if response.extensions_mut().remove::<WithScript>().is_some() {
        policy = HeaderValue::from_static(POLICY_WITH_SCRIPT);
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for &(name, value) in HEADERS {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    if format == Format::Json {
        // Open data: any page may read it.
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        );
    }
    let elapsed = told.answered(&mut response, &operations);
    let timing = format!("app;dur={:.2}", elapsed.as_secs_f64() * 1_000.0);
    if let Ok(timing) = HeaderValue::from_str(&timing) {
        let name = HeaderName::from_static("server-timing");
        response.headers_mut().insert(name, timing);
    }
    response
}

fn policy(elsewhere: Option<FormsLeadTo>) -> HeaderValue {
    let wider = elsewhere.and_then(|FormsLeadTo(origin)| {
        let forms = format!("form-action 'self' {origin};");
        HeaderValue::from_str(&POLICY.replace("form-action 'self';", &forms)).ok()
    });
    wider.unwrap_or(HeaderValue::from_static(POLICY))
}

/// A request that is refused unread.
fn refuse(request: &Request, limits: Limits) -> Option<Error> {
    let length = request
        .uri()
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    if length > limits.address {
        return Some(Error::AddressTooLong {
            limit: limits.address,
        });
    }
    // A body of unknown length is cut off where it is read; a declared one is refused by its word.
    let body = request.body().size_hint().lower();
    (body > limits.body).then_some(Error::TooLarge { limit: limits.body })
}

#[cfg(test)]
mod tests;
