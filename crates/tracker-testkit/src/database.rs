//! A fresh, migrated database for one test.
//!
//! Invariant: the address stays valid for as long as the value lives, so a test may close and open it again.

use crate::postgres;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use tracker_store::{Patience, Store};

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

    /// Opens it for a caller of little patience.
    ///
    /// # Panics
    /// If it cannot be opened.
    pub async fn open_with(&self, patience: Patience) -> Store {
        let store = Store::open_with(&self.url, patience).await;
        store.expect("the database opens")
    }

    /// Opens it.
    ///
    /// # Panics
    /// If it cannot be opened.
    pub async fn open(&self) -> Store {
        Store::open(&self.url).await.expect("the database opens")
    }
}

/// Somebody else's transaction, which keeps what it locked until it is dropped.
#[derive(Debug)]
pub enum Held {
    /// On SQLite.
    Sqlite(SqliteConnection),
    /// On PostgreSQL.
    Postgres(PgConnection),
}

impl Held {
    /// Keeps everybody from writing on SQLite, and on PostgreSQL from reading a table.
    ///
    /// # Panics
    /// If the database does not do as it is told.
    pub async fn new(url: &str) -> Held {
        const TOLD: &str = "the database does as it is told";
        if url.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(url).await.expect(TOLD);
            let begun = sqlx::query("BEGIN IMMEDIATE").execute(&mut connection);
            begun.await.expect(TOLD);
            return Held::Sqlite(connection);
        }
        let mut connection = PgConnection::connect(url).await.expect(TOLD);
        for sql in ["BEGIN", "LOCK TABLE vulnerability IN ACCESS EXCLUSIVE MODE"] {
            let told = sqlx::query(sql).execute(&mut connection).await;
            told.expect(TOLD);
        }
        Held::Postgres(connection)
    }

    /// Lets go.
    ///
    /// # Panics
    /// If the database does not do as it is told.
    pub async fn release(self) {
        const ENDED: &str = "the transaction ends";
        match self {
            Held::Sqlite(connection) => connection.close().await.expect(ENDED),
            Held::Postgres(connection) => connection.close().await.expect(ENDED),
        }
    }
}
