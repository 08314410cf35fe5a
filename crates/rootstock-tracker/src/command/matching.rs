//! `match`: which packages the vulnerabilities concern, and what is affected.

use super::open_existing;
use crate::arguments::Match;
use crate::output::{self, Outcome};
use crate::progress::Display;
use std::fmt::Write;

/// Matches what is due.
pub(crate) async fn run(arguments: Match) -> anyhow::Result<Outcome> {
    let store = open_existing(&arguments.database.database).await?;
    let progress = Display::new();
    let summary = tracker_jobs::derive(&store, &progress).await;
    progress.finish();
    let summary = summary?;
    store.close().await;
    if arguments.json.json {
        output::json(&summary)?;
        return Ok(Outcome::Done);
    }
    let mut out = String::new();
    for done in &summary.distributions {
        writeln!(
            out,
            "{}: {} vulnerabilities looked at, {} matches new, {} gone, {} findings changed, {} vulnerabilities as before",
            done.distribution,
            done.vulnerabilities,
            done.matched,
            done.unmatched,
            done.findings_changed,
            done.unchanged
        )?;
    }
    if summary.distributions.is_empty() {
        writeln!(
            out,
            "there is no channel to match with; `rootstock-tracker channel import` reads one"
        )?;
    }
    output::text(&out)?;
    Ok(Outcome::Done)
}
