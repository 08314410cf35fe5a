//! `channel follow`: the newest releases of channels, fetched and imported, once or until told to stop.
//!
//! Invariant: stopping in the middle costs nothing but the release that was under way.

use super::follow::{TICK, fetcher};
use super::open;
use super::serve::stop_signal;
use crate::arguments::{ChannelFollow, Releases};
use crate::output::{self, Outcome, Refusal};
use anyhow::Context;
use jiff::Timestamp;
use tracker_jobs::{Fetcher, ReleaseReport, ReleaseSource, derive, follow_releases};
use tracker_store::Store;

/// Follows channels.
pub(crate) async fn run(arguments: ChannelFollow) -> anyhow::Result<Outcome> {
    let channels = chosen(&arguments.names, &arguments.url, &arguments.releases)?;
    let stop = stop_signal()?;
    let store = open(&arguments.database.database).await?;
    let fetcher = fetcher(&arguments.fetching, &arguments.fetching.spool.spool)?;
    let outcome = tokio::select! {
        outcome = passes(&arguments, &channels, &store, &fetcher) => outcome?,
        () = stop => {
            output::note("stopped");
            Outcome::Done
        }
    };
    store.close().await;
    Ok(outcome)
}

/// Pass after pass; only one with `--once`.
async fn passes(
    arguments: &ChannelFollow,
    channels: &[ReleaseSource],
    store: &Store,
    fetcher: &Fetcher,
) -> anyhow::Result<Outcome> {
    loop {
        let mut outcome = Outcome::Done;
        let mut news = false;
        for channel in channels {
            let name = format!("releases-{}", channel.name);
            let next = store.follow_state(&name).await?.next;
            let due = next.is_none_or(|next| next <= Timestamp::now());
            if !(arguments.once || due) {
                continue;
            }
            let report = follow_releases(store, fetcher, channel).await?;
            news |= report.releases.iter().any(|release| release.new);
            if report.pass.problem.is_some() {
                outcome = Outcome::Partly;
            }
            tell(arguments, &channel.name, &report)?;
        }
        if arguments.matching && news {
            derive(store, &()).await?;
        }
        if arguments.once {
            return Ok(outcome);
        }
        tokio::time::sleep(TICK).await;
    }
}

/// The channels that are named, at the addresses given.
pub(super) fn chosen(
    names: &[String],
    urls: &[(String, String)],
    wanted: &Releases,
) -> anyhow::Result<Vec<ReleaseSource>> {
    let ends = wanted.supported_until.iter().map(|(name, _)| name);
    let given = urls.iter().map(|(name, _)| name).chain(ends);
    if let Some(name) = given.into_iter().find(|name| !names.contains(name)) {
        return Refusal::wrong(format!("`{name}` is not among the channels that are named"));
    }
    let of = |name: &String| {
        let mut channel = ReleaseSource::of_nixpkgs(name);
        channel.distribution.clone_from(&wanted.distribution);
        channel.history = wanted.history;
        if let Some((_, url)) = urls.iter().find(|(of, _)| of == name) {
            let slash = if url.ends_with('/') { "" } else { "/" };
            channel.url = format!("{url}{slash}");
        }
        if let (Some(listing), Some(releases)) = (&wanted.listing, &wanted.releases) {
            channel.listing = Some(listing.clone());
            channel.releases.clone_from(releases);
        }
        let until = wanted.supported_until.iter();
        channel.supported_until = until
            .clone()
            .find(|(of, _)| of == name)
            .map(|(_, until)| *until);
        channel
    };
    Ok(names.iter().map(of).collect())
}

fn tell(arguments: &ChannelFollow, name: &str, report: &ReleaseReport) -> anyhow::Result<()> {
    if arguments.json.json {
        let line = serde_json::to_string(report).context("the report has a JSON form")?;
        return output::text(&format!("{line}\n"));
    }
    for release in &report.releases {
        let news = if release.new { "" } else { ", known before" };
        output::text(&format!(
            "{name} at {}: {} packages{news}\n",
            release.revision, release.packages
        ))?;
    }
    let (requests, bytes) = (report.pass.requests, report.pass.bytes);
    output::text(&format!("{name}: {requests} requests, {bytes} bytes\n"))?;
    if let Some(problem) = &report.pass.problem {
        output::text(&format!("{name}: failed: {problem}\n"))?;
    }
    Ok(())
}
