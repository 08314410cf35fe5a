//! What somebody maintains by package metadata, and what is open about it.
//!
//! Invariant: it is the same that the page of the maintainer shows.

use super::answer::QueueItem;
use super::shape::{Failures, List};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::deciding;
use crate::error::Error;
use crate::pages::Neighbours;
use crate::pages::maintainers::{open_of, packages_of};
use crate::path;
use crate::query::PackageQuery;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use tracker_store::view::Order;
use utoipa::ToSchema;

/// A package that somebody maintains.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Maintained {
    /// Distribution.
    distribution: String,
    /// Attribute.
    attribute: String,
    /// Package family.
    family: String,
}

/// A maintainer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Maintainer {
    /// Their handle on GitHub, or e-mail address.
    maintainer: String,
    /// Their packages on the channels' latest releases, at most 5,000.
    packages: Vec<Maintained>,
}

/// A maintainer and their packages.
#[utoipa::path(
    get,
    path = "/api/v1/maintainers/{maintainer}",
    tag = "triage",
    security((), ("token" = [])),
    params(("maintainer" = String, Path, description = "Handle on GitHub, or e-mail address")),
    responses((status = 200, body = Maintainer), Failures)
)]
pub(crate) async fn maintainer(
    ask: Ask,
    State(app): State<App>,
    Names(name): Names<String>,
) -> Result<Response, Error> {
    let packages = packages_of(&app, &ask.caller, &name).await?;
    let packages = packages.into_iter().map(|one| Maintained {
        distribution: one.distribution,
        attribute: one.attribute,
        family: one.family,
    });
    ask.data(&Maintainer {
        packages: packages.collect(),
        maintainer: name,
    })
}

/// What is open about the packages of a maintainer, the most urgent first; with `q=is:suggested`, what waits for an answer.
#[utoipa::path(
    get,
    path = "/api/v1/maintainers/{maintainer}/matches",
    tag = "triage",
    security((), ("token" = [])),
    params(
        ("maintainer" = String, Path, description = "Handle on GitHub, or e-mail address"),
        ("q" = Option<String>, Query, description = "A query that narrows it down", max_length = 200),
        ("limit" = Option<u32>, Query, description = "Rows, 1 to 200", minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, description = "From `next`"),
        ("before" = Option<String>, Query, description = "From `previous`"),
    ),
    responses((status = 200, body = List<QueueItem>), Failures)
)]
pub(crate) async fn matches(
    ask: Ask,
    State(app): State<App>,
    Names(name): Names<String>,
) -> Result<Response, Error> {
    let list = PackageQuery::read(&ask.query)?;
    packages_of(&app, &ask.caller, &name).await?;
    let query = open_of(&name, list.text.as_deref())?;
    let request = list.paging.request(Order::default());
    let me = deciding::me(&ask.caller);
    let page = app.store.queue(&query, ask.now, me, &request).await?;
    let here = format!("/api/v1/maintainers/{}/matches", path::segment(&name));
    let beside = Neighbours::new(&page, &list.paging, |place| list.address_at(&place, &here));
    ask.data(&List {
        total: page.total,
        next: beside.next,
        previous: beside.previous,
        rows: page.rows.into_iter().map(QueueItem::from).collect(),
    })
}
