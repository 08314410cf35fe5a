//! Saved views: a query with a name.
//!
//! Invariant: whoever saves a view owns it, and nobody else drops it or takes back what its owner did to it.

use super::{QUEUE, back, with};
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
use tracker_store::Undo;
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
    let done = match fields.get("do") {
        "save" => {
            let query = Query::parse(text)?;
            let shared = fields.get("shared") == "1";
            Some(app.store.save_view(&owner, view, &query, shared).await?)
        }
        "drop" => app.store.drop_view(&owner, view).await?,
        "undo" => {
            let act = fields.get("act").parse().unwrap_or(0);
            let told = app.store.act(act).await?;
            if told.and_then(|told| told.owner).as_deref() != Some(owner.name.as_str()) {
                return Err(Error::NotFound {
                    kind: "event",
                    name: act.to_string(),
                    near: Vec::new(),
                });
            }
            let outcome = app
                .store
                .undo(&owner, Undo::Event(act), None, false)
                .await?;
            return Ok(redirect(&with(back(fields.get("back")), outcome.act)));
        }
        _ => {
            return Err(Error::BadForm {
                reason: "it does not say what to do".to_owned(),
            });
        }
    };
    let address = format!("{QUEUE}?q={}", path::query_value(text));
    Ok(redirect(&with(&address, done)))
}
