//! Why a job could not go on. What single files and records have wrong with them is in the summaries instead.
//!
//! Invariant: whatever the job had acknowledged before stays; running it again goes on from there.

use crate::landing::LandingError;
use std::path::PathBuf;
use tracker_inventory::InventoryError;
use tracker_store::StoreError;

/// Why a job could not go on.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The database: see its own kinds for what can be done.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An input that was named does not exist or cannot be opened: correct the name or its rights.
    #[error("`{path}` cannot be opened")]
    Open {
        /// The input.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The file that would be written is there already: name another.
    #[error("`{path}` exists already; a backup replaces nothing")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file is no backup, or one of nothing.
    #[error("`{path}` is no backup of a tracker")]
    NoBackup {
        /// The file.
        path: PathBuf,
    },
    /// A package list or derivation graph is none.
    #[error("`{name}`")]
    Inventory {
        /// The input.
        name: String,
        /// What is wrong with it.
        #[source]
        source: InventoryError,
    },
    /// The landing index cannot be read: see its own kinds.
    #[error(transparent)]
    Landing(#[from] LandingError),
    /// A worker thread of the job ended by a defect of the program: report it.
    #[error("a worker of the job failed: {0}")]
    Worker(String),
}
