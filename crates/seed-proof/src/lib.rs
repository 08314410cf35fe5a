//! Proofs about the bootstrap chain, one module each. Invariant: a proof reads the very files that the
//! chain is built from, and says where and why when it fails.

pub mod assemble;
pub mod attack;
pub mod behaviour;
pub mod chain;
pub mod compare;
pub mod count;
pub mod engine;
pub mod flow;
pub mod generate;
pub mod hex;
pub mod lineage;
pub mod link;
pub mod listing;
pub mod prove_hex;
pub mod prove_stages;
pub mod prove_tamper;
pub mod subset;
pub mod sums;
pub mod texts;
pub mod x86;
