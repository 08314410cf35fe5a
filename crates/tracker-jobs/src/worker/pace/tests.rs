//! What is due, whatever the clocks say.

use super::{HORIZON, after_failures, agenda, is_spent};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;
use tracker_store::{Job, JobName, JobState, Store};

/// A job as a database has it that was declared at a time.
async fn declared(name: &str, at: Timestamp) -> Job {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let name = JobName::new("feed", name);
    store
        .declare_jobs(std::slice::from_ref(&name), at)
        .await
        .unwrap();
    store.job(&name).await.unwrap().unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

const NOW: i64 = 1_800_000_000;

async fn due(state: JobState) -> bool {
    let mut job = declared("a", at(NOW)).await;
    job.state = state;
    let agenda = agenda(vec![job], at(NOW));
    assert!(agenda.next > Duration::ZERO);
    !agenda.due.is_empty()
}

fn leased(ends: i64) -> JobState {
    JobState::Leased {
        owner: "w".to_owned(),
        ends: at(ends),
        heartbeat: at(NOW),
        again: false,
    }
}

#[tokio::test]
async fn a_time_that_no_right_clock_wrote_is_no_time() {
    let far = HORIZON.as_secs();
    for (offset, expected) in [
        (-far * 9, true),
        (-1, true),
        (0, true),
        (1, false),
        (far - 1, false),
        (far, true),
        (far * 300, true),
    ] {
        assert_eq!(
            due(JobState::Waiting {
                due: at(NOW + offset)
            })
            .await,
            expected,
            "{offset}"
        );
        assert_eq!(due(leased(NOW + offset)).await, expected, "{offset}");
    }
    assert!(!due(JobState::Dead).await);
}

#[tokio::test]
async fn the_one_that_waited_longest_goes_first_and_the_next_is_waited_for() {
    let waiting = async |name: &str, offset| {
        let mut job = declared(name, at(NOW)).await;
        job.state = JobState::Waiting {
            due: at(NOW + offset),
        };
        job
    };
    let jobs = vec![
        waiting("later", 90).await,
        waiting("soon", 30).await,
        waiting("now", 0).await,
        waiting("long-ago", -500).await,
        // By a clock that was ahead: as due as what is due now.
        waiting("ahead", HORIZON.as_secs() + 5).await,
    ];
    let agenda = agenda(jobs, at(NOW));
    let names: Vec<&str> = agenda
        .due
        .iter()
        .map(|job| job.name.subject.as_str())
        .collect();
    assert_eq!(names, ["long-ago", "ahead", "now"]);
    assert_eq!(agenda.next, Duration::from_secs(30));
}

#[tokio::test]
async fn a_job_that_kills_its_workers_is_spent_but_one_that_waits_is_not() {
    let mut job = declared("a", at(NOW)).await;
    job.attempts = 3;
    assert!(
        !is_spent(&job, 3),
        "a person has retried it, or it failed with a word"
    );
    job.state = leased(NOW - 1);
    assert!(is_spent(&job, 3) && !is_spent(&job, 4));
    assert_eq!(job.counts, BTreeMap::new());
}

proptest::proptest! {
    #[test]
    fn pauses_grow_within_their_limits(failures in 0_u32..100) {
        let pause = after_failures(failures);
        let whole = Duration::from_mins(1 << failures.saturating_sub(1).min(9)).min(Duration::from_hours(6));
        proptest::prop_assert!(pause >= whole / 2 && pause <= whole, "{failures}: {pause:?}");
        proptest::prop_assert!(SignedDuration::try_from(pause).unwrap() < HORIZON);
    }
}
