//! Suggestions: saying how a match should be decided, agreeing to it or declining it, and taking it back. What a second
//! person has to agree to waits in the same way and is answered in the same way.
//!
//! Invariant: a suggestion decides nothing until somebody who may decide agrees.

use super::answer::Done;
use super::order::{AnswerOrder, SuggestionOrder, WithdrawalOrder};
use super::sent::{Conditional, Sent};
use super::shape::{Failures, Refusals};
use crate::app::App;
use crate::ask::Ask;
use crate::deciding;
use crate::error::Error;
use axum::extract::State;
use axum::response::Response;
use tracker_people::{Capability, Decide, Propose};
use tracker_store::{Act, Conditions, Targets};
use tracker_triage::Action;

/// Says how a match should be decided, for somebody of the team to agree.
#[utoipa::path(
    post,
    path = "/api/v1/suggestions",
    tag = "triage",
    security(("token" = [])),
    params(Conditional),
    request_body = SuggestionOrder,
    responses((status = 200, body = Done), Failures, Refusals)
)]
pub(crate) async fn suggest(
    ask: Ask,
    State(app): State<App>,
    sent: Sent<SuggestionOrder>,
) -> Result<Response, Error> {
    let mut order = sent.value;
    let (reason, dry_run) = (order.reason.take(), order.dry_run);
    let (targets, action) = order.parts()?;
    let act = Act {
        targets,
        action,
        reason,
        dry_run,
    };
    done::<Propose>(&ask, &app, &act, &sent.conditions).await
}

/// Agrees to what is suggested for a match, so that it holds; or is the second person where two have to agree.
#[utoipa::path(
    post,
    path = "/api/v1/agreements",
    tag = "triage",
    security(("token" = [])),
    params(Conditional),
    request_body = AnswerOrder,
    responses((status = 200, body = Done), Failures, Refusals)
)]
pub(crate) async fn agree(
    ask: Ask,
    State(app): State<App>,
    sent: Sent<AnswerOrder>,
) -> Result<Response, Error> {
    let action = Action::Agree(sent.value.suggestion);
    answer(&ask, &app, sent, action).await
}

/// Declines what is suggested for a match, or refuses what waits for a second person: it counts for nobody any more.
#[utoipa::path(
    post,
    path = "/api/v1/refusals",
    tag = "triage",
    security(("token" = [])),
    params(Conditional),
    request_body = AnswerOrder,
    responses((status = 200, body = Done), Failures, Refusals)
)]
pub(crate) async fn decline(
    ask: Ask,
    State(app): State<App>,
    sent: Sent<AnswerOrder>,
) -> Result<Response, Error> {
    let action = Action::Decline(sent.value.suggestion);
    answer(&ask, &app, sent, action).await
}

/// Takes back what the caller last suggested for a match.
#[utoipa::path(
    post,
    path = "/api/v1/withdrawals",
    tag = "triage",
    security(("token" = [])),
    params(Conditional),
    request_body = WithdrawalOrder,
    responses((status = 200, body = Done), Failures, Refusals)
)]
pub(crate) async fn withdraw(
    ask: Ask,
    State(app): State<App>,
    sent: Sent<WithdrawalOrder>,
) -> Result<Response, Error> {
    let order = sent.value;
    let act = Act {
        targets: Targets::Items(vec![order.r#match.into()]),
        action: Action::WithdrawSuggestion,
        reason: order.reason,
        dry_run: order.dry_run,
    };
    done::<Propose>(&ask, &app, &act, &sent.conditions).await
}

async fn answer(
    ask: &Ask,
    app: &App,
    sent: Sent<AnswerOrder>,
    action: Action,
) -> Result<Response, Error> {
    let order = sent.value;
    let act = Act {
        targets: Targets::Items(vec![order.r#match.into()]),
        action,
        reason: order.reason,
        dry_run: order.dry_run,
    };
    done::<Decide>(ask, app, &act, &sent.conditions).await
}

async fn done<C: Capability>(
    ask: &Ask,
    app: &App,
    act: &Act,
    conditions: &Conditions,
) -> Result<Response, Error> {
    let actor = deciding::actor::<C>(&ask.caller)?;
    let outcome = app.store.decide_if(&actor, act, conditions).await?;
    ask.data(&Done::from(outcome))
}
