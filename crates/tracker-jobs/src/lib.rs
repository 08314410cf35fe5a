//! What runs in the background: importing feeds and channel releases, deriving matches. Layer: tracker, jobs.
//!
//! Reading order: [`import_feeds`] (files into records), [`import_channel`] (package lists into releases),
//! [`derive()`] (records and releases into matches and findings). [`Fetcher`], [`follow()`] and [`follow_releases()`]
//! bring feeds and releases from the network, [`landing`] keeps the index of where commits are, [`backup()`] copies
//! whole databases; [`Worker`] runs all of it when it is due. [`Input`] is what they read, [`Progress`] what they
//! report while they run, and each gives a summary at the end.
//!
//! Invariant: a job that is killed at any moment loses nothing it has acknowledged, and running it again
//! completes it: every step is one transaction of the store, and no job keeps state of its own.

mod backup;
mod channel;
mod derive;
mod error;
mod fetch;
mod follow;
mod import;
mod input;
pub mod landing;
mod own_folder;
mod progress;
mod worker;

pub use backup::{backup, copy, open_backup};
pub use channel::{ChannelSummary, RejectedEntry, ReleaseFiles, import_channel, import_release};
pub use derive::{DeriveSummary, DistributionDerived, derive};
pub use error::JobError;
pub use fetch::{Ask, Download, FetchError, FetchLimits, Fetched, Fetcher, Secret, Validators};
pub use follow::{
    Content, Feed, FeedKind, FollowError, FollowReport, ReleaseReport, ReleaseSource, feed_named,
    feeds, follow, follow_releases,
};
pub use import::{
    ImportSummary, MAX_LISTED, RecordWarning, Refused, Rejected, SourceCounts, import_feeds,
};
pub use input::Input;
pub use own_folder::OwnFolder;
pub use progress::{Phase, Progress, Step};
pub use worker::{IndexSource, Plan, Task, Tools, Until, Worker, WorkerOptions, WorkerSummary};
