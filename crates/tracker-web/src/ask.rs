//! A request for a page, and the answer to it in the form that was asked for.
//!
//! Invariant: the tag of an answer is a digest of its bytes, so that an unchanged answer is never sent twice
//! and a changed one never withheld.

use crate::digest::digest;
use crate::error::Error;
use crate::people::Caller;
use crate::twin::{Format, twin_of};
use askama::Template;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::convert::Infallible;

/// The moment that a request is answered as of, as an extension of it; one without is answered as of the clock's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

/// What a handler needs to know of a request beside its path.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// The form asked for.
    pub(crate) format: Format,
    /// Path of the page, without the twin's suffix, still percent-encoded.
    pub(crate) path: String,
    /// Query, still encoded; empty if there is none.
    pub(crate) query: String,
    /// When the request came in; relative dates count from here.
    pub(crate) now: Timestamp,
    /// Who asks.
    pub(crate) caller: Caller,
    if_none_match: Option<HeaderValue>,
}

impl<S: Sync> FromRequestParts<S> for Moment {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Moment, Infallible> {
        Ok(parts
            .extensions
            .get()
            .copied()
            .unwrap_or_else(|| Moment(Timestamp::now())))
    }
}

impl<S: Sync> FromRequestParts<S> for Ask {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Ask, Infallible> {
        Ok(Ask {
            format: parts.extensions.get().copied().unwrap_or_default(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            now: parts
                .extensions
                .get()
                .map_or_else(Timestamp::now, |moment: &Moment| moment.0),
            caller: parts.extensions.get().cloned().unwrap_or_default(),
            if_none_match: parts.headers.get(header::IF_NONE_MATCH).cloned(),
        })
    }
}

/// The names in a path, decoded. What is no text cannot be the name of anything.
#[derive(Debug, Clone)]
pub(crate) struct Names<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Names<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Names<T>, Error> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(names)) => Ok(Names(names)),
            Err(_) => Err(Error::NotFound {
                kind: "page",
                name: parts.uri.path().to_owned(),
                near: Vec::new(),
            }),
        }
    }
}

impl Ask {
    /// The same request, taken as one for a page at another path.
    pub(crate) fn for_page(self, path: String) -> Ask {
        Ask {
            format: Format::Html,
            path,
            ..self
        }
    }

    /// The address of the JSON twin.
    pub(crate) fn twin(&self) -> String {
        if self.query.is_empty() {
            twin_of(&self.path)
        } else {
            twin_of(&format!("{}?{}", self.path, self.query))
        }
    }

    /// Answers with the page or its twin, whichever was asked for; only that one is rendered.
    pub(crate) fn answer<J: Serialize, P: Template>(
        &self,
        json: &J,
        page: impl FnOnce() -> P,
    ) -> Result<Response, Error> {
        let (body, kind) = match self.format {
            Format::Html => (
                page().render().map_err(Error::internal)?,
                "text/html; charset=utf-8",
            ),
            Format::Json => return self.data(json),
        };
        Ok(self.tagged(body, kind))
    }

    /// Answers with data alone.
    pub(crate) fn data<J: Serialize>(&self, json: &J) -> Result<Response, Error> {
        let mut body = serde_json::to_string_pretty(json).map_err(Error::internal)?;
        body.push('\n');
        Ok(self.tagged(body, "application/json"))
    }

    /// Answers with data alone, under a tag of its own.
    pub(crate) fn data_tagged<J: Serialize>(
        &self,
        json: &J,
        tag: impl FnOnce(&[u8]) -> String,
    ) -> Result<Response, Error> {
        let mut body = serde_json::to_string_pretty(json).map_err(Error::internal)?;
        body.push('\n');
        let tag = HeaderValue::from_str(&tag(body.as_bytes())).map_err(Error::internal)?;
        Ok(self.with_tag(body, "application/json", &tag))
    }

    fn tagged(&self, body: String, kind: &'static str) -> Response {
        let tag = etag(body.as_bytes());
        self.with_tag(body, kind, &tag)
    }

    fn with_tag(&self, body: String, kind: &'static str, tag: &HeaderValue) -> Response {
        let mut headers = HeaderMap::new();
        // What is shown to somebody is for them alone.
        let kept = match self.caller.person() {
            Some(_) => "private, no-cache",
            None => "no-cache",
        };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
        headers.insert(header::VARY, HeaderValue::from_static("cookie"));
        headers.insert(header::ETAG, tag.clone());
        if self
            .if_none_match
            .as_ref()
            .is_some_and(|sent| matches(sent, tag))
        {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        (headers, body).into_response()
    }
}

/// A weak tag: a compressed answer is the same answer.
fn etag(body: &[u8]) -> HeaderValue {
    HeaderValue::from_str(&format!("W/\"{}\"", digest(body)))
        .expect("hexadecimal digits are a valid header")
}

/// RFC 9110 section 13.1.2: a list of tags, or `*`; the weak comparison ignores the `W/`.
fn matches(sent: &HeaderValue, tag: &HeaderValue) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let (Ok(sent), Ok(tag)) = (sent.to_str(), tag.to_str()) else {
        return false;
    };
    sent.trim() == "*" || sent.split(',').any(|one| strong(one) == strong(tag))
}

#[cfg(test)]
mod tests {
    use super::{etag, matches};
    use axum::http::HeaderValue;

    #[test]
    fn tags_compare_weakly() {
        let tag = etag(b"body");
        let text = tag.to_str().unwrap().to_owned();
        for sent in [
            text.clone(),
            text.trim_start_matches("W/").to_owned(),
            format!("\"x\", {text}"),
            "*".to_owned(),
        ] {
            assert!(
                matches(&HeaderValue::from_str(&sent).unwrap(), &tag),
                "{sent}"
            );
        }
        assert!(!matches(&etag(b"other"), &tag));
    }
}
