//! The forecast keeps its promise on pipelines whose truth is known.

mod pipelines;

use pipelines::{REGIMES, pipeline};
use tracker_landing::eta::{self, Move, TrackRecord, Unknown};

#[test]
fn four_in_five_changes_arrive_within_the_interval_in_every_regime() {
    let mut better = 0;
    for regime in REGIMES {
        let (moves, merges) = pipeline(regime, 1);
        let record = TrackRecord::replay(&moves, &merges);
        println!("{:<26} {record:?}", regime.name);
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
        let baseline = record.baseline.expect("many changes");
        let best = baseline.constant_median.min(baseline.mean_gap_less_age) as f64;
        let error = record.median_error as f64;
        assert!(error <= best * 1.1, "{}: {record:?}", regime.name);
        better += usize::from(error < best);
    }
    assert!(
        better * 2 > REGIMES.len(),
        "better than both naive rules in {better} regimes only"
    );
}

#[test]
fn a_channel_that_was_not_watched_for_long_is_unknown_and_says_why() {
    let moves: Vec<Move> = (0..eta::MIN_MOVES as i64 - 1)
        .map(|n| Move {
            at: n * 1000,
            contains_until: n * 1000 - 100,
        })
        .collect();
    let unknown = eta::forecast(&moves, 20_000, 20_000, 1.0).expect_err("too few");
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
    assert!(eta::forecast(&jumped, 50_000, 50_000, 1.0).is_err());
}

#[test]
fn waiting_longer_never_makes_the_past_come_true() {
    let (moves, merges) = pipeline(&REGIMES[1], 2);
    for merged in merges.iter().skip(800).step_by(50) {
        for waited in [0, 3600, 86_400] {
            let Ok(said) = eta::forecast(&moves, *merged, merged + waited, 1.0) else {
                continue;
            };
            assert!(0 <= said.low && said.low <= said.median, "{said:?}");
            assert!(said.high.is_none_or(|high| high >= said.median), "{said:?}");
        }
    }
}
