//! The style sheet, the script of triage and the icon: in the program, under addresses that change with their bytes.
//!
//! Invariant: an address with a digest is answered with exactly those bytes, for ever, or not at all.

use crate::ask::Names;
use crate::digest::digest;
use crate::error::Error;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::sync::LazyLock;

/// A file of the program.
struct Asset {
    address: String,
    kind: &'static str,
    body: &'static [u8],
}

static STYLESHEET: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "tracker",
        "css",
        "text/css; charset=utf-8",
        include_bytes!("../../assets/tracker.css"),
    )
});
static ICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "icon",
        "svg",
        "image/svg+xml",
        include_bytes!("../../assets/icon.svg"),
    )
});

static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "queue",
        "js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../assets/queue.js"),
    )
});

impl Asset {
    fn new(name: &str, suffix: &str, kind: &'static str, body: &'static [u8]) -> Asset {
        Asset {
            address: format!("/assets/{name}.{}.{suffix}", digest(body)),
            kind,
            body,
        }
    }

    fn response(&self, cache: &'static str) -> Response {
        let headers = [
            (header::CONTENT_TYPE, self.kind),
            (header::CACHE_CONTROL, cache),
        ];
        (headers, self.body).into_response()
    }
}

/// Address of the style sheet.
pub(crate) fn stylesheet_address() -> &'static str {
    &STYLESHEET.address
}

/// Address of the script of triage.
pub(crate) fn script_address() -> &'static str {
    &SCRIPT.address
}

/// Address of the icon.
pub(crate) fn icon_address() -> &'static str {
    &ICON.address
}

/// `/assets/NAME.DIGEST.SUFFIX`.
pub(crate) async fn asset(Names(name): Names<String>) -> Result<Response, Error> {
    let address = format!("/assets/{name}");
    [&*STYLESHEET, &*SCRIPT, &*ICON]
        .into_iter()
        .find(|asset| asset.address == address)
        .map(|asset| asset.response("public, max-age=31536000, immutable"))
        .ok_or(Error::NotFound {
            kind: "file",
            name,
            near: Vec::new(),
        })
}

/// `/favicon.ico`: asked for by name, whatever the page says.
pub(crate) async fn favicon() -> Response {
    ICON.response("public, max-age=86400")
}

/// `/robots.txt`: pages may be indexed, lists with a query need not be.
pub(crate) async fn robots() -> Response {
    (
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
        "User-agent: *\nDisallow: /vulnerabilities?\nDisallow: /packages?\nDisallow: /queue\n",
    )
        .into_response()
}
