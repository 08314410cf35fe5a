//! Every address of the site.
//!
//! Invariant: [`ROUTES`] lists what [`router`] answers, and a test asks each of them.

use crate::app::App;
use crate::error::Error;
use crate::guard::{self, Limits};
use crate::landings::Landings;
use crate::operate::Operations;
use crate::pages::{
    about, assets, change, channel, channels, events, jobs, labels, overview, package, packages,
    pipeline, record, vulnerabilities, vulnerability,
};
use crate::told;
use crate::twin;
use axum::Router;
use axum::http::Uri;
use axum::middleware;
use axum::routing::get;
use std::sync::Arc;
use tower::Layer;
use tower::util::MapRequestLayer;
use tracker_store::Store;

/// The patterns of all pages, as documented; each has a twin at the same path with `.json` behind it.
pub const ROUTES: &[&str] = &[
    "/",
    "/vulnerabilities",
    "/vulnerabilities/{id}",
    "/packages",
    "/packages/{distribution}/{attribute}",
    "/channels",
    "/channels/{name}",
    "/channels/{name}/changes/{from}/{to}",
    "/changes",
    "/changes/{change}",
    "/pipeline",
    "/pipeline/{name}",
    "/events",
    "/labels",
    "/jobs",
    "/about",
];

/// The whole site over a store, without landings and with nobody who watches.
pub fn router(store: Store, limits: Limits) -> Router {
    let operations = Operations::new(store.clone());
    router_with(store, None, limits, &operations)
}

/// The whole site over a store, and a landing index if there is one, with the probes `/healthz` and `/readyz`. What
/// is measured on the way is [`Operations::metrics`].
pub fn router_with(
    store: Store,
    landings: Option<Arc<dyn Landings>>,
    limits: Limits,
    operations: &Operations,
) -> Router {
    let pages = Router::new()
        .route("/", get(overview::overview))
        .route("/vulnerabilities", get(vulnerabilities::vulnerabilities))
        .route("/vulnerabilities/{id}", get(vulnerability::vulnerability))
        .route("/packages", get(packages::packages))
        .route(
            "/packages/{distribution}/{attribute}",
            get(package::package),
        )
        .route("/channels", get(channels::channels))
        .route("/channels/{name}", get(channel::channel))
        .route(
            "/channels/{name}/changes/{from}/{to}",
            get(channel::changes),
        )
        .route("/channels/{name}/feed.atom", get(change::channel_feed))
        .route("/changes", get(change::lookup))
        .route("/changes/{change}", get(change::change))
        .route("/changes/{change}/feed.atom", get(change::feed))
        .route("/changes/{change}/badge.svg", get(change::badge))
        .route("/pipeline", get(pipeline::pipeline))
        .route("/pipeline/{name}", get(pipeline::channel))
        .route("/events", get(events::events))
        .route("/events/feed.atom", get(events::feed))
        .route("/labels", get(labels::labels))
        .route("/labels/feed.atom", get(labels::feed))
        .route("/jobs", get(jobs::jobs))
        .route("/records/{source}/{id}", get(record::record))
        .route("/about", get(about::about))
        .route("/assets/{name}", get(assets::asset))
        .route("/favicon.ico", get(assets::favicon))
        .route("/robots.txt", get(assets::robots))
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .route_layer(middleware::from_fn(told::note_route))
        .fallback(absent)
        .with_state(App { store, landings });
    // The twin's suffix has to go before routing, so the router is wrapped rather than layered.
    let twins = MapRequestLayer::new(twin::rewrite).layer(pages);
    let pages = Router::new().fallback_service(twins);
    let pages = guard::around(pages, limits, operations.clone());
    operations.probes().fallback_service(pages)
}

async fn absent(uri: Uri) -> Error {
    Error::NotFound {
        kind: "page",
        name: uri.path().to_owned(),
        near: Vec::new(),
    }
}
