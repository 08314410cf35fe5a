//! The landing index on disk, and what brings it up to date. Layer: tracker, jobs.
//!
//! Reading order: `git` (the program that reads history), `folder` (the index on disk), `update` (what is new in a
//! repository), `history` (a channel's past from a file). The answers are `tracker-landing`'s.
//!
//! Invariant: the folder holds one append-only file of checked segments. A writer that is killed at any byte leaves an index
//! that answers as if it had stopped at the last whole segment, and the next run goes on from there.

mod error;
mod folder;
mod git;
mod history;
mod update;

pub use error::LandingError;
pub use folder::LandingFolder;
pub use history::{HistoryImport, HistorySummary, import_history};
pub use update::{IndexRequest, IndexSummary, index};
