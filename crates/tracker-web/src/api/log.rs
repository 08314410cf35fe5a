//! The log, as a list that is walked: of all, of a vulnerability, of somebody, of a kind, of one match.
//!
//! Invariant: what a person keeps for themselves and what is under embargo is in none of it.

use super::answer::LogLine;
use super::shape::{Failures, List};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::error::Error;
use crate::pages::{Neighbours, log::lines};
use crate::path;
use crate::query::{LogQuery, PackageQuery};
use axum::extract::State;
use axum::response::Response;
use tracker_store::ItemId;
use tracker_store::view::Order;
use tracker_triage::EventKind;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// The kind of an event, by its name.
#[derive(Debug)]
pub(crate) enum KindName {}

impl ToSchema for KindName {}

impl PartialSchema for KindName {
    fn schema() -> RefOr<Schema> {
        let names = EventKind::ALL.iter().map(|kind| kind.name());
        let names = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(names));
        names.into()
    }
}

const LOG: &str = "/api/v1/log";
const VULNERABILITY: &str = "vulnerability";

/// What people did, the latest first; with a vulnerability, everything that happened to it.
#[utoipa::path(
    get,
    path = "/api/v1/log",
    tag = "triage",
    security((), ("token" = [])),
    params(
        ("vulnerability" = Option<String>, Query, description = "Only about this one, by any id of it", max_length = 200),
        ("actor" = Option<String>, Query, description = "Only of this name, or as `person:NAME`, `token:NAME`, `operator:NAME`", max_length = 200),
        ("kind" = Option<KindName>, Query, description = "Only of this kind"),
        ("limit" = Option<u32>, Query, description = "Lines, 1 to 200", minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, description = "From `next`"),
        ("before" = Option<String>, Query, description = "From `previous`"),
    ),
    responses((status = 200, body = List<LogLine>), Failures)
)]
pub(crate) async fn log(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let list = LogQuery::read(&ask.query, VULNERABILITY)?;
    let page = lines(&app, &list).await?;
    let beside = Neighbours::new(&page, &list.paging, |place| {
        list.address_at(&place, LOG, VULNERABILITY)
    });
    ask.data(&List {
        rows: page
            .rows
            .iter()
            .map(|line| LogLine::from(&line.entry))
            .collect(),
        total: page.total,
        next: beside.next,
        previous: beside.previous,
    })
}

/// Everything that happened to a match, the latest first.
#[utoipa::path(
    get,
    path = "/api/v1/matches/{vulnerability}/{distribution}/{family}/events",
    tag = "triage",
    security((), ("token" = [])),
    params(
        ("vulnerability" = String, Path, description = "`CVE-…`, or an alias"),
        ("distribution" = String, Path, description = "`nixpkgs`, …"),
        ("family" = String, Path, description = "Package family"),
        ("limit" = Option<u32>, Query, description = "Lines, 1 to 200", minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, description = "From `next`"),
        ("before" = Option<String>, Query, description = "From `previous`"),
    ),
    responses((status = 200, body = List<LogLine>), Failures)
)]
pub(crate) async fn of_match(
    ask: Ask,
    State(app): State<App>,
    Names((vulnerability, distribution, family)): Names<(String, String, String)>,
) -> Result<Response, Error> {
    let list = PackageQuery::read(&ask.query)?;
    let here = format!(
        "/api/v1/matches/{}/{}/{}/events",
        path::segment(&vulnerability),
        path::segment(&distribution),
        path::segment(&family)
    );
    let id = ItemId {
        vulnerability,
        distribution,
        family,
    };
    let request = list.paging.request(Order::default());
    let found = app.store.item_log(&id, &request).await?;
    let page = found.ok_or_else(|| Error::NotFound {
        kind: "match",
        name: format!("{} {}", id.vulnerability, id.family),
        near: Vec::new(),
    })?;
    let beside = Neighbours::new(&page, &list.paging, |place| list.address_at(&place, &here));
    ask.data(&List {
        rows: page
            .rows
            .iter()
            .map(|line| LogLine::from(&line.entry))
            .collect(),
        total: page.total,
        next: beside.next,
        previous: beside.previous,
    })
}
