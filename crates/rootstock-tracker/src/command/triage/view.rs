//! `triage view`: saved queries.
//!
//! Invariant: a dry run is refused whatever the change itself would be refused.

use super::{actor, print, text};
use crate::arguments::triage::{Own, View};
use crate::command::open_existing;
use crate::output::{self, Outcome};
use anyhow::Context;
use serde_json::json;
use tracker_store::{Conditions, StoreError, ViewChange};
use tracker_triage::query::Query;

pub(super) async fn run(command: View) -> anyhow::Result<Outcome> {
    match command {
        View::List(arguments) => {
            let store = open_existing(&arguments.database.database).await?;
            let views = store.views(Some(&actor(&arguments.who))).await?;
            print(arguments.json.json, &views, || text::views(&views))
        }
        View::Save(arguments) => {
            let query = Query::parse(&arguments.query).context("the query")?;
            let save = ViewChange::Save {
                view: &arguments.view,
                query: &query,
                shared: arguments.shared,
            };
            change(&arguments.own, save).await
        }
        View::Drop(arguments) => {
            let view = &arguments.view;
            change(&arguments.own, ViewChange::Drop { view }).await
        }
        View::Undo(arguments) => {
            let event = arguments.event;
            change(&arguments.own, ViewChange::Undo { event }).await
        }
    }
}

async fn change(own: &Own, change: ViewChange<'_>) -> anyhow::Result<Outcome> {
    let store = open_existing(&own.database.database).await?;
    let who = actor(&own.who);
    let done = if own.dry_run {
        let would = store.preview_view(&who, change).await;
        would.map(|would| (would, None))
    } else {
        let free = Conditions::default();
        let event = store.change_view(&who, change, &free).await;
        event.map(|event| (event.is_some(), event))
    };
    let (changes, event) = match done {
        Ok(done) => done,
        Err(error @ StoreError::NoView { .. }) => {
            output::note(&error.to_string());
            return Ok(Outcome::Absent);
        }
        Err(other) => return Err(other.into()),
    };
    let value = json!({ "changes": changes, "event": event, "dry_run": own.dry_run });
    print(own.json.json, &value, || match (change, event) {
        _ if !changes => "it stands so already\n".to_owned(),
        (_, Some(event)) => format!("done; take it back with: triage view undo {event}\n"),
        (ViewChange::Save { view, query, .. }, None) => format!("would save `{view}`: {query}\n"),
        (ViewChange::Drop { view }, None) => format!("would drop `{view}`\n"),
        (ViewChange::Undo { event }, None) => format!("would take back event {event}\n"),
    })
}
