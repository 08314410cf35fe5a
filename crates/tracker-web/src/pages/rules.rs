//! `/rules`: what is hidden, why and until when; what a rule would hide; rules whose time is over.
//!
//! Invariants: a rule is made on the page that lists what it would hide; what is critical or exploited is listed here
//! even while a rule hides it.

use super::queue::{act::address, decides};
use super::sign_in::redirect;
use super::{Link, Section, Shell};
use crate::app::App;
use crate::ask::Ask;
use crate::components::{Day, count};
use crate::deciding;
use crate::error::Error;
use crate::fields::Fields;
use crate::path;
use crate::people::Caller;
use crate::query::parameter;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tracker_people::Suppress;
use tracker_store::view::{Page, PageRequest};
use tracker_store::{Conditions, ItemId, NewRule, QueueRow, RulePreview, RuleRow, StoreError};
use tracker_triage::rule;

/// Matches that a dry run lists.
const LISTED: usize = 100;
/// Severe matches that are listed although a rule hides them.
const SEVERE_LISTED: u32 = 50;
/// Days that a rule holds at most.
const MAX_DAYS: i64 = 731;

#[derive(Debug, Template)]
#[template(path = "rules.html")]
struct RulesPage {
    shell: Shell,
    due: Vec<RuleLine>,
    rules: Vec<RuleLine>,
    decides: bool,
    query: String,
    problem: Option<String>,
    preview: Option<Preview>,
    hidden: Vec<Link>,
    hidden_total: String,
    hidden_href: String,
}

#[derive(Debug)]
struct RuleLine {
    rule: u64,
    query: String,
    href: String,
    expires: Day,
    who: String,
    made: Day,
    reason: String,
}

#[derive(Debug)]
struct Preview {
    total: String,
    items: Vec<Link>,
    severe: u64,
    severe_items: Vec<Link>,
    more: bool,
}

impl Preview {
    fn new(preview: &RulePreview) -> Preview {
        Preview {
            total: count(preview.total),
            items: links(&preview.would_hide),
            severe: preview.severe,
            severe_items: links(&preview.would_hide_severe),
            more: preview.more,
        }
    }
}

fn links(items: &[ItemId]) -> Vec<Link> {
    let link = |id: &ItemId| Link::new(address(id), format!("{} {}", id.vulnerability, id.family));
    items.iter().map(link).collect()
}

/// What the twin says.
#[derive(Debug, Serialize)]
struct RulesView<'a> {
    rules: &'a [RuleRow],
    /// What rules hide although it is critical or exploited.
    hidden_severe: &'a Page<QueueRow>,
    preview: Option<&'a RulePreview>,
}

impl RuleLine {
    fn new(row: &RuleRow, now: Timestamp) -> RuleLine {
        let state = &row.state;
        RuleLine {
            rule: row.rule,
            query: state.query.clone(),
            href: format!("/queue?q={}", path::query_value(&state.query)),
            expires: Day::new(state.expires, now),
            who: state.actor.to_string(),
            made: Day::new(state.at, now),
            reason: state.reason.clone().unwrap_or_default(),
        }
    }
}

/// `GET /rules`, with `q` also what a rule with that query would hide.
pub(crate) async fn rules(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let rows = app.store.rules(ask.now).await?;
    let query = parameter(&ask.query, "q").trim().to_owned();
    let (mut preview, mut problem) = (None, None);
    if !query.is_empty() {
        match app.store.rule_preview(&query, LISTED).await {
            Ok(found) => preview = Some(found),
            Err(StoreError::Query(error)) => problem = Some(error.to_string()),
            Err(other) => return Err(other.into()),
        }
    }
    let request = PageRequest {
        limit: SEVERE_LISTED,
        ..PageRequest::default()
    };
    let hidden = rule::hidden_severe();
    let hidden = app.store.queue(&hidden, ask.now, None, &request).await?;
    let view = RulesView {
        rules: &rows,
        hidden_severe: &hidden,
        preview: preview.as_ref(),
    };
    ask.answer(&view, || {
        let lines = |due: bool| {
            let rows = rows.iter().filter(move |row| row.due == due);
            rows.map(|row| RuleLine::new(row, ask.now)).collect()
        };
        RulesPage {
            shell: Shell::new(Section::Queue, &ask),
            due: lines(true),
            rules: lines(false),
            decides: decides(&ask.caller),
            query,
            problem,
            preview: preview.as_ref().map(Preview::new),
            hidden: links(
                &hidden
                    .rows
                    .iter()
                    .map(|row| row.id.clone())
                    .collect::<Vec<_>>(),
            ),
            hidden_total: hidden
                .total
                .map_or_else(|| "more than 1,000".to_owned(), count),
            hidden_href: format!("/queue?q={}", path::query_value(rule::HIDDEN_SEVERE)),
        }
    })
}

/// A rule that hides what is severe without a tick at the box that says it may.
fn severe(error: StoreError) -> Error {
    match error {
        StoreError::HidesSevere { severe } => Error::BadForm {
            reason: format!(
                "it would hide {severe} severe matches (high, critical or exploited), and the box that says it may is not ticked"
            ),
        },
        other => other.into(),
    }
}

/// `POST /rules`: makes, renews or ends a rule.
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    fields: Fields,
) -> Result<Response, Error> {
    let actor = deciding::actor::<Suppress>(&caller)?;
    let wrong = |reason: &str| Error::BadForm {
        reason: reason.to_owned(),
    };
    let until = || {
        let days: i64 = fields.get("days").parse().unwrap_or(0);
        if !(1..=MAX_DAYS).contains(&days) {
            return Err(wrong("a number of days from 1 to 731 is needed"));
        }
        Ok(Timestamp::now() + SignedDuration::from_hours(24 * days))
    };
    let reason = fields.get("reason");
    let hides_severe = fields.get("severe") == "1";
    let free = Conditions::default();
    match fields.get("do") {
        "make" => {
            if reason.is_empty() {
                return Err(wrong("a reason is needed"));
            }
            let rule = NewRule {
                query: fields.get("q"),
                expires: until()?,
                reason: Some(reason),
                hides_severe,
            };
            let made = app.store.make_rule(&actor, &rule, &free).await;
            made.map_err(severe)?;
        }
        what @ ("renew" | "end") => {
            let number: u64 = fields.get("rule").parse().unwrap_or(0);
            let reason = Some(reason).filter(|reason| !reason.is_empty());
            if what == "renew" {
                let renewed = app
                    .store
                    .renew_rule(&actor, number, until()?, reason, hides_severe, &free)
                    .await;
                renewed.map_err(severe)?;
            } else {
                app.store.end_rule(&actor, number, reason, &free).await?;
            }
        }
        _ => return Err(wrong("it does not say what to do")),
    }
    Ok(redirect("/rules"))
}
