//! What a command tells: lines for a person or one JSON document, and the exit code that follows from it.

use anyhow::Context;
use serde::Serialize;
use std::io::Write;

/// What was found: exit code 0 or 1. Errors are exit code 2, asked-for offline signatures 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Done, or everything checked is right.
    Good,
    /// What was checked is refused, revoked, unsigned or against the rules.
    Bad,
}

impl Verdict {
    /// Good when `fine`.
    pub(crate) fn when(fine: bool) -> Verdict {
        if fine { Verdict::Good } else { Verdict::Bad }
    }
}

/// Where a command's answer goes.
#[derive(Debug)]
pub(crate) struct Out {
    json: bool,
    /// True when nothing may be written.
    pub(crate) dry_run: bool,
}

impl Out {
    pub(crate) fn new(json: bool, dry_run: bool) -> Out {
        Out { json, dry_run }
    }

    /// Whether JSON was asked for, so that what only a program reads need not be made for a person.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Prints `value` as JSON, or what `text` makes of it.
    pub(crate) fn answer<T: Serialize>(
        &self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<()> {
        let mut text = if self.json {
            serde_json::to_string_pretty(value)?
        } else {
            text(value)
        };
        if !text.ends_with('\n') {
            text.push('\n');
        }
        match std::io::stdout().lock().write_all(text.as_bytes()) {
            // The reader has seen enough, as with `| head`.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            result => result.context("standard output"),
        }
    }
}

/// Prints an error with its causes; as JSON too when JSON was asked for.
pub(crate) fn error(error: &anyhow::Error, json: bool) {
    let told = chain(error);
    let line = if json {
        serde_json::json!({ "error": told }).to_string()
    } else {
        format!("rootstock-boot: {told}")
    };
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// An error with its causes; one whose text the error above it ends with already is left out.
fn chain(error: &anyhow::Error) -> String {
    let mut causes = error.chain().map(ToString::to_string);
    let first = causes.next().unwrap_or_default();
    causes.fold(first, |text, cause| {
        if text.ends_with(&cause) {
            text
        } else {
            format!("{text}: {cause}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::chain;
    use anyhow::anyhow;

    #[test]
    fn no_cause_is_told_twice() {
        let error = anyhow!("it is cut off").context("certificate: it is cut off");
        assert_eq!(
            chain(&error.context("db.crt")),
            "db.crt: certificate: it is cut off"
        );
        let error = anyhow!("no such file").context("db.crt");
        assert_eq!(chain(&error), "db.crt: no such file");
    }
}
