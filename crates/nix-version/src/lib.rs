//! Version orders and ranges, three-valued. Layer: ground floor, pure.
//!
//! Reading order: [`range`] (the normal form), [`evaluate`](mod@evaluate) (what it says about a version), [`scheme`] (which order
//! answers), then the orders themselves: [`nix`], [`semver`], [`upstream`]; of registries [`pep440`], [`npm`],
//! [`maven`], [`rubygems`], [`go`]; of distributions [`debian`], [`rpm`], [`alpine`].
//! Invariant: a question that a scheme cannot answer is answered "unknown", never guessed.

pub mod alpine;
pub mod debian;
pub mod evaluate;
pub mod expression;
pub mod go;
pub mod maven;
pub mod nix;
pub mod npm;
mod number;
pub mod pep440;
pub mod range;
pub mod requirement;
pub mod rpm;
pub mod rubygems;
pub mod scheme;
pub mod semver;
pub mod snapshot;
pub mod upstream;

pub use evaluate::{Deciding, Verdict, evaluate};
pub use range::{Bound, Range, Status};
pub use scheme::Scheme;
