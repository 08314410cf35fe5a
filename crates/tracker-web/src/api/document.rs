//! The description of the API (OpenAPI 3.1), made of what stands beside each handler.
//!
//! Invariant: it is the same for every request of one program.

use super::{
    account, decide, embargo, family, log, maintain, people, queue, read, rule, shape, suggest,
    view,
};
use crate::ask::Ask;
use crate::error::Error;
use axum::response::Response;
use std::sync::LazyLock;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Rootstock tracker",
        description = "Vulnerabilities, packages, and where they stand on each channel. Errors are RFC 9457 problems; lists are paged by `next` and `previous`; answers carry an `ETag`; `RateLimit` says how many requests are left.",
        license(name = "MIT OR Apache-2.0"),
    ),
    paths(
        openapi,
        read::whoami,
        read::vulnerabilities,
        read::vulnerability,
        read::matches,
        read::findings,
        read::affected,
        read::packages,
        read::package,
        read::package_findings,
        queue::queue,
        queue::fields,
        queue::completions,
        queue::one,
        queue::events,
        decide::decide,
        decide::comment,
        decide::undo,
        family::family,
        family::split,
        family::merge,
        suggest::suggest,
        suggest::agree,
        suggest::decline,
        suggest::withdraw,
        log::log,
        log::of_match,
        maintain::maintainer,
        maintain::matches,
        rule::rules,
        rule::preview,
        rule::rule,
        rule::make,
        rule::renew,
        rule::end,
        view::views,
        view::view,
        view::save,
        view::drop,
        view::undo,
        account::sessions,
        account::end_sessions,
        account::end_session,
        account::tokens,
        account::end_token,
        embargo::list,
        embargo::item,
        embargo::add,
        embargo::comment,
        embargo::name,
        embargo::unname,
        embargo::set_end,
        embargo::release,
        people::people,
        people::person,
        people::set_role,
        people::block,
        people::unblock,
        people::end_sessions,
    ),
    components(schemas(log::KindName, shape::Problem)),
    modifiers(&Token),
)]
struct Document;

/// The way to say who asks.
struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token made on `/account`"))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

static DOCUMENT: LazyLock<serde_json::Value> = LazyLock::new(|| {
    serde_json::to_value(Document::openapi()).expect("the description has a JSON form")
});

/// The description as a text: what is committed.
pub fn openapi_document() -> String {
    format!("{:#}\n", *DOCUMENT)
}

/// This description.
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    tag = "about",
    responses((status = 200, description = "The description", content_type = "application/json"), shape::Failures)
)]
pub(crate) async fn openapi(ask: Ask) -> Result<Response, Error> {
    ask.data(&*DOCUMENT)
}
