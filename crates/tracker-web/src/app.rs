//! What handlers share: the store, and the landing index that the program lends.
//!
//! Invariant: no state of its own, so that any number of replicas answer alike and any can be killed.

use crate::error::{Error, Trouble};
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
            StoreError::Query(error) => error.into(),
            StoreError::NoItem {
                vulnerability,
                family,
            } => Error::NotFound {
                kind: "match",
                name: format!("{vulnerability} {family}").trim().to_owned(),
                near: Vec::new(),
            },
            StoreError::NoRule { rule } => Error::NotFound {
                kind: "rule",
                name: rule.to_string(),
                near: Vec::new(),
            },
            StoreError::NoView { view } => Error::NotFound {
                kind: "view",
                name: view,
                near: Vec::new(),
            },
            StoreError::HidesSevere { severe } => Error::Undecidable {
                reason: format!(
                    "it would hide {severe} severe matches (high, critical or exploited); say `hide_severe` if it may"
                ),
            },
            StoreError::Triage(tracker_triage::CommandError::NoEvent { event }) => {
                Error::NotFound {
                    kind: "event",
                    name: event.to_string(),
                    near: Vec::new(),
                }
            }
            StoreError::Moved => Error::Moved,
            StoreError::Family(tracker_triage::FamilyError::NoFamily { family, .. }) => {
                Error::NotFound {
                    kind: "family",
                    name: family,
                    near: Vec::new(),
                }
            }
            StoreError::Unavailable(_) => Error::Database(Trouble::Unavailable, error.into()),
            StoreError::Full(_) => Error::Database(Trouble::Full, error.into()),
            StoreError::Slow(_) => Error::Database(Trouble::Slow, error.into()),
            StoreError::Triage(_)
            | StoreError::Family(_)
            | StoreError::TooMany { .. }
            | StoreError::KeyTaken { .. } => Error::Undecidable {
                reason: error.to_string(),
            },
            other => Error::internal(other),
        }
    }
}

impl From<tracker_triage::query::QueryError> for Error {
    fn from(error: tracker_triage::query::QueryError) -> Error {
        Error::BadQuery {
            column: error.column,
            problem: error.problem,
        }
    }
}
