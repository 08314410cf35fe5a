//! What a Nix derivation graph still trusts: which of its roots are not source text, who stands on them, and
//! what would free whom. Layer: bootstrap, on the Nix formats alone; only [`load`] and [`disk`] read files.
//!
//! The model. A derivation is *made* from its inputs, so it can be no more trustworthy than they are. A *root* is
//! where making ends: a fixed output (its content is pinned by hash, so its inputs do not matter), an imported
//! source, a path of the host. A root is a *seed* when it holds something that nobody can read: machine code,
//! bytecode, firmware, an unknown blob. [`Audit`] finds the seeds, and on the graph of who is made from whom:
//!
//! - a node *stands on* a seed when some chain leads from it to the seed;
//! - it is *dominated* by a node when every chain from it to any seed leads through that node: replacing the one
//!   node frees it ([`dominators`]);
//! - a *cut* is a smallest set of nodes whose replacement frees a chosen package ([`cut`]).
//!
//! Invariants: content decides where bytes are at hand, names and declarations otherwise, and every verdict says
//! which ([`Evidence`]); hostile input costs its own root, never the audit ([`Problem`]); nothing is executed,
//! unpacked to disk or written.

mod audit;
mod by_name;
mod class;
mod declared;
mod difference;
mod item;
mod policy;
mod reuse;

pub mod content;
pub mod cut;
pub mod disk;
pub mod dominators;
pub mod load;
pub mod report;

pub use audit::{Audit, Root, Standing};
pub use class::{Class, Evidence, Verdict};
pub use declared::{Declarations, Disagreement};
pub use difference::{Change, Difference};
pub use item::{Item, Key, Origin, Problem, Trust};
pub use policy::{Allowed, Judgement, Policy, PolicyError, Ruling};
pub use reuse::{Reuse, reused};

#[cfg(test)]
mod tests;
