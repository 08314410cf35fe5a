//! Opening a database by its address, with the settings that durability and bounded memory need.
//!
//! Invariant: SQLite has one writer connection, so that two writers queue instead of failing.

use crate::copy;
use crate::error::{Result, StoreError};
use crate::job::{Lease, fence};
use crate::migrate;
use crate::patience::{self, Patience};
use crate::session::Session;
use crate::statement::{Dialect, statements};
use crate::value::values;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, PgConnection, PgPool, SqlitePool};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

/// Connections that read at the same time.
const READERS: u32 = 4;

/// Connections to a server, which waits for its disks and for locks while others go on.
const SERVED: u32 = 10;

/// Page cache of SQLite's writer and of each reader in KiB: 64 MiB in all.
const WRITER_CACHE_KIB: u32 = 32 * 1024;
const READER_CACHE_KIB: u32 = 8 * 1024;

/// How long a writing transaction may wait for its own process; with a lease, as long as the lease.
const LONGEST_SILENCE: Duration = Duration::from_mins(5);

/// How long one may that computes nothing between its statements, such as those about jobs: a worker that is paused
/// while it waits to renew a lease is given the lock when its import's transaction is thrown out, and would keep all
/// others waiting.
const BRIEF_SILENCE: Duration = Duration::from_secs(10);

/// Rows that SQLite's thread may be ahead of the reader: each time the two wait for one another costs more than
/// reading a row.
const ROWS_UNDER_WAY: usize = 2000;

/// Prepared statements that each connection keeps.
const PREPARED: usize = 400;

/// The tracker's database. Cheap to clone; all clones share the connections.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pools: Pools,
    /// The lease under which it writes.
    pub(crate) fence: Option<Arc<Lease>>,
}

/// The connections.
#[derive(Debug, Clone)]
pub(crate) enum Pools {
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

statements! {
    /// One transaction writes at a time on PostgreSQL too, so that keys and positions commit in order.
    /// A process that is stopped in the middle of one is thrown out by the server, so that the others go on.
    LOCK_WRITER = sqlite "SELECT $1" postgres "SELECT 1 FROM (SELECT set_config('idle_in_transaction_session_timeout', $1, TRUE), pg_advisory_xact_lock(7309453)) AS held";
    /// Lets the planner know the sizes of the tables; without it PostgreSQL guesses for minutes after a bulk load.
    ANALYZE = sqlite "PRAGMA optimize" postgres "ANALYZE";
}

impl Store {
    /// Opens a database and brings its schema up to date.
    ///
    /// `sqlite:PATH` creates the file if it is absent; `sqlite::memory:` is gone with the last clone;
    /// `postgres://…` needs an existing database.
    ///
    /// # Errors
    /// [`StoreError::Unfinished`] for a copy that was not finished, besides what opening can meet.
    pub async fn open(url: &str) -> Result<Store> {
        Store::open_with(url, Patience::WORK).await
    }

    /// Opens a database as [`Store::open`] does, for callers of a patience of their own.
    pub async fn open_with(url: &str, patience: Patience) -> Result<Store> {
        let store = Store::open_migrated(url, patience).await?;
        let mut session = store.read().await?;
        let unfinished = copy::unfinished(&mut session).await?;
        let behind = unfinished.is_none() && copy::words::are_behind(&mut session).await?;
        drop(session);
        if unfinished.is_some() {
            store.close().await;
            return Err(StoreError::Unfinished);
        }
        if behind {
            copy::words::rebuild(&store, &mut |_| ()).await?;
        }
        Ok(store)
    }

    /// Opens a database as [`Store::open`] does, even one that an unfinished copy is in: for [`Store::copy_to`].
    pub async fn open_target(url: &str) -> Result<Store> {
        Store::open_migrated(url, Patience::WORK).await
    }

    async fn open_migrated(url: &str, patience: Patience) -> Result<Store> {
        let store = Store::connect_with(url, patience).await?;
        let dialect = match &store.pools {
            Pools::Sqlite { .. } => Dialect::Sqlite,
            Pools::Postgres(_) => Dialect::Postgres,
        };
        store.migrate(&migrate::migrator(dialect)).await?;
        Ok(store)
    }

    /// Opens a database with whatever schema it has.
    #[cfg(test)]
    pub(crate) async fn connect(url: &str) -> Result<Store> {
        Store::connect_with(url, Patience::WORK).await
    }

    async fn connect_with(url: &str, patience: Patience) -> Result<Store> {
        let pools = if let Some(path) = sqlite_path(url) {
            open_sqlite(url, path, patience).await?
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Pools::Postgres(open_postgres(url, patience).await?)
        } else {
            return Err(address(url, "the scheme is unknown"));
        };
        Ok(Store { pools, fence: None })
    }

    /// Applies the steps that the database does not have yet.
    pub(crate) async fn migrate(&self, steps: &Migrator) -> Result<()> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => steps.run(writer).await?,
            Pools::Postgres(pool) => {
                let mut connection = pool.acquire().await?;
                patience::unhurried(&mut connection).await?;
                steps.run(&mut *connection).await?;
                patience::hurried(&mut connection).await?;
            }
        }
        Ok(())
    }

    /// Opens a database as [`Store::open`] does, but refuses a SQLite file that is not there or holds nothing:
    /// for callers that only read, to whom an empty database would look like one that knows nothing.
    pub async fn open_existing(url: &str) -> Result<Store> {
        Store::open_existing_with(url, Patience::WORK).await
    }

    /// Opens a database as [`Store::open_existing`] does, for callers of a patience of their own.
    pub async fn open_existing_with(url: &str, patience: Patience) -> Result<Store> {
        if let Some(path) = sqlite_path(url).filter(|path| !path.is_empty() && *path != ":memory:")
        {
            let held = std::fs::metadata(path).is_ok_and(|file| file.len() > 0);
            if !held {
                return Err(StoreError::Absent {
                    path: path.to_owned(),
                });
            }
        }
        Store::open_with(url, patience).await
    }

    /// Waits for running calls, then closes all connections.
    pub async fn close(self) {
        match self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }

    /// Refreshes what the query planner knows of the tables; call it after a bulk import.
    pub async fn analyze(&self) -> Result<()> {
        let mut session = self.write().await?;
        session.execute(&ANALYZE, Vec::new()).await?;
        session.commit().await
    }

    /// A transaction that sees one state of the database and changes nothing.
    pub(crate) async fn read(&self) -> Result<Session> {
        Ok(match &self.pools {
            Pools::Sqlite { readers, .. } => Session::Sqlite(readers.begin().await?),
            Pools::Postgres(pool) => Session::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    .await?,
            ),
        })
    }

    /// A transaction that excludes all other writers.
    pub(crate) async fn write(&self) -> Result<Session> {
        let lease = self.fence.as_ref().map(|lease| lease.lasting);
        self.write_within(lease.unwrap_or(LONGEST_SILENCE)).await
    }

    /// The same for what computes nothing between its statements.
    pub(crate) async fn write_briefly(&self) -> Result<Session> {
        self.write_within(BRIEF_SILENCE).await
    }

    async fn write_within(&self, silence: Duration) -> Result<Session> {
        let mut session = match &self.pools {
            Pools::Sqlite { writer, .. } => Session::Sqlite(begin_immediate(writer).await?),
            Pools::Postgres(pool) => Session::Postgres(pool.begin().await?),
        };
        if session.dialect() == Dialect::Postgres {
            let milliseconds = silence.as_millis().to_string();
            session.rows(&LOCK_WRITER, values![milliseconds]).await?;
        }
        if let Some(lease) = &self.fence {
            fence::check(&mut session, lease).await?;
        }
        Ok(session)
    }
}

async fn begin_immediate(writer: &SqlitePool) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>> {
    const BEGIN: &str = "BEGIN IMMEDIATE";
    match writer.begin_with(BEGIN).await {
        // When the disk is full, SQLite rolls back by itself, and the driver goes on counting a
        // transaction that is gone. A fresh connection knows of none.
        Err(sqlx::Error::InvalidSavePointStatement) => {
            writer.acquire().await?.close().await?;
            Ok(writer.begin_with(BEGIN).await?)
        }
        begun => Ok(begun?),
    }
}

/// The path in an address of SQLite.
fn sqlite_path(url: &str) -> Option<&str> {
    url.strip_prefix("sqlite:")
        .map(|path| path.strip_prefix("//").unwrap_or(path))
}

fn address(url: &str, reason: impl ToString) -> StoreError {
    StoreError::Address {
        url: without_password(url),
        reason: reason.to_string(),
    }
}

/// An address without what may be a secret, for messages: the password in `scheme://user:secret@host`, all
/// parameters behind `?`, and whatever stands before an `@` where it is not clear what it is.
fn without_password(url: &str) -> String {
    let (url, more) = match url.split_once('?') {
        Some((url, _)) => (url, "?…"),
        None => (url, ""),
    };
    let Some((before, host)) = url.rsplit_once('@') else {
        return format!("{url}{more}");
    };
    let user = before.split_once("://").and_then(|(scheme, login)| {
        let (user, _) = login.split_once(':')?;
        let plain = user
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        plain.then(|| format!("{scheme}://{user}"))
    });
    match user {
        Some(user) => format!("{user}@{host}{more}"),
        // One word before the `@` is a user's name in an address that is understood, and anything in another.
        None if before.starts_with("postgres") && before.matches(':').count() == 1 => {
            format!("{before}@{host}{more}")
        }
        None => format!("…@{host}{more}"),
    }
}

async fn open_sqlite(url: &str, path: &str, patience: Patience) -> Result<Pools> {
    if path.is_empty() {
        return Err(address(url, "the path is missing"));
    }
    let failed = |source| StoreError::Open {
        url: url.to_owned(),
        source,
    };
    // FULL: a commit that was acknowledged survives a power cut, not only a killed process. Batches
    // are large enough that the extra synchronisation is below a hundredth of an import.
    let options = SqliteConnectOptions::new()
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .row_buffer_size(ROWS_UNDER_WAY)
        .foreign_keys(true)
        .statement_cache_capacity(PREPARED)
        .pragma("temp_store", "MEMORY")
        .pragma("wal_autocheckpoint", "8000")
        .pragma("journal_size_limit", "67108864");
    let options = patience.of_sqlite(options);
    let cache = |kib: u32| format!("-{kib}");
    let writers = SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(patience.turn);
    if path == ":memory:" {
        // One connection is the whole database, so reads and writes take turns on it.
        let pool = writers
            .connect_with(options.in_memory(true).filename(":memory:"))
            .await
            .map_err(failed)?;
        return Ok(Pools::Sqlite {
            writer: pool.clone(),
            readers: pool,
        });
    }
    let options = options.filename(path);
    let writer = writers
        .connect_with(
            options
                .clone()
                .create_if_missing(true)
                .pragma("cache_size", cache(WRITER_CACHE_KIB)),
        )
        .await
        .map_err(failed)?;
    let readers = patience
        .of_readers(SqlitePoolOptions::new())
        .max_connections(READERS)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(
            options
                .pragma("cache_size", cache(READER_CACHE_KIB))
                .pragma("query_only", "ON"),
        );
    Ok(Pools::Sqlite { writer, readers })
}

async fn open_postgres(url: &str, patience: Patience) -> Result<PgPool> {
    let options = PgConnectOptions::from_str(url).map_err(|error| address(url, error))?;
    let options = patience.of_postgres(options.statement_cache_capacity(PREPARED));
    // The pool would go on trying; a server that is not there should be told of at once.
    let first = PgConnection::connect_with(&options).await;
    let closed = match first {
        Ok(connection) => connection.close().await,
        Err(error) => Err(error),
    };
    closed.map_err(|source| StoreError::Open {
        url: without_password(url),
        source,
    })?;
    Ok(PgPoolOptions::new()
        .max_connections(SERVED)
        .acquire_timeout(patience.connection)
        .connect_lazy_with(options))
}

#[cfg(test)]
mod tests;
