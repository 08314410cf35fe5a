//! Signing in to a whole site through a provider that answers as real ones do, well and badly, on both databases.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail as its body does")]

mod issuer;
mod sign_in;
mod visitor;
