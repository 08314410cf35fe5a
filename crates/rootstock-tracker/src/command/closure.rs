//! `closure`: what of a closure is affected, without a database and without telling anybody of it.

use super::show::plain;
use crate::arguments::Closure;
use crate::output::{self, Outcome};
use anyhow::Context;
use serde::Serialize;
use std::fmt::Write;
use std::fs;
use std::io::{self, Read};
use tracker_inventory::closure::{AffectedRelease, Checked, check};

/// The result as JSON.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    channel: &'a str,
    revision: &'a str,
    /// Whether the list held all that is affected.
    complete: bool,
    /// Whether the closure was built from this revision, if it was said from which.
    same_revision: Option<bool>,
    #[serde(flatten)]
    checked: &'a Checked<'a>,
}

/// Holds a closure against a list.
pub(super) fn run(arguments: &Closure) -> anyhow::Result<Outcome> {
    let list = arguments.list.display();
    let text = fs::read(&arguments.list).with_context(|| format!("`{list}` cannot be read"))?;
    let release: AffectedRelease = serde_json::from_slice(&text)
        .with_context(|| format!("`{list}` is no list of what is affected"))?;
    let closure = match &arguments.paths {
        Some(file) => fs::read_to_string(file)
            .with_context(|| format!("`{}` cannot be read", file.display()))?,
        None => {
            let mut text = String::new();
            let read = io::stdin().lock().read_to_string(&mut text);
            read.context("standard input cannot be read")?;
            text
        }
    };
    let checked = check(&closure, &release);
    let given = arguments.revision.as_deref();
    // Either may be shortened.
    let begins = |one: &str, other: &str| !other.is_empty() && one.starts_with(other);
    let held = &release.revision;
    let same = given.map(|given| begins(held, given) || begins(given, held));
    if arguments.json.json {
        output::json(&Answer {
            channel: &release.channel,
            revision: &release.revision,
            complete: release.complete,
            same_revision: same,
            checked: &checked,
        })?;
    } else {
        output::text(&told(&checked, &release))?;
    }
    if same == Some(false) {
        output::note(&format!(
            "the list is of {} at {}, and the closure of {}: of a version that moved between them nothing is told",
            plain(&release.channel),
            plain(&release.revision),
            given.unwrap_or_default()
        ));
    }
    for line in &checked.refused {
        output::note(&format!("refused: `{}` is no store path", plain(line)));
    }
    if !release.complete {
        output::note("the list does not hold all that is affected: more may be than is told");
    }
    let whole = release.complete && checked.refused.is_empty();
    Ok(if checked.affected.is_empty() && whole {
        Outcome::Done
    } else {
        Outcome::Partly
    })
}

fn told(checked: &Checked<'_>, release: &AffectedRelease) -> String {
    let mut out = String::new();
    for one in &checked.affected {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{}", plain(one.path));
        for by in &one.package.vulnerabilities {
            let exploited = if by.exploited { "  exploited" } else { "" };
            let _ = writeln!(
                out,
                "  {}  {}{exploited}",
                plain(&by.id),
                plain(&by.severity)
            );
        }
    }
    let _ = writeln!(
        out,
        "{} of {} paths affected in {} at {}",
        checked.affected.len(),
        checked.paths,
        plain(&release.channel),
        plain(&release.revision)
    );
    out
}
