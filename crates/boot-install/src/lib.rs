//! The installer: reads the generations of profiles, makes a small signed image for each of them and for each
//! specialisation, and plans what has to change on every EFI system partition. `boot-esp` carries the plans out.
//!
//! Invariants: kernels and initrds are hashed once and stored once by content; an entry that is there and whole is not made
//! again; what was read from one partition is what the others get, byte for byte; no process is started unless that is asked for
//! ([`InitrdSecrets::Run`]).

mod beside;
mod credential;
mod entry;
mod error;
mod foresee;
mod generation;
mod judge;
mod loader;
mod make;
mod policy;
mod prepare;
mod secrets;
mod source;

pub use credential::is_encrypted;
pub use entry::{EntryPlan, Maker, Signing};
pub use error::Error;
pub use foresee::{Foreseen, Measured, Start, Value, foresee, foresee_companions};
pub use generation::{Generation, Profiles, System, profiles, synthesise};
pub use judge::judge;
pub use loader::{LoaderChoice, LoaderPaths, loader_choice};
pub use policy::{EpochCounter, PolicySigning};
pub use prepare::{
    EntryRegisters, Installation, Prepared, Request, Settings, Target, prepare, would_start,
};
pub use secrets::InitrdSecrets;
pub use source::Sources;

/// What the functions of this crate answer.
pub type Result<T> = std::result::Result<T, Error>;
