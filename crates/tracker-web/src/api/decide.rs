//! The handlers that write: each checks that its caller may, and does all or nothing.
//!
//! Invariant: a request under an `Idempotency-Key` is carried out once in a day, however often it is sent.

use super::answer::{Done, RuleMade};
use super::order::{CommentOrder, DecisionOrder, RuleOrder, UndoOrder, ViewOrder};
use super::sent::Sent;
use super::shape::{Failures, Refusals};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::deciding;
use crate::error::Error;
use crate::query::parameter;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tracker_people::{Comment, Decide, KeepViews, Suppress};
use tracker_store::{Act, Undo};
use tracker_triage::query::Query;

/// Decides about matches: one act, which one undo takes back.
#[utoipa::path(
    post,
    path = "/api/v1/decisions",
    tag = "triage",
    security(("token" = [])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key within a day, the request is answered again and not carried out twice", max_length = 100),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of a match: refuse if somebody decided about it since"),
    ),
    request_body = DecisionOrder,
    responses((status = 200, body = Done), Failures, Refusals)
)]
pub(crate) async fn decide(
    ask: Ask,
    State(app): State<App>,
    sent: Sent<DecisionOrder>,
) -> Result<Response, Error> {
    let actor = deciding::actor::<Decide>(&ask.caller)?;
    let mut order = sent.value;
    let act = Act {
        targets: order.targets()?,
        action: order.decision.action()?,
        reason: order.reason,
        dry_run: order.dry_run,
    };
    let outcome = app.store.decide_if(&actor, &act, &sent.conditions).await?;
    ask.data(&Done::from(outcome))
}

/// Says something about a match.
#[utoipa::path(
    post,
    path = "/api/v1/comments",
    tag = "triage",
    security(("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "As of decisions", max_length = 100)),
    request_body = CommentOrder,
    responses((status = 200, body = Done), Failures, Refusals)
)]
pub(crate) async fn comment(
    ask: Ask,
    State(app): State<App>,
    sent: Sent<CommentOrder>,
) -> Result<Response, Error> {
    let actor = deciding::actor::<Comment>(&ask.caller)?;
    let (targets, action) = sent.value.parts();
    let act = Act {
        targets,
        action,
        reason: None,
        dry_run: false,
    };
    let outcome = app.store.decide_if(&actor, &act, &sent.conditions).await?;
    ask.data(&Done::from(outcome))
}

/// Takes back an event or a whole act; an undo can itself be undone.
#[utoipa::path(
    post,
    path = "/api/v1/undos",
    tag = "triage",
    security(("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "As of decisions", max_length = 100)),
    request_body = UndoOrder,
    responses((status = 200, body = Done), Failures, Refusals)
)]
pub(crate) async fn undo(
    ask: Ask,
    State(app): State<App>,
    sent: Sent<UndoOrder>,
) -> Result<Response, Error> {
    let actor = deciding::actor::<Decide>(&ask.caller)?;
    let order = sent.value;
    let undo = match (order.event, order.act) {
        (Some(event), None) => Undo::Event(event),
        (None, Some(act)) => Undo::Act(act),
        _ => {
            return Err(Error::Undecidable {
                reason: "it takes back exactly one of `event` and `act`".to_owned(),
            });
        }
    };
    let reason = order.reason.as_deref();
    let outcome = app
        .store
        .undo_if(&actor, undo, reason, order.dry_run, &sent.conditions)
        .await?;
    ask.data(&Done::from(outcome))
}

/// Makes a rule that hides what its query finds; `/api/v1/rules/preview` tells before what that is.
#[utoipa::path(
    post,
    path = "/api/v1/rules",
    tag = "triage",
    security(("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "As of decisions", max_length = 100)),
    request_body = RuleOrder,
    responses((status = 200, body = RuleMade), Failures, Refusals)
)]
pub(crate) async fn make_rule(
    ask: Ask,
    State(app): State<App>,
    sent: Sent<RuleOrder>,
) -> Result<Response, Error> {
    let actor = deciding::actor::<Suppress>(&ask.caller)?;
    let order = sent.value;
    let once = sent.conditions.once.as_ref();
    let rule = app
        .store
        .make_rule(
            &actor,
            &order.query,
            order.expires,
            Some(&order.reason),
            once,
        )
        .await?;
    ask.data(&RuleMade { rule })
}

/// Ends a rule: what it hid is shown again.
#[utoipa::path(
    delete,
    path = "/api/v1/rules/{rule}",
    tag = "triage",
    security(("token" = [])),
    params(
        ("rule" = u64, Path, description = "Its number"),
        ("reason" = Option<String>, Query, description = "Why, for the log", max_length = 2000),
    ),
    responses((status = 204, description = "It ended"), Failures, Refusals)
)]
pub(crate) async fn end_rule(
    ask: Ask,
    State(app): State<App>,
    Names(rule): Names<u64>,
) -> Result<Response, Error> {
    let actor = deciding::actor::<Suppress>(&ask.caller)?;
    let reason = parameter(&ask.query, "reason");
    let reason = Some(reason.as_str()).filter(|reason| !reason.is_empty());
    app.store.end_rule(&actor, rule, reason).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Saves a query under a name of the caller's.
#[utoipa::path(
    put,
    path = "/api/v1/views/{view}",
    tag = "triage",
    security(("token" = [])),
    params(("view" = String, Path, description = "Its name")),
    request_body = ViewOrder,
    responses((status = 204, description = "It is saved"), Failures, Refusals)
)]
pub(crate) async fn save_view(
    ask: Ask,
    State(app): State<App>,
    Names(view): Names<String>,
    sent: Sent<ViewOrder>,
) -> Result<Response, Error> {
    deciding::actor::<KeepViews>(&ask.caller)?;
    let query = Query::parse(&sent.value.query)?;
    if let Some(owner) = deciding::owner(&ask.caller) {
        app.store
            .save_view(&owner, &view, &query, sent.value.shared)
            .await?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Drops a view of the caller's.
#[utoipa::path(
    delete,
    path = "/api/v1/views/{view}",
    tag = "triage",
    security(("token" = [])),
    params(("view" = String, Path, description = "Its name")),
    responses((status = 204, description = "It is gone"), Failures, Refusals)
)]
pub(crate) async fn drop_view(
    ask: Ask,
    State(app): State<App>,
    Names(view): Names<String>,
) -> Result<Response, Error> {
    deciding::actor::<KeepViews>(&ask.caller)?;
    let dropped = match deciding::owner(&ask.caller) {
        Some(owner) => app.store.drop_view(&owner, &view).await?.is_some(),
        None => false,
    };
    if dropped {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Error::NotFound {
            kind: "view",
            name: view,
            near: Vec::new(),
        })
    }
}
