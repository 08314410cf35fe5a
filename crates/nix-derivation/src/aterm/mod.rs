//! The `.drv` file format, an ATerm; the grammar is in the crate's documentation.
//!
//! Invariant: `parse(name, bytes)?.to_aterm() == bytes`.

mod read;
mod write;

pub use read::store_dir;
pub(crate) use write::{Masked, Substituted};

/// The name of the versioned form that dynamic derivations need.
const DYNAMIC_FORM: &str = "xp-dyn-drv";
