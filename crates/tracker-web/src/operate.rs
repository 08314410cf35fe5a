//! What those who run the tracker ask it: does the process live, may it be sent requests, how is it doing.
//!
//! Invariant: none of it passes the guard around the pages: no limit of theirs makes a probe fail, and no probe is
//! counted as a request.

mod metrics;

pub(crate) use metrics::Request;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics::Metrics;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tracker_store::Store;

/// How long the database may take to answer a probe.
const PATIENCE: Duration = Duration::from_secs(2);

/// The running service as monitoring sees it. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Operations {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    stopping: AtomicBool,
    metrics: Metrics,
}

impl Operations {
    /// A service over a database, that is not stopping.
    pub fn new(store: Store) -> Operations {
        let inner = Inner {
            store,
            stopping: AtomicBool::new(false),
            metrics: Metrics::new(),
        };
        Operations {
            inner: Arc::new(inner),
        }
    }

    /// From now on `/readyz` says that no further requests should be sent.
    pub fn stop(&self) {
        self.inner.stopping.store(true, Ordering::Release);
    }

    /// `/healthz` and `/readyz`.
    pub(crate) fn probes(&self) -> Router {
        Router::new()
            .route("/healthz", get(health))
            .route("/readyz", get(ready))
            .with_state(self.clone())
    }

    /// `/metrics`, to be merged into the site or served at an address of its own.
    pub fn metrics(&self) -> Router {
        Router::new()
            .route("/metrics", get(metrics))
            .with_state(self.clone())
    }

    /// All three, for an address of their own.
    pub fn router(&self) -> Router {
        self.probes().merge(self.metrics())
    }

    pub(crate) fn requests(&self) -> &Metrics {
        &self.inner.metrics
    }
}

/// `/healthz`: the process lives. The database is not asked: restarting this process would not mend it.
async fn health() -> Response {
    plain(StatusCode::OK, "ok\n")
}

/// `/readyz`: whether requests should be sent here.
async fn ready(State(operations): State<Operations>) -> Response {
    let refused = |why| plain(StatusCode::SERVICE_UNAVAILABLE, why);
    if operations.inner.stopping.load(Ordering::Acquire) {
        return refused("stopping\n");
    }
    match tokio::time::timeout(PATIENCE, operations.inner.store.is_ready()).await {
        Ok(Ok(true)) => plain(StatusCode::OK, "ok\n"),
        Ok(Ok(false)) => refused("the database is not migrated\n"),
        Ok(Err(error)) => {
            tracing::error!(%error, "database does not answer");
            refused("the database does not answer\n")
        }
        Err(_) => {
            tracing::error!("database does not answer in time");
            refused("the database does not answer\n")
        }
    }
}

async fn metrics(State(operations): State<Operations>) -> Response {
    let inner = &operations.inner;
    if tokio::time::timeout(PATIENCE, inner.metrics.ask(&inner.store))
        .await
        .is_err()
    {
        inner.metrics.unanswered();
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    answer(StatusCode::OK, kind, inner.metrics.text())
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    answer(status, "text/plain; charset=utf-8", text)
}

fn answer(status: StatusCode, kind: &'static str, body: impl IntoResponse) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
    ];
    (status, headers, body).into_response()
}
