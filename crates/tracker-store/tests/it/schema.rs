//! The schema: the same on both databases, and as the reference tells it.
//!
//! `UPDATE_REFERENCE=1 cargo test -p tracker-store --test it schema` writes `docs/reference/schema.md` anew.

use sqlx::{Connection as _, PgConnection, Row as _, SqliteConnection};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use tracker_testkit::{Database, Kind};

const STEPS: &[(&str, &str)] = &[
    (
        include_str!("../../migrations/sqlite/0001_tracker.sql"),
        include_str!("../../migrations/postgres/0001_tracker.sql"),
    ),
    (
        include_str!("../../migrations/sqlite/0002_landing.sql"),
        include_str!("../../migrations/postgres/0002_landing.sql"),
    ),
    (
        include_str!("../../migrations/sqlite/0003_follow.sql"),
        include_str!("../../migrations/postgres/0003_follow.sql"),
    ),
    (
        include_str!("../../migrations/sqlite/0004_support.sql"),
        include_str!("../../migrations/postgres/0004_support.sql"),
    ),
    (
        include_str!("../../migrations/sqlite/0005_copy.sql"),
        include_str!("../../migrations/postgres/0005_copy.sql"),
    ),
    (
        include_str!("../../migrations/sqlite/0006_people.sql"),
        include_str!("../../migrations/postgres/0006_people.sql"),
    ),
    (
        include_str!("../../migrations/sqlite/0007_triage.sql"),
        include_str!("../../migrations/postgres/0007_triage.sql"),
    ),
    (
        include_str!("../../migrations/sqlite/0008_withdrawn.sql"),
        include_str!("../../migrations/postgres/0008_withdrawn.sql"),
    ),
    (
        include_str!("../../migrations/sqlite/0009_job.sql"),
        include_str!("../../migrations/postgres/0009_job.sql"),
    ),
    (
        include_str!("../../migrations/sqlite/0010_embargo.sql"),
        include_str!("../../migrations/postgres/0010_embargo.sql"),
    ),
    (
        include_str!("../../migrations/sqlite/0011_queue.sql"),
        include_str!("../../migrations/postgres/0011_queue.sql"),
    ),
    (
        include_str!("../../migrations/sqlite/0012_basis.sql"),
        include_str!("../../migrations/postgres/0012_basis.sql"),
    ),
    (
        include_str!("../../migrations/sqlite/0013_suggested.sql"),
        include_str!("../../migrations/postgres/0013_suggested.sql"),
    ),
    (
        include_str!("../../migrations/sqlite/0014_facet.sql"),
        include_str!("../../migrations/postgres/0014_facet.sql"),
    ),
    (
        include_str!("../../migrations/sqlite/0015_family.sql"),
        include_str!("../../migrations/postgres/0015_family.sql"),
    ),
];

/// A column or index in the words of neither database.
type Fact = (String, String);

/// Tables whose form differs by nature: text indexes, and the driver's own list of steps.
fn is_logical(table: &str) -> bool {
    !table.contains("_words") && !table.starts_with("_sqlx") && !table.starts_with("sqlite_")
}

fn kind(declared: &str) -> &'static str {
    match declared.to_ascii_lowercase().as_str() {
        "integer" | "bigint" => "integer",
        "real" | "double precision" => "real",
        "text" => "text",
        "blob" | "bytea" => "bytes",
        other => panic!("type {other} has no counterpart"),
    }
}

async fn sqlite_facts(url: &str) -> sqlx::Result<BTreeSet<Fact>> {
    let mut connection = SqliteConnection::connect(url).await?;
    let mut facts = BTreeSet::new();
    let columns = "SELECT m.name, p.name, p.type, p.\"notnull\" FROM sqlite_master AS m JOIN pragma_table_xinfo(m.name) AS p WHERE m.type = 'table'";
    for row in sqlx::query(columns).fetch_all(&mut connection).await? {
        let (table, column, declared): (String, String, String) =
            (row.get(0), row.get(1), row.get(2));
        if is_logical(&table) {
            let null = if row.get::<i64, _>(3) == 1 {
                "not null"
            } else {
                "null"
            };
            facts.insert((
                format!("{table}.{column}"),
                format!("{} {null}", kind(&declared)),
            ));
        }
    }
    let indexes = "SELECT m.name, l.\"unique\", (SELECT group_concat(i.name, ',') FROM pragma_index_info(l.name) AS i) FROM sqlite_master AS m JOIN pragma_index_list(m.name) AS l WHERE m.type = 'table'";
    // A primary key of one integer is the table itself and stands in no list of indexes.
    let keys = "SELECT m.name, 1, p.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS p WHERE m.type = 'table' AND p.pk = 1 AND p.type = 'INTEGER' AND NOT EXISTS (SELECT 1 FROM pragma_index_list(m.name) AS l WHERE l.origin = 'pk')";
    for row in sqlx::query(indexes)
        .fetch_all(&mut connection)
        .await?
        .into_iter()
        .chain(sqlx::query(keys).fetch_all(&mut connection).await?)
    {
        let (table, columns): (String, String) = (row.get(0), row.get(2));
        if is_logical(&table) {
            facts.insert(index_fact(&table, row.get::<i64, _>(1) == 1, &columns));
        }
    }
    Ok(facts)
}

async fn postgres_facts(url: &str) -> sqlx::Result<BTreeSet<Fact>> {
    let mut connection = PgConnection::connect(url).await?;
    let mut facts = BTreeSet::new();
    let columns = "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text FROM information_schema.columns WHERE table_schema = 'public'";
    for row in sqlx::query(columns).fetch_all(&mut connection).await? {
        let (table, column, declared): (String, String, String) =
            (row.get(0), row.get(1), row.get(2));
        if is_logical(&table) {
            let null = if row.get::<String, _>(3) == "NO" {
                "not null"
            } else {
                "null"
            };
            facts.insert((
                format!("{table}.{column}"),
                format!("{} {null}", kind(&declared)),
            ));
        }
    }
    let indexes = "SELECT t.relname::text, x.indisunique, (SELECT string_agg(a.attname::text, ',' ORDER BY k.place) FROM unnest(x.indkey) WITH ORDINALITY AS k (number, place) JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = k.number) FROM pg_index AS x JOIN pg_class AS t ON t.oid = x.indrelid JOIN pg_namespace AS n ON n.oid = t.relnamespace WHERE n.nspname = 'public'";
    for row in sqlx::query(indexes).fetch_all(&mut connection).await? {
        let (table, columns): (String, String) = (row.get(0), row.get(2));
        if is_logical(&table) {
            facts.insert(index_fact(&table, row.get(1), &columns));
        }
    }
    Ok(facts)
}

fn index_fact(table: &str, unique: bool, columns: &str) -> Fact {
    let kind = if unique { "unique" } else { "index" };
    (format!("{table} {kind}"), columns.to_owned())
}

#[tokio::test]
async fn both_databases_have_the_same_tables_columns_and_indexes() {
    let mut all = Vec::new();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let database = Database::new(kind).await;
        database.open().await.close().await;
        all.push(match kind {
            Kind::Sqlite => sqlite_facts(database.url()).await.unwrap(),
            Kind::Postgres => postgres_facts(database.url()).await.unwrap(),
        });
    }
    let only =
        |a: &BTreeSet<Fact>, b: &BTreeSet<Fact>| a.difference(b).cloned().collect::<Vec<_>>();
    assert_eq!(
        (only(&all[0], &all[1]), only(&all[1], &all[0])),
        (Vec::new(), Vec::new())
    );
    assert!(all[0].len() > 100, "{} facts", all[0].len());
}

/// The reference, written from the steps' own words.
fn reference() -> String {
    let mut page = String::from(
        "# Database schema\n\nGenerated from the migrations of `tracker-store`; `UPDATE_REFERENCE=1 cargo test -p tracker-store --test it schema` \
         writes it anew.\nColumns are given with SQLite's type and, after a slash, PostgreSQL's.\n",
    );
    for (sqlite, postgres) in STEPS {
        let mut inside = false;
        let mut other = postgres.lines().filter(|line| {
            let indented = line.starts_with("    ");
            inside = line.starts_with("CREATE TABLE ") || inside && indented;
            inside && indented && !line.contains("rowid") && !line.contains("words")
        });
        let (mut comment, mut open) = (Vec::new(), false);
        let mut extended = "";
        for line in sqlite.lines() {
            if let Some(text) = line.strip_prefix("-- ") {
                comment.push(text);
            } else if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
                let table = rest.trim_end_matches(" (");
                open = true;
                let _ = writeln!(page, "\n## `{table}`\n\n{}\n", comment.join("\n"));
                comment.clear();
            } else if let Some((table, declared)) = line
                .strip_prefix("ALTER TABLE ")
                .and_then(|rest| rest.split_once(" ADD COLUMN "))
            {
                if extended != table || !comment.is_empty() {
                    let _ = writeln!(
                        page,
                        "\n## `{table}`, later columns\n\n{}\n",
                        comment.join("\n")
                    );
                    comment.clear();
                    extended = table;
                }
                let declared = declared.trim_end_matches(';');
                column(
                    &mut page,
                    declared,
                    &declared.replacen("INTEGER", "BIGINT", 1),
                );
            } else if let Some(rest) = line.strip_prefix("CREATE VIRTUAL TABLE ") {
                let table = rest.split(' ').next().unwrap_or_default();
                let _ = writeln!(
                    page,
                    "\n## `{table}`\n\n{}\nAn FTS5 table / a table with a `tsvector` and a function of its name.",
                    comment.join("\n")
                );
                comment.clear();
            } else if let Some(rest) = line.strip_prefix("CREATE INDEX ") {
                let columns = rest.split_once(" (").map_or("", |(_, columns)| columns);
                let _ = writeln!(page, "- index ({}", columns.trim_end_matches(';'));
            } else if let Some((table, added)) = added_column(line) {
                let other = postgres.lines().find_map(|line| {
                    let (of, other) = added_column(line)?;
                    (of == table && first_word(other) == first_word(added)).then_some(other)
                });
                if !comment.is_empty() {
                    let _ = writeln!(page, "\n{}\n", comment.join("\n"));
                    comment.clear();
                }
                let _ = write!(page, "- of `{table}`: ");
                let mut line = String::new();
                column(&mut line, added, other.unwrap_or_default());
                page.push_str(line.trim_start_matches("- "));
            } else if open && line.starts_with("    ") {
                column(
                    &mut page,
                    line.trim(),
                    other.next().unwrap_or_default().trim(),
                );
            } else if line.is_empty() && !comment.is_empty() {
                let _ = writeln!(page, "\n{}", comment.join("\n"));
                comment.clear();
            } else {
                open = false;
            }
        }
    }
    page
}

/// The table that a line adds a column to, and the column.
fn added_column(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("ALTER TABLE ")?;
    let (table, added) = rest.split_once(" ADD COLUMN ")?;
    Some((table, added.trim_end_matches(';')))
}

fn first_word(line: &str) -> Option<&str> {
    line.split(' ').next()
}

/// A column's or constraint's line.
fn column(page: &mut String, sqlite: &str, postgres: &str) {
    let sqlite = sqlite.trim_end_matches(',');
    let postgres = postgres.trim_end_matches(',');
    let word = |line: &str, index: usize| line.split(' ').nth(index).unwrap_or_default().to_owned();
    let name = word(sqlite, 0);
    if name.chars().all(char::is_uppercase) {
        let _ = writeln!(page, "- {}", sqlite.to_lowercase());
        return;
    }
    assert_eq!(
        name,
        word(postgres, 0),
        "the steps list columns in the same order"
    );
    let kind = word(sqlite, 1);
    let rest = sqlite
        .splitn(3, ' ')
        .nth(2)
        .unwrap_or_default()
        .to_lowercase();
    let types = match word(postgres, 1) {
        other if other == kind => kind,
        other => format!(
            "{kind} / {}",
            if other == "DOUBLE" {
                "DOUBLE PRECISION".to_owned()
            } else {
                other
            }
        ),
    };
    let _ = writeln!(
        page,
        "- `{name}` {}{}{rest}",
        types.to_lowercase(),
        if rest.is_empty() { "" } else { ", " }
    );
}

#[test]
fn the_reference_tells_the_schema() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/schema.md");
    let wanted = reference();
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let held = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        held == wanted,
        "docs/reference/schema.md is not up to date; see the head of this file"
    );
}
