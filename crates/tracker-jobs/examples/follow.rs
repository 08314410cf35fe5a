//! Follows a feed at an address into a database: what the kill tests kill.
//!
//! `follow DATABASE SPOOL KIND URL`; kinds are those of `FeedKind`, and of `Content` for a file.

use anyhow::{Context, bail};
use std::time::Duration;
use tracker_jobs::{Content, Feed, FeedKind, FetchLimits, Fetcher, Secret, follow};
use tracker_store::Store;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().context("follow DATABASE SPOOL KIND URL");
    let (database, spool, kind, url) = (next()?, next()?, next()?, next()?);
    let kind = match kind.as_str() {
        "kev" => FeedKind::File(Content::Kev),
        "epss" => FeedKind::File(Content::Epss),
        "debian" => FeedKind::File(Content::Debian),
        "alpine" => FeedKind::File(Content::Alpine),
        "cve-list" => FeedKind::CveList,
        "nvd" => FeedKind::Nvd,
        "osv" => FeedKind::Osv,
        "euvd" => FeedKind::Euvd,
        "repository" => FeedKind::Repository("reviewed/"),
        "csaf" => FeedKind::Csaf,
        other => bail!("there is no kind {other:?}"),
    };
    let store = Store::open(&database).await?;
    let limits = FetchLimits {
        between: Duration::ZERO,
        ..FetchLimits::default()
    };
    let fetcher = Fetcher::new(spool.into(), limits)?;
    let feed = Feed {
        name: "feed".to_owned(),
        kind,
        url,
        key: Some(Secret("key".to_owned())),
        minutes: 60,
    };
    let report = follow(&store, &fetcher, &feed).await?;
    anyhow::ensure!(report.problem.is_none(), "{report:?}");
    Ok(())
}
