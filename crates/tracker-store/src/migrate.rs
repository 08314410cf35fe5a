//! The schema's history: numbered steps, a pair of files each, only ever appended to.
//!
//! Invariant: a step that was released never changes; the driver compares checksums and refuses.

use crate::statement::Dialect;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// A step: number, name, SQLite's text, PostgreSQL's text.
type Step = (i64, &'static str, &'static str, &'static str);

/// All steps in order.
pub(crate) const STEPS: &[Step] = &[
    (
        1,
        "tracker",
        include_str!("../migrations/sqlite/0001_tracker.sql"),
        include_str!("../migrations/postgres/0001_tracker.sql"),
    ),
    (
        2,
        "landing",
        include_str!("../migrations/sqlite/0002_landing.sql"),
        include_str!("../migrations/postgres/0002_landing.sql"),
    ),
    (
        3,
        "follow",
        include_str!("../migrations/sqlite/0003_follow.sql"),
        include_str!("../migrations/postgres/0003_follow.sql"),
    ),
    (
        4,
        "support",
        include_str!("../migrations/sqlite/0004_support.sql"),
        include_str!("../migrations/postgres/0004_support.sql"),
    ),
    (
        5,
        "copy",
        include_str!("../migrations/sqlite/0005_copy.sql"),
        include_str!("../migrations/postgres/0005_copy.sql"),
    ),
    (
        6,
        "people",
        include_str!("../migrations/sqlite/0006_people.sql"),
        include_str!("../migrations/postgres/0006_people.sql"),
    ),
    (
        7,
        "triage",
        include_str!("../migrations/sqlite/0007_triage.sql"),
        include_str!("../migrations/postgres/0007_triage.sql"),
    ),
    (
        8,
        "withdrawn",
        include_str!("../migrations/sqlite/0008_withdrawn.sql"),
        include_str!("../migrations/postgres/0008_withdrawn.sql"),
    ),
    (
        9,
        "job",
        include_str!("../migrations/sqlite/0009_job.sql"),
        include_str!("../migrations/postgres/0009_job.sql"),
    ),
    (
        10,
        "embargo",
        include_str!("../migrations/sqlite/0010_embargo.sql"),
        include_str!("../migrations/postgres/0010_embargo.sql"),
    ),
    (
        11,
        "queue",
        include_str!("../migrations/sqlite/0011_queue.sql"),
        include_str!("../migrations/postgres/0011_queue.sql"),
    ),
    (
        12,
        "basis",
        include_str!("../migrations/sqlite/0012_basis.sql"),
        include_str!("../migrations/postgres/0012_basis.sql"),
    ),
    (
        13,
        "suggested",
        include_str!("../migrations/sqlite/0013_suggested.sql"),
        include_str!("../migrations/postgres/0013_suggested.sql"),
    ),
    (
        14,
        "facet",
        include_str!("../migrations/sqlite/0014_facet.sql"),
        include_str!("../migrations/postgres/0014_facet.sql"),
    ),
    (
        15,
        "family",
        include_str!("../migrations/sqlite/0015_family.sql"),
        include_str!("../migrations/postgres/0015_family.sql"),
    ),
    (
        16,
        "ways",
        include_str!("../migrations/sqlite/0016_ways.sql"),
        include_str!("../migrations/postgres/0016_ways.sql"),
    ),
    (
        17,
        "walk",
        include_str!("../migrations/sqlite/0017_walk.sql"),
        include_str!("../migrations/postgres/0017_walk.sql"),
    ),
];

/// The steps for a database, each applied in its own transaction.
pub(crate) fn migrator(dialect: Dialect) -> Migrator {
    Migrator::with_migrations(migrations(dialect))
}

/// The number of the last step.
pub(crate) fn last() -> i64 {
    STEPS.last().map_or(0, |(number, ..)| *number)
}

fn migrations(dialect: Dialect) -> Vec<Migration> {
    let steps = STEPS.iter().map(|(number, name, sqlite, postgres)| {
        let text = match dialect {
            Dialect::Sqlite => *sqlite,
            Dialect::Postgres => *postgres,
        };
        migration(*number, name, text)
    });
    steps.collect()
}

fn migration(number: i64, name: &'static str, text: impl sqlx::SqlSafeStr) -> Migration {
    let kind = MigrationType::Simple;
    Migration::new(number, name.into(), kind, text.into_sql_str(), false)
}

#[cfg(test)]
mod tests;
