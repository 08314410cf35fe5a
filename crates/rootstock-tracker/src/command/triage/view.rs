//! `triage view`: saved queries.

use super::{actor, print, text};
use crate::arguments::triage::View;
use crate::command::open_existing;
use crate::output::{self, Outcome};
use anyhow::Context;
use tracker_store::{Conditions, StoreError};
use tracker_triage::query::Query;

pub(super) async fn run(command: View) -> anyhow::Result<Outcome> {
    let free = Conditions::default();
    match command {
        View::List(arguments) => {
            let store = open_existing(&arguments.database.database).await?;
            let views = store.views(Some(&actor(&arguments.who))).await?;
            print(arguments.json.json, &views, || text::views(&views))
        }
        View::Save(arguments) => {
            let query = Query::parse(&arguments.query).context("the query")?;
            let store = open_existing(&arguments.database.database).await?;
            let who = actor(&arguments.who);
            let saved = store
                .save_view(&who, &arguments.view, &query, arguments.shared, &free)
                .await?;
            match saved {
                Some(event) => Ok(told(event)),
                None => Ok(Outcome::Done),
            }
        }
        View::Drop(arguments) => {
            let store = open_existing(&arguments.database.database).await?;
            let who = actor(&arguments.who);
            match store.drop_view(&who, &arguments.view, &free).await {
                Ok(event) => Ok(told(event)),
                Err(error @ StoreError::NoView { .. }) => {
                    output::note(&error.to_string());
                    Ok(Outcome::Absent)
                }
                Err(other) => Err(other.into()),
            }
        }
        View::Undo(arguments) => {
            let store = open_existing(&arguments.database.database).await?;
            let who = actor(&arguments.who);
            let event = store.undo_view(&who, arguments.event, &free).await?;
            Ok(told(event))
        }
    }
}

fn told(event: u64) -> Outcome {
    output::note(&format!("take it back with: triage view undo {event}"));
    Outcome::Done
}
