//! Version orders and ranges, three-valued. Layer: ground floor, pure.
//!
//! Invariant: a question that a scheme cannot answer is answered "unknown", never guessed.

pub mod range;

pub use range::{Bound, Range, Status};
