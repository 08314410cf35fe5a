//! Tests of version orders and ranges: laws, peers, cases.
//!
//! Invariant: every order is checked against its laws on generated versions and against a peer where one exists.
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected shall fail"
)]

mod cases;
mod laws;
mod nix_peer;
mod orders;
mod peers;
mod ranges;
mod versions;
