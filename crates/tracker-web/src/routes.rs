//! Every address of the site, in one table: what answers, by which method, and who may ask.
//!
//! Invariant: what [`router`] answers is made of the same lines as [`ROUTES`]; a test asks each of them as every role
//! and by every method.

use crate::access::{self, Access, Kind, Route};
use crate::api;
use crate::app::App;
use crate::error::Error;
use crate::guard::{self, Limits};
use crate::landings::Landings;
use crate::operate::Operations;
use crate::pages::{
    about, account, administer, assets, change, channel, channels, embargoes, events, family, jobs,
    labels, log, maintainers, overview, package, packages, pipeline, queue, record, rules, sign_in,
    vulnerabilities, vulnerability,
};
use crate::people::{self, People};
use crate::told;
use crate::turns::{self, Turns};
use crate::twin;
use axum::Router;
use axum::http::Uri;
use axum::middleware;
use axum::response::IntoResponse;
use axum::routing::{delete, get, post, put};
use std::sync::Arc;
use tower::Layer;
use tower::util::MapRequestLayer;
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tracker_people::Permission::{
    Administer, Comment, Decide, HandleEmbargo, KeepAccount, KeepViews, MakeTokens, Propose,
    SeeEmbargo, Suppress,
};
use tracker_store::Store;

/// Makes the list of routes and the router of the same lines: kind, path, and for each method its handler and either
/// `open` or the permission that it needs.
macro_rules! table {
    (@access open) => { Access::Open };
    (@access $permission:ident) => { Access::Needs($permission) };
    ($($kind:ident $path:literal $($method:ident $handler:path => $access:ident),+;)+) => {
        /// Every route of the site but the probes; each page has a twin at the same path with `.json` behind it.
        pub const ROUTES: &[Route] = &[$(Route {
            path: $path,
            kind: Kind::$kind,
            methods: &[$((stringify!($method), table!(@access $access))),+],
        }),+];

        fn table() -> Router<App> {
            Router::new()$(.route($path, axum::routing::MethodRouter::new()$(.merge($method($handler)))+))+
        }
    };
}

table! {
    Page "/" get overview::overview => open;
    Page "/vulnerabilities" get vulnerabilities::vulnerabilities => open;
    Page "/vulnerabilities/{id}" get vulnerability::vulnerability => open;
    Page "/queue" get queue::queue => open, post queue::decide => Decide;
    Form "/queue/undo" post queue::undo => Decide;
    Form "/queue/views" post queue::change => KeepViews;
    Page "/rules" get rules::rules => open, post rules::change => Suppress;
    Page "/vulnerabilities/{id}/{distribution}/{family}" get queue::one => open, post queue::decide_one => Comment;
    Page "/families/{distribution}/{family}" get family::family => open, post family::change => Decide;
    Page "/packages" get packages::packages => open;
    Page "/packages/{distribution}/{attribute}" get package::package => open;
    Page "/channels" get channels::channels => open;
    Page "/channels/{name}" get channel::channel => open;
    Page "/channels/{name}/changes/{from}/{to}" get channel::changes => open;
    File "/channels/{name}/feed.atom" get change::channel_feed => open;
    Page "/changes" get change::lookup => open;
    Page "/changes/{change}" get change::change => open;
    File "/changes/{change}/feed.atom" get change::feed => open;
    File "/changes/{change}/badge.svg" get change::badge => open;
    Page "/pipeline" get pipeline::pipeline => open;
    Page "/pipeline/{name}" get pipeline::channel => open;
    Page "/events" get events::events => open;
    File "/events/feed.atom" get events::feed => open;
    Page "/log" get log::log => open;
    File "/log/feed.atom" get log::feed => open;
    Page "/maintainers/{maintainer}" get maintainers::maintainer => open;
    Own "/mine" get maintainers::mine => Propose;
    Form "/suggestions" post maintainers::suggest => Propose;
    Page "/labels" get labels::labels => open;
    File "/labels/feed.atom" get labels::feed => open;
    Page "/jobs" get jobs::jobs => open;
    File "/records/{source}/{id}" get record::record => open;
    Page "/about" get about::about => open;
    File "/assets/{name}" get assets::asset => open;
    File "/favicon.ico" get assets::favicon => open;
    File "/robots.txt" get assets::robots => open;

    Own "/sign-in" get sign_in::page => open, post sign_in::begin => open;
    Own "/sign-in/callback" get sign_in::callback => open;
    Own "/sign-in/link" get sign_in::link_page => open, post sign_in::link => open;
    Form "/sign-out" post sign_in::sign_out => open;
    Own "/account" get account::account => KeepAccount;
    Form "/account/sessions" post account::end_all_sessions => KeepAccount;
    Form "/account/sessions/{key}" post account::end_session => KeepAccount;
    Form "/account/tokens" post account::add_token => MakeTokens;
    Form "/account/tokens/{key}" post account::end_token => KeepAccount;
    Own "/embargoes" get embargoes::list => SeeEmbargo, post embargoes::add => HandleEmbargo;
    Own "/embargoes/{name}" get embargoes::item => SeeEmbargo, post embargoes::change => SeeEmbargo;
    Own "/admin/people" get administer::people => Administer;
    Own "/admin/people/{key}" get administer::person => Administer, post administer::change => Administer;

    Api "/api/v1/openapi.json" get api::openapi => open;
    Api "/api/v1/whoami" get api::whoami => open;
    Api "/api/v1/vulnerabilities" get api::vulnerabilities => open;
    Api "/api/v1/vulnerabilities/{id}" get api::vulnerability => open;
    Api "/api/v1/vulnerabilities/{id}/matches" get api::matches => open;
    Api "/api/v1/vulnerabilities/{id}/findings" get api::findings => open;
    Api "/api/v1/channels/{name}/affected" get api::affected => open;
    Api "/api/v1/packages" get api::packages => open;
    Api "/api/v1/packages/{distribution}/{attribute}" get api::package => open;
    Api "/api/v1/packages/{distribution}/{attribute}/findings" get api::package_findings => open;
    Api "/api/v1/vulnerabilities/{id}/events" get api::queue::events => open;
    Api "/api/v1/queue" get api::queue::queue => open;
    Api "/api/v1/queue/fields" get api::queue::fields => open;
    Api "/api/v1/queue/completions" get api::queue::completions => open;
    Api "/api/v1/matches/{vulnerability}/{distribution}/{family}" get api::queue::one => open;
    Api "/api/v1/decisions" post api::decide::decide => Decide;
    Api "/api/v1/comments" post api::decide::comment => Comment;
    Api "/api/v1/families/{distribution}/{family}" get api::family::family => open;
    Api "/api/v1/families/{distribution}/{family}/split" post api::family::split => Decide;
    Api "/api/v1/families/{distribution}/{family}/merge" post api::family::merge => Decide;
    Api "/api/v1/undos" post api::decide::undo => Decide;
    Api "/api/v1/rules" get api::rule::rules => open, post api::rule::make => Suppress;
    Api "/api/v1/rules/preview" get api::rule::preview => open;
    Api "/api/v1/rules/{rule}" get api::rule::rule => open, delete api::rule::end => Suppress;
    Api "/api/v1/rules/{rule}/renewals" post api::rule::renew => Suppress;
    Api "/api/v1/views" get api::view::views => open;
    Api "/api/v1/views/undos" post api::view::undo => KeepViews;
    Api "/api/v1/views/{view}" get api::view::view => KeepViews, put api::view::save => KeepViews, delete api::view::drop => KeepViews;
    Api "/api/v1/suggestions" post api::suggest::suggest => Propose;
    Api "/api/v1/agreements" post api::suggest::agree => Decide;
    Api "/api/v1/refusals" post api::suggest::decline => Decide;
    Api "/api/v1/withdrawals" post api::suggest::withdraw => Propose;
    Api "/api/v1/log" get api::log::log => open;
    Api "/api/v1/matches/{vulnerability}/{distribution}/{family}/events" get api::log::of_match => open;
    Api "/api/v1/maintainers/{maintainer}" get api::maintain::maintainer => open;
    Api "/api/v1/maintainers/{maintainer}/matches" get api::maintain::matches => open;
    Api "/api/v1/account/sessions" get api::account::sessions => KeepAccount, delete api::account::end_sessions => KeepAccount;
    Api "/api/v1/account/sessions/{session}" delete api::account::end_session => KeepAccount;
    Api "/api/v1/account/tokens" get api::account::tokens => KeepAccount;
    Api "/api/v1/account/tokens/{token}" delete api::account::end_token => KeepAccount;
    Api "/api/v1/embargoes" get api::embargo::list => SeeEmbargo, post api::embargo::add => HandleEmbargo;
    Api "/api/v1/embargoes/{name}" get api::embargo::item => SeeEmbargo;
    Api "/api/v1/embargoes/{name}/comments" post api::embargo::comment => SeeEmbargo;
    Api "/api/v1/embargoes/{name}/people/{handle}" put api::embargo::name => HandleEmbargo, delete api::embargo::unname => HandleEmbargo;
    Api "/api/v1/embargoes/{name}/end" put api::embargo::set_end => HandleEmbargo;
    Api "/api/v1/embargoes/{name}/release" post api::embargo::release => HandleEmbargo;
    Api "/api/v1/people" get api::people::people => Administer;
    Api "/api/v1/people/{person}" get api::people::person => Administer;
    Api "/api/v1/people/{person}/role" put api::people::set_role => Administer;
    Api "/api/v1/people/{person}/block" put api::people::block => Administer, delete api::people::unblock => Administer;
    Api "/api/v1/people/{person}/sessions" delete api::people::end_sessions => Administer;
}

/// The whole site over a store, without landings, with nobody who watches and no provider to sign in through.
pub fn router(store: Store, limits: Limits) -> Router {
    let operations = Operations::new(store.clone());
    router_with(store, None, limits, &operations)
}

/// As [`router_for`], with no provider to sign in through.
pub fn router_with(
    store: Store,
    landings: Option<Arc<dyn Landings>>,
    limits: Limits,
    operations: &Operations,
) -> Router {
    router_for(store, landings, People::default(), limits, operations)
}

/// The whole site over a store, and a landing index if there is one, with the probes `/healthz` and `/readyz`. What
/// is measured on the way is [`Operations::metrics`].
pub fn router_for(
    store: Store,
    landings: Option<Arc<dyn Landings>>,
    people: People,
    limits: Limits,
    operations: &Operations,
) -> Router {
    let csrf = CsrfLayer::new().with_rejection_response(cross_site);
    let turns = Turns::new(&store);
    let app = App {
        store,
        landings,
        people,
    };
    let pages = table()
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .route_layer(middleware::from_fn_with_state(turns, turns::wait))
        .route_layer(middleware::from_fn(access::enforce))
        .route_layer(middleware::from_fn(told::note_route))
        .fallback(absent)
        .layer(middleware::from_fn_with_state(
            app.clone(),
            people::rate_of_api,
        ))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            people::identify,
        ))
        .layer(csrf)
        .with_state(app);
    // The twin's suffix has to go before routing, so the router is wrapped rather than layered.
    let twins = MapRequestLayer::new(twin::rewrite).layer(pages);
    let pages = Router::new().fallback_service(twins);
    let pages = guard::around(pages, limits, operations.clone());
    operations.probes().fallback_service(pages)
}

fn cross_site(error: ProtectionError) -> axum::response::Response {
    tracing::info!(%error, "refused");
    Error::CrossSite.into_response()
}

async fn absent(uri: Uri) -> Error {
    Error::NotFound {
        kind: "page",
        name: uri.path().to_owned(),
        near: Vec::new(),
    }
}
