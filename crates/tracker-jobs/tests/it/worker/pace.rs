//! What a worker does of itself: what is due, what follows from it, and what is dead.

use super::bench::{Bench, RECORDS, job, prepare, run};
use crate::site::Fault;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tracker_jobs::{Plan, Task};
use tracker_store::{JobName, JobState};
use tracker_testkit::on_both_databases;

const LEASE: Duration = Duration::from_mins(1);

on_both_databases! {
    async fn what_is_new_is_matched_and_what_is_not_costs_one_request(database) {
        let bench = Bench::new().await;
        let store = database.open().await;
        prepare(&store).await;
        let worker = bench.worker(&store, "one", LEASE);
        let summary = run(&worker).await;
        assert_eq!((summary.failed, summary.troubled, summary.unfinished), (0, 0, 0));
        let feed = job(&store, &Bench::feed()).await.unwrap();
        assert_eq!(feed.counts["added"], RECORDS as u64, "{feed:?}");
        let matching = job(&store, &JobName::new("match", "")).await.unwrap();
        assert!(matching.started > feed.started && matching.counts["vulnerabilities"] > 0, "{matching:?}");

        bench.site.requests();
        assert_eq!(run(&worker).await.done, 0, "nothing is due");
        assert!(bench.site.requests().is_empty());
        assert!(store.run_job(&Bench::feed(), Timestamp::now()).await.unwrap());
        assert_eq!(run(&worker).await.done, 1, "no news, so nothing to match");
        assert_eq!(bench.site.requests().len(), 1);
    }

    async fn a_feed_that_fails_is_asked_again_by_itself_and_never_dies(database) {
        let bench = Bench::new().await;
        let store = database.open().await;
        let worker = bench.worker(&store, "one", LEASE);
        for round in 1..=4 {
            bench.site.fail([Fault::Status(404, None)]);
            store.run_job(&Bench::feed(), Timestamp::now()).await.unwrap();
            let summary = run(&worker).await;
            assert_eq!((summary.troubled, summary.failed), (1, 0), "round {round}: {summary:?}");
            let feed = job(&store, &Bench::feed()).await.unwrap();
            assert!(feed.problem.is_some(), "{feed:?}");
            let JobState::Waiting { due } = feed.state else { panic!("{feed:?}") };
            assert_eq!(Some(due), store.follow_state("nvd").await.unwrap().next, "as its own pauses want it");
        }
    }

    async fn a_job_that_fails_dies_and_lives_again_when_it_is_retried(database) {
        let bench = Bench::new().await;
        let store = database.open().await;
        let folder = tempfile::tempdir().unwrap();
        let join = Task::Join(folder.path().join("no-index"));
        let name = join.name();
        let worker = bench.worker_of(&store, "one", LEASE, Plan::from_iter([join]));
        assert_eq!(run(&worker).await.failed, 1);
        let failed = job(&store, &name).await.unwrap();
        let JobState::Waiting { due } = failed.state else { panic!("{failed:?}") };
        let pause = due.duration_since(Timestamp::now());
        assert!(pause > SignedDuration::from_secs(20) && pause <= SignedDuration::from_secs(60), "{pause:?}");
        assert!(failed.problem.unwrap().contains("there is no landing index"));
        assert_eq!(run(&worker).await.failed, 0, "it waits");

        store.run_job(&name, Timestamp::now()).await.unwrap();
        assert_eq!(run(&worker).await.failed, 1);
        assert_eq!(job(&store, &name).await.unwrap().state, JobState::Dead);
        assert_eq!(run(&worker).await.failed, 0, "the dead do not run");
        store.run_job(&name, Timestamp::now()).await.unwrap();
        assert_eq!(run(&worker).await.failed, 1, "it lives again");
        assert_eq!(job(&store, &name).await.unwrap().attempts, 1);
    }

    async fn a_job_that_its_workers_die_of_is_dead_in_the_end(database) {
        let bench = Bench::new().await;
        let store = database.open().await;
        store.declare_jobs(&[Bench::feed()], Timestamp::now()).await.unwrap();
        for _ in 0..2 {
            let seen = job(&store, &Bench::feed()).await.unwrap();
            let ago = Timestamp::now() - SignedDuration::from_secs(100);
            store.lease_job(&seen, "it died", LEASE, ago).await.unwrap().unwrap();
        }
        run(&bench.worker(&store, "one", LEASE)).await;
        assert!(bench.site.requests().is_empty(), "nobody else dies of it");
        let dead = job(&store, &Bench::feed()).await.unwrap();
        assert_eq!((dead.state, dead.attempts), (JobState::Dead, 2));
        assert!(dead.problem.unwrap().contains("workers died"));
    }

    async fn a_clock_that_jumped_keeps_no_job_from_running(database) {
        let bench = Bench::new().await;
        let store = database.open().await;
        // A worker a year ahead ran all there is and left; another holds a job until then.
        let ahead = Timestamp::now() + SignedDuration::from_hours(24 * 365);
        let housekeeping = Task::Housekeeping.name();
        store.declare_jobs(&[Bench::feed(), housekeeping.clone()], ahead).await.unwrap();
        let seen = job(&store, &housekeeping).await.unwrap();
        store.lease_job(&seen, "ahead", LEASE, ahead).await.unwrap().unwrap();
        let feed = bench.feed_task();
        let worker = bench.worker_of(&store, "one", LEASE, Plan::from_iter([feed, Task::Housekeeping]));
        assert_eq!(run(&worker).await.done, 2);
        for name in [Bench::feed(), housekeeping] {
            let JobState::Waiting { due } = job(&store, &name).await.unwrap().state else { panic!("{name}") };
            assert!(due < Timestamp::now() + SignedDuration::from_hours(25), "{name} is due at {due}");
        }
        // One that is behind finds all that was done to be due later, and waits for it.
        assert_eq!(run(&worker).await.done, 0);
    }

    async fn a_worker_runs_only_what_it_is_configured_for(database) {
        let bench = Bench::new().await;
        let store = database.open().await;
        store.declare_jobs(&[JobName::new("feed", "of-another")], Timestamp::now()).await.unwrap();
        let worker = bench.worker_of(&store, "one", LEASE, Plan::from_iter([Task::Match]));
        assert_eq!(run(&worker).await.done, 1);
        assert!(matches!(job(&store, &JobName::new("feed", "of-another")).await.unwrap().state, JobState::Waiting { .. }));
    }
}
