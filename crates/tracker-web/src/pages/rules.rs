//! `/rules`: what is hidden, why and until when; what a rule would hide; rules whose time is over.
//!
//! Invariant: a rule is made on the page that lists what it would hide.

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
use tracker_store::{RuleRow, StoreError};

/// Matches that a dry run lists.
const LISTED: usize = 100;
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
}

/// What the twin says.
#[derive(Debug, Serialize)]
struct RulesView<'a> {
    rules: &'a [RuleRow],
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
            Ok((items, more)) => {
                let number = count(items.len() as u64);
                preview = Some(Preview {
                    total: if more {
                        format!("more than {number}")
                    } else {
                        number
                    },
                    items: items
                        .iter()
                        .map(|id| {
                            Link::new(address(id), format!("{} {}", id.vulnerability, id.family))
                        })
                        .collect(),
                });
            }
            Err(StoreError::Query(error)) => problem = Some(error.to_string()),
            Err(other) => return Err(other.into()),
        }
    }
    ask.answer(&RulesView { rules: &rows }, || {
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
            preview,
        }
    })
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
    match fields.get("do") {
        "make" => {
            if reason.is_empty() {
                return Err(wrong("a reason is needed"));
            }
            let query = fields.get("q");
            app.store
                .make_rule(&actor, query, until()?, Some(reason), None)
                .await?;
        }
        what @ ("renew" | "end") => {
            let number: u64 = fields.get("rule").parse().unwrap_or(0);
            let rows = app.store.rules(Timestamp::now()).await?;
            let held = rows.into_iter().find(|row| row.rule == number);
            let held = held.ok_or(StoreError::NoRule { rule: number })?;
            if what == "renew" {
                let why = held.state.reason.as_deref();
                app.store
                    .make_rule(&actor, &held.state.query, until()?, why, None)
                    .await?;
            }
            let reason = if what == "renew" { "renewed" } else { reason };
            let reason = Some(reason).filter(|reason| !reason.is_empty());
            app.store.end_rule(&actor, number, reason).await?;
        }
        _ => return Err(wrong("it does not say what to do")),
    }
    Ok(redirect("/rules"))
}
