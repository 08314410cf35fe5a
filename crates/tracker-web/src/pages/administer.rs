//! `/admin/people`: who there is, and what role they have from where.
//!
//! Invariant: nobody changes their own role or shuts themselves out, so that the last administrator stays one.

use super::Shell;
use super::sign_in::{own, redirect};
use crate::app::App;
use crate::ask::Names;
use crate::components::Day;
use crate::error::Error;
use crate::fields::Fields;
use crate::people::Caller;
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use jiff::Timestamp;
use tracker_people::{Administer, Permit, PersonId, Role};
use tracker_store::{Giver, HeldPerson};

/// People on a page.
const LIMIT: u32 = 100;
/// The longest reason, in bytes.
pub(crate) const MAX_REASON: usize = 500;

#[derive(Debug, Template)]
#[template(path = "people.html")]
struct PeoplePage {
    shell: Shell,
    people: Vec<PersonLine>,
    next: Option<String>,
}

#[derive(Debug)]
struct PersonLine {
    href: String,
    handle: String,
    role: Role,
    granted: String,
    team: String,
    blocked: bool,
    since: Day,
}

#[derive(Debug, Template)]
#[template(path = "person.html")]
struct PersonPage {
    shell: Shell,
    line: PersonLine,
    own: bool,
    roles: Vec<(Role, bool)>,
    grants: Vec<GrantLine>,
}

#[derive(Debug)]
struct GrantLine {
    role: String,
    giver: String,
    at: Day,
    reason: String,
}

impl PersonLine {
    fn new(held: &HeldPerson, app: &App, now: Timestamp) -> PersonLine {
        let rules = app.people.settings().standing;
        let standing = &held.standing;
        PersonLine {
            href: format!("/admin/people/{}", held.person.id.0),
            handle: held.person.handle.clone(),
            role: rules.role(standing, now),
            granted: given(standing.granted.unwrap_or_default()),
            team: given(standing.membership.map_or(Role::Anonymous, |one| one.role)),
            blocked: standing.blocked,
            since: Day::new(held.created, now),
        }
    }
}

fn given(role: Role) -> String {
    match role {
        Role::Anonymous => "none".to_owned(),
        role => role.to_string(),
    }
}

/// `GET /admin/people`.
pub(crate) async fn people(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    let query = query.unwrap_or_default();
    let after = query.strip_prefix("after=").unwrap_or("0");
    let after = after.parse().map_err(|_| Error::BadToken)?;
    let now = Timestamp::now();
    let held = app.store.people(PersonId(after), LIMIT).await?;
    let last = held.last().filter(|_| held.len() == LIMIT as usize);
    own(&PeoplePage {
        shell: Shell::own(&caller),
        next: last.map(|last| format!("/admin/people?after={}", last.person.id.0)),
        people: held
            .iter()
            .map(|held| PersonLine::new(held, &app, now))
            .collect(),
    })
}

/// `GET /admin/people/{key}`.
pub(crate) async fn person(
    State(app): State<App>,
    caller: Caller,
    Names(key): Names<i64>,
) -> Result<Response, Error> {
    let permit: Permit<'_, Administer> = caller.permit()?;
    let now = Timestamp::now();
    let held = held(&app, key).await?;
    let granted = held.standing.granted.unwrap_or_default();
    let grants = app.store.grants_of(held.person.id).await?;
    own(&PersonPage {
        shell: Shell::own(&caller),
        own: permit.by() == held.person.id,
        roles: [Role::Anonymous, Role::Triager, Role::Administrator]
            .map(|role| (role, role == granted))
            .to_vec(),
        grants: grants
            .into_iter()
            .map(|grant| GrantLine {
                role: given(grant.role),
                giver: grant.giver.unwrap_or_else(|| "the command line".to_owned()),
                at: Day::new(grant.at, now),
                reason: grant.reason,
            })
            .collect(),
        line: PersonLine::new(&held, &app, now),
    })
}

/// Somebody else, by their key.
pub(crate) async fn other(
    app: &App,
    permit: Permit<'_, Administer>,
    key: i64,
) -> Result<PersonId, Error> {
    let person = held(app, key).await?.person.id;
    if person == permit.by() {
        return Err(Error::BadForm {
            reason: "nobody changes what they are themselves".to_owned(),
        });
    }
    Ok(person)
}

/// Somebody, by their key.
pub(crate) async fn held(app: &App, key: i64) -> Result<HeldPerson, Error> {
    let held = app.store.person(PersonId(key)).await?;
    held.ok_or(Error::NotFound {
        kind: "person",
        name: key.to_string(),
        near: Vec::new(),
    })
}

/// `POST /admin/people/{key}`: what the pressed button says.
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    Names(key): Names<i64>,
    fields: Fields,
) -> Result<Response, Error> {
    let permit: Permit<'_, Administer> = caller.permit()?;
    let wrong = |reason: &str| Error::BadForm {
        reason: reason.to_owned(),
    };
    let person = other(&app, permit, key).await?;
    let now = Timestamp::now();
    let by = Giver::Administrator(permit);
    match fields.get("do") {
        "role" => {
            let role = fields.get("role").parse();
            let role = role.map_err(|_| wrong("there is no such role"))?;
            let reason = fields.get("reason");
            if reason.is_empty() || reason.len() > MAX_REASON {
                return Err(wrong("a reason is needed, of at most 500 bytes"));
            }
            app.store
                .grant_role(person, role, by, reason, None, now)
                .await?;
        }
        "block" => drop(app.store.set_blocked(by, person, true, None, now).await?),
        "unblock" => drop(app.store.set_blocked(by, person, false, None, now).await?),
        "sign-out" => drop(app.store.sign_out(permit, person, None, now).await?),
        _ => return Err(wrong("it does not say what to do")),
    }
    Ok(redirect(&format!("/admin/people/{key}")))
}
