//! The worker: takes jobs that are due from the database, one lease at a time, and runs them.
//!
//! Reading order: [`Plan`] (what this worker is configured for), `pace` (what is due, and how long to wait), `hold` (one
//! lease from its beginning to its end), `task` (what each job does).
//! Any number of workers may run over one PostgreSQL; each takes what it is configured for and nobody holds.
//! Invariant: a worker keeps nothing that is not in the database. Killed, paused or cut off at any moment, its jobs are taken
//! over when their leases end, and whatever it would still write is refused.

mod hold;
mod pace;
mod plan;
mod task;

pub use plan::{IndexSource, Plan, Task};
pub use task::Tools;

use crate::error::JobError;
use hold::{Held, Holder};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};
use tracker_store::{JobName, Lease, Store};

/// The pauses while the database does not answer.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How a worker goes about it.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Its name, for those who look at jobs.
    pub name: String,
    /// For how long a job is taken; renewed four times as often.
    pub lease: Duration,
    /// The longest time until it looks for what is due.
    pub poll: Duration,
    /// Jobs that run at the same time.
    pub parallel: usize,
    /// Runs that may fail one after another before a job is dead.
    pub attempts: u32,
    /// How long running jobs may go on once it is told to stop.
    pub grace: Duration,
}

/// When a worker ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// When it is told to.
    Told,
    /// When nothing is due.
    Idle,
}

/// What a worker did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WorkerSummary {
    /// Runs that went to their end.
    pub done: u64,
    /// Of them, those that met something that others have to mend: a feed that does not answer, or lies.
    pub troubled: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Runs that were given back before their end, or that another worker took over.
    pub unfinished: u64,
}

impl WorkerSummary {
    fn count(&mut self, held: Held) {
        let counter = match held {
            Held::Done => &mut self.done,
            Held::Troubled => {
                self.troubled += 1;
                &mut self.done
            }
            Held::Failed => &mut self.failed,
            Held::Unfinished => &mut self.unfinished,
        };
        *counter += 1;
    }
}

/// A worker.
#[derive(Debug)]
pub struct Worker {
    store: Store,
    plan: Plan,
    tools: Arc<Tools>,
    options: WorkerOptions,
}

/// What there was to take.
enum Taken {
    Lease(Box<(Lease, Task)>),
    /// Nothing for now; the time until something will be due.
    Nothing(Duration),
}

impl Worker {
    /// A worker over a database.
    pub fn new(store: Store, plan: Plan, tools: Tools, options: WorkerOptions) -> Worker {
        let tools = Arc::new(tools);
        Worker {
            store,
            plan,
            tools,
            options,
        }
    }

    /// Runs jobs until it is told to stop, or until nothing is due. A database that does not answer is waited for.
    ///
    /// # Errors
    /// The database's, if it fails before the first job could be looked for, or with [`Until::Idle`] at any time.
    pub async fn run(
        &self,
        until: Until,
        stop: impl Future<Output = ()>,
    ) -> Result<WorkerSummary, JobError> {
        let names: Vec<JobName> = self.plan.names().cloned().collect();
        self.store.declare_jobs(&names, Timestamp::now()).await?;
        let mut declared = tokio::time::Instant::now();
        let (tell, told) = watch::channel(false);
        let mut stop = std::pin::pin!(stop);
        let mut running: JoinSet<Held> = JoinSet::new();
        let mut held: HashMap<Id, JobName> = HashMap::new();
        let mut summary = WorkerSummary::default();
        let mut trouble = FIRST_PAUSE;
        loop {
            let mut pause = self.options.poll;
            let mut idle = false;
            while !*told.borrow() && running.len() < self.options.parallel {
                match self.take(&held).await {
                    Ok(Taken::Lease(taken)) => {
                        let (lease, task) = *taken;
                        trouble = FIRST_PAUSE;
                        let name = lease.job.clone();
                        let holder = self.holder(lease, task);
                        let handle = running.spawn(holder.run(told.clone()));
                        held.insert(handle.id(), name);
                    }
                    Ok(Taken::Nothing(next)) => {
                        trouble = FIRST_PAUSE;
                        pause = next.min(self.options.poll);
                        idle = true;
                        break;
                    }
                    Err(error) if until == Until::Idle => return Err(error),
                    Err(error) => {
                        tracing::error!(%error, pause_s = trouble.as_secs(), "jobs cannot be looked for");
                        pause = pace::jittered(trouble);
                        trouble = (trouble * 2).min(LONGEST_PAUSE);
                        break;
                    }
                }
            }
            let stopping = *told.borrow();
            if running.is_empty() && (stopping || idle && until == Until::Idle) {
                return Ok(summary);
            }
            tokio::select! {
                () = &mut stop, if !stopping => {
                    tracing::info!(running = running.len(), "stopping");
                    tell.send_replace(true);
                }
                Some(ended) = running.join_next_with_id(), if !running.is_empty() => {
                    let (id, outcome) = match ended {
                        Ok((id, outcome)) => (id, outcome),
                        // A holder does not panic; if it does, its lease ends by itself.
                        Err(error) => (error.id(), Held::Unfinished),
                    };
                    held.remove(&id);
                    summary.count(outcome);
                }
                () = tokio::time::sleep(pause), if !stopping => {
                    if declared.elapsed() >= pace::DECLARE_EVERY {
                        match self.store.declare_jobs(&names, Timestamp::now()).await {
                            Ok(()) => declared = tokio::time::Instant::now(),
                            Err(error) => tracing::warn!(%error, "jobs cannot be declared"),
                        }
                    }
                }
            }
        }
    }

    /// Takes the job that has been due for the longest time.
    async fn take(&self, running: &HashMap<Id, JobName>) -> Result<Taken, JobError> {
        let jobs = self.store.jobs().await?;
        let now = Timestamp::now();
        let mine = jobs.into_iter().filter(|job| {
            self.plan.task(&job.name).is_some() && running.values().all(|name| *name != job.name)
        });
        let agenda = pace::agenda(mine.collect(), now);
        for job in agenda.due {
            if pace::is_spent(&job, self.options.attempts) {
                let problem = "its workers died while they ran it";
                if self.store.bury_job(&job, problem).await? {
                    tracing::error!(job = %job.name, attempts = job.attempts, "job is dead: {problem}");
                }
                continue;
            }
            let (name, lasting) = (&self.options.name, self.options.lease);
            let lease = self.store.lease_job(&job, name, lasting, now).await?;
            if let (Some(lease), Some(task)) = (lease, self.plan.task(&job.name)) {
                return Ok(Taken::Lease(Box::new((lease, task.clone()))));
            }
        }
        Ok(Taken::Nothing(agenda.next))
    }

    fn holder(&self, lease: Lease, task: Task) -> Holder {
        Holder {
            store: self.store.clone(),
            tools: Arc::clone(&self.tools),
            lease,
            task,
            attempts: self.options.attempts,
            grace: self.options.grace,
        }
    }
}
