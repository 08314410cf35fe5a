//! Databases and fixtures for tests, never part of a program. Layer: tracker, development only.
//!
//! Reading order: [`Database`] (a fresh one of either kind), [`fixture`] (typed records, packages, releases), [`scale`] (half a million matches).
//! Invariant: a test sees a database of its own, and nothing of it is left when the process ends, however it ends.

mod database;
pub mod fixture;
mod postgres;
pub mod scale;

pub use database::{Database, Held, Kind};
pub use postgres::PrivateServer;

/// Runs each test on both databases, as `NAME::sqlite` and `NAME::postgres`.
///
/// ```text
/// on_both_databases! {
///     async fn an_empty_database_has_no_channels(database) {
///         let store = database.open().await;
///         assert!(store.channels().await.unwrap().is_empty());
///     }
/// }
/// ```
#[macro_export]
macro_rules! on_both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($database:ident) $body:block)*) => {$(
        $(#[$meta])*
        #[cfg(test)]
        mod $name {
            #[allow(clippy::wildcard_imports, unused_imports, reason = "the body stands in the module around it")]
            use super::*;

            async fn check($database: $crate::Database) $body

            #[tokio::test]
            async fn sqlite() {
                check($crate::Database::new($crate::Kind::Sqlite).await).await;
            }

            #[tokio::test]
            async fn postgres() {
                check($crate::Database::new($crate::Kind::Postgres).await).await;
            }
        }
    )*};
}
