//! One pass over one feed: its requests, its imports, and its cursor.
//!
//! Invariant: what is counted in the report is what happened.

use super::{Feed, FollowError, FollowReport, next};
use crate::error::JobError;
use crate::fetch::{Ask, Fetched, Fetcher, Secret, Validators};
use crate::import::{Expected, ImportSummary, import};
use crate::input::Input;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::{Duration, Instant};
use tracker_record::Source;
use tracker_store::{FollowState, Store, Withdrawal};

/// Who is asked, and under which name it is kept how that went.
pub(super) struct Server {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) key: Option<Secret>,
    /// Minutes between two passes.
    pub(super) minutes: u32,
}

impl From<&Feed> for Server {
    fn from(feed: &Feed) -> Server {
        Server {
            name: feed.name.clone(),
            url: feed.url.clone(),
            key: feed.key.clone(),
            minutes: feed.minutes,
        }
    }
}

/// A pass.
pub(super) struct Run<'a> {
    store: &'a Store,
    fetcher: &'a Fetcher,
    pub(super) feed: Server,
    state: FollowState,
    report: FollowReport,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        store: &'a Store,
        fetcher: &'a Fetcher,
        feed: Server,
        state: FollowState,
    ) -> Run<'a> {
        let report = FollowReport {
            feed: feed.name.clone(),
            ..FollowReport::default()
        };
        Run {
            store,
            fetcher,
            feed,
            state,
            report,
        }
    }

    pub(super) fn store(&self) -> &'a Store {
        self.store
    }

    /// How far the feed was followed; the beginning if that cannot be read, which costs time but loses nothing.
    pub(super) fn cursor<T: DeserializeOwned + Default>(&self) -> T {
        serde_json::from_str(&self.state.cursor).unwrap_or_default()
    }

    /// Keeps how far the feed was followed.
    pub(super) async fn save<T: Serialize>(&mut self, cursor: &T) -> Result<(), FollowError> {
        self.state.cursor =
            serde_json::to_string(cursor).map_err(|error| JobError::Worker(error.to_string()))?;
        let kept = self.store.put_follow_state(&self.state).await;
        Ok(kept.map_err(JobError::from)?)
    }

    /// Asks the feed's server.
    pub(super) async fn get(
        &mut self,
        url: String,
        validators: Validators,
        between: Duration,
    ) -> Result<Fetched, FollowError> {
        self.report.requests += 1;
        let ask = Ask {
            url,
            validators,
            secret: self.feed.key.clone().map(|key| ("apikey", key)),
            between,
            ..Ask::default()
        };
        let fetched = self.fetcher.fetch(&ask).await?;
        if let Fetched::New { download, .. } = &fetched {
            self.report.bytes += download.size;
        }
        Ok(fetched)
    }

    /// Imports what came.
    ///
    /// # Errors
    /// When there is no record in it, or most of the documents are none.
    pub(super) async fn import(&mut self, inputs: Vec<Input>) -> Result<(), FollowError> {
        self.import_as(inputs, Expected::Mostly).await
    }

    /// As [`Run::import`], of what the feed says has changed.
    ///
    /// # Errors
    /// As [`Run::import`].
    pub(super) async fn import_changes(&mut self, inputs: Vec<Input>) -> Result<(), FollowError> {
        self.import_as(inputs, Expected::Hardly).await
    }

    async fn import_as(&mut self, inputs: Vec<Input>, held: Expected) -> Result<(), FollowError> {
        let started = Instant::now();
        let summary = import(self.store, inputs, held, &()).await;
        self.report.applied += started.elapsed();
        let summary = summary?;
        let total = summary.total();
        let held = total.added + total.changed + total.unchanged + total.superseded;
        self.report.records += total;
        if held < total.rejected || held == 0 {
            return Err(FollowError::Shape {
                reason: first_reason(&summary),
            });
        }
        Ok(())
    }

    /// Takes back what the feed's source states no more.
    pub(super) async fn withdraw(
        &mut self,
        source: Source,
        ids: &[String],
        what: Withdrawal<'_>,
    ) -> Result<(), FollowError> {
        let started = Instant::now();
        let withdrawn = self.store.withdraw(source, ids, what).await;
        self.report.applied += started.elapsed();
        self.report.withdrawn += withdrawn.map_err(JobError::from)?;
        Ok(())
    }

    /// Notes that the feed names these records.
    pub(super) async fn put_sightings(&self, ids: &[String]) -> Result<(), FollowError> {
        let noted = self.store.put_sightings(&self.feed.name, ids).await;
        Ok(noted.map_err(JobError::from)?)
    }

    /// What the feed was noted to name.
    pub(super) async fn sightings(&self) -> Result<Vec<String>, FollowError> {
        let noted = self.store.sightings(&self.feed.name).await;
        Ok(noted.map_err(JobError::from)?)
    }

    /// Begins noting anew.
    pub(super) async fn forget_sightings(&self) -> Result<(), FollowError> {
        let forgotten = self.store.forget_sightings(&self.feed.name).await;
        Ok(forgotten.map_err(JobError::from)?)
    }

    /// Keeps how the pass went, and whether it found records that are new.
    pub(super) async fn finish(self, problem: Option<String>) -> Result<FollowReport, JobError> {
        let records = self.report.records;
        let news = records.added + records.changed + self.report.withdrawn > 0;
        self.finish_with(problem, news).await
    }

    /// As [`Run::finish`]; `news` tells whether anything was new.
    pub(super) async fn finish_with(
        mut self,
        problem: Option<String>,
        news: bool,
    ) -> Result<FollowReport, JobError> {
        let now = Timestamp::now();
        self.state.checked = Some(now);
        if news {
            self.state.changed = Some(now);
        }
        if problem.is_none() {
            self.state.succeeded = Some(now);
        }
        self.state.failures = match &problem {
            Some(_) => self.state.failures.saturating_add(1),
            None => 0,
        };
        self.state.next = Some(next(self.feed.minutes, self.state.failures, now));
        self.state.problem.clone_from(&problem);
        self.store.put_follow_state(&self.state).await?;
        self.report.problem = problem;
        Ok(self.report)
    }
}

/// Why the first document, or the first file, was left out.
fn first_reason(summary: &ImportSummary) -> String {
    let rejected = summary.rejected.first().map(|rejected| &rejected.reason);
    let refused = summary.refused.first().map(|refused| &refused.reason);
    rejected
        .or(refused)
        .cloned()
        .unwrap_or_else(|| "there is no record in it".to_owned())
}
