//! How long calls wait: for a connection, for a lock, and for the database to answer.
//!
//! Invariant: what a caller gave up on ends by itself soon after, so that it holds no connection for long.

use crate::error::Result;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePoolOptions};
use std::time::{Duration, Instant};

/// Steps of SQLite's machine between two looks at the clock: some tens of microseconds.
const STEPS: i32 = 1000;

/// How long calls wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection to be free, or to a server that does not answer.
    pub connection: Duration,
    /// For a lock on SQLite's file that another process holds.
    pub lock: Duration,
    /// For other writers of this process on SQLite.
    pub turn: Duration,
    /// For a statement (on SQLite, for a transaction that reads); none is as long as it takes.
    pub statement: Option<Duration>,
}

impl Patience {
    /// That of a job or a command.
    pub const WORK: Patience = Patience {
        connection: Duration::from_secs(30),
        lock: Duration::from_secs(30),
        turn: Duration::from_mins(10),
        statement: None,
    };

    /// That of a person who waits for a page.
    pub const PAGES: Patience = Patience {
        connection: Duration::from_secs(4),
        lock: Duration::from_secs(8),
        turn: Duration::from_secs(12),
        statement: Some(Duration::from_secs(8)),
    };

    /// Has the server end statements that take longer. It compiles none of them: that takes tens of milliseconds, and the
    /// statements here take few.
    pub(crate) fn of_postgres(self, options: PgConnectOptions) -> PgConnectOptions {
        let options = options.options([("jit", "off")]);
        match self.statement {
            Some(most) => options.options([("statement_timeout", most.as_millis().to_string())]),
            None => options,
        }
    }

    pub(crate) fn of_sqlite(self, options: SqliteConnectOptions) -> SqliteConnectOptions {
        options.busy_timeout(self.lock)
    }

    /// Has SQLite end what takes longer from the moment that a connection is taken.
    pub(crate) fn of_readers(self, options: SqlitePoolOptions) -> SqlitePoolOptions {
        let options = options.acquire_timeout(self.connection);
        let Some(most) = self.statement else {
            return options;
        };
        options
            .after_connect(move |connection, _| Box::pin(hurry(connection, most)))
            .before_acquire(move |connection, _| {
                Box::pin(async move {
                    hurry(connection, most).await?;
                    Ok(true)
                })
            })
    }
}

async fn hurry(connection: &mut SqliteConnection, most: Duration) -> sqlx::Result<()> {
    let end = Instant::now() + most;
    let mut handle = connection.lock_handle().await?;
    handle.set_progress_handler(STEPS, move || Instant::now() < end);
    Ok(())
}

/// Lets the steps of a schema take as long as they take, on a connection of a server.
pub(crate) async fn unhurried(connection: &mut sqlx::PgConnection) -> Result<()> {
    sqlx::query("SET statement_timeout = 0")
        .execute(&mut *connection)
        .await?;
    Ok(())
}

/// Back to what the connection began with.
pub(crate) async fn hurried(connection: &mut sqlx::PgConnection) -> Result<()> {
    sqlx::query("RESET statement_timeout")
        .execute(&mut *connection)
        .await?;
    Ok(())
}
