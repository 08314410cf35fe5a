//! Saved views: a query with a name.
//!
//! Invariant: whoever saves a view owns it, and nobody else drops it or takes back what its owner did to it.

use super::{QUEUE, with};
use crate::app::App;
use crate::deciding;
use crate::error::Error;
use crate::fields::Fields;
use crate::pages::sign_in::redirect;
use crate::path;
use crate::people::Caller;
use axum::extract::State;
use axum::response::Response;
use tracker_people::KeepViews;
use tracker_store::Conditions;
use tracker_triage::query::Query;

/// `POST /queue/views`: saves or drops a view, or takes that back.
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    fields: Fields,
) -> Result<Response, Error> {
    deciding::actor::<KeepViews>(&caller)?;
    let Some(owner) = deciding::owner(&caller) else {
        return Ok(redirect(QUEUE));
    };
    let (view, text) = (fields.get("view"), fields.get("q"));
    let free = Conditions::default();
    let done = match fields.get("do") {
        "save" => {
            let query = Query::parse(text)?;
            let shared = fields.get("shared") == "1";
            app.store
                .save_view(&owner, view, &query, shared, &free)
                .await?
        }
        "drop" => Some(app.store.drop_view(&owner, view, &free).await?),
        "undo" => {
            let event = fields.get("event").parse().map_err(|_| Error::BadForm {
                reason: "it does not say what to take back".to_owned(),
            })?;
            Some(app.store.undo_view(&owner, event, &free).await?)
        }
        _ => {
            return Err(Error::BadForm {
                reason: "it does not say what to do".to_owned(),
            });
        }
    };
    let back = match text {
        "" => QUEUE.to_owned(),
        text => format!("{QUEUE}?q={}", path::query_value(text)),
    };
    Ok(redirect(&with(&back, done)))
}
