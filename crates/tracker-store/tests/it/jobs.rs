//! Jobs and leases: taken by one, lost for good, and nothing written under a lease that is another's.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tracker_record::Source;
use tracker_store::{
    Ended, FollowState, Job, JobCounts, JobName, JobState, Lease, Run, Store, StoreError,
};
use tracker_testkit::fixture::{at, incoming, record};
use tracker_testkit::on_both_databases;

const LEASE: Duration = Duration::from_mins(1);

fn now() -> Timestamp {
    at("2026-01-01T00:00:00Z")
}

fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn kev() -> JobName {
    JobName::new("feed", "kev")
}

async fn held(store: &Store, name: &JobName) -> Job {
    store.job(name).await.unwrap().expect("it is declared")
}

/// Declares a job and takes it.
async fn taken(store: &Store) -> Lease {
    store.declare_jobs(&[kev()], now()).await.unwrap();
    let seen = held(store, &kev()).await;
    store
        .lease_job(&seen, "one", LEASE, now())
        .await
        .unwrap()
        .expect("it is free")
}

/// Takes a job over whose lease has ended.
async fn taken_over(store: &Store) -> Lease {
    let seen = held(store, &kev()).await;
    store
        .lease_job(&seen, "two", LEASE, later(61))
        .await
        .unwrap()
        .expect("nobody renewed it")
}

fn done(next: Timestamp) -> Ended {
    Ended {
        next: Some(next),
        run: Run::Done {
            counts: JobCounts::from([("added".to_owned(), 7)]),
            problem: None,
        },
        duration: Duration::from_millis(1500),
        wakes: Vec::new(),
    }
}

fn failed(next: Option<Timestamp>) -> Ended {
    Ended {
        next,
        run: Run::Failed {
            problem: "no \0 luck".to_owned(),
        },
        ..done(now())
    }
}

fn is_lost<T: std::fmt::Debug>(result: Result<T, StoreError>) -> bool {
    match result {
        Err(StoreError::LeaseLost { job }) => job == "feed:kev",
        other => panic!("{other:?}"),
    }
}

on_both_databases! {
    async fn a_job_is_taken_by_one_and_given_back(database) {
        let store = database.open().await;
        let lease = taken(&store).await;
        assert_eq!((lease.attempts, lease.owner.as_str()), (1, "one"));
        let running = held(&store, &kev()).await;
        let JobState::Leased { owner, ends, heartbeat, again } = &running.state else { panic!("{running:?}") };
        assert_eq!((owner.as_str(), *ends, *heartbeat, *again), ("one", later(60), now(), false));
        // Declared once more it stays as it is.
        store.declare_jobs(&[kev()], later(5)).await.unwrap();
        assert_eq!(held(&store, &kev()).await.state, running.state);
        store.renew_lease(&lease, later(15)).await.unwrap();
        store.end_job(&lease, &done(later(600)), later(20)).await.unwrap();
        let job = held(&store, &kev()).await;
        assert_eq!(job.state, JobState::Waiting { due: later(600) });
        assert_eq!((job.attempts, job.succeeded, job.problem.as_deref()), (0, Some(later(20)), None));
        assert_eq!((job.duration, job.counts["added"], job.started), (1_500_000, 7, Some(now())));
        assert!(is_lost(store.renew_lease(&lease, later(21)).await), "it was given back");
        assert!(is_lost(store.end_job(&lease, &done(later(1)), later(22)).await));
        assert_eq!(store.jobs().await.unwrap(), [job]);
    }

    async fn of_many_who_saw_the_same_job_one_takes_it(database) {
        let store = database.open().await;
        store.declare_jobs(&[kev()], now()).await.unwrap();
        for round in 0..5 {
            let seen = held(&store, &kev()).await;
            let mut tasks = tokio::task::JoinSet::new();
            for number in 0..8 {
                let (store, seen) = (store.clone(), seen.clone());
                tasks.spawn(async move {
                    store.lease_job(&seen, &format!("w{number}"), LEASE, later(round * 100)).await.unwrap()
                });
            }
            let leases = tasks.join_all().await;
            assert_eq!(leases.iter().flatten().count(), 1, "{leases:?}");
        }
        let seen = held(&store, &kev()).await;
        assert_eq!(seen.attempts, 5);
        // Whoever saw it before its owner renewed comes too late as well.
        let lease = store.lease_job(&seen, "one", LEASE, later(1000)).await.unwrap().unwrap();
        let seen = held(&store, &kev()).await;
        store.renew_lease(&lease, later(1015)).await.unwrap();
        assert_eq!(store.lease_job(&seen, "two", LEASE, later(1061)).await.unwrap(), None);
        assert!(!store.bury_job(&seen, "it is not dead").await.unwrap());
    }

    async fn nothing_is_written_under_a_lease_that_is_another_s(database) {
        let store = database.open().await;
        let first = taken(&store).await;
        let old = store.fenced(&first);
        let batch = || vec![incoming(record(Source::Nvd, "CVE-2026-0001", "One"))];
        old.put_records(batch()).await.unwrap();
        let second = taken_over(&store).await;
        assert_eq!((second.attempts, second.owner.as_str()), (2, "two"));
        let state = |cursor: &str| FollowState { feed: "kev".to_owned(), cursor: cursor.to_owned(), ..FollowState::default() };
        let new = store.fenced(&second);
        new.put_follow_state(&state("new")).await.unwrap();
        let before = store.sizes().await.unwrap();

        let more = vec![incoming(record(Source::Nvd, "CVE-2026-0002", "Two"))];
        assert!(is_lost(old.put_records(more).await));
        assert!(is_lost(old.put_follow_state(&state("old")).await));
        assert!(is_lost(old.analyze().await));
        assert!(is_lost(store.renew_lease(&first, later(62)).await));
        assert!(is_lost(store.end_job(&first, &done(later(600)), later(62)).await));
        assert_eq!(store.sizes().await.unwrap(), before);
        assert_eq!(store.follow_state("kev").await.unwrap().cursor, "new");
        assert!(matches!(held(&store, &kev()).await.state, JobState::Leased { owner, .. } if owner == "two"));
        new.put_records(batch()).await.unwrap();
        assert!(old.overview().await.is_ok(), "whoever lost a lease may still read");
    }

    async fn a_failure_waits_and_a_dead_job_waits_for_a_person(database) {
        let store = database.open().await;
        let lease = taken(&store).await;
        assert!(store.run_job(&kev(), later(1)).await.unwrap(), "it is asked for while it runs");
        store.end_job(&lease, &failed(Some(later(90))), later(2)).await.unwrap();
        let job = held(&store, &kev()).await;
        assert_eq!(job.state, JobState::Waiting { due: later(90) }, "a failure waits its time");
        assert_eq!((job.attempts, job.problem.as_deref()), (1, Some("no \u{fffd} luck")));

        let lease = store.lease_job(&job, "one", LEASE, later(90)).await.unwrap().unwrap();
        assert_eq!(lease.attempts, 2);
        store.end_job(&lease, &failed(None), later(91)).await.unwrap();
        let dead = held(&store, &kev()).await;
        assert_eq!((&dead.state, dead.attempts), (&JobState::Dead, 2));
        // What others did does not wake the dead; a person does.
        let mut ended = done(later(500));
        ended.wakes.push(kev());
        let other = JobName::new("match", "");
        store.declare_jobs(std::slice::from_ref(&other), now()).await.unwrap();
        let lease = store.lease_job(&held(&store, &other).await, "one", LEASE, now()).await.unwrap().unwrap();
        store.end_job(&lease, &ended, later(92)).await.unwrap();
        assert_eq!(held(&store, &kev()).await.state, JobState::Dead);
        assert!(store.run_job(&kev(), later(93)).await.unwrap());
        let job = held(&store, &kev()).await;
        assert_eq!((job.state, job.attempts), (JobState::Waiting { due: later(93) }, 0));
        assert!(!store.run_job(&JobName::new("feed", "none"), now()).await.unwrap());
    }

    async fn a_lease_whose_worker_died_may_be_buried(database) {
        let store = database.open().await;
        taken(&store).await;
        let seen = held(&store, &kev()).await;
        assert!(store.bury_job(&seen, "its workers died").await.unwrap());
        let job = held(&store, &kev()).await;
        assert_eq!((job.state, job.problem.as_deref()), (JobState::Dead, Some("its workers died")));
    }

    async fn what_is_asked_for_meanwhile_runs_right_after(database) {
        let store = database.open().await;
        let lease = taken(&store).await;
        let other = JobName::new("match", "");
        store.declare_jobs(std::slice::from_ref(&other), now()).await.unwrap();
        let matching = store.lease_job(&held(&store, &other).await, "one", LEASE, now()).await.unwrap().unwrap();
        store.end_job(&matching, &done(later(9000)), later(1)).await.unwrap();
        let mut ended = done(later(600));
        ended.wakes.push(other.clone());
        ended.wakes.push(kev());
        store.end_job(&lease, &ended, later(30)).await.unwrap();
        assert_eq!(held(&store, &other).await.state, JobState::Waiting { due: later(30) });
        assert_eq!(held(&store, &kev()).await.state, JobState::Waiting { due: later(30) });

        // While it runs, it is noted, and given back without an end it is as before.
        let lease = store.lease_job(&held(&store, &kev()).await, "one", LEASE, later(31)).await.unwrap().unwrap();
        store.run_job(&kev(), later(32)).await.unwrap();
        assert!(matches!(held(&store, &kev()).await.state, JobState::Leased { again: true, .. }));
        let released = Ended { run: Run::Released, ..done(later(600)) };
        store.end_job(&lease, &released, later(40)).await.unwrap();
        let job = held(&store, &kev()).await;
        assert_eq!((job.state, job.attempts), (JobState::Waiting { due: later(32) }, 0));
        assert_eq!(job.duration, 1_500_000, "of the last run that ended");
    }

    async fn jobs_that_nobody_is_configured_for_are_forgotten(database) {
        let store = database.open().await;
        taken(&store).await;
        let names = ["a", "b"].map(|name| JobName::new("feed", name));
        store.declare_jobs(&names, later(-100)).await.unwrap();
        store.declare_jobs(&names[1..], later(100)).await.unwrap();
        assert_eq!(store.forget_jobs(later(50)).await.unwrap(), 1, "neither one that runs nor one that is declared");
        let left: Vec<String> = store.jobs().await.unwrap().iter().map(|job| job.name.to_string()).collect();
        assert_eq!(left, ["feed:b", "feed:kev"]);
    }
}

proptest::proptest! {
    #[test]
    fn a_name_is_read_back(kind in "[a-z][a-z-]{0,11}", subject in "[a-z0-9.:-]{0,12}") {
        let name = JobName::new(kind, subject);
        proptest::prop_assert_eq!(name.to_string().parse(), Ok(name));
    }
}
