//! What is told of every request: a line in the log, a count, and its id to whoever asked.
//!
//! Invariant: the query is in none of it: it is what a person searched for.

use crate::operate::{Operations, Request};
use axum::extract::{MatchedPath, Request as HttpRequest};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, Instant};

/// Names the request in the log, here and in the proxy before.
const ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken over from a proxy.
const LONGEST_ID: usize = 64;
/// The route of what has none.
const NO_ROUTE: &str = "none";

/// A request from its arrival on.
#[derive(Debug)]
pub(crate) struct Told {
    id: String,
    method: Method,
    path: String,
    route: Route,
    started: Instant,
}

/// Where routing notes what it found; outside of it, so that it is known of a request that took too long.
#[derive(Debug, Clone, Default)]
struct Route(Arc<OnceLock<String>>);

impl Told {
    /// A request that has just come in.
    pub(crate) fn new(request: &mut HttpRequest) -> Told {
        let route = Route::default();
        request.extensions_mut().insert(route.clone());
        Told {
            id: id(request),
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            route,
            started: Instant::now(),
        }
    }

    /// The span of all that is logged while it is answered.
    pub(crate) fn span(&self) -> tracing::Span {
        tracing::error_span!("request", id = %self.id)
    }

    /// Its path, without the query.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Tells of it; returns how long it took.
    pub(crate) fn answered(self, response: &mut Response, operations: &Operations) -> Duration {
        let elapsed = self.started.elapsed();
        if let Ok(id) = HeaderValue::from_str(&self.id) {
            response.headers_mut().insert(ID, id);
        }
        let Told {
            id,
            method,
            path,
            route,
            ..
        } = &self;
        let route = route.0.get().map_or(NO_ROUTE, String::as_str);
        let status = response.status().as_u16();
        let request = Request {
            route,
            method,
            status,
            elapsed,
        };
        operations.requests().answered(&request);
        let elapsed_us = elapsed.as_micros() as u64;
        tracing::info!(%id, %method, route, path, status, elapsed_us, "{method} {path} {status}");
        elapsed
    }
}

/// Notes the pattern of the route that a request came to.
pub(crate) async fn note_route(request: HttpRequest, next: Next) -> Response {
    let extensions = request.extensions();
    if let (Some(route), Some(matched)) =
        (extensions.get::<Route>(), extensions.get::<MatchedPath>())
    {
        route.0.get_or_init(|| matched.as_str().to_owned());
    }
    next.run(request).await
}

/// The id that a proxy gave, if it is one that can stand in a log, or a new one.
fn id(request: &HttpRequest) -> String {
    let given = request.headers().get(ID).and_then(|id| id.to_str().ok());
    let plain = |id: &&str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(allowed)
    };
    given.filter(plain).map_or_else(fresh, str::to_owned)
}

/// An id that no other request has: a count, hashed with a key of this process.
fn fresh() -> String {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{:016x}", KEY.hash_one(count))
}
