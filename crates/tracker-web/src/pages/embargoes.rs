//! `/embargoes`: what the team holds back, for those whom each item names.
//!
//! Invariants: whoever is not named is answered as if there were no such item; no answer is kept anywhere, and none of
//! it is in the reach of a token.

use super::Shell;
use super::sign_in::{own, redirect};
use crate::app::App;
use crate::ask::Names;
use crate::components::{Day, Prose, SeverityBadge, Words};
use crate::error::Error;
use crate::fields::Fields;
use crate::people::Caller;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::fmt::Display;
use tracker_people::{Comment, HandleEmbargo, Permission, Permit, Person};
use tracker_store::{EmbargoChange, EmbargoDetail, EmbargoPlace, EmbargoRow, Report, StoreError};
use tracker_triage::Subject;

#[derive(Debug, Template)]
#[template(path = "embargoes.html")]
struct EmbargoesPage {
    shell: Shell,
    items: Vec<ItemLine>,
    handles: bool,
}

#[derive(Debug)]
struct ItemLine {
    href: String,
    id: String,
    title: String,
    severity: SeverityBadge,
    since: Day,
    state: Stand,
}

/// Where an item stands.
#[derive(Debug)]
enum Stand {
    Held,
    Until(Day),
    Public(Day),
}

#[derive(Debug, Template)]
#[template(path = "embargo.html")]
struct EmbargoPage {
    shell: Shell,
    line: ItemLine,
    /// Where it stands once it is public.
    vulnerability: String,
    description: Option<Prose>,
    families: Vec<Subject>,
    places: Vec<EmbargoPlace>,
    people: Vec<Person>,
    notes: Vec<NoteLine>,
    held: bool,
    handles: bool,
}

#[derive(Debug)]
struct NoteLine {
    at: Day,
    author: String,
    kind: String,
    text: Words,
}

impl ItemLine {
    fn new(row: &EmbargoRow, now: Timestamp) -> ItemLine {
        ItemLine {
            href: format!("/embargoes/{}", row.name),
            id: row.id.clone(),
            title: row.title.clone(),
            severity: SeverityBadge::new(row.severity, None),
            since: Day::new(row.created, now),
            state: match (row.released, row.ends) {
                (Some(at), _) => Stand::Public(Day::new(at, now)),
                (None, Some(at)) => Stand::Until(Day::new(at, now)),
                (None, None) => Stand::Held,
            },
        }
    }
}

/// `GET /embargoes`: the items that name the reader.
pub(crate) async fn list(State(app): State<App>, caller: Caller) -> Result<Response, Error> {
    let now = Timestamp::now();
    let rows = app.store.embargoes(caller.permit()?).await?;
    own(&EmbargoesPage {
        shell: Shell::own(&caller),
        items: rows.iter().map(|row| ItemLine::new(row, now)).collect(),
        handles: caller.may(Permission::HandleEmbargo),
    })
}

/// `GET /embargoes/{name}`.
pub(crate) async fn item(
    State(app): State<App>,
    caller: Caller,
    Names(name): Names<String>,
) -> Result<Response, Error> {
    let found = app.store.embargo(caller.permit()?, &name).await?;
    let EmbargoDetail {
        row,
        description,
        families,
        places,
        people,
        notes,
        ..
    } = found.ok_or_else(|| absent(&name))?;
    let now = Timestamp::now();
    let held = row.released.is_none();
    own(&EmbargoPage {
        shell: Shell::own(&caller),
        line: ItemLine::new(&row, now),
        vulnerability: crate::path::vulnerability(&row.id),
        description: description.as_deref().map(Prose::new),
        families,
        places,
        people,
        notes: notes
            .into_iter()
            .map(|note| NoteLine {
                at: Day::new(note.at, now),
                author: note.author,
                text: Words::of(&note.kind, &note.text),
                kind: note.kind,
            })
            .collect(),
        held,
        handles: held && caller.may(Permission::HandleEmbargo),
    })
}

/// `POST /embargoes`: holds something back.
pub(crate) async fn add(
    State(app): State<App>,
    caller: Caller,
    fields: Fields,
) -> Result<Response, Error> {
    let permit: Permit<'_, HandleEmbargo> = caller.permit()?;
    let now = Timestamp::now();
    let report = Report {
        id: fields.get("id"),
        summary: fields.get("summary"),
        details: fields.get("details"),
        vector: fields.get("vector"),
    };
    let draft = report.draft(now).map_err(|error| wrong(&error))?;
    let distribution = match fields.get("distribution") {
        "" => "nixpkgs",
        given => given,
    };
    let families = words(fields.get("families"))
        .map(|family| Subject::new(distribution, family))
        .collect();
    let mut people = BTreeSet::new();
    for handle in words(fields.get("people")) {
        people.insert(person(&app, handle).await?.id);
    }
    let until = until(fields.get("until"))?;
    let made = app
        .store
        .add_embargo(permit, &draft, &families, &people, until, None, now)
        .await;
    let name = made.map_err(refused)?;
    Ok(redirect(&format!("/embargoes/{name}")))
}

/// `POST /embargoes/{name}`: what the pressed button says.
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    Names(name): Names<String>,
    fields: Fields,
) -> Result<Response, Error> {
    let now = Timestamp::now();
    let to = format!("/embargoes/{name}");
    let act = fields.get("do");
    if act == "comment" {
        let permit: Permit<'_, Comment> = caller.permit()?;
        let text = fields.get("text");
        let said = app
            .store
            .comment_embargo(permit, &name, text, None, now)
            .await;
        return if said.map_err(refused)? {
            Ok(redirect(&to))
        } else {
            Err(absent(&name))
        };
    }
    // Whether there is such an item is told to nobody whom it does not name, before anything else is looked at.
    if app.store.embargo(caller.permit()?, &name).await?.is_none() {
        return Err(absent(&name));
    }
    let permit: Permit<'_, HandleEmbargo> = caller.permit()?;
    let change = match act {
        "name" => EmbargoChange::Name(person(&app, fields.get("person")).await?),
        "unname" => EmbargoChange::Unname(person(&app, fields.get("person")).await?),
        "until" => EmbargoChange::Until(until(fields.get("until"))?),
        // The one button here whose deed nothing takes back; a slip of the finger is not meant.
        "release" if fields.get("sure") != "1" => {
            return Err(wrong(&"what is public stays public: tick that it is meant"));
        }
        "release" => EmbargoChange::Release,
        _ => return Err(wrong(&"it does not say what to do")),
    };
    let changed = app
        .store
        .change_embargo(permit, &name, &change, None, now)
        .await;
    if changed.map_err(refused)? {
        // Who is named no longer sees it no longer.
        let mine = app.store.embargo(caller.permit()?, &name).await?.is_some();
        Ok(redirect(if mine { &to } else { "/embargoes" }))
    } else {
        Err(wrong(&"it is public already"))
    }
}

/// There is none, or none that names the reader: the same to them.
pub(crate) fn absent(name: &str) -> Error {
    Error::NotFound {
        kind: "embargo",
        name: name.to_owned(),
        near: Vec::new(),
    }
}

fn wrong(reason: &dyn Display) -> Error {
    Error::BadForm {
        reason: reason.to_string(),
    }
}

/// What the store refuses, as a mistake in what was sent.
pub(crate) fn refused(error: StoreError) -> Error {
    match error {
        StoreError::Public { .. }
        | StoreError::LastPerson
        | StoreError::TooMany { .. }
        | StoreError::Triage(_) => wrong(&error),
        other => other.into(),
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',', '\n', '\r', '\t'])
        .filter(|word| !word.is_empty())
}

/// The one person of a name.
pub(crate) async fn person(app: &App, handle: &str) -> Result<Person, Error> {
    let mut called = app.store.people_called(handle).await?;
    match (called.pop(), called.pop()) {
        (Some(one), None) => Ok(one.person),
        (None, _) => Err(wrong(&format!("nobody called `{handle}` ever signed in"))),
        (Some(_), Some(_)) => Err(wrong(&format!("several people are called `{handle}`"))),
    }
}

/// A day as the beginning of it in UTC; nothing if none is given.
fn until(day: &str) -> Result<Option<Timestamp>, Error> {
    if day.is_empty() {
        return Ok(None);
    }
    let date: Date = day
        .parse()
        .map_err(|_| wrong(&format!("`{day}` is no day; expected such as 2026-12-31")))?;
    let begins = TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0));
    begins.map(Some).map_err(|error| wrong(&error))
}
