//! Saved views: told, saved, dropped, and each of that taken back.
//!
//! Invariants: a view's tag names the last event about it; nobody but its owner, or their token, changes it.

use super::answer::{Noted, View};
use super::order::{ViewOrder, ViewUndoOrder};
use super::sent::{Bare, Conditional, Repeatable, Sent, tag};
use super::shape::{Failures, Refusals};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::deciding;
use crate::error::Error;
use axum::extract::State;
use axum::response::Response;
use tracker_people::KeepViews;
use tracker_store::StoreError;
use tracker_triage::Actor;
use tracker_triage::query::Query;

/// Saved views: the caller's own and the shared ones.
#[utoipa::path(
    get,
    path = "/api/v1/views",
    tag = "triage",
    security((), ("token" = [])),
    responses((status = 200, body = Vec<View>), Failures)
)]
pub(crate) async fn views(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let owner = deciding::owner(&ask.caller);
    let views = app.store.views(owner.as_ref()).await?;
    ask.data(&views.into_iter().map(View::from).collect::<Vec<_>>())
}

/// A view of the caller's. Its `ETag` is for `If-Match` of what is done about it.
#[utoipa::path(
    get,
    path = "/api/v1/views/{view}",
    tag = "triage",
    security(("token" = [])),
    params(("view" = String, Path, description = "Its name")),
    responses((status = 200, body = View), Failures, Refusals)
)]
pub(crate) async fn view(
    ask: Ask,
    State(app): State<App>,
    Names(view): Names<String>,
) -> Result<Response, Error> {
    let owner = owner(&ask)?;
    let found = app.store.view(&owner, &view).await?;
    let (row, last) = found.ok_or(StoreError::NoView { view })?;
    ask.data_tagged(&View::from(row), |body| tag(last, body))
}

/// Saves a query under a name of the caller's.
#[utoipa::path(
    put,
    path = "/api/v1/views/{view}",
    tag = "triage",
    security(("token" = [])),
    params(
        ("view" = String, Path, description = "Its name"),
        Conditional,
    ),
    request_body = ViewOrder,
    responses((status = 200, body = Noted), Failures, Refusals)
)]
pub(crate) async fn save(
    ask: Ask,
    State(app): State<App>,
    Names(view): Names<String>,
    sent: Sent<ViewOrder>,
) -> Result<Response, Error> {
    let owner = owner(&ask)?;
    let query = Query::parse(&sent.value.query)?;
    let event = app
        .store
        .save_view(&owner, &view, &query, sent.value.shared, &sent.conditions)
        .await?;
    ask.data(&Noted { event })
}

/// Drops a view of the caller's.
#[utoipa::path(
    delete,
    path = "/api/v1/views/{view}",
    tag = "triage",
    security(("token" = [])),
    params(
        ("view" = String, Path, description = "Its name"),
        Conditional,
    ),
    responses((status = 200, body = Noted), Failures, Refusals)
)]
pub(crate) async fn drop(
    ask: Ask,
    State(app): State<App>,
    Names(view): Names<String>,
    Bare(conditions): Bare,
) -> Result<Response, Error> {
    let owner = owner(&ask)?;
    let event = app.store.drop_view(&owner, &view, &conditions).await?;
    ask.data(&Noted { event: Some(event) })
}

/// Takes back what was done about a view of the caller's; an undo can itself be undone.
#[utoipa::path(
    post,
    path = "/api/v1/views/undos",
    tag = "triage",
    security(("token" = [])),
    params(Repeatable),
    request_body = ViewUndoOrder,
    responses((status = 200, body = Noted), Failures, Refusals)
)]
pub(crate) async fn undo(
    ask: Ask,
    State(app): State<App>,
    sent: Sent<ViewUndoOrder>,
) -> Result<Response, Error> {
    let owner = owner(&ask)?;
    let event = app
        .store
        .undo_view(&owner, sent.value.event, &sent.conditions)
        .await?;
    ask.data(&Noted { event: Some(event) })
}

/// Whose views they are: the person's, also where their token asks.
fn owner(ask: &Ask) -> Result<Actor, Error> {
    let actor = deciding::actor::<KeepViews>(&ask.caller)?;
    Ok(deciding::owner(&ask.caller).unwrap_or(actor))
}
