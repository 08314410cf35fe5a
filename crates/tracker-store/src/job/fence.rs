//! The store as the holder of a lease has it.
//!
//! Invariant: each writing transaction begins by looking whether the lease is still held, while it excludes all who
//! could take it; so what it commits is of before the lease was lost.

use super::{Lease, held, row, statements as sql};
use crate::Store;
use crate::error::Result;
use crate::session::Session;
use std::sync::Arc;

impl Store {
    /// The same store, that fails with [`StoreError::LeaseLost`](crate::StoreError::LeaseLost) instead of writing
    /// anything once the lease is another's.
    #[must_use]
    pub fn fenced(&self, lease: &Lease) -> Store {
        Store {
            fence: Some(Arc::new(lease.clone())),
            ..self.clone()
        }
    }
}

/// Looks whether a lease is held, in a transaction that excludes other writers.
pub(crate) async fn check(session: &mut Session, lease: &Lease) -> Result<()> {
    let found = session.row(&sql::HELD, row::as_held(lease)).await?;
    held(lease, found.is_some().into())
}
