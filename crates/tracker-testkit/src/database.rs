//! A fresh, migrated database for one test.
//!
//! Invariant: the address stays valid for as long as the value lives, so a test may close and open it again.

use crate::postgres;
use tracker_store::Store;

/// The kinds of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file in a folder that is removed with the value.
    Sqlite,
    /// A database on the server that this process started.
    Postgres,
}

/// A fresh database.
#[derive(Debug)]
pub struct Database {
    kind: Kind,
    url: String,
    _folder: Option<tempfile::TempDir>,
}

impl Database {
    /// Makes one.
    ///
    /// # Panics
    /// If PostgreSQL is not installed or does not start: a test that lacks its database fails.
    pub async fn new(kind: Kind) -> Database {
        match kind {
            Kind::Sqlite => {
                let folder = tempfile::tempdir().expect("a scratch folder can be made");
                let url = format!("sqlite:{}", folder.path().join("tracker.db").display());
                Database {
                    kind,
                    url,
                    _folder: Some(folder),
                }
            }
            Kind::Postgres => Database {
                kind,
                url: postgres::fresh().await,
                _folder: None,
            },
        }
    }

    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Opens it.
    ///
    /// # Panics
    /// If it cannot be opened.
    pub async fn open(&self) -> Store {
        Store::open(&self.url).await.expect("the database opens")
    }
}
