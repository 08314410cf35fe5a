//! Follows NVD's API at an address into a database: what the kill test kills.
//!
//! `follow DATABASE SPOOL URL`

use anyhow::Context;
use tracker_jobs::{Feed, FeedKind, FetchLimits, Fetcher, follow};
use tracker_store::Store;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().context("follow DATABASE SPOOL URL");
    let (database, spool, url) = (next()?, next()?, next()?);
    let store = Store::open(&database).await?;
    let fetcher = Fetcher::new(spool.into(), FetchLimits::default())?;
    let feed = Feed {
        name: "nvd".to_owned(),
        kind: FeedKind::Nvd,
        url,
        key: Some(tracker_jobs::Secret("key".to_owned())),
        minutes: 60,
    };
    let report = follow(&store, &fetcher, &feed).await?;
    anyhow::ensure!(report.problem.is_none(), "{report:?}");
    Ok(())
}
