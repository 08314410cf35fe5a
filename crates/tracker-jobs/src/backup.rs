//! Backups: a SQLite database that holds everything, whatever kind the backed-up database is.
//!
//! Invariants: the file appears under its name when it is whole and compared, never before; a backup is only read.

use crate::error::JobError;
use crate::progress::{Phase, Progress, Step};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use tracker_store::{CopyPhase, CopyStep, CopySummary, Store, StoreError};

/// Copies a database into another that is empty or holds a part of the same copy.
///
/// # Errors
/// See [`Store::copy_to`].
pub async fn copy(
    source: &Store,
    target: &Store,
    progress: &dyn Progress,
) -> Result<CopySummary, JobError> {
    let mut each = |step: CopyStep| {
        let step = Step {
            phase: match step.phase {
                CopyPhase::Rows => Phase::Copy,
                CopyPhase::Words => Phase::Words,
                CopyPhase::Verify => Phase::Verify,
            },
            done: step.done,
            total: step.total,
            records: step.done,
        };
        progress.step(step);
    };
    Ok(source.copy_to(target, &mut each).await?)
}

/// Writes a backup of a database that may be in use meanwhile.
///
/// # Errors
/// [`JobError::Exists`] when the file is there already, [`JobError::Open`] when it cannot be made, and what copying
/// can meet.
pub async fn backup(
    source: &Store,
    file: &Path,
    progress: &dyn Progress,
) -> Result<CopySummary, JobError> {
    if file.exists() {
        return Err(JobError::Exists {
            path: file.to_owned(),
        });
    }
    let partial = beside(file, ".partial");
    let mut result = copy_into_file(source, &partial, progress).await;
    // What an attempt that was killed left is of another moment, if the database was in use since.
    if let Err(JobError::Store(StoreError::Target { .. })) = result {
        remove(&partial)?;
        result = copy_into_file(source, &partial, progress).await;
    }
    let summary = result?;
    let io = |source| JobError::Open {
        path: file.to_owned(),
        source,
    };
    File::open(&partial)
        .and_then(|file| file.sync_all())
        .map_err(io)?;
    fs::rename(&partial, file).map_err(io)?;
    let folder = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))
        .and_then(|folder| folder.sync_all())
        .map_err(io)?;
    Ok(summary)
}

async fn copy_into_file(
    source: &Store,
    file: &Path,
    progress: &dyn Progress,
) -> Result<CopySummary, JobError> {
    let target = Store::open_target(&format!("sqlite:{}", file.display())).await?;
    let summary = copy(source, &target, progress).await;
    target.close().await;
    summary
}

/// Opens a backup for reading: a copy of it in a folder that goes with the result, brought up to this program's
/// schema.
///
/// # Errors
/// [`JobError::Open`] when it cannot be read, [`JobError::NoBackup`] when it holds no tracker's data.
pub async fn open_backup(file: &Path) -> Result<(Store, tempfile::TempDir), JobError> {
    let io = |source| JobError::Open {
        path: file.to_owned(),
        source,
    };
    let nothing = || JobError::NoBackup {
        path: file.to_owned(),
    };
    if !is_sqlite(file).map_err(io)? {
        return Err(nothing());
    }
    let folder = tempfile::tempdir().map_err(io)?;
    let scratch = folder.path().join("backup.db");
    fs::copy(file, &scratch).map_err(io)?;
    let store = Store::open(&format!("sqlite:{}", scratch.display()))
        .await
        .map_err(|error| match error {
            StoreError::Unfinished => error.into(),
            _ => nothing(),
        })?;
    if store.last_change().await?.is_none() {
        store.close().await;
        return Err(nothing());
    }
    Ok((store, folder))
}

/// Does a file begin as SQLite's do?
fn is_sqlite(file: &Path) -> io::Result<bool> {
    let mut start = [0; 16];
    let mut opened = File::open(file)?;
    match io::Read::read_exact(&mut opened, &mut start) {
        Ok(()) => Ok(start == *b"SQLite format 3\0"),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Removes a SQLite database with its companions.
fn remove(file: &Path) -> Result<(), JobError> {
    for path in [file.to_owned(), beside(file, "-wal"), beside(file, "-shm")] {
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(JobError::Open { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}
