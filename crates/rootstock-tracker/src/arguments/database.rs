//! `backup`, `restore`, `copy` and `check`.

use super::{Database, Json};
use clap::Args;
use std::path::PathBuf;

/// `backup`.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// File to write; it must not be there.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `restore`.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Only tell what would be written.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `copy`.
#[derive(Debug, Args)]
pub(crate) struct Copy {
    /// The database to copy, which is only read.
    #[arg(long, value_name = "URL", hide_env_values = true)]
    pub(crate) from: String,
    /// The database to copy into: an empty one, or one that a part of the same copy is in.
    #[arg(long, value_name = "URL", hide_env_values = true)]
    pub(crate) to: String,
    /// Only tell what would be written.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Also read every stored document.
    #[arg(long)]
    pub(crate) documents: bool,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}
