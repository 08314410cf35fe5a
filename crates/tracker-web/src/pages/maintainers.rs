//! `/maintainers/NAME`: what is open about the packages that somebody maintains; `/mine` leads there; and how they say what
//! should be decided.
//!
//! Invariants: who maintains what is what package metadata says; a suggestion decides nothing until somebody who may
//! decide agrees.

use super::sign_in::redirect;
use super::{Link, Neighbours, Section, Shell};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::components::{External, SeverityBadge};
use crate::deciding;
use crate::error::Error;
use crate::fields::Fields;
use crate::path;
use crate::people::{Caller, next_path};
use crate::query::PackageQuery;
use crate::twin::twin_of;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use tracker_people::{Decide, Permission, Permit, Person, Propose};
use tracker_store::view::{Order, Page};
use tracker_store::{Act, ItemId, MaintainedPackage, QueueRow, StoreError, Targets};
use tracker_triage::query::{Query, QueryError};
use tracker_triage::state::Dismissal;
use tracker_triage::{Action, Verdict};

/// Packages that are looked for, and those that a page names.
const PACKAGES: u32 = 5_000;
const NAMED: usize = 200;
/// The longest name of a maintainer, in bytes.
const MAX_NAME: usize = 100;

#[derive(Debug, Template)]
#[template(path = "maintainer.html")]
struct MaintainerPage {
    shell: Shell,
    name: String,
    elsewhere: Option<External>,
    here: String,
    events: String,
    items: Vec<ItemLine>,
    total: String,
    packages: Vec<Link>,
    package_count: usize,
    dismissals: Vec<&'static str>,
    proposes: bool,
    decides: bool,
    previous: Option<String>,
    next: Option<String>,
}

#[derive(Debug)]
struct ItemLine {
    href: String,
    vulnerability: String,
    distribution: String,
    family: String,
    title: String,
    severity: SeverityBadge,
    state: &'static str,
    findings: String,
    suggested: bool,
}

/// The twin.
#[derive(Debug, Serialize)]
struct MaintainerView<'a> {
    maintainer: &'a str,
    open: &'a Page<QueueRow>,
    packages: &'a [MaintainedPackage],
    links: Neighbours,
}

impl ItemLine {
    fn new(row: &QueueRow) -> ItemLine {
        let states = row
            .states
            .iter()
            .map(|state| state.name().replace('-', " "));
        ItemLine {
            href: path::vulnerability(&row.id.vulnerability),
            vulnerability: row.id.vulnerability.clone(),
            distribution: row.id.distribution.clone(),
            family: row.id.family.clone(),
            title: row.title.clone(),
            severity: SeverityBadge::new(row.severity, row.score_tenths),
            state: row.state.name(),
            findings: states.collect::<Vec<_>>().join(", "),
            suggested: row.suggested,
        }
    }
}

fn absent(name: &str) -> Error {
    Error::NotFound {
        kind: "maintainer",
        name: name.to_owned(),
        near: Vec::new(),
    }
}

/// The packages of a maintainer. That there are none is told to nobody but themselves.
pub(crate) async fn packages_of(
    app: &App,
    caller: &Caller,
    name: &str,
) -> Result<Vec<MaintainedPackage>, Error> {
    let usable = !name.is_empty() && name.len() <= MAX_NAME && !name.contains(['"', '\\']);
    if !usable || name.contains(char::is_control) {
        return Err(absent(name));
    }
    let packages = app.store.maintained_by(name, PACKAGES).await?;
    let own = |person: &Person| own_name(person) == name;
    if packages.is_empty() && !caller.person().is_some_and(own) {
        return Err(absent(name));
    }
    Ok(packages)
}

/// The query for what is open about the packages of a maintainer, narrowed by a text.
pub(crate) fn open_of(name: &str, text: Option<&str>) -> Result<Query, Error> {
    let text = text.unwrap_or_default();
    let bad = |error: QueryError| Error::BadParameter {
        name: "q".to_owned(),
        value: text.to_owned(),
        expected: error.to_string(),
    };
    // Each by itself: an `or` of the text is one within it.
    let open = Query::parse(&format!("is:open maintainer:\"{name}\"")).map_err(bad)?;
    Ok(open.and(&Query::parse(text).map_err(bad)?))
}

/// Answers `/maintainers/{maintainer}`.
pub(crate) async fn maintainer(
    ask: Ask,
    State(app): State<App>,
    Names(name): Names<String>,
) -> Result<Response, Error> {
    let list = PackageQuery::read(&ask.query)?;
    let packages = packages_of(&app, &ask.caller, &name).await?;
    let query = open_of(&name, list.text.as_deref())?;
    let request = list.paging.request(Order::default());
    let me = ask.caller.person().map(|person| person.handle.clone());
    let open = app
        .store
        .queue(&query, ask.now, me.as_deref(), &request)
        .await?;
    let neighbours =
        |path: &str| Neighbours::new(&open, &list.paging, |paging| list.address_at(&paging, path));
    let view = MaintainerView {
        maintainer: &name,
        open: &open,
        packages: &packages,
        links: neighbours(&twin_of(&path::maintainer(&name))),
    };
    ask.answer(&view, || {
        let here = path::maintainer(&name);
        let Neighbours { next, previous } = neighbours(&here);
        let handle = !name.contains(['@', ' ']);
        MaintainerPage {
            shell: Shell::new(Section::Packages, &ask),
            elsewhere: handle.then(|| {
                let url = format!("https://github.com/{}", path::segment(&name));
                External::new(&url)
            }),
            here,
            events: path::events_of("maintainer", &name),
            items: open.rows.iter().map(ItemLine::new).collect(),
            total: open.total.map_or_else(
                || "more than are counted".to_owned(),
                |total| total.to_string(),
            ),
            packages: packages
                .iter()
                .take(NAMED)
                .map(|one| {
                    Link::new(
                        path::package(&one.distribution, &one.attribute),
                        &*one.attribute,
                    )
                })
                .collect(),
            package_count: packages.len(),
            dismissals: Dismissal::all().map(Dismissal::name).collect(),
            proposes: ask.caller.may(Permission::Propose),
            decides: ask.caller.may(Permission::Decide),
            previous,
            next,
            name: name.clone(),
        }
    })
}

/// The name that packages would give somebody: their handle on GitHub, or else the name that they go by.
fn own_name(person: &Person) -> &String {
    person.github.as_ref().unwrap_or(&person.handle)
}

/// `GET /mine`: to the reader's own page.
pub(crate) async fn mine(caller: Caller) -> Result<Response, Error> {
    let permit: Permit<'_, Propose> = caller.permit()?;
    Ok(redirect(&path::maintainer(own_name(permit.person()))))
}

/// `POST /suggestions`: says how a match should be decided, or agrees to what was said.
pub(crate) async fn suggest(
    State(app): State<App>,
    caller: Caller,
    fields: Fields,
) -> Result<Response, Error> {
    let wrong = |reason: &dyn std::fmt::Display| Error::BadForm {
        reason: reason.to_string(),
    };
    let (action, actor) = match fields.get("do") {
        "agree" => (Action::Agree(None), deciding::actor::<Decide>(&caller)?),
        "decline" => (Action::Decline(None), deciding::actor::<Decide>(&caller)?),
        "withdraw" => {
            let actor = deciding::actor::<Propose>(&caller)?;
            (Action::WithdrawSuggestion, actor)
        }
        "confirm" => {
            let actor = deciding::actor::<Propose>(&caller)?;
            (Action::Suggest(Verdict::Confirm), actor)
        }
        "dismiss" => {
            let actor = deciding::actor::<Propose>(&caller)?;
            let why = Dismissal::of(fields.get("why"));
            let why = why.ok_or_else(|| wrong(&"it does not say why"))?;
            (Action::Suggest(Verdict::Dismiss { why }), actor)
        }
        _ => return Err(wrong(&"it does not say what to do")),
    };
    let act = Act {
        targets: Targets::Items(vec![ItemId {
            vulnerability: fields.get("vulnerability").to_owned(),
            distribution: fields.get("distribution").to_owned(),
            family: fields.get("family").to_owned(),
        }]),
        action,
        reason: Some(fields.get("reason").to_owned()).filter(|reason| !reason.is_empty()),
        dry_run: false,
    };
    let done = app.store.decide(&actor, &act).await;
    done.map_err(|error| match error {
        StoreError::Triage(_) | StoreError::NoItem { .. } => wrong(&error),
        other => other.into(),
    })?;
    Ok(redirect(next_path(fields.get("next"))))
}
