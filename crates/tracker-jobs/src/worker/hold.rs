//! One lease, from its beginning to its end: the job runs, its lease is renewed, and how it went is kept.
//!
//! Invariant: the job has stopped before its lease is given back, and a lease that was lost is given back by nobody.

use super::pace;
use super::plan::Task;
use super::task::{Did, Failure, Tools};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinError;
use tracker_store::{Ended, Lease, Run, Store, StoreError};

/// The longest run; one that takes longer hangs.
const LONGEST_RUN: Duration = Duration::from_hours(12);

/// The time until a job that the database interrupted is due again.
const AFTER_INTERRUPTION: Duration = Duration::from_secs(5);

/// The pause between two tries to keep how a run went, and the tries once the worker is to stop.
const PAUSE: Duration = Duration::from_secs(1);
const TRIES: u32 = 3;

/// A lease and what to do under it.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) store: Store,
    pub(super) tools: Arc<Tools>,
    pub(super) lease: Lease,
    pub(super) task: Task,
    pub(super) attempts: u32,
    pub(super) grace: Duration,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    Done,
    Troubled,
    Failed,
    Unfinished,
}

/// Why the job does not run any more.
enum Ending {
    Ran(Result<Result<Did, Failure>, JoinError>),
    Lost,
    Stopped,
    Hangs,
}

impl Holder {
    /// Runs the job. `told` turns true when the worker is to stop.
    pub(super) async fn run(self, told: watch::Receiver<bool>) -> Held {
        let started = Instant::now();
        tracing::info!(job = %self.lease.job, attempt = self.lease.attempts, "job begins");
        let fenced = self.store.fenced(&self.lease);
        let (tools, task, lease) = (
            Arc::clone(&self.tools),
            self.task.clone(),
            self.lease.clone(),
        );
        let mut work = tokio::spawn(async move { task.run(&fenced, &tools, &lease).await });
        let ending = tokio::select! {
            ran = &mut work => Ending::Ran(ran),
            () = self.renewed() => Ending::Lost,
            () = stopped(told.clone(), self.grace) => Ending::Stopped,
            () = tokio::time::sleep(LONGEST_RUN) => Ending::Hangs,
        };
        if !matches!(ending, Ending::Ran(_)) {
            work.abort();
            // It ends at its next pause; what it gives then is of no interest.
            let _ = work.await;
        }
        let (held, ended) = self.judge(ending, started.elapsed());
        match ended {
            Some(ended) if !self.keep(&ended, &told).await => Held::Unfinished,
            _ => held,
        }
    }

    /// Renews the lease until it is lost.
    async fn renewed(&self) {
        loop {
            tokio::time::sleep(self.lease.lasting / 4).await;
            match self.store.renew_lease(&self.lease, Timestamp::now()).await {
                Ok(()) => {}
                Err(StoreError::LeaseLost { .. }) => return,
                // Nobody else can take it either while the database does not answer.
                Err(error) => {
                    tracing::warn!(job = %self.lease.job, %error, "lease cannot be renewed");
                }
            }
        }
    }

    /// What to keep of a run, if it is ours to say.
    fn judge(&self, ending: Ending, duration: Duration) -> (Held, Option<Ended>) {
        let job = &self.lease.job;
        let elapsed_us = duration.as_micros() as u64;
        let failed = |problem: String| {
            let next = (self.lease.attempts < self.attempts)
                .then(|| after(pace::after_failures(self.lease.attempts)));
            let attempt = self.lease.attempts;
            match next {
                Some(_) => {
                    tracing::error!(%job, attempt, elapsed_us, problem, "job failed");
                }
                None => {
                    tracing::error!(%job, attempt, elapsed_us, problem, "job failed, and is dead");
                }
            }
            let run = Run::Failed { problem };
            let wakes = Vec::new();
            (
                Held::Failed,
                Some(Ended {
                    next,
                    run,
                    duration,
                    wakes,
                }),
            )
        };
        let released = |pause| {
            let (run, next) = (Run::Released, Some(after(pause)));
            let wakes = Vec::new();
            (
                Held::Unfinished,
                Some(Ended {
                    next,
                    run,
                    duration,
                    wakes,
                }),
            )
        };
        match ending {
            Ending::Ran(Ok(Ok(did))) => {
                let Did {
                    counts,
                    problem,
                    next,
                    wakes,
                } = did;
                let held = match &problem {
                    Some(problem) => {
                        tracing::warn!(%job, elapsed_us, problem, "job met a problem");
                        Held::Troubled
                    }
                    None => Held::Done,
                };
                tracing::info!(%job, elapsed_us, ?counts, "job done");
                let (run, next) = (Run::Done { counts, problem }, Some(next));
                (
                    held,
                    Some(Ended {
                        next,
                        run,
                        duration,
                        wakes,
                    }),
                )
            }
            Ending::Ran(Ok(Err(Failure::Lost))) | Ending::Lost => {
                tracing::warn!(%job, elapsed_us, "another worker has taken the job over");
                (Held::Unfinished, None)
            }
            Ending::Ran(Ok(Err(Failure::Interrupted(problem)))) => {
                tracing::warn!(%job, elapsed_us, problem, "job interrupted");
                released(pace::jittered(AFTER_INTERRUPTION))
            }
            Ending::Ran(Ok(Err(Failure::Failed(problem)))) => failed(problem),
            Ending::Ran(Err(error)) => failed(format!("it panicked: {error}")),
            Ending::Hangs => failed(format!(
                "it took longer than {} hours",
                LONGEST_RUN.as_secs() / 3600
            )),
            Ending::Stopped => {
                tracing::info!(%job, elapsed_us, "job given back");
                released(Duration::ZERO)
            }
        }
    }

    /// Keeps how the run went, however long the database takes; `false` if it could not be kept.
    async fn keep(&self, ended: &Ended, told: &watch::Receiver<bool>) -> bool {
        let mut tries = 0;
        loop {
            match self
                .store
                .end_job(&self.lease, ended, Timestamp::now())
                .await
            {
                Ok(()) => return true,
                Err(error @ StoreError::LeaseLost { .. }) => {
                    tracing::warn!(%error, "nothing is kept of the run");
                    return false;
                }
                Err(error) => {
                    tracing::warn!(job = %self.lease.job, %error, "how the run went cannot be kept yet");
                }
            }
            tries += u32::from(*told.borrow());
            if tries >= TRIES {
                return false;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Resolves some time after the worker is told to stop.
async fn stopped(mut told: watch::Receiver<bool>, grace: Duration) {
    if told.wait_for(|told| *told).await.is_err() {
        // The worker itself is gone, and with it this future.
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(grace).await;
}

fn after(pause: Duration) -> Timestamp {
    let now = Timestamp::now();
    now.checked_add(pause).unwrap_or(now)
}
