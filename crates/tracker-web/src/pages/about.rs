//! `/about`: where the data comes from, how matching works, what may be done with it.

use super::overview::SourceRow;
use super::{Section, Shell};
use crate::app::App;
use crate::ask::Ask;
use crate::components::{Day, Marked};
use crate::error::Error;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use tracker_store::FollowState;
use tracker_store::view::SourceStatus;

/// Licence of the program.
const LICENCE: &str = env!("CARGO_PKG_LICENSE");

#[derive(Debug, Template)]
#[template(path = "about.html")]
struct AboutPage {
    shell: Shell,
    licence: &'static str,
    sources: Vec<SourceRow>,
    followed: Vec<FollowedRow>,
}

/// A feed that is followed, as a line.
#[derive(Debug)]
struct FollowedRow {
    name: String,
    checked: Option<Day>,
    succeeded: Option<Day>,
    changed: Option<Day>,
    problem: Option<Marked>,
    failures: u32,
}

impl FollowedRow {
    fn new(state: &FollowState, now: Timestamp) -> FollowedRow {
        FollowedRow {
            name: state.feed.clone(),
            checked: state.checked.map(|at| Day::new(at, now)),
            succeeded: state.succeeded.map(|at| Day::new(at, now)),
            changed: state.changed.map(|at| Day::new(at, now)),
            problem: state.problem.as_deref().map(Marked::new),
            failures: state.failures,
        }
    }
}

/// The twin.
#[derive(Debug, Serialize)]
struct AboutView<'a> {
    version: &'static str,
    licence: &'static str,
    sources: &'a [SourceStatus],
    followed: &'a [FollowState],
}

/// Answers `/about`.
pub(crate) async fn about(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let sources = app.store.sources().await?;
    let followed = app.store.follow_states().await?;
    let view = AboutView {
        version: super::VERSION,
        licence: LICENCE,
        sources: &sources,
        followed: &followed,
    };
    ask.answer(&view, || AboutPage {
        shell: Shell::new(Section::About, &ask),
        licence: LICENCE,
        sources: sources
            .iter()
            .map(|source| SourceRow::new(source, ask.now))
            .collect(),
        followed: followed
            .iter()
            .map(|state| FollowedRow::new(state, ask.now))
            .collect(),
    })
}
