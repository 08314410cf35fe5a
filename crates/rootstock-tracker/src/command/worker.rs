//! `worker`: what goes on in the background, until told to stop or until nothing is due.
//!
//! Invariant: what a worker may run follows from its command line and configuration file alone.

use super::serve::stop_signal;
use super::{channel_follow, follow, landing, open};
use crate::arguments::{CHANNELS, Pace, WorkerLanding, WorkerRun};
use crate::output::{self, Outcome, Refusal};
use anyhow::Context;
use std::sync::Arc;
use std::time::Duration;
use tracker_jobs::landing::ChannelSource;
use tracker_jobs::{
    IndexSource, OwnFolder, Plan, ReleaseSource, Task, Tools, Until, Worker, WorkerOptions,
};

/// The distribution whose channels the landing index is about.
const INDEXED: &str = "nixpkgs";

/// Runs jobs.
pub(crate) async fn run(arguments: WorkerRun) -> anyhow::Result<Outcome> {
    let plan = plan(&arguments)?;
    let stop = stop_signal()?;
    let until = if arguments.pace.once {
        Until::Idle
    } else {
        Until::Told
    };
    let store = open(&arguments.database.database).await?;
    let spool = &arguments.fetching.spool.spool;
    // Another worker of this machine has a folder of its own below the same one.
    let folder = OwnFolder::below(spool).with_context(|| format!("`{}`", spool.display()))?;
    let tools = Tools {
        fetcher: follow::fetcher(&arguments.fetching, folder.path())?,
        answers: landing::fetcher(folder.path())?,
    };
    let options = options(&arguments.pace);
    tracing::info!(name = options.name, jobs = plan.names().count(), "working");
    let worker = Worker::new(store.clone(), plan, tools, options);
    let summary = worker.run(until, stop).await?;
    store.close().await;
    if arguments.json.json {
        output::json(&summary)?;
    } else {
        output::text(&format!(
            "{} runs done, {} of them with problems; {} failed, {} not finished\n",
            summary.done, summary.troubled, summary.failed, summary.unfinished
        ))?;
    }
    Ok(
        if until == Until::Idle && summary.failed + summary.troubled > 0 {
            Outcome::Partly
        } else {
            Outcome::Done
        },
    )
}

fn options(pace: &Pace) -> WorkerOptions {
    let name = || {
        let machine = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
        let machine = machine.trim();
        let machine = if machine.is_empty() {
            "worker"
        } else {
            machine
        };
        format!("{machine}-{}", std::process::id())
    };
    WorkerOptions {
        name: pace.name.clone().unwrap_or_else(name),
        lease: Duration::from_secs(pace.lease),
        poll: Duration::from_secs(pace.poll),
        parallel: pace.parallel as usize,
        attempts: pace.attempts,
        grace: Duration::from_secs(pace.grace),
    }
}

/// All that this worker may run.
fn plan(arguments: &WorkerRun) -> anyhow::Result<Plan> {
    let mut tasks = vec![Task::Match, Task::Housekeeping];
    let key = arguments.nvd_key.nvd_key.as_deref();
    if !arguments.no_feeds {
        let feeds = follow::chosen(&arguments.feeds, &arguments.feed_url, key)?;
        tasks.extend(feeds.into_iter().map(Task::Feed));
    } else if let Some((feed, _)) = arguments.feed_url.first() {
        return Refusal::wrong(format!(
            "`{feed}` has an address, but no feeds are followed"
        ));
    }
    let channels = channels(arguments)?;
    landing_tasks(&arguments.landing, &channels, &mut tasks)?;
    tasks.extend(channels.into_iter().map(Task::Releases));
    Ok(tasks.into_iter().collect())
}

fn channels(arguments: &WorkerRun) -> anyhow::Result<Vec<ReleaseSource>> {
    let (names, urls) = (&arguments.channels, &arguments.channel_url);
    let mut channels = channel_follow::chosen(names, urls, &arguments.releases)?;
    for (name, distribution) in &arguments.channel_distribution {
        let Some(channel) = channels.iter_mut().find(|channel| channel.name == *name) else {
            return Refusal::wrong(format!("`{name}` is not among the channels that are named"));
        };
        channel.distribution.clone_from(distribution);
    }
    Ok(channels)
}

fn landing_tasks(
    landing: &WorkerLanding,
    channels: &[ReleaseSource],
    tasks: &mut Vec<Task>,
) -> anyhow::Result<()> {
    let Some(folder) = &landing.landing else {
        return Ok(());
    };
    tasks.push(Task::Join(folder.clone()));
    if let Some(repository) = &landing.repository {
        tasks.push(Task::Index(Arc::new(IndexSource {
            repository: repository.clone(),
            folder: folder.clone(),
            trunk: landing.lines.trunk.clone(),
            branches: landing.lines.branches.clone(),
            channels: CHANNELS.map(str::to_owned).to_vec(),
            fetch: landing.git_fetch,
        })));
    }
    let indexed = channels.iter().filter(|one| one.distribution == INDEXED);
    let names: Vec<String> = indexed.map(|one| one.name.clone()).collect();
    landing::check_names(&names)?;
    let places = &landing.places;
    let source = Arc::new(ChannelSource {
        channels: names.clone(),
        history_url: places.history_url.clone(),
        head_url: places.head_url.clone(),
        hydra_url: places.hydra_url.clone(),
        folder: folder.clone(),
    });
    for name in names {
        tasks.push(Task::Channel(Arc::clone(&source), name));
    }
    if !places.pulls_url.is_empty() {
        let pulls = landing::pull_source(&places.pulls_url, &landing.polling);
        tasks.push(Task::Pulls(pulls));
    }
    Ok(())
}
