//! `/healthz`: whether this replica can answer, asked of the database itself.

use crate::app::App;
use crate::ask::Ask;
use crate::twin::Format;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Answers `/healthz`: 200 or 503, never cached.
pub(crate) async fn health(ask: Ask, State(app): State<App>) -> Response {
    let last_change = app.store.last_change().await;
    let (status, word) = match &last_change {
        Ok(_) => (StatusCode::OK, "ok"),
        Err(error) => {
            tracing::error!(%error, "database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        }
    };
    let no_store = (header::CACHE_CONTROL, "no-store");
    match ask.format {
        Format::Html => {
            let kind = (header::CONTENT_TYPE, "text/plain; charset=utf-8");
            (status, [kind, no_store], format!("{word}\n")).into_response()
        }
        Format::Json => {
            let body = json!({ "status": word, "last_change": last_change.ok().flatten() });
            let kind = (header::CONTENT_TYPE, "application/json");
            (status, [kind, no_store], format!("{body:#}\n")).into_response()
        }
    }
}
