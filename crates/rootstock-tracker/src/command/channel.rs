//! `channel`: releases into the database, and what is there.

use super::{open, open_existing};
use crate::arguments::{ChannelDiff, ChannelImport, ChannelList};
use crate::output::{self, Outcome};
use crate::progress::Display;
use jiff::Timestamp;
use serde::Serialize;
use std::fmt::Write;
use tracker_inventory::Release;
use tracker_jobs::Input;
use tracker_store::view::PackageMove;

/// Refusals that are listed; `--json` has more of them.
const LISTED: usize = 20;

/// Imports a release.
pub(crate) async fn import(arguments: ChannelImport) -> anyhow::Result<Outcome> {
    let store = open(&arguments.database.database).await?;
    let progress = Display::new();
    let release = Release {
        distribution: arguments.distribution,
        channel: arguments.name,
        revision: arguments.revision,
        released: arguments.released,
    };
    let packages = Input::Path(arguments.packages);
    let derivations = arguments.derivations.map(Input::Path);
    let summary =
        tracker_jobs::import_channel(&store, release, packages, derivations, &progress).await;
    progress.finish();
    let summary = summary?;
    if let Some(until) = arguments.supported_until {
        store.put_support(&summary.channel, Some(until)).await?;
    }
    store.close().await;
    if arguments.json.json {
        output::json(&summary)?;
    } else {
        let mut out = String::new();
        let news = if summary.new { "" } else { ", known before" };
        let place = if summary.current {
            ""
        } else {
            ", not the newest"
        };
        writeln!(
            out,
            "{} at {}: {} packages{news}{place}",
            summary.channel, summary.revision, summary.packages
        )?;
        if let (Some(added), Some(removed), Some(moved)) =
            (summary.added, summary.removed, summary.moved)
        {
            writeln!(
                out,
                "{added} added, {removed} removed, {moved} with another version"
            )?;
        }
        if let Some(joined) = summary.joined {
            writeln!(out, "{joined} packages found in the derivation graph")?;
        }
        for note in &summary.notes {
            writeln!(out, "note: {note}")?;
        }
        for rejected in summary.rejected.iter().take(LISTED) {
            writeln!(out, "rejected: {}: {}", rejected.entry, rejected.reason)?;
        }
        let hidden = summary.rejected_count.saturating_sub(LISTED as u64);
        if hidden > 0 {
            writeln!(out, "and {hidden} more")?;
        }
        output::text(&out)?;
    }
    Ok(if summary.rejected_count == 0 {
        Outcome::Done
    } else {
        Outcome::Partly
    })
}

/// Lists the channels.
pub(crate) async fn list(arguments: ChannelList) -> anyhow::Result<Outcome> {
    let store = open_existing(&arguments.database.database).await?;
    let channels = store.channels().await?;
    store.close().await;
    if arguments.json.json {
        output::json(&channels)?;
        return Ok(Outcome::Done);
    }
    let mut out = format!(
        "{:<24}{:<14}{:<22}{:<16}{:>9}{:>9}  revision\n",
        "channel", "distribution", "released", "supported until", "packages", "releases"
    );
    for channel in &channels {
        writeln!(
            out,
            "{:<24}{:<14}{:<22}{:<16}{:>9}{:>9}  {}",
            channel.name,
            channel.distribution,
            channel.released.strftime("%Y-%m-%d %H:%M UTC").to_string(),
            last_day(channel.supported_until),
            channel.packages,
            channel.releases,
            channel.revision
        )?;
    }
    output::text(&out)?;
    Ok(Outcome::Done)
}

/// The last day of support, of which its end is held.
fn last_day(until: Option<Timestamp>) -> String {
    let second = jiff::SignedDuration::from_secs(1);
    let last = until.and_then(|until| until.checked_sub(second).ok());
    last.map_or("-".to_owned(), |last| last.strftime("%Y-%m-%d").to_string())
}

/// What `channel diff --json` prints.
#[derive(Debug, Serialize)]
struct Difference<'a> {
    channel: &'a str,
    from: &'a str,
    to: &'a str,
    changes: &'a [PackageMove],
}

/// Tells what changed between two releases.
pub(crate) async fn diff(arguments: ChannelDiff) -> anyhow::Result<Outcome> {
    let store = open_existing(&arguments.database.database).await?;
    let Some(channel) = store.channel(&arguments.name).await? else {
        output::note(&format!(
            "there is no channel `{}` in this database",
            arguments.name
        ));
        return Ok(Outcome::Absent);
    };
    let revisions: Vec<&str> = channel
        .releases
        .iter()
        .map(|release| &*release.revision)
        .collect();
    let to = arguments.to.as_deref().or(revisions.first().copied());
    // Releases come newest first, so the one before a release stands behind it.
    let before = to.and_then(|to| {
        let place = revisions.iter().position(|revision| *revision == to)?;
        revisions.get(place + 1).copied()
    });
    let (Some(from), Some(to)) = (arguments.from.as_deref().or(before), to) else {
        output::note(&format!(
            "`{}` has no earlier release to compare with",
            arguments.name
        ));
        return Ok(Outcome::Absent);
    };
    let Some(changes) = store.release_difference(&arguments.name, from, to).await? else {
        output::note(&format!(
            "`{}` has no releases {from} and {to}; known are {}",
            arguments.name,
            revisions.join(", ")
        ));
        return Ok(Outcome::Absent);
    };
    if arguments.json.json {
        output::json(&Difference {
            channel: &arguments.name,
            from,
            to,
            changes: &changes,
        })?;
        return Ok(Outcome::Done);
    }
    let mut out = String::new();
    for change in &changes {
        let (from, to) = (
            change.from.as_deref().unwrap_or("-"),
            change.to.as_deref().unwrap_or("-"),
        );
        writeln!(
            out,
            "{:<8} {}  {from} -> {to}",
            change.change, change.attribute
        )?;
    }
    output::text(&out)?;
    output::note(&format!(
        "{} packages changed from {from} to {to}",
        changes.len()
    ));
    Ok(Outcome::Done)
}
