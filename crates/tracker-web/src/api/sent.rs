//! What a writing request of the API sends: a body of JSON or none, the key under which it may be sent again, and what
//! must not have changed.
//!
//! Invariant: a body is read once, within the limit; under one key only the very same request is the same.

use crate::body;
use crate::digest::digest;
use crate::error::Error;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use tracker_store::{Conditions, Once};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

/// The header of the key (draft-ietf-httpapi-idempotency-key-header).
const KEY: &str = "idempotency-key";
/// The longest key, in bytes.
const MAX_KEY: usize = 100;

/// What was sent.
#[derive(Debug)]
pub(crate) struct Sent<T> {
    pub(crate) value: T,
    pub(crate) conditions: Conditions,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Sent<T>, Error> {
        let (headers, about) = (
            request.headers().clone(),
            format!("{} {}\n", request.method(), request.uri()),
        );
        let kind = text(&headers, header::CONTENT_TYPE.as_str());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or("");
        if !kind.trim().eq_ignore_ascii_case("application/json") {
            return Err(Error::NotJson);
        }
        let body = body::read(request, state).await?;
        let body = body.ok_or_else(|| Error::BadBody {
            reason: "it broke off".to_owned(),
        })?;
        let value = serde_json::from_slice(&body).map_err(|error| Error::BadBody {
            reason: error.to_string(),
        })?;
        let conditions = Conditions {
            once: once(&headers, &[about.as_bytes(), &body])?,
            last: last(&headers)?,
        };
        Ok(Sent { value, conditions })
    }
}

/// In the description of the API: the header of a request that may be sent again.
#[derive(Debug)]
pub(crate) enum Repeatable {}

impl IntoParams for Repeatable {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let key = "Sent again with the same key within a day, the request is answered again and not carried out twice";
        vec![described(
            "Idempotency-Key",
            key,
            text_schema().max_length(Some(MAX_KEY)),
        )]
    }
}

/// In the description of the API: the headers of a request that changes something there is, and may be sent again.
#[derive(Debug)]
pub(crate) enum Conditional {}

impl IntoParams for Conditional {
    fn into_params(within: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let tag = "The `ETag` of what is to change (of the list, where it is one of a list): refuse if it changed since";
        let mut headers = Repeatable::into_params(within);
        headers.push(described("If-Match", tag, text_schema()));
        headers
    }
}

fn text_schema() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// A header that may be left out.
fn described(name: &str, description: &str, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(utoipa::openapi::Required::False)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

/// A writing request that has no body.
#[derive(Debug)]
pub(crate) struct Bare(pub(crate) Conditions);

impl<S: Sync> FromRequestParts<S> for Bare {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Bare, Error> {
        let about = format!("{} {}\n", parts.method, parts.uri);
        Ok(Bare(Conditions {
            once: once(&parts.headers, &[about.as_bytes()])?,
            last: last(&parts.headers)?,
        }))
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The key of a request, with a digest of it.
fn once(headers: &HeaderMap, parts: &[&[u8]]) -> Result<Option<Once>, Error> {
    if !headers.contains_key(KEY) {
        return Ok(None);
    }
    let key = text(headers, KEY).unwrap_or_default().trim();
    if key.is_empty() || key.len() > MAX_KEY {
        return Err(Error::BadHeader {
            name: "Idempotency-Key",
            reason: "1 to 100 characters of ASCII are expected",
        });
    }
    Ok(Some(Once {
        key: key.to_owned(),
        digest: digest(&parts.concat()),
    }))
}

/// The last event that a tag of [`tag`] names. What changed in the evidence since does not matter to a decision.
fn last(headers: &HeaderMap) -> Result<Option<u64>, Error> {
    let Some(sent) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let sent = sent.to_str().unwrap_or_default().trim();
    if sent == "*" {
        return Ok(None);
    }
    let tag = sent
        .strip_prefix('"')
        .and_then(|tag| tag.split_once('-')?.0.parse().ok());
    tag.map(Some).ok_or(Error::BadHeader {
        name: "If-Match",
        reason: "the `ETag` of what the request is about is expected, as the API gave it",
    })
}

/// The tag of something: the last event about it, or the number that stands for what was done about it, then a digest of
/// all that is told of it.
pub(crate) fn tag(last: u64, body: &[u8]) -> String {
    format!("\"{last}-{}\"", digest(body))
}

#[cfg(test)]
mod tests {
    use super::{last, once, tag};
    use axum::http::{HeaderMap, HeaderValue};

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn a_tag_names_the_last_decision() {
        let tag = tag(4711, b"body");
        assert_eq!(last(&headers("if-match", &tag)).unwrap(), Some(4711));
        assert_eq!(last(&headers("if-match", "*")).unwrap(), None);
        assert_eq!(last(&HeaderMap::new()).unwrap(), None);
        for wrong in ["", "4711", "W/\"4711-a\"", "\"x-a\"", "\"4711\""] {
            last(&headers("if-match", wrong)).unwrap_err();
        }
    }

    #[test]
    fn a_key_is_bounded_and_its_digest_tells_requests_apart() {
        let key = headers("idempotency-key", "k");
        let one = once(&key, &[b"a"]).unwrap().unwrap();
        assert_ne!(one, once(&key, &[b"b"]).unwrap().unwrap());
        assert!(once(&HeaderMap::new(), &[]).unwrap().is_none());
        for wrong in [" ", &"k".repeat(101)] {
            once(&headers("idempotency-key", wrong), &[]).unwrap_err();
        }
    }
}
