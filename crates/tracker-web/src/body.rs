//! The body of a request, read to its end.
//!
//! Invariant: no handler reads a body in another way, so that none is longer, or takes longer to come, than the limits say.

use crate::error::Error;
use crate::guard::Limits;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::StatusCode;

/// What came, or nothing if the sender broke off.
pub(crate) async fn read<S: Send + Sync>(
    mut request: Request,
    state: &S,
) -> Result<Option<Bytes>, Error> {
    let limits: Limits = request.extensions().get().copied().unwrap_or_default();
    let most = usize::try_from(limits.body).unwrap_or(usize::MAX);
    DefaultBodyLimit::max(most).apply(&mut request);
    let whole = tokio::time::timeout(limits.body_time, Bytes::from_request(request, state));
    let too_large =
        |rejection: &BytesRejection| rejection.status() == StatusCode::PAYLOAD_TOO_LARGE;
    match whole.await {
        Ok(Ok(body)) => Ok(Some(body)),
        Ok(Err(rejection)) if too_large(&rejection) => Err(Error::TooLarge { limit: limits.body }),
        Ok(Err(_)) => Ok(None),
        Err(_) => Err(Error::TooSlow {
            seconds: limits.body_time.as_secs(),
        }),
    }
}
