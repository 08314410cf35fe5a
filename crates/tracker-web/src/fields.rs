//! The fields of a form that was sent.
//!
//! Invariant: nothing is taken but what a form of ours sends: URL-encoded, not longer than the limit of a body.

use crate::body;
use crate::error::Error;
use axum::extract::{FromRequest, Request};
use axum::http::header;

/// The fields, in the order of the form.
#[derive(Debug)]
pub(crate) struct Fields(Vec<(String, String)>);

/// What a form is sent as.
const KIND: &str = "application/x-www-form-urlencoded";

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Fields, Error> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case(KIND) {
            return Err(Error::BadForm {
                reason: "it is not sent as a form".to_owned(),
            });
        }
        let body = body::read(request, state).await?;
        let body = body.ok_or_else(|| Error::BadForm {
            reason: "it broke off".to_owned(),
        })?;
        let fields = form_urlencoded::parse(&body).into_owned();
        Ok(Fields(fields.collect()))
    }
}

impl Fields {
    /// The fields of a form in a test.
    #[cfg(test)]
    pub(crate) fn of(fields: &[(&str, &str)]) -> Fields {
        let owned = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Fields(owned.collect())
    }

    /// The first field of a name; empty if there is none.
    pub(crate) fn get<'f>(&'f self, name: &'f str) -> &'f str {
        self.all(name).next().unwrap_or_default()
    }

    /// All fields of a name.
    pub(crate) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        let fields = self.0.iter();
        fields
            .filter(move |(field, _)| field == name)
            .map(|(_, value)| value.trim())
    }
}
