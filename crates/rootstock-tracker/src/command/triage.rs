//! `triage …`: the team's work from the command line, as the pages do it.

mod family;
mod log;
mod rule;
mod text;
mod two;
mod view;

use super::{open, open_existing};
use crate::arguments::triage::{BulkWhat, Common, Rebuild, State, Triage, TriageList, Which, Who};
use crate::output::{self, Outcome, Refusal};
use anyhow::Context;
use jiff::Timestamp;
use serde_json::json;
use tracker_store::view::PageRequest;
use tracker_store::{Act, ActOutcome, ItemId, Store, StoreError, Targets, Undo};
use tracker_triage::query::{Field, Kind, Query};
use tracker_triage::state::{DecidedState, Dismissal};
use tracker_triage::{Action, Actor, ActorKind, Place, Subject};

/// Runs a command of triage.
pub(crate) async fn run(command: Triage) -> anyhow::Result<Outcome> {
    match command {
        Triage::List(arguments) => list(arguments).await,
        Triage::Show(arguments) => {
            let store = open_existing(&arguments.database.database).await?;
            let found = store
                .triage_item(&item(&arguments.which), Timestamp::now())
                .await?;
            let Some(detail) = found else {
                let which = &arguments.which;
                output::note(&format!(
                    "`{}` is not matched to `{}` in {}",
                    which.vulnerability, which.family, which.distribution
                ));
                return Ok(Outcome::Absent);
            };
            print(arguments.json.json, &detail, || text::detail(&detail))
        }
        Triage::Confirm(one) => one_act(&one.which, Action::Confirm, one.common).await,
        Triage::Reopen(one) => one_act(&one.which, Action::Reopen, one.common).await,
        Triage::Add(one) => one_act(&one.which, Action::AddPackage, one.common).await,
        Triage::Dismiss(dismiss) => {
            let subject = |family: String| Subject::new(dismiss.distribution.as_str(), family);
            let targets = match dismiss.family {
                Some(family) => Targets::Items(vec![ItemId {
                    vulnerability: dismiss.vulnerability,
                    distribution: dismiss.distribution,
                    family,
                }]),
                None => Targets::AllBut {
                    vulnerability: dismiss.vulnerability,
                    keep: dismiss.all_but.into_iter().map(subject).collect(),
                },
            };
            let action = Action::Dismiss(dismissal(&dismiss.why)?);
            act(targets, action, dismiss.common).await
        }
        Triage::State(arguments) => state(arguments).await,
        Triage::Suggest(arguments) => two::suggest(arguments).await,
        Triage::Agree(one) => one_act(&one.which, Action::Agree(one.suggestion), one.common).await,
        Triage::Decline(one) => {
            one_act(&one.which, Action::Decline(one.suggestion), one.common).await
        }
        Triage::Withdraw(one) => one_act(&one.which, Action::WithdrawSuggestion, one.common).await,
        Triage::SecondPerson(arguments) => two::second_person(arguments).await,
        Triage::Comment(one) => one_act(&one.which, Action::Comment(one.text), one.common).await,
        Triage::Assign(one) => one_act(&one.which, Action::Assign(one.to), one.common).await,
        Triage::Snooze(one) => one_act(&one.which, Action::Snooze(one.until), one.common).await,
        Triage::Undo(undo) => {
            let store = store(&undo.common).await?;
            let what = if undo.act {
                Undo::Act(undo.event)
            } else {
                Undo::Event(undo.event)
            };
            let common = undo.common;
            let done = store
                .undo(
                    &actor(&common.who),
                    what,
                    common.reason.as_deref(),
                    common.dry_run,
                )
                .await;
            acted(done, common.json.json)
        }
        Triage::Bulk(bulk) => {
            let query = Query::parse(&bulk.query).context("the query")?;
            act(Targets::Query(query), bulk_action(bulk.what)?, bulk.common).await
        }
        Triage::Log(arguments) => log::log(arguments).await,
        Triage::History(arguments) => log::history(arguments).await,
        Triage::Maintainer(arguments) => log::maintainer(arguments).await,
        Triage::Family(arguments) => family::run(arguments).await,
        Triage::Rule(arguments) => rule::run(arguments).await,
        Triage::View(arguments) => view::run(arguments).await,
        Triage::Fields(arguments) => fields(arguments.json),
        Triage::Settle(arguments) => {
            let store = open_existing(&arguments.database.database).await?;
            let (findings, rules) = store.settle().await?;
            let settled = json!({ "findings": findings, "rules_expired": rules });
            print(arguments.json.json, &settled, || {
                format!("findings moved: {findings}, rules expired: {rules}\n")
            })
        }
        Triage::Rebuild(arguments) => rebuild(arguments).await,
    }
}

/// Prints a result as text, or as JSON.
pub(super) fn print<T: serde::Serialize>(
    as_json: bool,
    value: &T,
    text: impl FnOnce() -> String,
) -> anyhow::Result<Outcome> {
    if as_json {
        output::json(value)?;
    } else {
        output::text(&text())?;
    }
    Ok(Outcome::Done)
}

fn actor(who: &Who) -> Actor {
    Actor::new(ActorKind::Operator, who.who.as_str())
}

fn item(which: &Which) -> ItemId {
    ItemId {
        vulnerability: which.vulnerability.clone(),
        distribution: which.distribution.clone(),
        family: which.family.clone(),
    }
}

async fn store(common: &Common) -> anyhow::Result<Store> {
    open_existing(&common.database.database).await
}

fn dismissal(why: &str) -> anyhow::Result<Dismissal> {
    Dismissal::of(why).ok_or_else(|| {
        let known: Vec<&str> = Dismissal::all().map(Dismissal::name).collect();
        let known = known.join(", ");
        Refusal::Wrong(format!(
            "`{why}` is no reason to dismiss; known are {known}"
        ))
        .into()
    })
}

fn decided(state: &str) -> anyhow::Result<DecidedState> {
    DecidedState::of(state).ok_or_else(|| {
        let known: Vec<String> = DecidedState::all().map(DecidedState::name).collect();
        let known = known.join(", ");
        Refusal::Wrong(format!(
            "`{state}` is no state to decide; known are {known}"
        ))
        .into()
    })
}

async fn one_act(which: &Which, action: Action, common: Common) -> anyhow::Result<Outcome> {
    act(Targets::Items(vec![item(which)]), action, common).await
}

async fn act(targets: Targets, action: Action, common: Common) -> anyhow::Result<Outcome> {
    let store = store(&common).await?;
    let act = Act {
        targets,
        action,
        reason: common.reason,
        dry_run: common.dry_run,
    };
    let done = store.decide(&actor(&common.who), &act).await;
    acted(done, common.json.json)
}

/// Prints what an act did. What is not there has an exit code of its own.
fn acted(done: Result<ActOutcome, StoreError>, as_json: bool) -> anyhow::Result<Outcome> {
    match done {
        Ok(outcome) => print(as_json, &outcome, || text::outcome(&outcome)),
        Err(error @ (StoreError::NoItem { .. } | StoreError::NoRule { .. })) => {
            output::note(&error.to_string());
            Ok(Outcome::Absent)
        }
        Err(other) => Err(other.into()),
    }
}

async fn list(arguments: TriageList) -> anyhow::Result<Outcome> {
    let query = Query::parse(&arguments.query).context("the query")?;
    let store = open_existing(&arguments.database.database).await?;
    let request = PageRequest {
        limit: arguments.page.limit,
        after: arguments.page.after,
        ..PageRequest::default()
    };
    let now = Timestamp::now();
    let page = store
        .queue(&query, now, Some(&arguments.who.who), &request)
        .await?;
    print(arguments.json.json, &page, || text::page(&page))
}

async fn state(arguments: State) -> anyhow::Result<Outcome> {
    let place = Place {
        channel: arguments.channel,
        attribute: arguments.attribute,
    };
    let action = match arguments.state {
        Some(state) => Action::SetState {
            place,
            state: decided(&state)?,
        },
        None => Action::WithdrawState { place },
    };
    one_act(&arguments.which, action, arguments.common).await
}

fn bulk_action(what: BulkWhat) -> anyhow::Result<Action> {
    Ok(if what.confirm {
        Action::Confirm
    } else if let Some(why) = what.dismiss {
        Action::Dismiss(dismissal(&why)?)
    } else if let Some(state) = what.state {
        Action::SetState {
            place: Place::ALL,
            state: decided(&state)?,
        }
    } else if let Some(to) = what.assign {
        Action::Assign(Some(to))
    } else if let Some(until) = what.snooze {
        Action::Snooze(Some(until))
    } else {
        Action::Reopen
    })
}

fn fields(as_json: bool) -> anyhow::Result<Outcome> {
    let rows: Vec<_> = Field::ALL
        .into_iter()
        .map(|field| {
            let values = match field.kind() {
                Kind::Ordered(names) | Kind::OneOf(names) => names.to_vec(),
                _ => Vec::new(),
            };
            json!({ "field": field.name(), "about": field.about(), "values": values })
        })
        .collect();
    print(as_json, &rows, text::fields)
}

async fn rebuild(arguments: Rebuild) -> anyhow::Result<Outcome> {
    let store = if arguments.check {
        open_existing(&arguments.database.database).await?
    } else {
        open(&arguments.database.database).await?
    };
    let mut vulnerabilities = 0_u64;
    if !arguments.check {
        let moved = store.rebuild_triage(&mut || vulnerabilities += 1).await?;
        let done = json!({ "vulnerabilities": vulnerabilities, "findings_moved": moved });
        return print(arguments.json.json, &done, || {
            format!("vulnerabilities: {vulnerabilities}, findings moved: {moved}\n")
        });
    }
    let problems = store.check_triage(&mut || vulnerabilities += 1).await?;
    let found = json!({ "vulnerabilities": vulnerabilities, "problems": problems });
    print(arguments.json.json, &found, || {
        text::problems(vulnerabilities, &problems)
    })?;
    Ok(if problems.is_empty() {
        Outcome::Done
    } else {
        Outcome::Partly
    })
}
