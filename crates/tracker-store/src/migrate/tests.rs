//! Databases of every earlier schema: brought up to date with their rows, whatever stopped an earlier attempt; those of
//! a later schema are refused.
//!
//! Invariant: a step that was released is never changed; what it is stands in `released.tsv`.

use super::{STEPS, migration, migrations, migrator};
use crate::copy::{catalog, words};
use crate::statement::Dialect;
use crate::value::Value;
use crate::view::{PageRequest, VulnerabilityFilter};
use crate::{Store, StoreError};
use sqlx::AssertSqlSafe;
use sqlx::migrate::Migrator;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tracker_record::Source;
use tracker_testkit::{Database, Kind, fixture};

const KINDS: [(Kind, Dialect); 2] = [
    (Kind::Sqlite, Dialect::Sqlite),
    (Kind::Postgres, Dialect::Postgres),
];

/// The first steps alone: the schema of an earlier version.
fn first(dialect: Dialect, steps: usize) -> Migrator {
    Migrator::with_migrations(migrations(dialect).into_iter().take(steps).collect())
}

/// Records, a release, a feed's state: what no step takes away. Matches are derived anew after the step
/// that began typed events.
async fn fill(database: &Database) {
    let store = database.open().await;
    let ids: Vec<String> = (0..30)
        .map(|number| format!("CVE-2024-{number:04}"))
        .collect();
    let records = ids.iter().map(|id| {
        let mut record = fixture::record(Source::Nvd, id, "Overflow in musl");
        record.cvss.push(fixture::cvss(75));
        fixture::incoming(record)
    });
    store.put_records(records.collect()).await.unwrap();
    let release = fixture::release("nixos-24.05", "aaa", "2024-01-01T00:00:00Z");
    let packages = vec![fixture::package("musl", "musl", "1")];
    store.put_release(&release, packages).await.unwrap();
    let checked = Some(fixture::at("2024-02-01T00:00:00Z"));
    let mut state = store.follow_state("nvd").await.unwrap();
    state.cursor = "{\"start\":2000}".to_owned();
    state.checked = checked;
    state.succeeded = checked;
    store.put_follow_state(&state).await.unwrap();
    store.close().await;
}

/// A database without a schema; those that tests get on PostgreSQL have one already.
async fn empty(kind: Kind) -> (Database, Store) {
    let database = Database::new(kind).await;
    let store = Store::connect(database.url()).await.unwrap();
    if kind == Kind::Postgres {
        let mut session = store.write().await.unwrap();
        for sql in ["DROP SCHEMA public CASCADE", "CREATE SCHEMA public"] {
            session.change(sql.to_owned(), Vec::new()).await.unwrap();
        }
        session.commit().await.unwrap();
    }
    (database, store)
}

/// All rows of a table, of the columns that it knows.
async fn rows(store: &Store, dialect: Dialect, table: &catalog::Table) -> Vec<Vec<Value>> {
    let mut session = store.read().await.unwrap();
    let mut rows: Vec<Vec<Value>> = Vec::new();
    loop {
        let key = rows.last().map(|row| table.key(row).to_vec());
        let sql = table.select(dialect, key.is_some());
        let found = session.select(sql, key.unwrap_or_default()).await.unwrap();
        if found.is_empty() {
            return rows;
        }
        rows.extend(found.iter().map(|row| table.read(row).unwrap()));
    }
}

/// The same rows in a database of an earlier schema.
async fn put_rows(store: &Store, dialect: Dialect, table: &catalog::Table, rows: Vec<Vec<Value>>) {
    let mut session = store.write().await.unwrap();
    for rows in rows.chunks(table.rows_at_once()) {
        let sql = table.insert(dialect, rows.len());
        session.change(sql, rows.concat()).await.unwrap();
    }
    session.commit().await.unwrap();
}

#[tokio::test]
async fn a_database_of_every_earlier_schema_is_brought_up_to_date_with_its_rows() {
    let now = catalog::tables_after(&migrator(Dialect::Sqlite))
        .await
        .unwrap();
    for (kind, dialect) in KINDS {
        let fresh = Database::new(kind).await;
        fill(&fresh).await;
        let fresh = Store::open(fresh.url()).await.unwrap();
        for steps in 1..STEPS.len() {
            let then = catalog::tables_after(&first(Dialect::Sqlite, steps))
                .await
                .unwrap();
            let (database, old) = empty(kind).await;
            old.migrate(&first(dialect, steps)).await.unwrap();
            for table in &then {
                put_rows(&old, dialect, table, rows(&fresh, dialect, table).await).await;
            }
            if kind == Kind::Sqlite && steps < 16 {
                // Words of then, which step 16 has written anew.
                let mut session = old.write().await.unwrap();
                let sql = "INSERT INTO vulnerability_words (rowid, words) VALUES (1, 'overflow')";
                session.change(sql.to_owned(), Vec::new()).await.unwrap();
                session.commit().await.unwrap();
            } else {
                words::rebuild(&old, &mut |_| ()).await.unwrap();
            }
            old.close().await;

            let store = Store::open(database.url()).await.unwrap();
            for table in &now {
                let held = rows(&store, dialect, table).await;
                if then.iter().any(|old| old.name == table.name) {
                    let wanted = rows(&fresh, dialect, table).await;
                    assert_eq!(held, wanted, "{} after step {steps}", table.name);
                } else {
                    assert!(held.is_empty(), "{} after step {steps}", table.name);
                }
            }
            assert_eq!(store.check(true, &mut || ()).await.unwrap(), []);
            let search = VulnerabilityFilter {
                text: Some("overflow".to_owned()),
                ..VulnerabilityFilter::default()
            };
            for filter in [VulnerabilityFilter::default(), search] {
                let page = PageRequest::default();
                let (ours, theirs) = (
                    store.vulnerabilities(&filter, &page).await.unwrap(),
                    fresh.vulnerabilities(&filter, &page).await.unwrap(),
                );
                assert!(!theirs.rows.is_empty());
                assert_eq!(ours, theirs, "after step {steps}");
            }
            store.close().await;
        }
    }
}

/// The statements of a step, each with its semicolon.
fn statements(text: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut statement = String::new();
    for line in text.lines() {
        if line.starts_with("--") {
            continue;
        }
        statement.push_str(line);
        statement.push('\n');
        // SQLite's triggers and PostgreSQL's functions have semicolons inside.
        let trigger = statement.starts_with("CREATE TRIGGER") && statement.contains("BEGIN");
        let inside = if trigger {
            !line.starts_with("END;")
        } else {
            statement.matches("$$").count() % 2 == 1
        };
        if line.ends_with(';') && !inside {
            statements.push(std::mem::take(&mut statement));
        }
    }
    assert!(statement.trim().is_empty(), "{statement}");
    statements
}

/// What the schema consists of, in the database's own words.
async fn schema(store: &Store, dialect: Dialect) -> Vec<Vec<String>> {
    let sql = match dialect {
        Dialect::Sqlite => "SELECT type, name, coalesce(sql, '') FROM sqlite_master ORDER BY 1, 2",
        Dialect::Postgres => {
            "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns WHERE table_schema = 'public' \
             UNION ALL SELECT 'index', indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public' \
             UNION ALL SELECT 'function', proname::text, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace \
             UNION ALL SELECT 'trigger', tgname::text, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2, 3"
        }
    };
    let mut session = store.read().await.unwrap();
    let rows = session.select(sql.to_owned(), Vec::new()).await.unwrap();
    let text = |row: &crate::value::Row| (0..3).map(|index| row.text(index).unwrap()).collect();
    rows.iter().map(text).collect()
}

#[tokio::test]
async fn a_step_that_stops_at_any_statement_leaves_nothing_and_is_done_again() {
    for (kind, dialect) in KINDS {
        let fresh = Database::new(kind).await;
        fresh.open().await.close().await;
        let fresh = Store::connect(fresh.url()).await.unwrap();
        let wanted = schema(&fresh, dialect).await;
        let (database, store) = empty(kind).await;
        let mut stops = 0;
        for (step, (number, name, sqlite, postgres)) in STEPS.iter().enumerate() {
            let text = match dialect {
                Dialect::Sqlite => *sqlite,
                Dialect::Postgres => *postgres,
            };
            let statements = statements(text);
            let mut held = schema(&store, dialect).await;
            for done in 0..=statements.len() {
                let broken = format!(
                    "{}SELECT * FROM no_such_table;",
                    statements[..done].concat()
                );
                let mut steps = migrations(dialect);
                steps.truncate(step);
                steps.push(migration(*number, name, AssertSqlSafe(broken)));
                // The driver's lock goes with the connections, as it would with the process.
                let stopping = Store::connect(database.url()).await.unwrap();
                let stopped = stopping.migrate(&Migrator::with_migrations(steps)).await;
                stopping.close().await;
                assert!(
                    matches!(stopped, Err(StoreError::Migration(_))),
                    "{stopped:?}"
                );
                let left = schema(&store, dialect).await;
                if step == 0 && done == 0 {
                    // The driver's own list of steps is made first.
                    held.clone_from(&left);
                    let names = left.iter().flatten();
                    assert!(names.clone().any(|name| name == "_sqlx_migrations"));
                    assert!(!names.clone().any(|name| name == "record"));
                }
                assert_eq!(left, held, "{name} stopped after statement {done}");
                stops += 1;
            }
            store.migrate(&first(dialect, step + 1)).await.unwrap();
        }
        assert!(stops > 40, "{stops}");
        assert_eq!(schema(&store, dialect).await, wanted);
        store.close().await;
        Store::open(database.url()).await.unwrap().close().await;
    }
}

/// A copy of a SQLite database as a kill at this moment would leave it: the file and its log of writes.
fn as_killed(path: &Path, number: usize) -> PathBuf {
    let copy = path.with_file_name(format!("killed-{number}.db"));
    for ending in ["", "-wal"] {
        let name = |path: &Path| PathBuf::from(format!("{}{ending}", path.display()));
        if name(path).exists() {
            std::fs::copy(name(path), name(&copy)).unwrap();
        }
    }
    copy
}

#[tokio::test]
async fn a_file_whose_process_was_killed_within_a_step_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tracker.db");
    let url = |path: &Path| format!("sqlite:{}", path.display());
    let store = Store::connect(&url(&path)).await.unwrap();
    let mut copies = 0;
    for (step, (.., sqlite, _)) in STEPS.iter().enumerate() {
        store.migrate(&first(Dialect::Sqlite, step)).await.unwrap();
        let mut session = store.write().await.unwrap();
        for statement in statements(sqlite) {
            session.change(statement, Vec::new()).await.unwrap();
            let copy = as_killed(&path, copies);
            copies += 1;
            let killed = Store::open(&url(&copy)).await.unwrap();
            assert_eq!(killed.check(true, &mut || ()).await.unwrap(), []);
            killed.close().await;
        }
    }
    assert!(copies > 30, "{copies}");
}

#[tokio::test]
async fn a_database_of_a_later_schema_is_refused_and_left_alone() {
    for (kind, dialect) in KINDS {
        let database = Database::new(kind).await;
        database.open().await.close().await;
        let store = Store::connect(database.url()).await.unwrap();
        let later = i64::MAX - 1;
        let mut steps = migrations(dialect);
        let text = "CREATE TABLE later (key INTEGER NOT NULL PRIMARY KEY);";
        steps.push(migration(later, "later", text));
        store
            .migrate(&Migrator::with_migrations(steps))
            .await
            .unwrap();
        let held = schema(&store, dialect).await;
        let error = Store::open(database.url()).await.unwrap_err();
        assert!(
            matches!(error, StoreError::Newer { held, .. } if held == later),
            "{error:?}"
        );
        let told = error.to_string();
        assert!(
            told.contains("newer version") && told.contains(&later.to_string()),
            "{told}"
        );
        assert_eq!(schema(&store, dialect).await, held);
    }
}

#[tokio::test]
async fn a_database_with_another_step_under_a_known_number_is_refused() {
    let database = Database::new(Kind::Sqlite).await;
    let store = Store::connect(database.url()).await.unwrap();
    let other = migration(1, "tracker", "CREATE TABLE other (key INTEGER);");
    store
        .migrate(&Migrator::with_migrations(vec![other]))
        .await
        .unwrap();
    store.close().await;
    let error = Store::open(database.url()).await.unwrap_err();
    assert!(matches!(error, StoreError::Migration(_)), "{error:?}");
}

#[test]
fn steps_are_numbered_in_order_and_released_ones_are_what_they_were() {
    let numbers: Vec<i64> = STEPS.iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers, (1..=STEPS.len() as i64).collect::<Vec<_>>());
    let mut released = include_str!("released.tsv").lines();
    assert!(released.next().unwrap().starts_with("# "));
    for line in released {
        let fields: Vec<&str> = line.split('\t').collect();
        let [number, dialect, checksum] = fields[..] else {
            panic!("{line}")
        };
        let dialect = match dialect {
            "sqlite" => Dialect::Sqlite,
            "postgres" => Dialect::Postgres,
            other => panic!("{other}"),
        };
        let step = migrations(dialect).remove(number.parse::<usize>().unwrap() - 1);
        let mut held = String::new();
        for byte in step.checksum.iter() {
            let _ = write!(held, "{byte:02x}");
        }
        assert!(
            held == checksum,
            "step {number} was released and cannot be changed any more"
        );
    }
}
