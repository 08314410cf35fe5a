//! What a channel release contains. Layer: tracker, pure.
//!
//! Invariant: an inventory is what the distribution published for that release, never evaluated or completed here.

pub mod package;

pub use package::{Package, Release};
