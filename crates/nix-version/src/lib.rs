//! Version orders and ranges, three-valued. Layer: ground floor, pure.
//!
//! Reading order: [`range`] (the normal form), [`evaluate`](mod@evaluate) (what it says about a version), [`scheme`] (which order
//! answers), then the orders themselves: [`nix`], [`semver`], [`upstream`].
//! Invariant: a question that a scheme cannot answer is answered "unknown", never guessed.

pub mod evaluate;
pub mod expression;
pub mod nix;
pub mod range;
pub mod scheme;
pub mod semver;
pub mod snapshot;
pub mod upstream;

pub use evaluate::{Deciding, Verdict, evaluate};
pub use range::{Bound, Range, Status};
pub use scheme::Scheme;
