//! The page about jobs, and what is measured of them.

use crate::site::{ATTACK, Site};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tracker_store::{Ended, JobCounts, JobName, Run, Store};
use tracker_testkit::on_both_databases;

/// A job that ran at a time, and how.
async fn ran(store: &Store, name: &JobName, at: Timestamp, next: Option<Timestamp>, run: Run) {
    store
        .declare_jobs(std::slice::from_ref(name), at)
        .await
        .unwrap();
    let seen = store.job(name).await.unwrap().unwrap();
    let lease = store
        .lease_job(&seen, "host-of-mine", Duration::from_mins(1), at)
        .await
        .unwrap()
        .unwrap();
    let ended = Ended {
        next,
        run,
        duration: Duration::from_millis(1500),
        wakes: Vec::new(),
    };
    store.end_job(&lease, &ended, at).await.unwrap();
}

fn feed(name: &str) -> JobName {
    JobName::new("feed", name)
}

async fn filled(store: &Store) {
    let now = Timestamp::now();
    let (soon, long_ago) = (
        now + SignedDuration::from_mins(30),
        now - SignedDuration::from_hours(3),
    );
    let counts = JobCounts::from([("added".to_owned(), 1234), ("rejected".to_owned(), 0)]);
    let done = |problem: Option<&str>| Run::Done {
        counts: counts.clone(),
        problem: problem.map(str::to_owned),
    };
    ran(store, &feed("fine"), now, Some(soon), done(None)).await;
    ran(store, &feed("lying"), now, Some(soon), done(Some(ATTACK))).await;
    let named = "`nowhere:/x` is no address";
    ran(store, &feed("named"), now, Some(soon), done(Some(named))).await;
    ran(store, &feed("late"), long_ago, Some(long_ago), done(None)).await;
    let failed = || Run::Failed {
        problem: "secret-table refused".to_owned(),
    };
    ran(store, &feed("failing"), now, Some(soon), failed()).await;
    ran(store, &JobName::new("match", ""), now, None, failed()).await;
    for (name, at) in [("running", now), ("lost", long_ago)] {
        store.declare_jobs(&[feed(name)], at).await.unwrap();
        let seen = store.job(&feed(name)).await.unwrap().unwrap();
        store
            .lease_job(&seen, "host-of-mine", Duration::from_mins(1), at)
            .await
            .unwrap()
            .unwrap();
    }
}

on_both_databases! {
    async fn each_job_is_told_with_its_state(database) {
        let site = Site::new(&database).await;
        filled(&site.store).await;
        let page = site.get("/jobs").await.body;
        assert!(page.contains("1 dead, 1 without their worker, 1 overdue, 1 running, 4 waiting"), "{page}");
        assert!(page.contains("1.5 s: 1,234 added"), "{page}");
        assert!(page.contains("failed once; <code>rootstock-tracker jobs show feed:failing</code>"), "{page}");
        assert!(page.contains("<code>nowhere:/x</code> is no address"), "{page}");
        assert!(!page.contains("<script>"), "{page}");
        let twin = site.get("/jobs.json").await;
        let jobs = twin.json();
        let of = |subject: &str| {
            let all = jobs["jobs"].as_array().unwrap();
            all.iter().find(|job| job["subject"] == subject).unwrap().clone()
        };
        for (subject, state) in [("fine", "waiting"), ("late", "overdue"), ("running", "running"), ("lost", "lost"), ("", "dead")] {
            assert_eq!(of(subject)["state"], state, "{subject}: {jobs}");
        }
        assert_eq!(of("lying")["problem"], ATTACK);
        assert_eq!((&of("failing")["failures"], &of("failing")["problem"]), (&1.into(), &serde_json::Value::Null));
        for private in ["secret-table", "host-of-mine"] {
            assert!(!page.contains(private) && !twin.body.contains(private), "{private}");
        }
        assert!(site.get("/about").await.body.contains("href=\"/jobs\""));
    }

    async fn jobs_are_measured(database) {
        let site = Site::new(&database).await;
        filled(&site.store).await;
        let metrics = site.get("/metrics").await.body;
        let value = |series: &str| -> Option<f64> {
            let series = format!("rootstock_tracker_{series} ");
            metrics.lines().find_map(|line| line.strip_prefix(&series))?.parse().ok()
        };
        for (state, number) in [("waiting", 5.0), ("leased", 2.0), ("dead", 1.0)] {
            assert_eq!(value(&format!("jobs{{state=\"{state}\"}}")), Some(number), "{metrics}");
        }
        let overdue = value("jobs_overdue_seconds").unwrap();
        assert!((10_800.0..11_000.0).contains(&overdue), "{overdue}");
        assert!(value("job_succeeded_timestamp_seconds{kind=\"feed\",subject=\"fine\"}").unwrap() > 1.7e9);
        assert_eq!(value("job_succeeded_timestamp_seconds{kind=\"match\",subject=\"\"}"), None);
        assert_eq!(value("job_attempts{kind=\"match\",subject=\"\"}"), Some(1.0));
        let forgotten = site.store.forget_jobs(Timestamp::now() - SignedDuration::from_hours(1)).await.unwrap();
        assert_eq!(forgotten, 1);
        let after = site.get("/metrics").await.body;
        assert!(!after.contains("subject=\"late\""), "{after}");
    }
}
