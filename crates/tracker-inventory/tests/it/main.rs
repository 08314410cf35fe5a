//! Tests of inventories: shapes, lies, joins, differences.
//!
//! Invariant: fixtures are facts of our own making in the shapes that distributions publish.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected shall fail"
)]

mod derivations;
mod distributions;
mod hostile;
mod lists;
