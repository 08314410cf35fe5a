//! `landing`: the index of where commits are, and what it answers.

mod follow;
mod watch;

pub(super) use follow::{check_names, fetcher, follow, join, pull_source, pulls, support};
pub(super) use watch::watch;

use super::open_existing;
use crate::arguments::{LandingHistory, LandingIndex, LandingShow};
use crate::output::{self, Outcome};
use crate::progress::Display;
use anyhow::Context;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt::Write;
use tracker_jobs::landing::{
    HistoryImport, IndexRequest, LandingFolder, dated, import_history, index as bring_up_to_date,
};
use tracker_landing::answer::{Answer, AnswerError, Asked, ChannelLanding, Eta, Link, Standing};
use tracker_landing::graph::GraphError;

/// Brings the index up to date with a repository.
pub(crate) fn index(arguments: LandingIndex) -> anyhow::Result<Outcome> {
    let request = IndexRequest {
        repository: arguments.repository,
        folder: arguments.index.folder,
        trunk: arguments.lines.trunk,
        branches: arguments.lines.branches,
        channels: arguments.channels,
        now: arguments.at.time(),
    };
    let progress = Display::new();
    let summary = bring_up_to_date(&request, &progress);
    progress.finish();
    let summary = summary?;
    if arguments.json.json {
        output::json(&summary)?;
    } else {
        let mut out = String::new();
        writeln!(
            out,
            "{}, {} in all, {}, {:.1} MB",
            counted(summary.new_commits, "new commit", "new commits"),
            summary.commits,
            counted(summary.branches, "branch", "branches"),
            summary.bytes as f64 / 1e6
        )?;
        for (what, names) in [
            ("moved", &summary.moved_branches),
            ("rewritten", &summary.rewritten_branches),
            ("channels moved", &summary.moved_channels),
        ] {
            if !names.is_empty() {
                writeln!(out, "{what}: {}", names.join(", "))?;
            }
        }
        if summary.dropped_bytes > 0 {
            let bytes = summary.dropped_bytes;
            writeln!(
                out,
                "{bytes} bytes at the end of the index were damaged; they were made again"
            )?;
        }
        for note in &summary.notes {
            writeln!(out, "note: {note}")?;
        }
        for warning in &summary.warnings {
            writeln!(out, "warning: {warning}")?;
        }
        output::text(&out)?;
    }
    Ok(if summary.warnings.is_empty() {
        Outcome::Done
    } else {
        Outcome::Partly
    })
}

/// Reads history files into the index.
pub(crate) fn history(arguments: LandingHistory) -> anyhow::Result<Outcome> {
    let mut summaries = BTreeMap::new();
    for file in &arguments.files {
        let name = file.display().to_string();
        let bytes = std::fs::read(file).with_context(|| format!("`{name}` cannot be read"))?;
        let import = HistoryImport {
            folder: arguments.index.folder.clone(),
            name: name.clone(),
            bytes,
            channel: arguments.channel.clone(),
            now: Timestamp::now(),
        };
        summaries.insert(name, import_history(&import)?);
    }
    if arguments.json.json {
        output::json(&summaries)?;
    } else {
        let mut out = String::new();
        for (name, summary) in &summaries {
            writeln!(
                out,
                "{name}: {} added, {} known, {} of commits that are not indexed, {} refused",
                counted(summary.added, "release", "releases"),
                summary.known,
                summary.unknown_commits,
                summary.rejected_count
            )?;
            for (place, reason) in summary.rejected.iter().take(20) {
                writeln!(out, "refused: entry {place}: {reason}")?;
            }
        }
        output::text(&out)?;
    }
    let clean = summaries
        .values()
        .all(|summary| summary.rejected_count == 0);
    Ok(if clean {
        Outcome::Done
    } else {
        Outcome::Partly
    })
}

/// Shows where a change is.
pub(crate) async fn show(arguments: LandingShow) -> anyhow::Result<Outcome> {
    let mut folder = LandingFolder::open(&arguments.index.folder)?;
    if let Some(url) = &arguments.database {
        let store = open_existing(url).await?;
        let releases = dated(&store).await?;
        store.close().await;
        folder.set_outside(releases);
    }
    let asked = Asked::read(&arguments.change);
    let answer = match folder.index().answer(&asked, arguments.at.time()) {
        Ok(answer) => answer,
        Err(
            error @ (AnswerError::NoPullRequest(_) | AnswerError::Commit(GraphError::Unknown(_))),
        ) => {
            output::note(&format!("{error}; it is not merged, or the index is older"));
            return Ok(Outcome::Absent);
        }
        Err(error) => return Err(error.into()),
    };
    if arguments.json.json {
        output::json(&answer)?;
    } else {
        output::text(&text(&answer)?)?;
    }
    Ok(Outcome::Done)
}

/// An answer as text.
fn text(answer: &Answer) -> anyhow::Result<String> {
    let mut out = String::new();
    let request = answer
        .pull_request
        .map_or(String::new(), |number| format!(", pull request #{number}"));
    writeln!(
        out,
        "commit {} of {}{request}",
        answer.commit,
        minute(answer.time)
    )?;
    if !answer.vulnerabilities.is_empty() {
        writeln!(out, "names {}", answer.vulnerabilities.join(", "))?;
    }
    for origin in &answer.picked_from {
        writeln!(out, "picked from {origin}")?;
    }
    for revert in &answer.reverts {
        writeln!(
            out,
            "reverted by {} of {}",
            revert.commit,
            minute(revert.time)
        )?;
    }
    for backport in &answer.backports {
        let request = backport
            .pull_request
            .map_or(String::new(), |number| format!(" (#{number})"));
        writeln!(
            out,
            "picked by {} of {}{request}{}",
            backport.commit,
            minute(backport.time),
            match backport.by {
                Link::Message => "",
                Link::Patch => ", which makes the same change",
                Link::Request => ", as its pull request says",
            }
        )?;
    }
    writeln!(out, "\nway")?;
    for step in &answer.path {
        writeln!(
            out,
            "  {}  {:.12}  {}",
            minute(step.time),
            step.commit.to_string(),
            step.words()
        )?;
    }
    for (release, words) in answer.releases() {
        writeln!(
            out,
            "  {}  {:.12}  {words}",
            minute(release.time),
            release.commit.to_string()
        )?;
    }
    writeln!(out, "\nbranches")?;
    for tick in &answer.branches {
        let since = tick
            .since
            .map_or(String::new(), |time| format!("since {}", minute(time)));
        let via = tick.via.map_or(String::new(), |name| {
            format!(" by {:.12}", name.to_string())
        });
        let undone = tick.reverted.map_or(String::new(), |name| {
            format!(", undone by {:.12}", name.to_string())
        });
        writeln!(
            out,
            "  {} {:<24}{since}{via}{undone}",
            mark(tick.contained),
            tick.branch
        )?;
    }
    writeln!(out, "\nchannels")?;
    for landing in &answer.channels {
        let here = matches!(landing.standing, Standing::Landed | Standing::Reverted);
        writeln!(
            out,
            "  {} {:<24}{}",
            mark(here),
            landing.channel,
            standing(landing)
        )?;
    }
    if answer.channels.is_empty() {
        writeln!(
            out,
            "  no release of any channel is known; see `landing history --help`"
        )?;
    }
    Ok(out)
}

/// A number with its noun.
fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn mark(here: bool) -> &'static str {
    if here { "[x]" } else { "[ ]" }
}

fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// How a channel stands, in words.
fn standing(landing: &ChannelLanding) -> String {
    let mut words: Vec<String> = Vec::new();
    if let Some(first) = &landing.first {
        let seen = if first.observed {
            "first seen in"
        } else {
            "since"
        };
        words.push(format!(
            "{seen} {:.40} of {}",
            first.name,
            minute(first.time)
        ));
    }
    if let Some(before) = &landing.before {
        words.push(format!("not yet at {}", minute(before.time)));
    }
    if let Some(via) = &landing.via {
        words.push(format!("by {:.12}", via.to_string()));
    }
    if let Some(revert) = &landing.reverted {
        words.push(format!("undone there by {:.12}", revert.to_string()));
    }
    if let Some(lost) = &landing.lost {
        words.push(format!(
            "lost in {:.40} of {}",
            lost.name,
            minute(lost.time)
        ));
    }
    match &landing.eta {
        None => {}
        Some(Eta::Unknown { because }) => words.push(format!("when is unknown: {because}")),
        Some(Eta::Forecast {
            low,
            median,
            high,
            record,
            ..
        }) => {
            let high = high.map_or("an unknown time".to_owned(), minute);
            words.push(format!(
                "expected by {} (80 %: {} to {high}; of {} such forecasts {:.0} % came true)",
                minute(*median),
                minute(*low),
                record.changes,
                record.coverage * 100.0
            ));
        }
    }
    words.join(", ")
}
