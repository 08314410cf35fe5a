//! The handlers that read.
//!
//! Invariant: a list is walked by the addresses that it gives, and what a parameter means is what it means on the page.

use super::shape::{
    AffectedRelease, Failures, Finding, List, Match, Package, PackageWhole, Vulnerability,
    VulnerabilityWhole, Whoami,
};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::error::Error;
use crate::pages::Neighbours;
use crate::query::{ListQuery, PackageQuery, Scope};
use axum::extract::State;
use axum::response::Response;
use tracker_store::view::{Order, PackageDetail, VulnerabilityDetail};

const VULNERABILITIES: &str = "/api/v1/vulnerabilities";
const PACKAGES: &str = "/api/v1/packages";

/// Who asks, and what they may.
#[utoipa::path(
    get,
    path = "/api/v1/whoami",
    tag = "people",
    security((), ("token" = [])),
    responses((status = 200, body = Whoami), Failures)
)]
pub(crate) async fn whoami(ask: Ask) -> Result<Response, Error> {
    ask.data(&Whoami::from(&*ask.caller))
}

/// Vulnerabilities, filtered and ordered.
#[utoipa::path(
    get,
    path = "/api/v1/vulnerabilities",
    tag = "vulnerabilities",
    security((), ("token" = [])),
    params(
        ("q" = Option<String>, Query, description = "Words of id, title or description", max_length = 200),
        ("severity" = Option<Vec<String>>, Query, description = "Any of `critical`, `high`, `medium`, `low`, `none`, `unknown`"),
        ("state" = Option<Vec<String>>, Query, description = "Any of `affected`, `under-investigation`, `fixed`, `not-affected`"),
        ("kev" = Option<String>, Query, description = "`1` for exploited ones only"),
        ("channel" = Option<String>, Query, description = "With a finding on this channel"),
        ("package" = Option<String>, Query, description = "Matched with this attribute or family"),
        ("scope" = Option<String>, Query, description = "`matched` (as a rule) or `all`"),
        ("order" = Option<String>, Query, description = "`urgency` (as a rule), `published` or `modified`"),
        ("limit" = Option<u32>, Query, description = "Rows, 1 to 200", minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, description = "From `next`"),
        ("before" = Option<String>, Query, description = "From `previous`"),
    ),
    responses((status = 200, body = List<Vulnerability>), Failures)
)]
pub(crate) async fn vulnerabilities(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let list = ListQuery::read(&ask.query)?;
    let mut filter = list.filter.clone();
    filter.matched = match list.scope {
        Some(scope) => scope == Scope::Matched,
        None => !app.store.channels().await?.is_empty(),
    };
    let request = list.paging.request(list.order);
    let page = app.store.vulnerabilities(&filter, &request).await?;
    let beside = Neighbours::new(&page, &list.paging, |place| {
        list.at(place).address(VULNERABILITIES)
    });
    ask.data(&List {
        rows: page.rows.iter().map(Vulnerability::from).collect(),
        total: page.total,
        next: beside.next,
        previous: beside.previous,
    })
}

async fn one_vulnerability(app: &App, id: &str) -> Result<VulnerabilityDetail, Error> {
    let found = app.store.vulnerability(id).await?;
    found.ok_or_else(|| Error::NotFound {
        kind: "vulnerability",
        name: id.to_owned(),
        near: Vec::new(),
    })
}

/// A vulnerability, by any of its ids.
#[utoipa::path(
    get,
    path = "/api/v1/vulnerabilities/{id}",
    tag = "vulnerabilities",
    security((), ("token" = [])),
    params(("id" = String, Path, description = "`CVE-…`, or an alias")),
    responses((status = 200, body = VulnerabilityWhole), Failures)
)]
pub(crate) async fn vulnerability(
    ask: Ask,
    State(app): State<App>,
    Names(id): Names<String>,
) -> Result<Response, Error> {
    let detail = one_vulnerability(&app, &id).await?;
    ask.data(&VulnerabilityWhole::from(&detail))
}

/// The package families that a vulnerability was matched with, and why.
#[utoipa::path(
    get,
    path = "/api/v1/vulnerabilities/{id}/matches",
    tag = "vulnerabilities",
    security((), ("token" = [])),
    params(("id" = String, Path, description = "`CVE-…`, or an alias")),
    responses((status = 200, body = Vec<Match>), Failures)
)]
pub(crate) async fn matches(
    ask: Ask,
    State(app): State<App>,
    Names(id): Names<String>,
) -> Result<Response, Error> {
    let detail = one_vulnerability(&app, &id).await?;
    let matches = detail.matches.iter();
    let matches: Vec<Match> = matches
        .map(|view| Match::new(&detail.summary.id, view))
        .collect();
    ask.data(&matches)
}

/// Where a vulnerability stands in each matched package of each channel.
#[utoipa::path(
    get,
    path = "/api/v1/vulnerabilities/{id}/findings",
    tag = "vulnerabilities",
    security((), ("token" = [])),
    params(("id" = String, Path, description = "`CVE-…`, or an alias")),
    responses((status = 200, body = Vec<Finding>), Failures)
)]
pub(crate) async fn findings(
    ask: Ask,
    State(app): State<App>,
    Names(id): Names<String>,
) -> Result<Response, Error> {
    let detail = one_vulnerability(&app, &id).await?;
    let findings = detail.matches.iter().flat_map(|view| &view.findings);
    let findings: Vec<Finding> = findings.map(Finding::from).collect();
    ask.data(&findings)
}

/// What is affected in the current release of a channel, all of it: what a closure is held against where it is.
#[utoipa::path(
    get,
    path = "/api/v1/channels/{name}/affected",
    tag = "channels",
    security((), ("token" = [])),
    params(("name" = String, Path, description = "`nixos-unstable`, …")),
    responses((status = 200, body = AffectedRelease), Failures)
)]
pub(crate) async fn affected(
    ask: Ask,
    State(app): State<App>,
    Names(name): Names<String>,
) -> Result<Response, Error> {
    match app.store.affected_release(&name).await? {
        Some(release) => ask.data(&AffectedRelease::from(release)),
        None => Err(Error::NotFound {
            kind: "channel",
            name,
            near: Vec::new(),
        }),
    }
}

/// Packages, by a part of their name.
#[utoipa::path(
    get,
    path = "/api/v1/packages",
    tag = "packages",
    security((), ("token" = [])),
    params(
        ("q" = Option<String>, Query, description = "A part of the attribute", max_length = 200),
        ("limit" = Option<u32>, Query, description = "Rows, 1 to 200", minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, description = "From `next`"),
        ("before" = Option<String>, Query, description = "From `previous`"),
    ),
    responses((status = 200, body = List<Package>), Failures)
)]
pub(crate) async fn packages(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let list = PackageQuery::read(&ask.query)?;
    let request = list.paging.request(Order::default());
    let page = app.store.packages(list.text.as_deref(), &request).await?;
    let beside = Neighbours::new(&page, &list.paging, |place| {
        list.address_at(&place, PACKAGES)
    });
    ask.data(&List {
        rows: page.rows.iter().map(Package::from).collect(),
        total: page.total,
        next: beside.next,
        previous: beside.previous,
    })
}

async fn one_package(app: &App, names: &(String, String)) -> Result<PackageDetail, Error> {
    let (distribution, attribute) = names;
    let found = app.store.package(distribution, attribute).await?;
    found.ok_or_else(|| Error::NotFound {
        kind: "package",
        name: attribute.clone(),
        near: Vec::new(),
    })
}

/// A package.
#[utoipa::path(
    get,
    path = "/api/v1/packages/{distribution}/{attribute}",
    tag = "packages",
    security((), ("token" = [])),
    params(
        ("distribution" = String, Path, description = "`nixpkgs`, …"),
        ("attribute" = String, Path, description = "Its attribute"),
    ),
    responses((status = 200, body = PackageWhole), Failures)
)]
pub(crate) async fn package(
    ask: Ask,
    State(app): State<App>,
    Names(names): Names<(String, String)>,
) -> Result<Response, Error> {
    let detail = one_package(&app, &names).await?;
    ask.data(&PackageWhole::from(&detail))
}

/// Where a package stands with each vulnerability that was matched with it.
#[utoipa::path(
    get,
    path = "/api/v1/packages/{distribution}/{attribute}/findings",
    tag = "packages",
    security((), ("token" = [])),
    params(
        ("distribution" = String, Path, description = "`nixpkgs`, …"),
        ("attribute" = String, Path, description = "Its attribute"),
    ),
    responses((status = 200, body = Vec<Finding>), Failures)
)]
pub(crate) async fn package_findings(
    ask: Ask,
    State(app): State<App>,
    Names(names): Names<(String, String)>,
) -> Result<Response, Error> {
    let detail = one_package(&app, &names).await?;
    let findings = detail.vulnerabilities.iter().flat_map(|one| &one.findings);
    let findings: Vec<Finding> = findings.map(Finding::from).collect();
    ask.data(&findings)
}
