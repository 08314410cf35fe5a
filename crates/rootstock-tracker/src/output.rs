//! What is printed at the end of a command, and the code it ends with.
//!
//! Invariant: standard output carries results only; progress, logs and errors go to standard error.

use anyhow::Context;
use serde::Serialize;
use std::io::{self, Write};
use std::process::ExitCode;

/// How a command that ran to its end ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All of it was done.
    Done,
    /// A part of the input was refused; the rest was done.
    Partly,
    /// What was asked for is not there.
    Absent,
}

impl Outcome {
    /// The code of a command that failed.
    pub(crate) const FAILED: ExitCode = ExitCode::FAILURE;
    /// The code of a command that cannot begin: its line or its file is wrong.
    pub(crate) fn unusable() -> ExitCode {
        ExitCode::from(2)
    }

    /// Its exit code, as documented under `--help`.
    pub(crate) fn code(self) -> ExitCode {
        match self {
            Outcome::Done => ExitCode::SUCCESS,
            Outcome::Partly => ExitCode::from(3),
            Outcome::Absent => ExitCode::from(4),
        }
    }
}

/// Prints a result as JSON.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from)?;
    writeln!(out)?;
    out.flush().context("standard output")
}

/// Prints a text as it is.
pub(crate) fn text(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush().context("standard output")
}

/// Says what failed, with every cause, on one line.
pub(crate) fn failure(error: &anyhow::Error) {
    // Standard error may be closed; there is nobody left to tell then.
    let _ = writeln!(io::stderr().lock(), "error: {error:#}");
}

/// A remark beside the result.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether an error is that nobody reads standard output any more.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
