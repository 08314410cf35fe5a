//! The forecast keeps its promise on pipelines whose truth is known.

mod covariates;
mod pipelines;

use pipelines::{REGIMES, pipeline};
use tracker_landing::eta::{self, Move, Phase, TrackRecord, Unknown};

/// Median error beside the better of two naive rules, which is what a person would do: the usual wait, and the usual gap less the
/// days since the channel moved last.
fn best_naive(record: &TrackRecord) -> i64 {
    let baseline = record.baseline.expect("many changes");
    baseline.constant_median.min(baseline.mean_gap_less_age)
}

#[test]
fn four_in_five_changes_arrive_within_the_interval_in_every_regime() {
    let mut better = 0;
    for regime in REGIMES {
        let pipeline = pipeline(regime, 1);
        let record = TrackRecord::replay(pipeline.unwatched(), &pipeline.merges);
        let watched = TrackRecord::replay(pipeline.watched(), &pipeline.merges);
        println!("{:<26} {record:?}", regime.name);
        println!("{:<26} {watched:?}", "  with its jobset");
        for record in [&record, &watched] {
            assert!(
                record.changes > 400,
                "{}: {} forecasts",
                regime.name,
                record.changes
            );
            assert!(
                (0.75..=0.85).contains(&record.coverage),
                "{}: covers {:.3}",
                regime.name,
                record.coverage
            );
            // Where failures have no memory no rule beats the usual wait; elsewhere the forecast must.
            let (error, best) = (record.median_error as f64, best_naive(record) as f64);
            assert!(error <= best * 1.1, "{}: {record:?}", regime.name);
        }
        better += usize::from(record.median_error < best_naive(&record));
        // Where its state says nothing of the wait it must do no harm.
        let (with, without) = (watched.median_error as f64, record.median_error as f64);
        assert!(
            with <= without * 1.1,
            "{}: {with} s against {without} s",
            regime.name
        );
    }
    assert!(
        better * 2 > REGIMES.len(),
        "better than both naive rules in {better} regimes only"
    );
}

#[test]
fn an_outage_that_the_jobset_shows_is_told_before_it_is_over() {
    let regime = REGIMES.iter().find(|regime| regime.name == "full, outages");
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for seed in 1..=3 {
        let pipeline = pipeline(regime.expect("it is in the list"), seed);
        // A day into every stretch of three days or more in which the job was blocked.
        let phases = &pipeline.phases;
        for (place, seen) in phases.iter().enumerate() {
            let begins = place == 0 || phases[place - 1].phase != Phase::Blocked;
            let long = phases
                .get(place..place + 3)
                .is_some_and(|three| three.iter().all(|seen| seen.phase == Phase::Blocked));
            let merged = seen.at + 86_400;
            let next = pipeline
                .moves
                .iter()
                .find(|step| step.contains_until >= merged);
            let Some(next) = next.filter(|_| begins && long) else {
                continue;
            };
            let error = |past| {
                let said = eta::forecast(past, merged, merged, 1.0).ok()?;
                Some((said.median - (next.at - merged)).abs())
            };
            with.extend(error(pipeline.watched()));
            without.extend(error(pipeline.unwatched()));
        }
    }
    let median = |errors: &mut Vec<i64>| {
        errors.sort_unstable();
        errors[errors.len() / 2]
    };
    assert!(with.len() >= 20, "{} outages", with.len());
    let (with, without) = (median(&mut with), median(&mut without));
    println!("in outages: median error {with} s with the jobset's state, {without} s without");
    assert!(with < without, "{with} s against {without} s");
}

#[test]
fn each_thing_that_is_known_changes_what_is_said() {
    let hour = 3_600;
    // Four moves a day on working days, one on Saturday and none on Sunday; then the same at half the pace.
    let monday = 1_500_249_600;
    let channel = |factor: i64| -> Vec<Move> {
        (0..40 * 7)
            .flat_map(|day| {
                let hours: &[i64] = match day % 7 {
                    5 => &[12],
                    6 => &[],
                    _ => &[3, 9, 15, 21],
                };
                hours.iter().map(move |at| (day * 24 + at) * hour * factor)
            })
            .map(|at| Move {
                at: monday + at,
                contains_until: monday + at - hour,
            })
            .collect()
    };
    let moves = channel(1);
    let at = |moves: &[Move], day: i64, hours: i64| {
        let now = monday + (35 * 7 + day) * 24 * hour + hours * hour;
        eta::forecast(moves.into(), now, now, 1.0)
            .expect("a long record")
            .median
    };
    assert!(at(&moves, 5, 13) > 2 * at(&moves, 1, 10), "the weekday");
    assert!(at(&moves, 1, 8) < at(&moves, 1, 10), "the channel's age");
    let slow: Vec<Move> = channel(2)
        .into_iter()
        .filter(|step| step.at < monday + 40 * 7 * 24 * hour)
        .collect();
    assert!(at(&slow, 1, 10) > at(&moves, 1, 10), "the pace");
    // The last two weeks at half the pace.
    let turn = monday + 33 * 7 * 24 * hour;
    let mut slower: Vec<Move> = moves
        .iter()
        .filter(|step| step.at < turn)
        .copied()
        .collect();
    slower.extend(moves.iter().filter(|step| step.at >= turn).step_by(3));
    assert!(at(&slower, 1, 10) > at(&moves, 1, 10), "the recent pace");
}

#[test]
fn a_channel_that_was_not_watched_for_long_is_unknown_and_says_why() {
    let moves: Vec<Move> = (0..eta::MIN_MOVES as i64 - 1)
        .map(|n| Move {
            at: n * 1000,
            contains_until: n * 1000 - 100,
        })
        .collect();
    let unknown = eta::forecast(moves.as_slice().into(), 20_000, 20_000, 1.0).expect_err("too few");
    assert_eq!(
        unknown,
        Unknown::TooFewMoves {
            have: eta::MIN_MOVES - 1
        }
    );
    let mut jumped = moves.clone();
    jumped.push(Move {
        at: 5,
        contains_until: 1,
    });
    jumped.push(Move {
        at: 6,
        contains_until: 2,
    });
    assert!(eta::forecast(jumped.as_slice().into(), 50_000, 50_000, 1.0).is_err());
}

#[test]
fn waiting_longer_never_makes_the_past_come_true() {
    let pipeline = pipeline(&REGIMES[1], 2);
    for merged in pipeline.merges.iter().skip(800).step_by(50) {
        for waited in [0, 3600, 86_400] {
            let Ok(said) = eta::forecast(pipeline.watched(), *merged, merged + waited, 1.0) else {
                continue;
            };
            assert!(0 <= said.low && said.low <= said.median, "{said:?}");
            assert!(said.high.is_none_or(|high| high >= said.median), "{said:?}");
        }
    }
}
