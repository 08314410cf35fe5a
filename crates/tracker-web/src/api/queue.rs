//! The handlers that read the queue and its matches.
//!
//! Invariant: a match's tag names its last decision, so that a decision can be made to depend on there being no later.

use super::answer::{FieldHelp, LogLine, MatchWhole, QueueItem};
use super::sent::tag;
use super::shape::{Failures, List};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::deciding;
use crate::error::Error;
use crate::pages::Neighbours;
use crate::query::{QueueQuery, parameter};
use axum::extract::State;
use axum::response::Response;
use tracker_store::ItemId;
use tracker_store::view::Order;
use tracker_triage::query::{Field, Kind, Query, complete};

const QUEUE: &str = "/api/v1/queue";

/// Events in one answer.
const EVENTS: u32 = 200;

/// The matches that a query finds, the most urgent first.
#[utoipa::path(
    get,
    path = "/api/v1/queue",
    tag = "triage",
    security((), ("token" = [])),
    params(
        ("q" = Option<String>, Query, description = "A query (see `/api/v1/queue/fields`); `is:open` as a rule", max_length = 2000),
        ("limit" = Option<u32>, Query, description = "Rows, 1 to 200", minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, description = "From `next`"),
        ("before" = Option<String>, Query, description = "From `previous`"),
    ),
    responses((status = 200, body = List<QueueItem>, description = "`total` is exact, and absent where counting would cost more than the page"), Failures)
)]
pub(crate) async fn queue(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let list = QueueQuery::read(&ask.query)?;
    let query = Query::parse(list.text())?;
    let request = list.paging.request(Order::default());
    let me = deciding::me(&ask.caller);
    let page = app.store.queue(&query, ask.now, me, &request).await?;
    let beside = Neighbours::new(&page, &list.paging, |place| list.address_at(&place, QUEUE));
    ask.data(&List {
        total: page.total,
        next: beside.next,
        previous: beside.previous,
        rows: page.rows.into_iter().map(QueueItem::from).collect(),
    })
}

/// What can be asked in a query.
#[utoipa::path(
    get,
    path = "/api/v1/queue/fields",
    tag = "triage",
    security((), ("token" = [])),
    responses((status = 200, body = Vec<FieldHelp>), Failures)
)]
pub(crate) async fn fields(ask: Ask) -> Result<Response, Error> {
    let fields = Field::ALL.map(|field| FieldHelp {
        field: field.name(),
        about: field.about(),
        values: match field.kind() {
            Kind::Ordered(names) | Kind::OneOf(names) => names.to_vec(),
            _ => Vec::new(),
        },
    });
    ask.data(&fields)
}

/// What may come next in a query, as whole queries.
#[utoipa::path(
    get,
    path = "/api/v1/queue/completions",
    tag = "triage",
    security((), ("token" = [])),
    params(("q" = Option<String>, Query, description = "What was typed", max_length = 2000)),
    responses((status = 200, body = Vec<String>), Failures)
)]
pub(crate) async fn completions(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let typed = parameter(&ask.query, "q");
    let names = app.store.triage_names(&typed).await?;
    ask.data(&complete(&typed, &names))
}

/// A match: where it stands, and what people did about it. Its `ETag` is for `If-Match` of a decision about it.
#[utoipa::path(
    get,
    path = "/api/v1/matches/{vulnerability}/{distribution}/{family}",
    tag = "triage",
    security((), ("token" = [])),
    params(
        ("vulnerability" = String, Path, description = "`CVE-…`, or an alias"),
        ("distribution" = String, Path, description = "`nixpkgs`, …"),
        ("family" = String, Path, description = "Package family"),
    ),
    responses((status = 200, body = MatchWhole), Failures)
)]
pub(crate) async fn one(
    ask: Ask,
    State(app): State<App>,
    Names((vulnerability, distribution, family)): Names<(String, String, String)>,
) -> Result<Response, Error> {
    let id = ItemId {
        vulnerability,
        distribution,
        family,
    };
    let found = app.store.triage_item(&id, ask.now).await?;
    let detail = found.ok_or_else(|| Error::NotFound {
        kind: "match",
        name: format!("{} {}", id.vulnerability, id.family),
        near: Vec::new(),
    })?;
    let last = detail.log.last().map_or(0, |entry| entry.sequence);
    ask.data_tagged(&MatchWhole::from(detail), |body| tag(last, body))
}

/// What happened to a vulnerability, oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/vulnerabilities/{id}/events",
    tag = "triage",
    security((), ("token" = [])),
    params(
        ("id" = String, Path, description = "`CVE-…`, or an alias"),
        ("after" = Option<u64>, Query, description = "Only what came behind this event"),
    ),
    responses((status = 200, body = Vec<LogLine>, description = "At most 200; the next begin behind the last of these"), Failures)
)]
pub(crate) async fn events(
    ask: Ask,
    State(app): State<App>,
    Names(id): Names<String>,
) -> Result<Response, Error> {
    let after = parameter(&ask.query, "after");
    let after = match after.as_str() {
        "" => 0,
        text => text.parse().map_err(|_| Error::BadParameter {
            name: "after".to_owned(),
            value: text.chars().take(60).collect(),
            expected: "the sequence of an event is expected".to_owned(),
        })?,
    };
    let log = app.store.triage_log(&id, after, EVENTS).await?;
    let log = log.ok_or_else(|| Error::NotFound {
        kind: "vulnerability",
        name: id,
        near: Vec::new(),
    })?;
    ask.data(&log.iter().map(LogLine::from).collect::<Vec<_>>())
}
