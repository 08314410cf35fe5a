//! What a channel release contains. Layer: tracker, pure.
//!
//! Reading order: [`package`], [`inventory`] (the trait that distributions plug into), its implementations
//! [`nixpkgs`] and [`plain`], then what is joined to and derived from an inventory: [`derivations`],
//! [`mod@difference`]. Invariant: an inventory is what the distribution published for that release, never evaluated
//! or completed here.

pub mod derivations;
pub mod difference;
pub mod error;
pub mod inventory;
mod lenient;
pub mod nixpkgs;
pub mod open;
pub mod package;
pub mod plain;

pub use derivations::Derivations;
pub use difference::{Difference, difference};
pub use error::InventoryError;
pub use inventory::{Header, Inventory, Rejected};
pub use nixpkgs::Nixpkgs;
pub use open::{open, open_limited};
pub use package::{Package, Release};
pub use plain::PlainList;
