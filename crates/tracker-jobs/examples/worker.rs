//! A worker over one feed in NVD's form, and matching: what the tests kill, stop and take over from.
//!
//! `worker DATABASE SPOOL URL NAME LEASE-SECONDS`; it runs until SIGTERM.

use anyhow::Context;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tracker_jobs::{
    Feed, FeedKind, FetchLimits, Fetcher, Plan, Secret, Task, Tools, Until, Worker, WorkerOptions,
};
use tracker_store::Store;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || {
        arguments
            .next()
            .context("worker DATABASE SPOOL URL NAME LEASE-SECONDS")
    };
    let (database, spool, url, name, lease) = (next()?, next()?, next()?, next()?, next()?);
    let mut terminate = signal(SignalKind::terminate())?;
    let store = Store::open(&database).await?;
    let fetcher = || Fetcher::new(spool.clone().into(), FetchLimits::default());
    let tools = Tools {
        fetcher: fetcher()?,
        answers: fetcher()?,
    };
    let feed = Feed {
        name: "nvd".to_owned(),
        kind: FeedKind::Nvd,
        url,
        key: Some(Secret("key".to_owned())),
        minutes: 60,
    };
    let plan: Plan = [Task::Feed(feed), Task::Match].into_iter().collect();
    let options = WorkerOptions {
        name,
        lease: Duration::from_secs(lease.parse()?),
        poll: Duration::from_millis(200),
        parallel: 2,
        attempts: 5,
        grace: Duration::from_millis(100),
    };
    let worker = Worker::new(store.clone(), plan, tools, options);
    let summary = worker
        .run(Until::Told, async {
            terminate.recv().await;
        })
        .await?;
    store.close().await;
    serde_json::to_writer(std::io::stdout(), &summary)?;
    Ok(())
}
