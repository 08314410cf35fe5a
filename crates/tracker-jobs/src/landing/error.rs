//! Why the landing index cannot be read or brought up to date.
//!
//! Invariant: whatever was appended before stays valid; running again goes on from there.

use std::path::PathBuf;
use tracker_landing::archive::ArchiveError;
use tracker_landing::graph::GraphError;
use tracker_landing::log::LogError;
use tracker_landing::releases::ReleasesError;

/// Why the landing index cannot be read or brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum LandingError {
    /// The `git` program does not start: install it.
    #[error("`git` cannot be started")]
    NoGit(#[source] std::io::Error),
    /// `git` refused or failed: it says why.
    #[error("`git {command}` in `{repository}` failed: {message}")]
    Git {
        /// The command.
        command: String,
        /// The repository.
        repository: PathBuf,
        /// The first lines that it wrote to standard error.
        message: String,
    },
    /// A shallow clone has lost a part of history, so answers would be wrong: fetch the rest.
    #[error("`{0}` is a shallow clone; fetch the rest with `git fetch --unshallow`")]
    Shallow(PathBuf),
    /// The repository names its commits in another way.
    #[error("`{repository}` names objects by {format}; only sha1 is read")]
    ObjectFormat {
        /// The repository.
        repository: PathBuf,
        /// What git calls its names.
        format: String,
    },
    /// The trunk is not there: name another, or fetch it.
    #[error("`{repository}` has no branch `{trunk}`; it has {found}")]
    NoTrunk {
        /// The repository.
        repository: PathBuf,
        /// The branch that was looked for.
        trunk: String,
        /// Some that are there.
        found: String,
    },
    /// The commit stream is not what git should write.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Git left out a parent: history is incomplete, by a graft or a damaged repository.
    #[error("commit {0} names a parent that `git` does not give; the repository is incomplete")]
    Incomplete(String),
    /// A commit that cannot be indexed.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The index is not there: make it first.
    #[error("there is no landing index in `{0}`; `landing index` makes one")]
    Absent(PathBuf),
    /// The index is another file, of another version, or unreadable.
    #[error("`{path}`; if it is a landing index, remove it and index again")]
    Archive {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: ArchiveError,
    },
    /// Another process brings the index up to date: wait for it.
    #[error("`{0}` is being written by another process")]
    Busy(PathBuf),
    /// The disk failed or is full; what was written before stays valid.
    #[error("`{path}` cannot be written or read")]
    Disk {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// A channel history that cannot be read.
    #[error("`{name}`")]
    History {
        /// The file.
        name: String,
        /// What is wrong.
        #[source]
        source: ReleasesError,
    },
}
