//! `landing pulls`, `landing follow`, `landing join` and `landing support`: what is told of changes and channels, kept up.
//!
//! Invariant: stopping in the middle costs nothing but the request that was under way.

use super::super::serve::stop_signal;
use super::super::{open, open_existing};
use super::counted;
use crate::arguments::{LandingFollow, LandingJoin, LandingPulls, LandingSupport, Polling};
use crate::output::{self, Outcome, Refusal};
use anyhow::Context;
use jiff::Timestamp;
use serde::Serialize;
use std::fmt::Write;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;
use tracker_jobs::landing::{
    ChannelReport, ChannelSource, PULLS_FEED, PullSource, PullSummary, channel_feed,
    follow_channel, import_pulls, join_folder, poll_pulls,
};
use tracker_jobs::{FetchLimits, Fetcher, Secret, derive};
use tracker_store::Store;

/// How often it is looked whether anything is due.
const TICK: Duration = Duration::from_secs(30);

/// The largest answer that is taken.
const MAX_ANSWER: u64 = 64 * 1024 * 1024;

/// A fetcher of answers, which are kept in a folder meanwhile.
pub(in crate::command) fn fetcher(spool: &Path) -> anyhow::Result<Fetcher> {
    let limits = FetchLimits {
        bytes: MAX_ANSWER,
        ..FetchLimits::default()
    };
    Ok(Fetcher::new(spool.to_owned(), limits)?)
}

/// Where pull requests are.
pub(in crate::command) fn pull_source(url: &str, polling: &Polling) -> PullSource {
    PullSource {
        url: url.to_owned(),
        key: polling.github_key.clone().map(Secret),
        pages: polling.pages,
        between: Duration::from_secs(1),
    }
}

/// Reads pull requests.
pub(crate) async fn pulls(arguments: LandingPulls) -> anyhow::Result<Outcome> {
    let store = open(&arguments.database.database).await?;
    let mut outcome = Outcome::Done;
    for path in &arguments.files {
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("`{name}` cannot be read"))?;
        let summary = import_pulls(&store, &name, BufReader::new(file)).await?;
        tell_pulls(&name, &summary, arguments.json.json)?;
        if summary.rejected_count > 0 {
            outcome = Outcome::Partly;
        }
    }
    if let Some(url) = &arguments.url {
        let fetcher = fetcher(&arguments.spool.spool)?;
        let summary = poll_pulls(&store, &fetcher, &pull_source(url, &arguments.polling)).await?;
        tell_pulls(url, &summary, arguments.json.json)?;
        if summary.problem.is_some() || summary.rejected_count > 0 {
            outcome = Outcome::Partly;
        }
    }
    store.close().await;
    Ok(outcome)
}

#[derive(Serialize)]
struct Named<'a, T> {
    name: &'a str,
    #[serde(flatten)]
    what: &'a T,
}

/// An object a line.
fn line<T: Serialize>(what: &T) -> anyhow::Result<()> {
    let line = serde_json::to_string(what).context("the report has a JSON form")?;
    output::text(&format!("{line}\n"))
}

fn tell_pulls(name: &str, summary: &PullSummary, json: bool) -> anyhow::Result<()> {
    if json {
        return line(&Named {
            name,
            what: summary,
        });
    }
    let mut out = String::new();
    writeln!(
        out,
        "{name}: {} added, {} changed, {} known, {} refused",
        counted(summary.counts.added, "pull request", "pull requests"),
        summary.counts.changed,
        summary.counts.unchanged,
        summary.rejected_count
    )?;
    for (place, reason) in summary.rejected.iter().take(20) {
        writeln!(out, "refused: entry {place}: {reason}")?;
    }
    if let Some(problem) = &summary.problem {
        writeln!(out, "{name}: failed: {problem}")?;
    }
    output::text(&out)
}

/// Whether these can be names of channels, which stand in addresses.
pub(in crate::command) fn check_names(channels: &[String]) -> anyhow::Result<()> {
    let known = |name: &String| {
        !name.is_empty()
            && name
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || b".-_".contains(&c))
    };
    if let Some(odd) = channels.iter().find(|name| !known(name)) {
        return Refusal::wrong(format!("`{odd}` is no channel's name"));
    }
    Ok(())
}

/// Follows channels.
pub(crate) async fn follow(arguments: LandingFollow) -> anyhow::Result<Outcome> {
    check_names(&arguments.channels)?;
    let stop = stop_signal()?;
    let store = open(&arguments.database.database).await?;
    let fetcher = fetcher(&arguments.spool.spool)?;
    let outcome = tokio::select! {
        outcome = passes(&arguments, &store, &fetcher) => outcome?,
        () = stop => {
            output::note("stopped");
            Outcome::Done
        }
    };
    store.close().await;
    Ok(outcome)
}

async fn passes(
    arguments: &LandingFollow,
    store: &Store,
    fetcher: &Fetcher,
) -> anyhow::Result<Outcome> {
    let channels = ChannelSource {
        channels: arguments.channels.clone(),
        history_url: arguments.places.history_url.clone(),
        head_url: arguments.places.head_url.clone(),
        hydra_url: arguments.places.hydra_url.clone(),
        folder: arguments.index.folder.clone(),
    };
    let json = arguments.json.json;
    loop {
        let mut outcome = Outcome::Done;
        for channel in &channels.channels {
            if !(arguments.once || due(store, &channel_feed(channel)).await?) {
                continue;
            }
            let report = follow_channel(store, fetcher, &channels, channel).await?;
            if !report.problems.is_empty() {
                outcome = Outcome::Partly;
            }
            tell_channel(&report, json)?;
        }
        let url = &arguments.places.pulls_url;
        if !url.is_empty() && (arguments.once || due(store, PULLS_FEED).await?) {
            let summary = poll_pulls(store, fetcher, &pull_source(url, &arguments.polling)).await?;
            if summary.problem.is_some() {
                outcome = Outcome::Partly;
            }
            tell_pulls(url, &summary, json)?;
        }
        if arguments.once {
            return Ok(outcome);
        }
        tokio::time::sleep(TICK).await;
    }
}

async fn due(store: &Store, feed: &str) -> anyhow::Result<bool> {
    let state = store.follow_state(feed).await?;
    Ok(state.next.is_none_or(|next| next <= Timestamp::now()))
}

fn tell_channel(report: &ChannelReport, json: bool) -> anyhow::Result<()> {
    if json {
        return line(report);
    }
    let mut out = String::new();
    let ChannelReport {
        channel,
        releases,
        moved,
        requests,
        ..
    } = report;
    writeln!(
        out,
        "{channel}: {}{}; {}",
        counted(*releases, "release added", "releases added"),
        if *moved { ", moved" } else { "" },
        counted(*requests, "request", "requests")
    )?;
    for problem in &report.problems {
        writeln!(out, "{channel}: failed: {problem}")?;
    }
    output::text(&out)
}

/// Joins the index to the tracker.
pub(crate) async fn join(arguments: LandingJoin) -> anyhow::Result<Outcome> {
    let store = open_existing(&arguments.database.database).await?;
    let summary = join_folder(&store, &arguments.index.folder).await?;
    let derived = derive(&store, &()).await?;
    store.close().await;
    let changed: u64 = derived
        .distributions
        .iter()
        .map(|one| one.findings_changed)
        .sum();
    if arguments.json.json {
        #[derive(Serialize)]
        struct Joined {
            #[serde(flatten)]
            summary: tracker_jobs::landing::JoinSummary,
            findings_changed: u64,
        }
        output::json(&Joined {
            summary,
            findings_changed: changed,
        })?;
    } else {
        output::text(&format!(
            "{} in releases, of {} that commits name; {} changed, {} changed\n",
            counted(summary.fixes, "fix", "fixes"),
            counted(summary.vulnerabilities, "vulnerability", "vulnerabilities"),
            counted(summary.changed, "vulnerability", "vulnerabilities"),
            counted(changed, "finding", "findings"),
        ))?;
    }
    Ok(Outcome::Done)
}

/// Says until when channels are supported.
pub(crate) async fn support(arguments: LandingSupport) -> anyhow::Result<Outcome> {
    let store = open(&arguments.database.database).await?;
    if let Some(channel) = &arguments.channel
        && (arguments.ends.is_some() || arguments.unknown)
    {
        store.set_channel_support(channel, arguments.ends).await?;
    }
    let mut support = store.channel_support().await?;
    store.close().await;
    if let Some(channel) = &arguments.channel {
        support.retain(|name, _| name == channel);
    }
    if arguments.json.json {
        output::json(&support)?;
        return Ok(Outcome::Done);
    }
    let mut out = String::new();
    for (channel, ends) in &support {
        writeln!(out, "{channel} until {}", ends.strftime("%Y-%m-%d"))?;
    }
    if support.is_empty() {
        writeln!(out, "no end of support is known")?;
    }
    output::text(&out)?;
    Ok(Outcome::Done)
}
