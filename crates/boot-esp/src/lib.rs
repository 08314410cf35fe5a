//! The EFI system partition: what is on it, what shall be on it, and the way from one to the other that a power cut at any
//! moment leaves bootable.
//!
//! Invariants:
//! - Planning is pure: a [`Survey`] and a [`Wanted`] give a [`Plan`]; nothing is decided while writing.
//! - An entry becomes visible by its first two bytes: everything else of it and all that it needs is on the disk and read
//!   back before.
//! - Nothing that a valid entry needs is removed or overwritten; entries go before the files that they need.
//! - Space is freed and that is synced before anything new is allocated, so that a directory entry which survived a power cut
//!   never shares clusters with a file that is written later.
//! - The booted, the default and the last good entry stay; a file that is not ours is never touched.

mod counting;
mod error;
mod execute;
mod fat;
mod folder;
mod loader;
mod meter;
mod outlook;
mod path;
mod plan;
mod stem;
mod survey;
mod volume;

#[cfg(test)]
mod tests;

pub use counting::{Counter, EntryName, State};
pub use error::Error;
pub use execute::{Progress, bless, execute, would_bless};
pub use fat::{Device, Fat};
pub use folder::Folder;
pub use loader::{LoaderConfig, MenuEntry, choose, glob, order};
pub use meter::{Meter, Metered};
pub use outlook::Outlook;
pub use path::EspPath;
pub use plan::{
    Companion, NewFile, Plan, Protected, Reason, Removal, Rewrite, Stage, Wanted, WantedEntry, plan,
};
pub use stem::Stem;
pub use survey::{
    ENTRIES, FoundEntry, Judge, Judgement, LOADER_CONF, Need, SHARED, Survey, survey,
};
pub use volume::{Content, Space, Volume};

/// What the functions of this crate answer.
pub type Result<T> = std::result::Result<T, Error>;
