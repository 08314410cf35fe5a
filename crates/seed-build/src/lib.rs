//! Runs a declared bootstrap chain so that nobody has to be believed. Layer: impure; the binary calls it.
//!
//! Invariants: a step never runs outside of [`sandbox`]; every input is known by its hash before it is used; a step is a Nix
//! derivation, so its paths and hashes are those that Nix would compute.
//!
//! A [`chain::Chain`] names inputs, archives and steps; [`plan::plan`] makes derivations of them; [`build::Builder`] runs them
//! and leaves results in a [`store::Store`].

pub mod archive;
pub mod build;
pub mod causes;
pub mod chain;
pub mod difference;
pub mod explain;
pub mod export;
pub mod input;
pub mod plan;
pub mod provenance;
pub mod sandbox;
pub mod store;
