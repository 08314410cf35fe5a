//! Which packages a vulnerability concerns: candidates, features, score, reasons. Layer: tracker, pure.
//!
//! Invariant: no match without a reason that a person can read, and no score that its reasons do not add up to.

pub mod finding;
pub mod reason;

pub use finding::{Finding, FindingStatus};
pub use reason::{Match, Reason};
