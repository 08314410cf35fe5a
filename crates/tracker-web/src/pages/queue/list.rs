//! The queue's page: the matches that a query finds, and what is done to one, to those ticked, or to all of them.
//!
//! Invariant: what is done to all that a query finds is shown, with their number, before it is done.

use super::act::{self, Group, KEYS};
use super::{Done, QUEUE, RankLine, back, decides, notes, with, with_script};
use crate::app::App;
use crate::ask::Ask;
use crate::components::{SeverityBadge, StatusBadge, count, percent_ppm};
use crate::deciding;
use crate::error::Error;
use crate::fields::Fields;
use crate::pages::sign_in::{own, redirect};
use crate::pages::{Neighbours, Section, Shell};
use crate::path;
use crate::people::Caller;
use crate::query::QueueQuery;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use tracker_people::Decide;
use tracker_store::view::{Order, Page};
use tracker_store::{Act, ItemId, QueueRow, Targets, Undo, ViewRow};
use tracker_triage::query::{Field, Kind, Query, QueryError, complete};

/// Matches that the question before a decision about many lists.
const LISTED: usize = 20;

#[derive(Debug, Template)]
#[template(path = "queue.html")]
struct QueuePage {
    shell: Shell,
    query: String,
    problem: Option<Problem>,
    completions: Vec<String>,
    total: String,
    rows: Vec<Line>,
    views: Vec<ViewLink>,
    done: Option<Done>,
    decides: bool,
    signed_in: bool,
    back: String,
    groups: Vec<Group>,
    keys: &'static [act::Key],
    fields: Vec<FieldLine>,
    next: Option<String>,
    previous: Option<String>,
}

/// What is wrong with a query, and under which character.
#[derive(Debug)]
struct Problem {
    text: String,
    pointer: String,
}

#[derive(Debug)]
struct Line {
    name: String,
    href: String,
    vulnerability: String,
    family: String,
    family_href: String,
    distribution: String,
    title: String,
    severity: SeverityBadge,
    exploited: bool,
    epss: Option<String>,
    states: Vec<StatusBadge>,
    notes: Vec<String>,
    rank: RankLine,
}

#[derive(Debug)]
struct ViewLink {
    href: String,
    name: String,
    query: String,
    /// Whose it is, if it is not the reader's.
    owner: Option<String>,
}

#[derive(Debug)]
struct FieldLine {
    name: &'static str,
    about: &'static str,
    values: String,
}

/// The question before a decision about all that a query finds.
#[derive(Debug, Template)]
#[template(path = "queue-sure.html")]
struct SurePage {
    shell: Shell,
    query: String,
    what: String,
    changed: String,
    none: bool,
    unchanged: u64,
    listed: Vec<String>,
    more: usize,
    kept: Vec<(&'static str, String)>,
    back: String,
}

/// What the twin says.
#[derive(Debug, Serialize)]
struct QueueView<'a> {
    query: &'a str,
    #[serde(flatten)]
    page: &'a Page<QueueRow>,
    links: &'a Neighbours,
}

impl Line {
    fn new(row: &QueueRow) -> Line {
        Line {
            name: act::name(&row.id),
            href: act::address(&row.id),
            vulnerability: row.id.vulnerability.clone(),
            family: row.id.family.clone(),
            family_href: path::family(&row.id.distribution, &row.id.family),
            distribution: row.id.distribution.clone(),
            title: row.title.clone(),
            severity: SeverityBadge::new(row.severity, row.score_tenths),
            exploited: row.exploited,
            epss: row.epss_ppm.map(percent_ppm),
            states: row
                .states
                .iter()
                .map(|state| StatusBadge::named(state.status(), &state.name().replace('-', " ")))
                .collect(),
            notes: notes(row),
            rank: RankLine::new(&row.rank),
        }
    }
}

impl ViewLink {
    fn new(row: ViewRow, me: Option<&str>) -> ViewLink {
        let owner = row.owner.to_string();
        ViewLink {
            href: format!("{QUEUE}?q={}", path::query_value(&row.query)),
            name: row.view,
            query: row.query,
            owner: (Some(owner.as_str()) != me).then_some(owner),
        }
    }
}

impl Problem {
    fn new(error: &QueryError) -> Problem {
        Problem {
            text: format!("Column {}: {}.", error.column, error.problem),
            pointer: format!("{}^", " ".repeat(error.column.saturating_sub(1))),
        }
    }
}

fn help() -> Vec<FieldLine> {
    let lines = Field::ALL.map(|field| FieldLine {
        name: field.name(),
        about: field.about(),
        values: match field.kind() {
            Kind::Ordered(names) | Kind::OneOf(names) => names.join(", "),
            _ => String::new(),
        },
    });
    lines.into()
}

/// `GET /queue`.
pub(crate) async fn queue(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let list = QueueQuery::read(&ask.query)?;
    let text = list.text().to_owned();
    let me = deciding::me(&ask.caller);
    let (page, problem) = match Query::parse(&text) {
        Ok(query) => {
            let request = list.paging.request(Order::default());
            (app.store.queue(&query, ask.now, me, &request).await?, None)
        }
        Err(error) if ask.format == crate::twin::Format::Json => return Err(error.into()),
        Err(error) => (Page::empty(), Some(Problem::new(&error))),
    };
    let links = Neighbours::new(&page, &list.paging, |place| list.address_at(&place, QUEUE));
    let names = app.store.triage_names(&text).await?;
    let mut completions = complete(&format!("{} ", text.trim_end()), &names);
    completions.truncate(30);
    let views = app
        .store
        .views(deciding::owner(&ask.caller).as_ref())
        .await?;
    let done = Done::of(&app, list.done, &ask.caller).await?;
    let view = QueueView {
        query: &text,
        page: &page,
        links: &links,
    };
    let wrong = problem.is_some();
    let mut response = ask.answer(&view, || QueuePage {
        shell: Shell::new(Section::Queue, &ask),
        total: match page.total {
            Some(1) => "1 match".to_owned(),
            Some(total) => format!("{} matches", count(total)),
            None => "More matches than are counted".to_owned(),
        },
        query: text.clone(),
        problem,
        completions,
        rows: page.rows.iter().map(Line::new).collect(),
        views: views
            .into_iter()
            .map(|row| ViewLink::new(row, me))
            .collect(),
        done,
        decides: decides(&ask.caller),
        signed_in: me.is_some(),
        back: list.address_at(&list.paging, QUEUE),
        groups: act::groups(),
        keys: KEYS,
        fields: help(),
        next: links.next.clone(),
        previous: links.previous.clone(),
    })?;
    if wrong {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    Ok(with_script(response))
}

/// `POST /queue`: decides about one match, those ticked, or, once it is sure, all that the query finds.
pub(crate) async fn decide(
    State(app): State<App>,
    caller: Caller,
    fields: Fields,
) -> Result<Response, Error> {
    let actor = deciding::actor::<Decide>(&caller)?;
    let now = Timestamp::now();
    // A button of one match says both what and to which.
    let (word, targets) = match fields.get("now").split_once('|') {
        Some((word, name)) => (word, Targets::Items(vec![act::item(name)?])),
        None => (fields.get("do"), targets(&fields)?),
    };
    let action = act::action(word, &fields, &actor.name, now)?;
    let about_all = matches!(targets, Targets::Query(_));
    let act = Act {
        targets,
        action,
        reason: act::reason(&fields),
        dry_run: about_all && fields.get("sure").is_empty(),
    };
    let outcome = app.store.decide(&actor, &act).await?;
    let back = back(fields.get("back"));
    if !act.dry_run {
        return Ok(redirect(&with(back, outcome.act)));
    }
    let one = |id: &ItemId| format!("{} {}", id.vulnerability, id.family);
    let kept = ["do", "q", "over", "to", "days", "reason", "back"];
    let page = SurePage {
        shell: Shell::own(&caller),
        query: fields.get("q").to_owned(),
        what: word.replace('-', " ").replace(':', ": "),
        changed: count(outcome.changed.len() as u64),
        none: outcome.changed.is_empty(),
        unchanged: outcome.unchanged,
        listed: outcome.changed.iter().take(LISTED).map(one).collect(),
        more: outcome.changed.len().saturating_sub(LISTED),
        kept: kept
            .into_iter()
            .map(|name| (name, fields.get(name).to_owned()))
            .collect(),
        back: back.to_owned(),
    };
    own(&page)
}

fn targets(fields: &Fields) -> Result<Targets, Error> {
    if fields.get("over") == "query" {
        return Ok(Targets::Query(Query::parse(fields.get("q"))?));
    }
    let items: Vec<ItemId> = fields
        .all("item")
        .map(act::item)
        .collect::<Result<_, _>>()?;
    if items.is_empty() {
        return Err(Error::BadForm {
            reason: "no match is ticked".to_owned(),
        });
    }
    Ok(Targets::Items(items))
}

/// `POST /queue/undo`: takes back an act, or an undo.
pub(crate) async fn undo(
    State(app): State<App>,
    caller: Caller,
    fields: Fields,
) -> Result<Response, Error> {
    let actor = deciding::actor::<Decide>(&caller)?;
    let number = |name| fields.get(name).parse::<u64>().ok();
    let undo = match (number("event"), number("act")) {
        (Some(event), _) => Undo::Event(event),
        (None, Some(act)) => Undo::Act(act),
        (None, None) => {
            return Err(Error::BadForm {
                reason: "it does not say what to take back".to_owned(),
            });
        }
    };
    let outcome = app.store.undo(&actor, undo, None, false).await?;
    Ok(redirect(&with(back(fields.get("back")), outcome.act)))
}
