//! Items under embargo, for those whom each names, with a token of the scope `embargo`.
//!
//! Invariants: whoever is not named is answered as if there were no such item, before anything else of the request is
//! looked at but their permission; no answer is kept anywhere.

use super::sent::{Bare, Conditional, Repeatable, Sent, tag};
use super::shape::{Failures, Refusals, plainly};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::error::Error;
use crate::pages::embargoes::{absent, person, refused};
use crate::query::{SEVERITIES, word_of};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use tracker_people::{Comment, HandleEmbargo, Permit, SeeEmbargo};
use tracker_store::{Conditions, EmbargoChange, EmbargoDetail, EmbargoRow, Report, Under};
use tracker_triage::Subject;
use utoipa::ToSchema;

/// An item under embargo, or one that was.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Embargo {
    /// What it is called in addresses.
    name: String,
    /// Id of the vulnerability.
    id: String,
    /// Its title.
    title: String,
    /// `critical`, `high`, `medium`, `low`, `none` or `unknown`.
    severity: &'static str,
    /// Since when it is held.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it ends by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    ends: Option<Timestamp>,
    /// When it became public.
    #[schema(value_type = Option<String>, format = DateTime)]
    released: Option<Timestamp>,
}

/// A package family that an item concerns.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConcernedFamily {
    /// Distribution.
    distribution: String,
    /// Package family.
    family: String,
}

/// A package that an item concerns, on a channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConcernedPlace {
    /// Distribution.
    distribution: String,
    /// Package family.
    family: String,
    /// Channel.
    channel: String,
    /// Attribute.
    attribute: String,
    /// Version there.
    version: Option<String>,
}

/// A line of an item's own log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Note {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who; `tracker` where its time was over.
    author: String,
    /// `made`, `named`, `unnamed`, `until`, `comment` or `released`.
    kind: String,
    /// What.
    text: String,
}

/// An item whole.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EmbargoWhole {
    /// As in the list.
    #[serde(flatten)]
    item: Embargo,
    /// The description.
    description: Option<String>,
    /// The families that it is said to concern.
    families: Vec<ConcernedFamily>,
    /// Where they are on the channels' latest releases.
    places: Vec<ConcernedPlace>,
    /// The names of those who may know of it.
    people: Vec<String>,
    /// What was done and said, the newest first.
    notes: Vec<Note>,
}

/// Something to hold back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmbargoOrder {
    /// Id of letters, digits and `-_.:`, at most 80.
    id: String,
    /// Title.
    summary: String,
    /// Description, in Markdown.
    #[serde(default)]
    details: String,
    /// CVSS vector of version 3 or 4.
    #[serde(default)]
    vector: String,
    /// The package families that it concerns, at most 100.
    #[serde(default)]
    families: Vec<ConcernedFamily>,
    /// The names of those who may know of it besides the caller, at most 100.
    #[serde(default)]
    people: Vec<String>,
    /// When it ends by itself; by hand only if it is left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// An item that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EmbargoMade {
    /// What it is called in addresses.
    name: String,
}

/// Something to say about an item.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteOrder {
    /// Markdown.
    text: String,
}

/// When an item ends by itself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndOrder {
    /// When; by hand only if it is left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

impl From<&EmbargoRow> for Embargo {
    fn from(row: &EmbargoRow) -> Embargo {
        Embargo {
            name: row.name.clone(),
            id: row.id.clone(),
            title: row.title.clone(),
            severity: word_of(row.severity, SEVERITIES),
            created: row.created,
            ends: row.ends,
            released: row.released,
        }
    }
}

impl From<EmbargoDetail> for EmbargoWhole {
    fn from(detail: EmbargoDetail) -> EmbargoWhole {
        let families = detail.families.into_iter().map(|subject| ConcernedFamily {
            distribution: subject.distribution,
            family: subject.family,
        });
        let places = detail.places.into_iter().map(|place| ConcernedPlace {
            distribution: place.subject.distribution,
            family: place.subject.family,
            channel: place.channel,
            attribute: place.attribute,
            version: place.version,
        });
        let notes = detail.notes.into_iter().map(|note| Note {
            at: note.at,
            author: note.author,
            kind: note.kind,
            text: note.text,
        });
        EmbargoWhole {
            item: Embargo::from(&detail.row),
            description: detail.description,
            families: families.collect(),
            places: places.collect(),
            people: detail.people.into_iter().map(|one| one.handle).collect(),
            notes: notes.collect(),
        }
    }
}

/// The items that name the caller, the newest first.
#[utoipa::path(
    get,
    path = "/api/v1/embargoes",
    tag = "embargoes",
    security(("token" = [])),
    responses((status = 200, body = Vec<Embargo>), Failures, Refusals)
)]
pub(crate) async fn list(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let rows = app.store.embargoes(ask.caller.permit()?).await?;
    let items: Vec<Embargo> = rows.iter().map(Embargo::from).collect();
    ask.data(&items).map(unkept)
}

/// An item that names the caller. The `ETag` is for `If-Match` of what is done about it.
#[utoipa::path(
    get,
    path = "/api/v1/embargoes/{name}",
    tag = "embargoes",
    security(("token" = [])),
    params(("name" = String, Path, description = "What it is called")),
    responses((status = 200, body = EmbargoWhole), Failures, Refusals)
)]
pub(crate) async fn item(
    ask: Ask,
    State(app): State<App>,
    Names(name): Names<String>,
) -> Result<Response, Error> {
    let found = app.store.embargo(ask.caller.permit()?, &name).await?;
    let detail = found.ok_or_else(|| absent(&name))?;
    let version = detail.version;
    let whole = EmbargoWhole::from(detail);
    let answer = ask.data_tagged(&whole, |body| tag(version, body));
    answer.map(unkept)
}

/// Holds something back, for the eyes of the caller and of those named.
#[utoipa::path(
    post,
    path = "/api/v1/embargoes",
    tag = "embargoes",
    security(("token" = [])),
    params(Repeatable),
    request_body = EmbargoOrder,
    responses((status = 200, body = EmbargoMade), Failures, Refusals)
)]
pub(crate) async fn add(
    ask: Ask,
    State(app): State<App>,
    sent: Sent<EmbargoOrder>,
) -> Result<Response, Error> {
    let permit: Permit<'_, HandleEmbargo> = ask.caller.permit()?;
    let order = sent.value;
    let report = Report {
        id: &order.id,
        summary: &order.summary,
        details: &order.details,
        vector: &order.vector,
    };
    let draft = report.draft(ask.now);
    let draft = draft.map_err(|error| Error::Undecidable {
        reason: error.to_string(),
    })?;
    let families = order.families.into_iter();
    let families = families
        .map(|one| Subject::new(one.distribution, one.family))
        .collect();
    let mut people = BTreeSet::new();
    for handle in &order.people {
        people.insert(person(&app, handle).await.map_err(plainly)?.id);
    }
    let once = sent.conditions.once.as_ref();
    let made = app
        .store
        .add_embargo(
            permit,
            &draft,
            &families,
            &people,
            order.until,
            once,
            ask.now,
        )
        .await;
    let name = made.map_err(refused).map_err(plainly)?;
    ask.data(&EmbargoMade { name }).map(unkept)
}

/// Says something about an item.
#[utoipa::path(
    post,
    path = "/api/v1/embargoes/{name}/comments",
    tag = "embargoes",
    security(("token" = [])),
    params(
        ("name" = String, Path, description = "What it is called"),
        Conditional,
    ),
    request_body = NoteOrder,
    responses((status = 204, description = "It is said"), Failures, Refusals)
)]
pub(crate) async fn comment(
    ask: Ask,
    State(app): State<App>,
    Names(name): Names<String>,
    sent: Sent<NoteOrder>,
) -> Result<Response, Error> {
    seen(&ask, &app, &name).await?;
    let permit: Permit<'_, Comment> = ask.caller.permit()?;
    let under = Under {
        actor: &permit.actor(),
        conditions: &sent.conditions,
    };
    let said = app
        .store
        .comment_embargo(permit, &name, &sent.value.text, Some(under), ask.now)
        .await;
    done(said.map_err(refused).map_err(plainly)?)
}

/// Lets somebody know of an item.
#[utoipa::path(
    put,
    path = "/api/v1/embargoes/{name}/people/{handle}",
    tag = "embargoes",
    security(("token" = [])),
    params(
        ("name" = String, Path, description = "What it is called"),
        ("handle" = String, Path, description = "The name of somebody who signed in once"),
        Conditional,
    ),
    responses((status = 204, description = "It is so"), Failures, Refusals)
)]
pub(crate) async fn name(
    ask: Ask,
    State(app): State<App>,
    Names((name, handle)): Names<(String, String)>,
    Bare(conditions): Bare,
) -> Result<Response, Error> {
    seen(&ask, &app, &name).await?;
    let person = person(&app, &handle).await.map_err(plainly)?;
    change(&ask, &app, &name, &EmbargoChange::Name(person), &conditions).await
}

/// Takes somebody off an item; what they know they know.
#[utoipa::path(
    delete,
    path = "/api/v1/embargoes/{name}/people/{handle}",
    tag = "embargoes",
    security(("token" = [])),
    params(
        ("name" = String, Path, description = "What it is called"),
        ("handle" = String, Path, description = "Their name"),
        Conditional,
    ),
    responses((status = 204, description = "It is so"), Failures, Refusals)
)]
pub(crate) async fn unname(
    ask: Ask,
    State(app): State<App>,
    Names((name, handle)): Names<(String, String)>,
    Bare(conditions): Bare,
) -> Result<Response, Error> {
    seen(&ask, &app, &name).await?;
    let person = person(&app, &handle).await.map_err(plainly)?;
    change(
        &ask,
        &app,
        &name,
        &EmbargoChange::Unname(person),
        &conditions,
    )
    .await
}

/// Says when an item ends by itself.
#[utoipa::path(
    put,
    path = "/api/v1/embargoes/{name}/end",
    tag = "embargoes",
    security(("token" = [])),
    params(
        ("name" = String, Path, description = "What it is called"),
        Conditional,
    ),
    request_body = EndOrder,
    responses((status = 204, description = "It is so"), Failures, Refusals)
)]
pub(crate) async fn set_end(
    ask: Ask,
    State(app): State<App>,
    Names(name): Names<String>,
    sent: Sent<EndOrder>,
) -> Result<Response, Error> {
    seen(&ask, &app, &name).await?;
    let until = EmbargoChange::Until(sent.value.until);
    change(&ask, &app, &name, &until, &sent.conditions).await
}

/// Makes an item public.
#[utoipa::path(
    post,
    path = "/api/v1/embargoes/{name}/release",
    tag = "embargoes",
    security(("token" = [])),
    params(
        ("name" = String, Path, description = "What it is called"),
        Conditional,
    ),
    responses((status = 204, description = "It is public"), Failures, Refusals)
)]
pub(crate) async fn release(
    ask: Ask,
    State(app): State<App>,
    Names(name): Names<String>,
    Bare(conditions): Bare,
) -> Result<Response, Error> {
    seen(&ask, &app, &name).await?;
    change(&ask, &app, &name, &EmbargoChange::Release, &conditions).await
}

/// Checks that an item names the caller.
async fn seen(ask: &Ask, app: &App, name: &str) -> Result<(), Error> {
    let permit: Permit<'_, SeeEmbargo> = ask.caller.permit()?;
    let found = app.store.embargo(permit, name).await?;
    found.map(drop).ok_or_else(|| absent(name))
}

async fn change(
    ask: &Ask,
    app: &App,
    name: &str,
    change: &EmbargoChange,
    conditions: &Conditions,
) -> Result<Response, Error> {
    let permit: Permit<'_, HandleEmbargo> = ask.caller.permit()?;
    let under = Under {
        actor: &permit.actor(),
        conditions,
    };
    let changed = app
        .store
        .change_embargo(permit, name, change, Some(under), ask.now)
        .await;
    done(changed.map_err(refused).map_err(plainly)?)
}

/// The answer to something that was done, or that is too late for what is public.
fn done(changed: bool) -> Result<Response, Error> {
    if changed {
        return Ok(unkept(StatusCode::NO_CONTENT.into_response()));
    }
    Err(Error::Undecidable {
        reason: "it is public already".to_owned(),
    })
}

/// An answer that nobody keeps.
fn unkept(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
