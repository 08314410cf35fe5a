//! A transaction on either database: the only way any method reaches a connection.
//!
//! Invariant: a session that is dropped without `commit` leaves nothing behind.

use crate::error::Result;
use crate::statement::{Dialect, Statement};
use crate::value::{Row, Value};
use sqlx::AssertSqlSafe;

/// A transaction.
#[derive(Debug)]
pub(crate) enum Session {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

/// Rows that one statement inserts at most, and the smaller numbers that the rest is cut into:
/// few distinct texts, so that each is prepared once.
const ROWS: [usize; 4] = [512, 64, 8, 1];

/// Values that one `{list:…}` holds; shorter lists are filled up by repeating the last value.
const LIST: [usize; 4] = [256, 64, 16, 1];

/// A query with its parameters, in the driver's own type.
macro_rules! bound {
    ($sql:expr, $values:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe($sql));
        for value in $values {
            query = match value {
                Value::Integer(value) => query.bind(value),
                Value::Real(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
                Value::Bytes(value) => query.bind(value),
            };
        }
        query
    }};
}

impl Session {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Session::Sqlite(_) => Dialect::Sqlite,
            Session::Postgres(_) => Dialect::Postgres,
        }
    }

    pub(crate) async fn commit(self) -> Result<()> {
        match self {
            Session::Sqlite(transaction) => transaction.commit().await?,
            Session::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(())
    }

    /// Lets the database check a text without running it.
    #[cfg(test)]
    pub(crate) async fn prepare(&mut self, sql: String) -> Result<()> {
        use sqlx::{Executor as _, SqlSafeStr as _};
        let sql = AssertSqlSafe(sql).into_sql_str();
        match self {
            Session::Sqlite(transaction) => drop((&mut **transaction).prepare(sql).await?),
            Session::Postgres(transaction) => drop((&mut **transaction).prepare(sql).await?),
        }
        Ok(())
    }

    /// Runs a statement and tells how many rows it changed.
    pub(crate) async fn execute(
        &mut self,
        statement: &Statement,
        values: Vec<Value>,
    ) -> Result<u64> {
        let sql = statement.expand(self.dialect(), values.len());
        self.change(sql, values).await
    }

    /// As `execute`, for a text made of the schema's own names.
    pub(crate) async fn change(&mut self, sql: String, values: Vec<Value>) -> Result<u64> {
        Ok(match self {
            Session::Sqlite(transaction) => bound!(sql, values)
                .execute(&mut **transaction)
                .await?
                .rows_affected(),
            Session::Postgres(transaction) => bound!(sql, values)
                .execute(&mut **transaction)
                .await?
                .rows_affected(),
        })
    }

    /// All rows of a statement.
    pub(crate) async fn rows(
        &mut self,
        statement: &Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>> {
        let sql = statement.expand(self.dialect(), values.len());
        self.select(sql, values).await
    }

    /// As `rows`, for a text made of the schema's own names.
    pub(crate) async fn select(&mut self, sql: String, values: Vec<Value>) -> Result<Vec<Row>> {
        Ok(match self {
            Session::Sqlite(transaction) => bound!(sql, values)
                .fetch_all(&mut **transaction)
                .await?
                .into_iter()
                .map(Row::Sqlite)
                .collect(),
            Session::Postgres(transaction) => bound!(sql, values)
                .fetch_all(&mut **transaction)
                .await?
                .into_iter()
                .map(Row::Postgres)
                .collect(),
        })
    }

    /// The first row, if there is one.
    pub(crate) async fn row(
        &mut self,
        statement: &Statement,
        values: Vec<Value>,
    ) -> Result<Option<Row>> {
        Ok(self.rows(statement, values).await?.into_iter().next())
    }

    /// The one integer of a statement that always has a row.
    pub(crate) async fn count(&mut self, statement: &Statement, values: Vec<Value>) -> Result<i64> {
        match self.row(statement, values).await? {
            Some(row) => row.integer(0),
            None => Ok(0),
        }
    }

    /// Runs a `{rows:N}` statement over any number of rows of N values, in few round trips.
    pub(crate) async fn insert(
        &mut self,
        statement: &Statement,
        columns: usize,
        values: Vec<Value>,
    ) -> Result<()> {
        debug_assert_eq!(values.len() % columns, 0, "{}", statement.name);
        let mut left = values.len() / columns;
        let mut values = values.into_iter();
        for size in ROWS {
            while left >= size {
                left -= size;
                self.execute(statement, values.by_ref().take(size * columns).collect())
                    .await?;
            }
        }
        Ok(())
    }

    /// Runs a `{list:M}` statement over any number of values, `fixed` being the M parameters before them.
    pub(crate) async fn rows_in(
        &mut self,
        statement: &Statement,
        fixed: &[Value],
        list: Vec<Value>,
    ) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for chunk in list.chunks(LIST[0]) {
            rows.extend(self.rows(statement, filled(fixed, chunk)).await?);
        }
        Ok(rows)
    }

    /// As `rows_in`, for statements without rows.
    pub(crate) async fn execute_in(
        &mut self,
        statement: &Statement,
        fixed: &[Value],
        list: Vec<Value>,
    ) -> Result<()> {
        for chunk in list.chunks(LIST[0]) {
            self.execute(statement, filled(fixed, chunk)).await?;
        }
        Ok(())
    }
}

/// The parameters of a list statement, filled up to one of few lengths.
fn filled(fixed: &[Value], chunk: &[Value]) -> Vec<Value> {
    let wanted = LIST
        .into_iter()
        .rev()
        .find(|size| *size >= chunk.len())
        .unwrap_or(LIST[0]);
    let last = chunk.last().expect("chunks are never empty");
    let mut values = Vec::with_capacity(fixed.len() + wanted);
    values.extend_from_slice(fixed);
    values.extend_from_slice(chunk);
    values.resize(fixed.len() + wanted, last.clone());
    values
}
