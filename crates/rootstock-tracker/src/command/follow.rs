//! `feed follow`: what is new in the feeds, fetched and imported, once or until told to stop.
//!
//! Invariant: stopping in the middle costs nothing but the request that was under way.

use super::open;
use super::serve::stop_signal;
use crate::arguments::{FeedFollow, Fetching};
use crate::output::{self, Outcome, Refusal};
use anyhow::Context;
use jiff::Timestamp;
use std::path::Path;
use std::time::Duration;
use tracker_jobs::{
    Feed, FetchLimits, Fetcher, FollowReport, Secret, derive, feed_named, feeds, follow,
};
use tracker_store::Store;

/// How often it is looked whether a feed is due.
pub(super) const TICK: Duration = Duration::from_secs(30);

/// Follows feeds.
pub(crate) async fn run(arguments: FeedFollow) -> anyhow::Result<Outcome> {
    let key = arguments.nvd_key.nvd_key.as_deref();
    let chosen = chosen(&arguments.feeds, &arguments.url, key)?;
    let stop = stop_signal()?;
    let store = open(&arguments.database.database).await?;
    let fetcher = fetcher(&arguments.fetching, &arguments.fetching.spool.spool)?;
    let outcome = tokio::select! {
        outcome = passes(&arguments, &chosen, &store, &fetcher) => outcome?,
        () = stop => {
            output::note("stopped");
            Outcome::Done
        }
    };
    store.close().await;
    Ok(outcome)
}

/// A fetcher as the command line wants it, with bodies in a folder.
pub(super) fn fetcher(fetching: &Fetching, spool: &Path) -> anyhow::Result<Fetcher> {
    let authorities = match &fetching.authority {
        Some(file) => std::fs::read(file).with_context(|| format!("`{}`", file.display()))?,
        None => Vec::new(),
    };
    let limits = FetchLimits::default();
    Ok(Fetcher::trusting(spool.to_owned(), limits, &authorities)?)
}

/// Pass after pass; only one with `--once`.
async fn passes(
    arguments: &FeedFollow,
    chosen: &[Feed],
    store: &Store,
    fetcher: &Fetcher,
) -> anyhow::Result<Outcome> {
    loop {
        let mut outcome = Outcome::Done;
        let mut news = 0;
        for feed in chosen {
            let state = store.follow_state(&feed.name).await?;
            let due = state.next.is_none_or(|next| next <= Timestamp::now());
            if !(arguments.once || due) {
                continue;
            }
            let report = follow(store, fetcher, feed).await?;
            news += report.records.added + report.records.changed + report.withdrawn;
            if report.problem.is_some() {
                outcome = Outcome::Partly;
            }
            tell(arguments, &report)?;
        }
        if arguments.matching && news > 0 {
            derive(store, &()).await?;
        }
        if arguments.once {
            return Ok(outcome);
        }
        tokio::time::sleep(TICK).await;
    }
}

/// The feeds that are named, or all, at the addresses given.
pub(super) fn chosen(
    names: &[String],
    urls: &[(String, String)],
    nvd_key: Option<&str>,
) -> anyhow::Result<Vec<Feed>> {
    let mut known = feeds();
    for (name, url) in urls {
        find(&mut known, name)?.url.clone_from(url);
    }
    if let Some(key) = nvd_key {
        find(&mut known, "nvd")?.key = Some(Secret(key.to_owned()));
    }
    for name in names {
        find(&mut known, name)?;
    }
    if !names.is_empty() {
        known.retain(|feed| names.contains(&feed.name));
    }
    Ok(known)
}

fn find<'a>(known: &'a mut Vec<Feed>, name: &str) -> anyhow::Result<&'a mut Feed> {
    let place = match known.iter().position(|feed| feed.name == name) {
        Some(place) => place,
        None => match feed_named(name) {
            Some(feed) => {
                known.push(feed);
                known.len() - 1
            }
            None => {
                let names: Vec<&str> = known.iter().map(|feed| feed.name.as_str()).collect();
                let names = names.join(", ");
                let none = format!("there is no feed `{name}`; there are {names}");
                return Refusal::wrong(none);
            }
        },
    };
    Ok(&mut known[place])
}

fn tell(arguments: &FeedFollow, report: &FollowReport) -> anyhow::Result<()> {
    if arguments.json.json {
        let line = serde_json::to_string(report).context("the report has a JSON form")?;
        return output::text(&format!("{line}\n"));
    }
    let FollowReport {
        feed,
        requests,
        bytes,
        records,
        withdrawn,
        applied,
        problem,
    } = report;
    output::text(&format!(
        "{feed}: {} added, {} changed, {withdrawn} withdrawn in {:.1} s; {requests} requests, {bytes} bytes\n",
        records.added,
        records.changed,
        applied.as_secs_f64()
    ))?;
    if let Some(problem) = problem {
        output::text(&format!("{feed}: failed: {problem}\n"))?;
    }
    Ok(())
}
