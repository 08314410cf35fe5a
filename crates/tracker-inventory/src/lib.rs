//! What a channel release contains. Layer: tracker, pure.
//!
//! Reading order: [`package`], [`inventory`] (the trait that distributions plug into), its implementations
//! [`nixpkgs`], [`evaluation`], [`debian`] and [`plain`], [`any`] (which of them reads a file), then what is joined to
//! and derived from an inventory: [`derivations`], [`store_paths`], [`mod@difference`],
//! [`closure`]. Invariant: an inventory is
//! what the distribution published for that release, never evaluated
//! or completed here.

pub mod any;
pub mod closure;
pub mod debian;
pub mod derivations;
pub mod difference;
pub mod error;
pub mod evaluation;
pub mod inventory;
mod lenient;
pub mod nixpkgs;
pub mod open;
pub mod package;
pub mod plain;
pub mod store_paths;
mod support;

pub use any::read_any;
pub use debian::Debian;
pub use derivations::Derivations;
pub use difference::{Difference, difference};
pub use error::InventoryError;
pub use evaluation::EvaluationJobs;
pub use inventory::{Header, Inventory, Rejected};
pub use nixpkgs::{NixEnv, Nixpkgs};
pub use open::{open, open_limited};
pub use package::{Package, Release};
pub use plain::PlainList;
pub use store_paths::StorePaths;
pub use support::end_of_support;
