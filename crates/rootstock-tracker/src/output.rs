//! What is printed at the end of a command, and the code it ends with.
//!
//! Invariant: standard output carries results only; progress, logs and errors go to standard error. No text that somebody else
//! wrote tells the terminal what to do.

use anyhow::Context;
use serde::Serialize;
use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;
use tracker_store::StoreError;
use tracker_triage::CommandError;
use tracker_triage::query::QueryError;

/// Why a command cannot do what its line asks for, where the line itself is the reason.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// A value is none of those that there are.
    Wrong(String),
    /// What it names is not there.
    Absent(String),
}

impl Refusal {
    /// That a value is wrong, as what a command ends with.
    pub(crate) fn wrong<T>(reason: String) -> anyhow::Result<T> {
        Err(Refusal::Wrong(reason).into())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Wrong(reason) | Refusal::Absent(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for Refusal {}

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

/// Prints a text.
pub(crate) fn text(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(harmless(text).as_bytes())?;
    out.flush().context("standard output")
}

/// Says what failed, with every cause, on one line.
pub(crate) fn failure(error: &anyhow::Error) {
    // Standard error may be closed; there is nobody left to tell then.
    let told = format!("error: {error:#}");
    let _ = writeln!(io::stderr().lock(), "{}", harmless(&told));
}

/// A remark beside the result.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", harmless(text));
}

/// A text without what moves a terminal's cursor, renames its window or fills its clipboard: titles, reasons and what servers
/// answer are written by others.
fn harmless(text: &str) -> Cow<'_, str> {
    let harms = |character: char| character.is_control() && !matches!(character, '\n' | '\t');
    if !text.contains(harms) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(harms, "\u{fffd}"))
}

/// The code of a command that failed, as documented under `--help`: what the line has wrong and what is not there
/// have codes of their own, whichever command says so.
pub(crate) fn code_of(error: &anyhow::Error) -> ExitCode {
    let wrong = |cause: &(dyn std::error::Error + 'static)| {
        cause.is::<QueryError>() || matches!(cause.downcast_ref(), Some(Refusal::Wrong(_)))
    };
    let absent = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref(), Some(Refusal::Absent(_)))
            || matches!(
                cause.downcast_ref(),
                Some(
                    StoreError::NoItem { .. }
                        | StoreError::NoRule { .. }
                        | StoreError::Triage(CommandError::NoEvent { .. })
                )
            )
    };
    if error.chain().any(wrong) {
        Outcome::unusable()
    } else if error.chain().any(absent) {
        Outcome::Absent.code()
    } else {
        Outcome::FAILED
    }
}

/// Whether an error is that nobody reads standard output any more.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
