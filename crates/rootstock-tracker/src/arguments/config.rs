//! `config`: what can be asked of configuration files.

use super::{Json, examples};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `config`.
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Check a configuration file, and print what holds with it and from where.
    ///
    /// What is printed is a configuration file itself, for every command, with the environment's values over those of the file. Secrets are
    /// not printed.
    #[command(after_help = examples("config check /etc/rootstock/tracker.toml"))]
    Check(ConfigCheck),
}

/// `config check`.
#[derive(Debug, Args)]
pub(crate) struct ConfigCheck {
    /// The file.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) json: Json,
}
