//! What handlers share: the store, and the landing index that the program lends.
//!
//! Invariant: no state of its own, so that any number of replicas answer alike and any can be killed.

use crate::error::Error;
use crate::landings::Landings;
use crate::people::People;
use std::sync::Arc;
use tracker_store::{Store, StoreError};

/// The state of the router.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) landings: Option<Arc<dyn Landings>>,
    pub(crate) people: People,
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Error {
        match error {
            StoreError::Token { .. } => Error::BadToken,
            other => Error::internal(other),
        }
    }
}
