//! What can go wrong with the database, sorted by what the caller can do about it.
//!
//! Invariant: no error is lost in a text; the driver's own error stays reachable as the source.

/// The result of every method of the store.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address names no database that the store knows: correct it.
    #[error(
        "database `{url}`: {reason}; expected `sqlite:PATH`, `sqlite::memory:` or `postgres://USER@HOST/NAME`"
    )]
    Address {
        /// The address without its password.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The database cannot be opened: check that it exists, may be written, and is reachable.
    #[error("database `{url}` cannot be opened")]
    Open {
        /// The address without its password.
        url: String,
        /// The driver's reason.
        #[source]
        source: sqlx::Error,
    },
    /// There is no database in the file: name another, or create one by importing into it.
    #[error("there is no database in `{path}`")]
    Absent {
        /// The file.
        path: String,
    },
    /// A newer version of the program has used the database: run that version, or a later one.
    #[error(
        "the database was used by a newer version of this program, which brought its schema to step {held}; this one \
         knows the steps up to {known}: run the newer version"
    )]
    Newer {
        /// The step that this program does not know.
        held: i64,
        /// The last step that it knows.
        known: i64,
    },
    /// The schema cannot be brought up to date: a step failed, or the database has another one under its number.
    #[error("database schema cannot be brought up to date")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// No space is left; nothing of the failed call was written. Free some and repeat it.
    #[error("no space is left for the database")]
    Full(#[source] sqlx::Error),
    /// Another process holds the database or the server is gone; nothing was written. Repeat the call later.
    #[error("the database is busy or unreachable")]
    Unavailable(#[source] sqlx::Error),
    /// The database took longer than the caller's patience; nothing was written. Ask for less, or later.
    #[error("the database takes too long")]
    Slow(#[source] sqlx::Error),
    /// The database refused a statement; nothing of the failed call was written.
    #[error("the database refused a statement")]
    Database(#[source] sqlx::Error),
    /// The database is a copy that was not finished: finish it, or begin anew.
    #[error(
        "the database is an unfinished copy; run the same `copy` or `restore` again to finish it"
    )]
    Unfinished,
    /// Nothing was copied, so as not to mix two databases.
    #[error("the target of the copy cannot be used: {reason}")]
    Target {
        /// Why.
        reason: &'static str,
    },
    /// A copy does not equal its source: begin anew, and look at both disks.
    #[error("the copy differs from its source in `{table}` at {key}")]
    Differs {
        /// The table.
        table: String,
        /// The key of the first row that differs.
        key: String,
    },
    /// What is stored cannot be read back: the file is damaged.
    #[error("stored {what} is damaged: {reason}")]
    Damaged {
        /// What was read, with its key.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The token of a page is not one that the store gave out for this list: start from the first page.
    #[error("`{token}` is no position in this list")]
    Token {
        /// The token, shortened.
        token: String,
    },
    /// A decision that cannot be: nothing was written.
    #[error(transparent)]
    Triage(#[from] tracker_triage::CommandError),
    /// A merge or a split that cannot be, or an undo of one: nothing was written.
    #[error(transparent)]
    Family(#[from] tracker_triage::FamilyError),
    /// A text that is no query, or not one for this: correct it.
    #[error("query: {0}")]
    Query(#[from] tracker_triage::query::QueryError),
    /// There is no such match: look at what the vulnerability is matched to.
    #[error("`{vulnerability}` is not matched to `{family}`")]
    NoItem {
        /// The vulnerability.
        vulnerability: String,
        /// The family.
        family: String,
    },
    /// There is no such rule.
    #[error("there is no rule {rule}")]
    NoRule {
        /// Its number.
        rule: u64,
    },
    /// A rule would hide what is severe, and its maker did not say that it may: look at that, or say so.
    #[error("the rule would hide {severe} severe matches (high, critical or exploited)")]
    HidesSevere {
        /// How many.
        severe: u64,
    },
    /// Nobody saved a view of this name, or it is somebody else's.
    #[error("there is no view `{view}` of yours")]
    NoView {
        /// Its name.
        view: String,
    },
    /// An act over more matches than one may be about: narrow it down.
    #[error("it is about more than {limit} matches")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// A feed published it, so that there is nothing to keep: decide about it like any other.
    #[error("`{id}` is public already")]
    Public {
        /// The id, or another of the same document.
        id: String,
    },
    /// Nobody would see the item any more: name somebody else first.
    #[error("nobody else of the team is named")]
    LastPerson,
    /// The key of a request was given to another one before: give this one a key of its own.
    #[error("the key `{key}` was given to another request")]
    KeyTaken {
        /// The key.
        key: String,
    },
    /// Somebody decided about the match since it was read: look at it again. Nothing was written.
    #[error("somebody decided about it meanwhile")]
    Moved,
    /// A release arrived after the inventory was loaded: load it again and go on.
    #[error("the packages of `{distribution}` changed meanwhile")]
    Outdated {
        /// The distribution.
        distribution: String,
    },
    /// Another worker took the job over; nothing was written. Leave it to that one.
    #[error("job `{job}` was taken over by another worker")]
    LeaseLost {
        /// The job.
        job: String,
    },
    /// A release contradicts itself or what is held: nothing of it was written.
    #[error("release {revision} of `{channel}`: {reason}")]
    Release {
        /// The channel.
        channel: String,
        /// The revision.
        revision: String,
        /// What is wrong.
        reason: String,
    },
}

impl StoreError {
    pub(crate) fn damaged(what: impl Into<String>, reason: impl ToString) -> StoreError {
        StoreError::Damaged {
            what: what.into(),
            reason: reason.to_string(),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> StoreError {
        let known = crate::migrate::last();
        match error {
            sqlx::migrate::MigrateError::VersionMissing(held) if held > known => {
                StoreError::Newer { held, known }
            }
            other => StoreError::Migration(other),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        match &error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => {
                StoreError::Unavailable(error)
            }
            sqlx::Error::Database(inner) => match inner.code().as_deref() {
                // SQLITE_FULL and PostgreSQL's disk_full.
                Some("13" | "53100") => StoreError::Full(error),
                // SQLITE_INTERRUPT and PostgreSQL's query_canceled.
                Some("9" | "57014") => StoreError::Slow(error),
                // SQLITE_BUSY with its extended codes, SQLITE_LOCKED; PostgreSQL's connection,
                // shutdown, serialization and lock classes.
                Some(
                    "5" | "6" | "261" | "517" | "773" | "40001" | "40P01" | "55P03" | "57P01"
                    | "57P02" | "57P03" | "53300" | "25P03",
                ) => StoreError::Unavailable(error),
                Some(code) if code.starts_with("08") => StoreError::Unavailable(error),
                // SQLITE_CORRUPT and SQLITE_NOTADB.
                Some("11" | "26") => StoreError::damaged("database", &error),
                _ => StoreError::Database(error),
            },
            _ => StoreError::Database(error),
        }
    }
}
