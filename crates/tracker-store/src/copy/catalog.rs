//! The tables that a copy consists of, asked of the schema itself so that a new one cannot be forgotten.
//!
//! Invariant: texts are made of names that stand in the migrations, never of anything that came from outside.

use crate::error::{Result, StoreError};
use crate::migrate;
use crate::statement::Dialect;
use crate::value::{Row, Value};
use sqlx::migrate::Migrator;
use sqlx::{Connection as _, Row as _, SqliteConnection};
use std::fmt::Write as _;

/// Values that one inserting statement takes at most; SQLite's limit is 32,766.
const MAX_VALUES: usize = 16_000;

/// Tables that are not copied: kept by triggers, about the copy itself, or of the moment (whoever restores a backup
/// signs everybody out; a worker declares its jobs anew).
const LEFT_OUT: &[&str] = &[
    "tally",
    "triage_tally",
    "copy_state",
    "session",
    "sign_in",
    "throttle",
    "answer",
    "job",
];

/// Whether a table is copied; the driver's own and the text indexes are not.
fn is_copied(table: &str) -> bool {
    !LEFT_OUT.contains(&table)
        && !table.contains("_words")
        && !table.starts_with("_sqlx")
        && !table.starts_with("sqlite_")
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Real,
    Text,
    Bytes,
}

#[derive(Debug, Clone)]
struct Column {
    name: String,
    kind: Kind,
}

/// A table with its columns, the key's first.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) name: String,
    columns: Vec<Column>,
    /// How many of the columns are the key.
    key: usize,
}

/// All tables, those first that others refer to.
pub(super) async fn tables() -> Result<Vec<Table>> {
    tables_after(&migrate::migrator(Dialect::Sqlite)).await
}

/// The tables that steps of SQLite's schema make.
pub(crate) async fn tables_after(steps: &Migrator) -> Result<Vec<Table>> {
    let mut schema = SqliteConnection::connect("sqlite::memory:").await?;
    steps.run(&mut schema).await?;
    let query = "SELECT m.name, p.name, p.type, p.pk FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS p WHERE m.type = 'table' ORDER BY m.rowid, p.pk = 0, p.pk, p.cid";
    let mut tables: Vec<Table> = Vec::new();
    for row in sqlx::query(query).fetch_all(&mut schema).await? {
        let (table, name, declared): (String, String, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if !is_copied(&table) {
            continue;
        }
        let kind = match declared.as_str() {
            "INTEGER" => Kind::Integer,
            "REAL" => Kind::Real,
            "TEXT" => Kind::Text,
            "BLOB" => Kind::Bytes,
            other => {
                let what = format!("schema of {table}.{name}");
                return Err(StoreError::damaged(what, format!("type {other}")));
            }
        };
        let key = usize::from(row.try_get::<i64, _>(3)? > 0);
        if tables.last().is_none_or(|last| last.name != table) {
            tables.push(Table {
                name: table,
                columns: Vec::new(),
                key: 0,
            });
        }
        let last = tables.last_mut().expect("it was pushed");
        last.columns.push(Column { name, kind });
        last.key += key;
    }
    schema.close().await?;
    Ok(tables)
}

impl Table {
    fn is_wide(&self) -> bool {
        self.columns.iter().any(|column| column.kind == Kind::Bytes)
    }

    /// Rows that are read and written at once.
    pub(super) fn batch(&self) -> usize {
        if self.is_wide() { 512 } else { 4096 }
    }

    /// The key's columns; texts compare by bytes on both databases.
    fn key_columns(&self, dialect: Dialect) -> Vec<String> {
        let columns = self.columns[..self.key].iter();
        let compared = columns.map(|column| match (dialect, column.kind) {
            (Dialect::Postgres, Kind::Text) => format!("\"{}\" COLLATE \"C\"", column.name),
            _ => format!("\"{}\"", column.name),
        });
        compared.collect()
    }

    fn names(&self) -> String {
        let names = self
            .columns
            .iter()
            .map(|column| format!("\"{}\"", column.name));
        names.collect::<Vec<_>>().join(", ")
    }

    /// The rows behind a key, in the key's order.
    pub(crate) fn select(&self, dialect: Dialect, after: bool) -> String {
        let key = self.key_columns(dialect);
        let condition = if after {
            let places: Vec<String> = (1..=self.key).map(|place| format!("${place}")).collect();
            format!(" WHERE ({}) > ({})", key.join(", "), places.join(", "))
        } else {
            String::new()
        };
        format!(
            "SELECT {} FROM {}{condition} ORDER BY {} LIMIT {}",
            self.names(),
            self.name,
            key.join(", "),
            self.batch()
        )
    }

    /// The last key.
    pub(super) fn last(&self, dialect: Dialect) -> String {
        let order = self.key_columns(dialect).join(" DESC, ");
        let columns = self.columns[..self.key].iter();
        let names: Vec<String> = columns
            .map(|column| format!("\"{}\"", column.name))
            .collect();
        let names = names.join(", ");
        format!(
            "SELECT {names} FROM {} ORDER BY {order} DESC LIMIT 1",
            self.name
        )
    }

    pub(super) fn count(&self) -> String {
        format!("SELECT count(*) FROM {}", self.name)
    }

    /// Rows that one statement inserts.
    pub(crate) fn rows_at_once(&self) -> usize {
        MAX_VALUES / self.columns.len()
    }

    /// SQLite finds a named parameter by walking all of them, so there they stay nameless.
    pub(crate) fn insert(&self, dialect: Dialect, rows: usize) -> String {
        let mut sql = format!("INSERT INTO {} ({}) VALUES ", self.name, self.names());
        let width = self.columns.len();
        for row in 0..rows {
            sql.push_str(if row == 0 { "(" } else { "),(" });
            for column in 0..width {
                sql.push_str(if column == 0 { "" } else { "," });
                match dialect {
                    Dialect::Sqlite => sql.push('?'),
                    Dialect::Postgres => {
                        let _ = write!(sql, "${}", row * width + column + 1);
                    }
                }
            }
        }
        sql.push(')');
        sql
    }

    /// A row's values, the key's first.
    pub(crate) fn read(&self, row: &Row) -> Result<Vec<Value>> {
        self.values(row, self.columns.len())
    }

    /// The values of a row that `last` gave.
    pub(super) fn read_key(&self, row: &Row) -> Result<Vec<Value>> {
        self.values(row, self.key)
    }

    fn values(&self, row: &Row, count: usize) -> Result<Vec<Value>> {
        let columns = self.columns[..count].iter().enumerate();
        let values = columns.map(|(index, column)| {
            Ok(match column.kind {
                Kind::Integer => Value::Integer(row.optional_integer(index)?),
                Kind::Real => Value::Real(row.real(index)?),
                Kind::Text => Value::Text(row.optional_text(index)?),
                Kind::Bytes => Value::Bytes(row.bytes(index)?),
            })
        });
        values.collect()
    }

    /// The key of a row's values.
    pub(crate) fn key<'v>(&self, values: &'v [Value]) -> &'v [Value] {
        &values[..self.key]
    }
}
