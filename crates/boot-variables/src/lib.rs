//! Secure Boot variables: signature lists, time-authenticated updates, the stores that hold them, what an update would
//! change, and the boot oracle: would this machine boot this file, and which entry decides.
//!
//! Invariants: no I/O; foreign bytes are bounded and never trusted; every list that is written reads back as itself.
//!
//! Sources: UEFI specification 2.10 chapters 8.2 (authenticated variables) and 32.4 (signature database), EDK II's
//! `VariableFormat.h`, `AuthVariableLib` and `DxeImageVerificationLib`, shim's `SBAT.md` and `mok.c`.

mod authenticated;
mod error;
mod guid;
mod machine;
mod oracle;
mod shim;
mod signature_list;
mod store;
mod variable;
mod verdict;

#[cfg(test)]
mod tests;

pub use authenticated::{EfiTime, SignedUpdate, Update};
pub use error::Error;
pub use guid::{Guid, guids};
pub use machine::{Machine, Platform};
pub use oracle::firmware;
pub use shim::{Asker, Shim, shim};
pub use signature_list::{
    Change, Entry, EntryKind, MAX_LIST, diff, merge, read_lists, write_lists,
};
pub use store::{MAX_STORE, read_efivarfs, read_store, replace_store};
pub use variable::{Variable, Variables, attributes};
pub use verdict::{Decision, EntryName, Reason, Status};

/// What the functions of this crate answer.
pub type Result<T> = std::result::Result<T, Error>;
