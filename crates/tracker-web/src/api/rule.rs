//! Rules that hide matches: told, tried, made, renewed, ended.
//!
//! Invariants: a rule's tag names the last event about it; none hides what is severe without a word for it.

use super::answer::{Noted, Preview, Rule, RuleMade};
use super::order::{RenewalOrder, RuleOrder};
use super::sent::{Bare, Conditional, Repeatable, Sent, tag};
use super::shape::{Failures, Refusals};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::deciding;
use crate::error::Error;
use crate::query::parameter;
use axum::extract::State;
use axum::response::Response;
use tracker_people::Suppress;
use tracker_store::{NewRule, StoreError};

/// Matches that a dry run of a rule lists.
const PREVIEW: usize = 1000;

/// The rules that hide matches; those whose time is over wait to be looked at.
#[utoipa::path(
    get,
    path = "/api/v1/rules",
    tag = "triage",
    security((), ("token" = [])),
    responses((status = 200, body = Vec<Rule>), Failures)
)]
pub(crate) async fn rules(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let rules = app.store.rules(ask.now).await?;
    ask.data(&rules.into_iter().map(Rule::from).collect::<Vec<_>>())
}

/// What a rule would hide.
#[utoipa::path(
    get,
    path = "/api/v1/rules/preview",
    tag = "triage",
    security((), ("token" = [])),
    params(("q" = String, Query, description = "The rule's query", max_length = 2000)),
    responses((status = 200, body = Preview), Failures)
)]
pub(crate) async fn preview(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let query = parameter(&ask.query, "q");
    let preview = app.store.rule_preview(&query, PREVIEW).await?;
    ask.data(&Preview::from(preview))
}

/// A rule. Its `ETag` is for `If-Match` of what is done about it.
#[utoipa::path(
    get,
    path = "/api/v1/rules/{rule}",
    tag = "triage",
    security((), ("token" = [])),
    params(("rule" = u64, Path, description = "Its number")),
    responses((status = 200, body = Rule), Failures)
)]
pub(crate) async fn rule(
    ask: Ask,
    State(app): State<App>,
    Names(rule): Names<u64>,
) -> Result<Response, Error> {
    let found = app.store.rule(rule, ask.now).await?;
    let (row, last) = found.ok_or(StoreError::NoRule { rule })?;
    ask.data_tagged(&Rule::from(row), |body| tag(last, body))
}

/// Makes a rule that hides what its query finds; `/api/v1/rules/preview` tells before what that is.
#[utoipa::path(
    post,
    path = "/api/v1/rules",
    tag = "triage",
    security(("token" = [])),
    params(Repeatable),
    request_body = RuleOrder,
    responses((status = 200, body = RuleMade), Failures, Refusals)
)]
pub(crate) async fn make(
    ask: Ask,
    State(app): State<App>,
    sent: Sent<RuleOrder>,
) -> Result<Response, Error> {
    let actor = deciding::actor::<Suppress>(&ask.caller)?;
    let order = sent.value;
    let rule = NewRule {
        query: &order.query,
        expires: order.expires,
        reason: Some(&order.reason),
        hides_severe: order.hide_severe,
    };
    let rule = app.store.make_rule(&actor, &rule, &sent.conditions).await?;
    ask.data(&RuleMade { rule })
}

/// Makes a rule anew and ends the old one: one act, which one undo takes back.
#[utoipa::path(
    post,
    path = "/api/v1/rules/{rule}/renewals",
    tag = "triage",
    security(("token" = [])),
    params(
        ("rule" = u64, Path, description = "The number of the old one"),
        Conditional,
    ),
    request_body = RenewalOrder,
    responses((status = 200, body = RuleMade), Failures, Refusals)
)]
pub(crate) async fn renew(
    ask: Ask,
    State(app): State<App>,
    Names(rule): Names<u64>,
    sent: Sent<RenewalOrder>,
) -> Result<Response, Error> {
    let actor = deciding::actor::<Suppress>(&ask.caller)?;
    let order = sent.value;
    let reason = order.reason.as_deref();
    let rule = app
        .store
        .renew_rule(
            &actor,
            rule,
            order.expires,
            reason,
            order.hide_severe,
            &sent.conditions,
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
        Conditional,
    ),
    responses((status = 200, body = Noted), Failures, Refusals)
)]
pub(crate) async fn end(
    ask: Ask,
    State(app): State<App>,
    Names(rule): Names<u64>,
    Bare(conditions): Bare,
) -> Result<Response, Error> {
    let actor = deciding::actor::<Suppress>(&ask.caller)?;
    let reason = parameter(&ask.query, "reason");
    let reason = Some(reason.as_str()).filter(|reason| !reason.is_empty());
    let event = app
        .store
        .end_rule(&actor, rule, reason, &conditions)
        .await?;
    ask.data(&Noted { event: Some(event) })
}
