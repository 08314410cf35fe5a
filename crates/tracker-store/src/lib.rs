//! All SQL of the tracker, written once for SQLite and PostgreSQL. Layer: tracker, storage.
//!
//! Invariant: callers see domain methods and view types, never a pool, a row or a statement.

pub mod view;
