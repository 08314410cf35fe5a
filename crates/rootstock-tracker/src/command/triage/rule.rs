//! `triage rule`: what is hidden, why and until when.
//!
//! Invariant: a dry run tells how much of what would be hidden is severe.

use super::{actor, print, store, text};
use crate::arguments::triage::{Common, Rule, RuleAdd, RuleRenew};
use crate::command::open_existing;
use crate::output::{self, Outcome};
use jiff::Timestamp;
use serde_json::json;
use tracker_store::view::PageRequest;
use tracker_store::{Conditions, NewRule, Store, StoreError};
use tracker_triage::rule::hidden_severe;

/// Matches that a dry run lists.
const PREVIEW: usize = 1000;
/// Matches that a review lists.
const REVIEWED: u32 = 200;

pub(super) async fn run(command: Rule) -> anyhow::Result<Outcome> {
    match command {
        Rule::List(arguments) => {
            let store = open_existing(&arguments.database.database).await?;
            let rules = store.rules(Timestamp::now()).await?;
            print(arguments.json.json, &rules, || text::rules(&rules))
        }
        Rule::Review(arguments) => {
            let store = open_existing(&arguments.database.database).await?;
            let now = Timestamp::now();
            let mut due = store.rules(now).await?;
            due.retain(|rule| rule.due);
            let request = PageRequest {
                limit: REVIEWED,
                ..PageRequest::default()
            };
            let hidden = store.queue(&hidden_severe(), now, None, &request).await?;
            let review = json!({ "due": due, "hidden_severe": hidden });
            print(arguments.json.json, &review, || {
                let rules = text::rules(&due);
                format!(
                    "rules to be looked at\n{rules}\ncritical or exploited, and hidden\n{}",
                    text::page(&hidden)
                )
            })
        }
        Rule::Add(arguments) => add(arguments).await,
        Rule::Renew(arguments) => renew(arguments).await,
        Rule::End(arguments) => {
            let common = arguments.common;
            let store = store(&common).await?;
            if common.dry_run {
                return there(&store, arguments.rule).await;
            }
            let ended = store
                .end_rule(
                    &actor(&common.who),
                    arguments.rule,
                    common.reason.as_deref(),
                    &Conditions::default(),
                )
                .await;
            told(ended, &common, |event| {
                (
                    json!({ "event": event }),
                    format!("ended; take it back with: triage undo {event}\n"),
                )
            })
        }
    }
}

async fn add(arguments: RuleAdd) -> anyhow::Result<Outcome> {
    let common = arguments.common;
    let store = store(&common).await?;
    if common.dry_run {
        return preview(&store, &arguments.query, &common).await;
    }
    let rule = NewRule {
        query: &arguments.query,
        expires: arguments.hiding.expires,
        reason: common.reason.as_deref(),
        hides_severe: arguments.hiding.hide_severe,
    };
    let made = store
        .make_rule(&actor(&common.who), &rule, &Conditions::default())
        .await;
    told(made, &common, |rule| {
        (json!({ "rule": rule }), format!("rule {rule} hides it\n"))
    })
}

async fn renew(arguments: RuleRenew) -> anyhow::Result<Outcome> {
    let common = arguments.common;
    let store = store(&common).await?;
    if common.dry_run {
        let found = store.rule(arguments.rule, Timestamp::now()).await?;
        let Some((held, _)) = found else {
            return there(&store, arguments.rule).await;
        };
        return preview(&store, &held.state.query, &common).await;
    }
    let made = store
        .renew_rule(
            &actor(&common.who),
            arguments.rule,
            arguments.hiding.expires,
            common.reason.as_deref(),
            arguments.hiding.hide_severe,
            &Conditions::default(),
        )
        .await;
    told(made, &common, |rule| {
        let line = format!("rule {rule} hides it; take it back with: triage undo --act {rule}\n");
        (json!({ "rule": rule }), line)
    })
}

async fn preview(store: &Store, query: &str, common: &Common) -> anyhow::Result<Outcome> {
    let preview = store.rule_preview(query, PREVIEW).await?;
    print(common.json.json, &preview, || text::preview(&preview))
}

/// Whether a rule is there, for a dry run.
async fn there(store: &Store, rule: u64) -> anyhow::Result<Outcome> {
    if store.rule(rule, Timestamp::now()).await?.is_some() {
        return Ok(Outcome::Done);
    }
    output::note(&StoreError::NoRule { rule }.to_string());
    Ok(Outcome::Absent)
}

/// Tells what was done. What is not there has an exit code of its own.
fn told(
    done: Result<u64, StoreError>,
    common: &Common,
    tell: impl FnOnce(u64) -> (serde_json::Value, String),
) -> anyhow::Result<Outcome> {
    match done {
        Ok(number) => {
            let (value, line) = tell(number);
            print(common.json.json, &value, || line)
        }
        Err(error @ StoreError::NoRule { .. }) => {
            output::note(&error.to_string());
            Ok(Outcome::Absent)
        }
        Err(error @ StoreError::HidesSevere { .. }) => {
            Err(anyhow::Error::from(error).context("say `--hide-severe` if it may"))
        }
        Err(other) => Err(other.into()),
    }
}
