//! Bootspec: what a system generation says about how it boots. Version 1 (RFC 125) and version 2 (docs/boot/bootspec-v2.md)
//! are read, checked, written and turned into each other; older generations, which say nothing, are given a document.
//!
//! Invariants: no I/O; one table of fields ([`Field`]) drives the reader, the strict check and the JSON schema; every problem
//! names the JSON path where it is; converting there and back gives the same document.

mod convert;
mod document;
mod error;
mod extension;
mod field;
mod json;
mod read;
mod schema;
mod synthesise;

#[cfg(test)]
mod tests;

pub use convert::{Loss, downgrade, upgrade};
pub use document::{Any, Boot, BootV1, BootV2, Document, SPECIALISATION_DEPTH};
pub use error::{Error, Problem};
pub use extension::{
    BUILD, Build, CARRIED, CREDENTIALS, Credentials, EPOCH, Extension, INITRD_SECRETS, Loader,
    MICROCODE, Microcode, REGISTRY, SYSTEMD_BOOT, SecurityEpoch, Shape, UKI, UnifiedImage, VERITY,
    Verity,
};
pub use field::{Field, Kind, MAX_ITEMS, MAX_TEXT};
pub use json::MAX_DOCUMENT;
pub use read::{Read, Strictness, read};
pub use schema::schema;
pub use synthesise::{Toplevel, synthesise};

/// What the functions of this crate answer.
pub type Result<T> = std::result::Result<T, Error>;
