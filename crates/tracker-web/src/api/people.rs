//! People and their roles, for administrators.
//!
//! Invariant: nobody changes their own role or shuts themselves out, here as on the pages.

use super::sent::{Bare, Conditional, Sent, tag};
use super::shape::{Failures, List, Refusals, plainly};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::error::Error;
use crate::pages::administer::{MAX_REASON, held, other};
use crate::query::PackageQuery;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracker_people::{Administer, Permit, PersonId, Role};
use tracker_store::{Conditions, Giver, HeldPerson, Under};
use utoipa::ToSchema;

/// Somebody.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Person {
    /// Their key.
    person: i64,
    /// Their name.
    handle: String,
    /// Their handle on GitHub.
    github: Option<String>,
    /// The role that holds.
    role: &'static str,
    /// The role that an administrator gave; `anonymous` for none.
    granted: &'static str,
    /// The role that teams give; `anonymous` for none.
    team: &'static str,
    /// Whether they are shut out.
    blocked: bool,
    /// When they were first here.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

/// A role that was given.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Grant {
    /// The role; `anonymous` where one was taken.
    role: &'static str,
    /// By whom; absent where the command line gave it.
    giver: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Why.
    reason: String,
}

/// Somebody, with the roles that they were given.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PersonWhole {
    /// As in the list.
    #[serde(flatten)]
    person: Person,
    /// The newest first.
    grants: Vec<Grant>,
}

/// A role to give.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleOrder {
    /// `triager`, `administrator`, or `anonymous` to take what was given.
    role: String,
    /// Why.
    reason: String,
}

impl Person {
    fn new(held: &HeldPerson, app: &App, now: Timestamp) -> Person {
        let standing = &held.standing;
        let rules = app.people.settings().standing;
        Person {
            person: held.person.id.0,
            handle: held.person.handle.clone(),
            github: held.person.github.clone(),
            role: rules.role(standing, now).word(),
            granted: standing.granted.unwrap_or_default().word(),
            team: standing
                .membership
                .map_or(Role::Anonymous, |one| one.role)
                .word(),
            blocked: standing.blocked,
            since: held.created,
        }
    }
}

/// People, in the order in which they came.
#[utoipa::path(
    get,
    path = "/api/v1/people",
    tag = "people",
    security(("token" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "Rows, 1 to 200", minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, description = "From `next`"),
    ),
    responses((status = 200, body = List<Person>), Failures, Refusals)
)]
pub(crate) async fn people(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let _: Permit<'_, Administer> = ask.caller.permit()?;
    let list = PackageQuery::read(&ask.query)?;
    let after = list.paging.after.as_deref().unwrap_or("0");
    let after: i64 = after.parse().map_err(|_| Error::BadToken)?;
    if list.paging.before.is_some() {
        return Err(Error::BadToken);
    }
    let limit = list.paging.limit.unwrap_or(100);
    let held = app.store.people(PersonId(after), limit).await?;
    let last = held.last().filter(|_| held.len() == limit as usize);
    ask.data(&List {
        next: last.map(|last| format!("/api/v1/people?limit={limit}&after={}", last.person.id.0)),
        previous: None,
        total: None,
        rows: held
            .iter()
            .map(|held| Person::new(held, &app, ask.now))
            .collect(),
    })
}

/// Somebody, and the roles that they were given. The `ETag` is for `If-Match` of what is done about them.
#[utoipa::path(
    get,
    path = "/api/v1/people/{person}",
    tag = "people",
    security(("token" = [])),
    params(("person" = i64, Path, description = "Their key")),
    responses((status = 200, body = PersonWhole), Failures, Refusals)
)]
pub(crate) async fn person(
    ask: Ask,
    State(app): State<App>,
    Names(key): Names<i64>,
) -> Result<Response, Error> {
    let _: Permit<'_, Administer> = ask.caller.permit()?;
    // Asked for first: what is done in between makes the tag too old, which refuses too much and never too little.
    let version = app.store.person_version(PersonId(key)).await?;
    let held = held(&app, key).await?;
    let grants = app.store.grants_of(held.person.id).await?;
    let grants = grants.into_iter().map(|grant| Grant {
        role: grant.role.word(),
        giver: grant.giver,
        at: grant.at,
        reason: grant.reason,
    });
    let whole = PersonWhole {
        person: Person::new(&held, &app, ask.now),
        grants: grants.collect(),
    };
    ask.data_tagged(&whole, |body| tag(version, body))
}

/// Gives somebody a role, or takes what was given.
#[utoipa::path(
    put,
    path = "/api/v1/people/{person}/role",
    tag = "people",
    security(("token" = [])),
    params(
        ("person" = i64, Path, description = "Their key"),
        Conditional,
    ),
    request_body = RoleOrder,
    responses((status = 204, description = "It is so"), Failures, Refusals)
)]
pub(crate) async fn set_role(
    ask: Ask,
    State(app): State<App>,
    Names(key): Names<i64>,
    sent: Sent<RoleOrder>,
) -> Result<Response, Error> {
    let permit: Permit<'_, Administer> = ask.caller.permit()?;
    let person = other(&app, permit, key).await.map_err(plainly)?;
    let wrong = |reason: String| Error::Undecidable { reason };
    let role: Role = sent
        .value
        .role
        .parse()
        .map_err(|error: tracker_people::UnknownRole| wrong(error.to_string()))?;
    let reason = sent.value.reason.trim();
    if reason.is_empty() || reason.len() > MAX_REASON {
        return Err(wrong(format!(
            "a reason is needed, of at most {MAX_REASON} bytes"
        )));
    }
    let giver = Giver::Administrator(permit);
    let under = Under {
        actor: &permit.actor(),
        conditions: &sent.conditions,
    };
    app.store
        .grant_role(person, role, giver, reason, Some(under), ask.now)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Shuts somebody out, and ends their sessions and tokens.
#[utoipa::path(
    put,
    path = "/api/v1/people/{person}/block",
    tag = "people",
    security(("token" = [])),
    params(
        ("person" = i64, Path, description = "Their key"),
        Conditional,
    ),
    responses((status = 204, description = "It is so"), Failures, Refusals)
)]
pub(crate) async fn block(
    ask: Ask,
    State(app): State<App>,
    Names(key): Names<i64>,
    Bare(conditions): Bare,
) -> Result<Response, Error> {
    set_blocked(&ask, &app, key, true, &conditions).await
}

/// Lets somebody in again.
#[utoipa::path(
    delete,
    path = "/api/v1/people/{person}/block",
    tag = "people",
    security(("token" = [])),
    params(
        ("person" = i64, Path, description = "Their key"),
        Conditional,
    ),
    responses((status = 204, description = "It is so"), Failures, Refusals)
)]
pub(crate) async fn unblock(
    ask: Ask,
    State(app): State<App>,
    Names(key): Names<i64>,
    Bare(conditions): Bare,
) -> Result<Response, Error> {
    set_blocked(&ask, &app, key, false, &conditions).await
}

async fn set_blocked(
    ask: &Ask,
    app: &App,
    key: i64,
    blocked: bool,
    conditions: &Conditions,
) -> Result<Response, Error> {
    let permit: Permit<'_, Administer> = ask.caller.permit()?;
    let person = other(app, permit, key).await.map_err(plainly)?;
    let giver = Giver::Administrator(permit);
    let under = Under {
        actor: &permit.actor(),
        conditions,
    };
    app.store
        .set_blocked(giver, person, blocked, Some(under), ask.now)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Ends all sessions of somebody.
#[utoipa::path(
    delete,
    path = "/api/v1/people/{person}/sessions",
    tag = "people",
    security(("token" = [])),
    params(
        ("person" = i64, Path, description = "Their key"),
        Conditional,
    ),
    responses((status = 204, description = "They ended"), Failures, Refusals)
)]
pub(crate) async fn end_sessions(
    ask: Ask,
    State(app): State<App>,
    Names(key): Names<i64>,
    Bare(conditions): Bare,
) -> Result<Response, Error> {
    let permit: Permit<'_, Administer> = ask.caller.permit()?;
    let person = other(&app, permit, key).await.map_err(plainly)?;
    let under = Under {
        actor: &permit.actor(),
        conditions: &conditions,
    };
    let store = &app.store;
    store.sign_out(permit, person, Some(under), ask.now).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
