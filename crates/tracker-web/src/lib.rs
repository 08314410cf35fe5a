//! The tracker's pages and their JSON twins, rendered on the server. Layer: tracker, web.
//!
//! Reading order: `routes` (every address, and who may ask it), `people` (who asks), `access`, `twin` (one rule for all `.json` twins), `ask` (a request and its
//! answer), `pages` (one module a page), `components` (what pages are set from), `api` (the same for programs), `deciding` (who decides), `error`, `guard` (limits and
//! headers), `turns` (no kind of page takes all connections), `told` (what is logged and counted of a request), `operate` (probes and metrics), `serve` (connections).
//! Invariant: every page works without a script; only the pages of triage have one beside them, a file of this site, and
//! the content security policy of all others forbids any.

mod access;
mod api;
mod app;
mod ask;
mod body;
mod components;
mod deciding;
mod digest;
mod error;
mod fields;
mod guard;
mod landings;
mod operate;
mod pages;
mod path;
mod people;
mod query;
mod routes;
mod serve;
mod timing;
mod told;
mod turns;
mod twin;

pub use access::{Access, Kind, Route};
pub use api::openapi_document;
pub use ask::Moment;
pub use guard::Limits;
pub use landings::Landings;
pub use operate::Operations;
pub use people::{
    Answer, ApiRates, GitHubSettings, Known, LinkError, NoPublicAddress, NoTeam, People,
    PeopleSettings, Provider, ProviderError, ProviderSetupError, PublicAddress, Team,
    provider_address, provider_answer, provider_client, sign_in_link,
};
pub use routes::{ROUTES, router, router_for, router_with};
pub use serve::serve;
pub use timing::{PageTimes, page_addresses, page_times};
