//! `/records/SOURCE/ID`: a record's raw document, byte for byte as its feed had it.
//!
//! Invariant: foreign bytes are never answered as anything that a browser would run.

use crate::app::App;
use crate::ask::Names;
use crate::components::{SOURCES, source_word};
use crate::error::Error;
use crate::path;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tracker_record::Record;

/// Where a record's raw document is.
pub(crate) fn address(record: &Record) -> String {
    format!(
        "/records/{}/{}",
        source_word(record.source),
        path::segment(&record.id)
    )
}

/// Answers `/records/SOURCE/ID`.
pub(crate) async fn record(
    Names((word, id)): Names<(String, String)>,
    State(app): State<App>,
) -> Result<Response, Error> {
    let source = SOURCES
        .iter()
        .find(|(_, known, _)| *known == word)
        .map(|(source, _, _)| *source);
    let raw = match source {
        Some(source) => app.store.raw_record(source, &id).await?,
        None => None,
    };
    let Some(raw) = raw else {
        return Err(Error::NotFound {
            kind: "record",
            name: format!("{word}/{id}"),
            near: Vec::new(),
        });
    };
    // Whatever it is: with `nosniff` and the policy of every answer it is data, and nothing else.
    let is_json = raw
        .first()
        .is_some_and(|first| matches!(first, b'{' | b'['));
    let kind = if is_json {
        "application/json"
    } else {
        "text/plain; charset=utf-8"
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, raw).into_response())
}
