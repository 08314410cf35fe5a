//! Workers that are killed, paused, cut off or told to stop in the middle of an import: another goes on, without loss and
//! without double.

use super::bench::{
    Bench, PAGE, RECORDS, job, prepare, rows, run, until, until_held, until_settled,
};
use std::time::Duration;
use tracker_jobs::Until;
use tracker_store::{JobState, Store};
use tracker_testkit::{Database, Kind, PrivateServer, on_both_databases};

/// Pages of the first pass over the feed.
const PAGES: usize = RECORDS / PAGE;

/// What of the requests asked for pages of the whole feed.
fn pages(requests: &[String]) -> Vec<&String> {
    requests
        .iter()
        .filter(|head| !head.contains("lastMod"))
        .collect()
}

async fn owner(store: &Store) -> Option<String> {
    match job(store, &Bench::feed()).await?.state {
        JobState::Leased { owner, .. } => Some(owner),
        _ => None,
    }
}

on_both_databases! {
    async fn a_killed_worker_s_job_is_taken_over(database) {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::new().await;
        let expected = bench.undisturbed(folder.path()).await;
        bench.site.requests();
        let store = database.open().await;
        prepare(&store).await;
        let mut first = bench.start(database.url(), "first", 2);
        until_held(&store, 1).await;
        // Two workers at a time are PostgreSQL's; SQLite's second one comes when the first is gone.
        let second = (database.kind() == Kind::Postgres).then(|| bench.start(database.url(), "second", 2));
        if second.is_some() {
            until_held(&store, PAGE + 1).await;
        }
        assert_eq!(owner(&store).await.as_deref(), Some("first"));
        // SIGKILL.
        first.kill();
        let held = store.known_digests().await.unwrap().len();
        assert!(held < RECORDS, "it was done already: {held}");
        let second = second.unwrap_or_else(|| bench.start(database.url(), "second", 2));
        until_settled(&store).await;
        assert_eq!(rows(&store).await, expected);
        let requests = bench.site.requests();
        let asked = pages(&requests).len();
        assert!((PAGES..=PAGES + 2).contains(&asked), "it went on where it was: {requests:?}");
        let summary = second.terminate().await;
        assert!(summary.done >= 2 && summary.failed == 0, "{summary:?}");
    }

    async fn a_worker_that_is_told_to_stop_gives_its_job_back(database) {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::new().await;
        let expected = bench.undisturbed(folder.path()).await;
        bench.site.requests();
        let store = database.open().await;
        prepare(&store).await;
        let first = bench.start(database.url(), "first", 600);
        until_held(&store, PAGE).await;
        let summary = first.terminate().await;
        // The feed's, and with it matching's if that was waiting for the import's transaction.
        assert!((1..=2).contains(&summary.unfinished), "{summary:?}");
        let given = job(&store, &Bench::feed()).await.unwrap();
        assert!(matches!(given.state, JobState::Waiting { .. }), "{given:?}");
        assert_eq!((given.attempts, given.problem), (0, None), "it did not fail");
        // Long before its lease would have ended.
        run(&bench.worker(&store, "second", Duration::from_mins(10))).await;
        assert_eq!(rows(&store).await, expected);
        assert!(pages(&bench.site.requests()).len() <= PAGES + 2);
    }

    async fn a_long_job_is_held_by_its_heartbeat(database) {
        let bench = Bench::new().await;
        let store = database.open().await;
        prepare(&store).await;
        // The job takes longer than the lease, and both look for work all the time.
        let lease = Duration::from_secs(1);
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let told = || {
            let mut stopped = stopped.clone();
            async move { drop(stopped.wait_for(|stopped| *stopped).await) }
        };
        let (one, other) = (bench.worker(&store, "one", lease), bench.worker(&store, "other", lease));
        let work = async { tokio::join!(one.run(Until::Told, told()), other.run(Until::Told, told())) };
        let watch = async {
            until_settled(&store).await;
            stop.send(true).unwrap();
        };
        let ((one, other), ()) = tokio::join!(work, watch);
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!(one.unfinished + one.failed + other.unfinished + other.failed, 0, "{one:?} {other:?}");
        let feed = job(&store, &Bench::feed()).await.unwrap();
        assert!(feed.duration > 1_000_000, "it took longer than the lease: {feed:?}");
        let requests = bench.site.requests();
        assert_eq!(pages(&requests).len(), PAGES, "each page once: {requests:?}");
    }
}

#[tokio::test]
async fn a_paused_worker_keeps_nothing_once_its_lease_is_another_s() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new().await;
    let expected = bench.undisturbed(folder.path()).await;
    let database = Database::new(Kind::Postgres).await;
    let store = database.open().await;
    prepare(&store).await;
    let first = bench.start(database.url(), "first", 2);
    until_held(&store, PAGE).await;
    first.signal("-STOP");
    let second = bench.start(database.url(), "second", 2);
    until_settled(&store).await;
    assert_eq!(rows(&store).await, expected);
    let state = store.follow_state("nvd").await.unwrap();
    let feed = job(&store, &Bench::feed()).await.unwrap();
    assert_eq!(feed.attempts, 0);
    first.signal("-CONT");
    let summary = first.terminate().await;
    // It lost the feed's job, and matching's if that was waiting for the import's transaction.
    assert!(
        (1..=2).contains(&summary.unfinished),
        "it noticed: {summary:?}"
    );
    assert_eq!(rows(&store).await, expected);
    assert_eq!(store.follow_state("nvd").await.unwrap(), state);
    let after = job(&store, &Bench::feed()).await.unwrap();
    assert_eq!(
        (after.state, after.started),
        (feed.state, feed.started),
        "the second one's word stands"
    );
    second.terminate().await;
}

#[tokio::test]
async fn a_database_that_is_restarted_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new().await;
    let expected = bench.undisturbed(folder.path()).await;
    let mut server = PrivateServer::new().await;
    let store = Store::open(&server.url()).await.unwrap();
    prepare(&store).await;
    let worker = bench.worker(&store, "one", Duration::from_mins(10));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let trial = async {
        until_held(&store, PAGE).await;
        server.stop().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        server.start().await;
        until("it does not go on", async || {
            let jobs = store.jobs().await.unwrap_or_default();
            jobs.len() == 2 && jobs.iter().all(|job| job.succeeded.is_some())
        })
        .await;
        until_settled(&store).await;
        stop.send(()).unwrap();
    };
    let (summary, ()) = tokio::join!(
        worker.run(Until::Told, async { drop(stopped.await) }),
        trial
    );
    let summary = summary.unwrap();
    assert_eq!(
        summary.failed, 0,
        "the database's absence is no fault of a job: {summary:?}"
    );
    assert_eq!(rows(&store).await, expected);
    assert_eq!(job(&store, &Bench::feed()).await.unwrap().attempts, 0);
}
