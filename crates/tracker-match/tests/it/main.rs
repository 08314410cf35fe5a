//! Tests of matching and findings on facts of our own.
//!
//! Invariant: records are built in normal form, so that no feed's shape plays a part here.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected shall fail"
)]

mod facts;
mod findings;
mod matches;
mod missed;
mod namesakes;
