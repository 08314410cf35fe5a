//! `learn` and `evaluate` from end to end, on facts of our own.
//!
//! Invariant: files are written anew for each test, in the shapes that are read: packages.json, NVD 2.0, labels.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected shall fail"
)]

mod blind;
mod facts;
