//! The `.json` twin of every page: one rule for all routes, applied before routing.
//!
//! Invariant: the suffix is looked for in the raw path, so that a name which ends in `.json` itself has a page,
//! written `foo%2Ejson`, and a twin, `foo%2Ejson.json`.

use axum::extract::{FromRequestParts, Request};
use axum::http::Uri;
use axum::http::request::Parts;
use std::convert::Infallible;

/// What the reader asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Format {
    /// A page for people.
    #[default]
    Html,
    /// The same data for programs.
    Json,
}

impl<S: Sync> FromRequestParts<S> for Format {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Format, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or_default())
    }
}

/// The path of the page behind a raw path, and the form it was asked in.
pub(crate) fn split(path: &str) -> (&str, Format) {
    // The API has no pages, so that whatever ends in `.json` there is meant.
    if path.starts_with("/api/") {
        return (path, Format::Json);
    }
    match path.strip_suffix(".json") {
        Some("/" | "/index") => ("/", Format::Json),
        // A segment that is nothing but the suffix is no twin of anything.
        Some(page) if !page.ends_with('/') => (page, Format::Json),
        _ => (path, Format::Html),
    }
}

/// The twin's address of a page's address, the query kept.
pub(crate) fn twin_of(path_and_query: &str) -> String {
    let (path, query) = match path_and_query.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path_and_query, None),
    };
    let mut twin = if path == "/" {
        "/index.json".to_owned()
    } else {
        format!("{path}.json")
    };
    if let Some(query) = query {
        twin.push('?');
        twin.push_str(query);
    }
    twin
}

/// Rewrites a request for a twin into one for its page, with the form noted beside it.
pub(crate) fn rewrite(mut request: Request) -> Request {
    let (page, format) = split(request.uri().path());
    if format == Format::Json {
        let target = match request.uri().query() {
            Some(query) => format!("{page}?{query}"),
            None => page.to_owned(),
        };
        // A prefix of a valid path is valid; should that ever fail, the request stays a plain page request.
        if let Ok(uri) = target.parse::<Uri>() {
            *request.uri_mut() = uri;
            request.extensions_mut().insert(Format::Json);
        }
    }
    request
}

#[cfg(test)]
mod tests {
    use super::{Format, split, twin_of};

    #[test]
    fn suffix_is_read_from_the_raw_path() {
        for (path, expected) in [
            ("/", ("/", Format::Html)),
            (
                "/api/v1/openapi.json",
                ("/api/v1/openapi.json", Format::Json),
            ),
            ("/api/v1/whoami", ("/api/v1/whoami", Format::Json)),
            ("/.json", ("/", Format::Json)),
            ("/index.json", ("/", Format::Json)),
            ("/channels", ("/channels", Format::Html)),
            ("/channels.json", ("/channels", Format::Json)),
            (
                "/channels/nixos-26.05",
                ("/channels/nixos-26.05", Format::Html),
            ),
            (
                "/channels/nixos-26.05.json",
                ("/channels/nixos-26.05", Format::Json),
            ),
            (
                "/packages/nixpkgs/foo%2Ejson",
                ("/packages/nixpkgs/foo%2Ejson", Format::Html),
            ),
            (
                "/packages/nixpkgs/foo%2Ejson.json",
                ("/packages/nixpkgs/foo%2Ejson", Format::Json),
            ),
            (
                "/packages/nixpkgs/.json",
                ("/packages/nixpkgs/.json", Format::Html),
            ),
        ] {
            assert_eq!(split(path), expected, "{path}");
        }
    }

    #[test]
    fn twin_keeps_the_query() {
        assert_eq!(twin_of("/"), "/index.json");
        assert_eq!(twin_of("/vulnerabilities?q=a"), "/vulnerabilities.json?q=a");
    }
}
