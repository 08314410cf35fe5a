//! What can go wrong around a virtual machine.

use std::path::PathBuf;
use std::time::Duration;

/// Why a machine could not be made, started or led to where a test wants it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program is missing or could not be started.
    #[error("{program} does not start: {source}")]
    Start {
        /// Which.
        program: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// A program that prepares a machine failed.
    #[error("{program} failed: {output}")]
    Failed {
        /// Which.
        program: &'static str,
        /// What it printed.
        output: String,
    },
    /// A file can't be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What a step waits for did not come.
    #[error("step `{step}`: {what} did not come {end}; the log is {log}, its end:\n{screen}")]
    Step {
        /// The step's name.
        step: String,
        /// What it waited for.
        what: String,
        /// How the waiting ended.
        end: End,
        /// The serial log.
        log: String,
        /// Its last lines.
        screen: String,
    },
}

/// How waiting ended in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Time was up.
    Late(Duration),
    /// The machine turned itself off.
    Off,
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            End::Late(limit) => write!(f, "within {} s", limit.as_secs()),
            End::Off => f.write_str("before the machine turned off"),
        }
    }
}
