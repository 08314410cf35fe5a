//! The landing index on disk, and what brings it up to date. Layer: tracker, jobs.
//!
//! Reading order: `git` (the program that reads history), `folder` (the index on disk), `update` (what is new in a
//! repository), `links` (what changes the same), `history` (a channel's past from a file), `channels` and `pulls` (what is followed over HTTP),
//! `join` (what it tells the tracker). The answers are `tracker-landing`'s.
//!
//! Invariant: the folder holds one append-only file of checked segments. A writer that is killed at any byte leaves an index
//! that answers as if it had stopped at the last whole segment, and the next run goes on from there.

mod channels;
mod error;
mod folder;
mod git;
mod history;
mod join;
mod links;
mod pulls;
mod update;

pub use channels::{ChannelReport, ChannelSource, channel_feed, follow_channel};
pub use error::LandingError;
pub use folder::LandingFolder;
pub use history::{HistoryImport, HistorySummary, import_history};
pub(crate) use join::close;
pub use join::{JoinSummary, dated, join, join_folder};
pub use pulls::{PULLS_FEED, PullError, PullSource, PullSummary, import_pulls, poll_pulls};
pub use update::{IndexRequest, IndexSummary, index};
