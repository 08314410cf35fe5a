//! The narrow set of values that go into statements, and the one reader of rows that come back.
//!
//! Invariant: every NULL has a type, because PostgreSQL asks for one where SQLite does not.

use crate::error::{Result, StoreError};
use jiff::Timestamp;
use sqlx::Row as _;

/// A bound parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Integer(Option<i64>),
    Real(f64),
    Text(Option<String>),
    Bytes(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Integer(Some(value))
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Value {
        Value::Integer(Some(value.into()))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Value {
        Value::Integer(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Value {
        Value::Real(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::from(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::Text(Some(clean(value)))
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Value {
        value.map_or(Value::Text(None), Value::from)
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Value {
        value.map_or(Value::Text(None), Value::from)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Value {
        Value::Bytes(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Value {
        Value::Bytes(value.to_vec())
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Value {
        Value::from(value.as_microsecond())
    }
}

impl From<Option<Timestamp>> for Value {
    fn from(value: Option<Timestamp>) -> Value {
        Value::Integer(value.map(Timestamp::as_microsecond))
    }
}

/// Parameters from anything that is one.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::value::Value::from($value)),*] };
}
pub(crate) use values;

/// A row of either database. Columns are numbered from 0 in the order of the statement.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(sqlx::sqlite::SqliteRow),
    Postgres(sqlx::postgres::PgRow),
}

/// Reads a column of a type that both drivers know.
macro_rules! column {
    ($row:expr, $index:expr, $type:ty) => {
        match $row {
            Row::Sqlite(row) => row.try_get::<$type, _>($index),
            Row::Postgres(row) => row.try_get::<$type, _>($index),
        }
        .map_err(StoreError::from)
    };
}

impl Row {
    pub(crate) fn integer(&self, index: usize) -> Result<i64> {
        column!(self, index, i64)
    }

    pub(crate) fn optional_integer(&self, index: usize) -> Result<Option<i64>> {
        column!(self, index, Option<i64>)
    }

    /// A count, a size or a number that is never negative.
    pub(crate) fn number(&self, index: usize) -> Result<u32> {
        let value = self.integer(index)?;
        u32::try_from(value)
            .map_err(|_| StoreError::damaged("number", format!("{value} is out of range")))
    }

    pub(crate) fn real(&self, index: usize) -> Result<f64> {
        column!(self, index, f64)
    }

    pub(crate) fn text(&self, index: usize) -> Result<String> {
        column!(self, index, String)
    }

    pub(crate) fn optional_text(&self, index: usize) -> Result<Option<String>> {
        column!(self, index, Option<String>)
    }

    pub(crate) fn bytes(&self, index: usize) -> Result<Vec<u8>> {
        column!(self, index, Vec<u8>)
    }

    pub(crate) fn instant(&self, index: usize) -> Result<Timestamp> {
        let value = self.integer(index)?;
        Timestamp::from_microsecond(value).map_err(|error| StoreError::damaged("instant", error))
    }

    pub(crate) fn optional_instant(&self, index: usize) -> Result<Option<Timestamp>> {
        self.optional_integer(index)?
            .map(Timestamp::from_microsecond)
            .transpose()
            .map_err(|error| StoreError::damaged("instant", error))
    }

    /// A column that holds a value as JSON text.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, index: usize) -> Result<T> {
        serde_json::from_str(&self.text(index)?)
            .map_err(|error| StoreError::damaged("JSON column", error))
    }
}

/// A text as both databases hold it: PostgreSQL cannot hold U+0000, so it is replaced on both alike.
pub(crate) fn clean(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text
    }
}

/// A value as JSON text.
pub(crate) fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("our own types always have a JSON form")
}
