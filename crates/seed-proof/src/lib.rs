//! Proofs about the bootstrap chain, one module each. Invariant: a proof reads the very files that the
//! chain is built from, and says where and why when it fails.

pub mod compare;
pub mod generate;
pub mod lineage;
pub mod subset;
