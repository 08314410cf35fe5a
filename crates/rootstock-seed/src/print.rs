//! What a command tells: lines for a person or one JSON document, and the exit code that follows from it.

use anyhow::Context;
use serde::Serialize;
use std::io::Write;
use std::process::ExitCode;

/// What was found: exit code 0 or 1. Errors are exit code 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Done, or everything checked holds.
    Good,
    /// What was checked does not hold.
    Bad,
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> ExitCode {
        match verdict {
            Verdict::Good => ExitCode::SUCCESS,
            Verdict::Bad => ExitCode::from(1),
        }
    }
}

impl Verdict {
    /// Good when `fine`.
    pub(crate) fn when(fine: bool) -> Verdict {
        if fine { Verdict::Good } else { Verdict::Bad }
    }
}

/// One line on standard error, where somebody may have stopped reading.
pub(crate) fn note(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Prints `value` as JSON, or what `text` makes of it.
pub(crate) fn answer<T: Serialize>(
    value: &T,
    json: bool,
    text: impl FnOnce(&T) -> String,
) -> anyhow::Result<()> {
    let mut text = if json {
        serde_json::to_string_pretty(value)?
    } else {
        text(value)
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    self::text(&text)
}

/// Prints a text.
pub(crate) fn text(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        // The reader has seen enough, as with `| head`.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("standard output"),
    }
}
