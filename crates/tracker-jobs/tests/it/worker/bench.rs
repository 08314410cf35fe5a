//! A site that speaks like NVD, a channel to match with, and workers over them.

use crate::follow::{feed, fetcher, page};
use crate::site::Site;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tracker_jobs::{FeedKind, Plan, Task, Tools, Until, Worker, WorkerOptions, WorkerSummary};
use tracker_store::{Job, JobName, JobState, Store};
use tracker_testkit::fixture::{package, release};

/// Records of the feed, and how many a page has; pages are at least 600 ms apart.
pub(super) const RECORDS: usize = 8;
pub(super) const PAGE: usize = 2;

/// What each record is about.
const CONFIGURATION: &str = r#""configurations":[{"nodes":[{"operator":"OR","negate":false,"cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:a:number:number:*:*:*:*:*:*:*:*","versionEndExcluding":"2.0","matchCriteriaId":"00000000-0000-0000-0000-000000000000"}]}]}]"#;

/// A site, and folders for what is fetched.
pub(super) struct Bench {
    pub(super) site: Site,
    spools: TempDir,
}

impl Bench {
    pub(super) async fn new() -> Bench {
        let site = Site::start().await;
        site.api("api", |query| {
            let total = if query.contains("lastMod") {
                0
            } else {
                RECORDS
            };
            page(query, total, PAGE).replace(
                r#""metrics":{}"#,
                &format!(r#""metrics":{{}},{CONFIGURATION}"#),
            )
        });
        let spools = tempfile::tempdir().unwrap();
        Bench { site, spools }
    }

    pub(super) fn feed() -> JobName {
        JobName::new("feed", "nvd")
    }

    /// The task of following the feed.
    pub(super) fn feed_task(&self) -> Task {
        let mut feed = feed(FeedKind::Nvd, self.site.url("api"));
        "nvd".clone_into(&mut feed.name);
        Task::Feed(feed)
    }

    /// A worker in this process, over the feed and matching.
    pub(super) fn worker(&self, store: &Store, name: &str, lease: Duration) -> Worker {
        let plan = [self.feed_task(), Task::Match].into_iter().collect();
        self.worker_of(store, name, lease, plan)
    }

    /// A worker in this process.
    pub(super) fn worker_of(
        &self,
        store: &Store,
        name: &str,
        lease: Duration,
        plan: Plan,
    ) -> Worker {
        let spool = self.spools.path().join(name);
        let tools = Tools {
            fetcher: fetcher(&spool),
            answers: fetcher(&spool),
        };
        let options = WorkerOptions {
            name: name.to_owned(),
            lease,
            poll: Duration::from_millis(100),
            parallel: 2,
            attempts: 2,
            grace: Duration::from_millis(100),
        };
        Worker::new(store.clone(), plan, tools, options)
    }

    /// A worker in a process of its own.
    pub(super) fn start(&self, database: &str, name: &str, lease: u32) -> Process {
        let tests = std::env::current_exe().unwrap();
        let program = tests.parent().unwrap().with_file_name("examples/worker");
        let spool = self.spools.path().join(name);
        let child = Command::new(program)
            .args([
                database,
                spool.to_str().unwrap(),
                &self.site.url("api"),
                name,
                &lease.to_string(),
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("`cargo test --package tracker-jobs` builds the example");
        Process(child)
    }

    /// What a worker leaves that nobody disturbs.
    pub(super) async fn undisturbed(&self, folder: &Path) -> BTreeMap<String, u64> {
        let url = format!("sqlite:{}", folder.join("undisturbed.db").display());
        let store = Store::open(&url).await.unwrap();
        prepare(&store).await;
        let summary = run(&self.worker(&store, "undisturbed", Duration::from_mins(1))).await;
        assert_eq!(
            summary.failed + summary.troubled + summary.unfinished,
            0,
            "{summary:?}"
        );
        let rows = rows(&store).await;
        assert!(rows["event"] > 0 && rows["finding"] > 0, "{rows:?}");
        rows
    }
}

/// A worker's process, killed with its value.
pub(super) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone if the test went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    pub(super) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    pub(super) fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([signal, &self.0.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Ends it in peace; what it says that it did.
    pub(super) async fn terminate(mut self) -> WorkerSummary {
        self.signal("-TERM");
        tokio::task::spawn_blocking(move || {
            let mut out = String::new();
            std::io::Read::read_to_string(&mut self.0.stdout.take().unwrap(), &mut out).unwrap();
            assert!(self.0.wait().unwrap().success());
            let said: BTreeMap<String, u64> = serde_json::from_str(&out).unwrap();
            WorkerSummary {
                done: said["done"],
                troubled: said["troubled"],
                failed: said["failed"],
                unfinished: said["unfinished"],
            }
        })
        .await
        .unwrap()
    }
}

/// A channel whose package the feed's records are about.
pub(super) async fn prepare(store: &Store) {
    let release = release("nixos-24.05", "aaa", "2026-01-01T00:00:00Z");
    store
        .put_release(&release, vec![package("number", "number", "1.0")])
        .await
        .unwrap();
}

/// Rows of each table, jobs aside.
pub(super) async fn rows(store: &Store) -> BTreeMap<String, u64> {
    let sizes = store.sizes().await.unwrap();
    sizes
        .tables
        .into_iter()
        .map(|table| (table.name, table.rows))
        .collect()
}

/// Runs what is due in this process.
pub(super) async fn run(worker: &Worker) -> WorkerSummary {
    worker
        .run(Until::Idle, std::future::pending())
        .await
        .unwrap()
}

pub(super) async fn job(store: &Store, name: &JobName) -> Option<Job> {
    store.job(name).await.unwrap()
}

/// Waits until something holds.
pub(super) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < Duration::from_secs(90), "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until some records are held.
pub(super) async fn until_held(store: &Store, records: usize) {
    until("the import makes no headway", async || {
        store.known_digests().await.unwrap().len() >= records
    })
    .await;
}

/// Waits until the feed is followed to its end and matched.
pub(super) async fn until_settled(store: &Store) {
    until("the jobs do not settle", async || {
        let jobs = store.jobs().await.unwrap();
        let now = jiff::Timestamp::now();
        jobs.len() == 2
            && jobs.iter().all(|job| {
                let waits = matches!(job.state, JobState::Waiting { due } if due > now);
                waits && job.succeeded.is_some()
            })
    })
    .await;
}
