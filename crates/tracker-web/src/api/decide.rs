//! The handlers that write: each checks that its caller may, and does all or nothing.
//!
//! Invariant: a request under an `Idempotency-Key` is carried out once in a day, however often it is sent.

use super::answer::Done;
use super::order::{CommentOrder, DecisionOrder, UndoOrder};
use super::sent::{Conditional, Repeatable, Sent};
use super::shape::{Failures, Refusals};
use crate::app::App;
use crate::ask::Ask;
use crate::deciding;
use crate::error::Error;
use axum::extract::State;
use axum::response::Response;
use tracker_people::{Comment, Decide};
use tracker_store::{Act, Undo};

/// Decides about matches: one act, which one undo takes back.
#[utoipa::path(
    post,
    path = "/api/v1/decisions",
    tag = "triage",
    security(("token" = [])),
    params(Conditional),
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
    params(Repeatable),
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
    params(Repeatable),
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
