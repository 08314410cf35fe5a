//! `/about`: where the data comes from, how matching works, what may be done with it.

use super::overview::SourceRow;
use super::{Section, Shell};
use crate::app::App;
use crate::ask::Ask;
use crate::error::Error;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use tracker_store::view::SourceStatus;

/// Licence of the program.
const LICENCE: &str = env!("CARGO_PKG_LICENSE");

#[derive(Debug, Template)]
#[template(path = "about.html")]
struct AboutPage {
    shell: Shell,
    licence: &'static str,
    sources: Vec<SourceRow>,
}

/// The twin.
#[derive(Debug, Serialize)]
struct AboutView<'a> {
    version: &'static str,
    licence: &'static str,
    sources: &'a [SourceStatus],
}

/// Answers `/about`.
pub(crate) async fn about(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let sources = app.store.sources().await?;
    let view = AboutView {
        version: super::VERSION,
        licence: LICENCE,
        sources: &sources,
    };
    ask.answer(&view, || AboutPage {
        shell: Shell::new(Section::About, &ask),
        licence: LICENCE,
        sources: sources
            .iter()
            .map(|source| SourceRow::new(source, ask.now))
            .collect(),
    })
}
