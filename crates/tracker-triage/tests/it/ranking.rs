//! The rank: the written formula, number by number, and what must hold of it whatever goes in.

use crate::{at, item};
use jiff::Timestamp;
use proptest::prelude::*;
use tracker_triage::rank::{self, Rank, RankInputs};

const DAY: i64 = 86_400;

#[test]
fn the_formula_is_as_written() {
    let plain = item().rank_inputs();
    let rank = Rank::at(&plain, at(0));
    // 7.5 → 30 points; 4 % → a fifth of 25; nothing known of reach; times 0.93.
    assert_eq!(
        (rank.severity, rank.exploitation, rank.reach, rank.age),
        (30_000, 5_000, 0, 0)
    );
    assert_eq!(rank.total, 32_550);
    let worst = RankInputs {
        score_tenths: Some(100),
        exploited: true,
        confidence_ppm: 1_000_000,
        dependents: Some(65_535),
        default_install: true,
        ..plain
    };
    let rank = Rank::at(&worst, at(10 * DAY));
    assert_eq!(
        (rank.severity, rank.exploitation, rank.reach, rank.age),
        (40_000, 30_000, 26_000, 1_000)
    );
    assert_eq!(
        (rank.total, rank::points(rank.total)),
        (97_000, "97.0".to_owned())
    );
    let unknown = RankInputs {
        score_tenths: None,
        epss_ppm: None,
        ..plain
    };
    assert_eq!(Rank::at(&unknown, at(0)).total, 18_600);
    assert_eq!(
        (rank::points(-140), rank::points(1_049)),
        ("-0.1".to_owned(), "1.0".to_owned())
    );
}

#[test]
fn default_families_are_known() {
    assert!(rank::is_default_install("nixpkgs", "openssl"));
    assert!(!rank::is_default_install("guix", "openssl"));
    assert!(!rank::is_default_install("nixpkgs", "firefox"));
}

fn inputs() -> impl Strategy<Value = RankInputs> {
    (
        proptest::option::of(0..=100_u8),
        any::<bool>(),
        proptest::option::of(0..=1_000_000_u32),
        0..=1_000_000_u32,
        proptest::option::of(any::<u32>()),
        any::<bool>(),
        0..3_000_000_000_i64,
    )
        .prop_map(
            |(
                score_tenths,
                exploited,
                epss_ppm,
                confidence_ppm,
                dependents,
                default_install,
                since,
            )| RankInputs {
                score_tenths,
                exploited,
                epss_ppm,
                confidence_ppm,
                dependents,
                default_install,
                since: Timestamp::from_second(since).expect("it is in range"),
            },
        )
}

proptest! {
    #[test]
    fn an_order_once_stored_holds_at_any_time(a in inputs(), b in inputs(), now in 0..4_000_000_000_i64) {
        let now = Timestamp::from_second(now).unwrap();
        let (left, right) = (Rank::at(&a, now).total, Rank::at(&b, now).total);
        let stored = Rank::order(&a) - Rank::order(&b);
        // Each age is rounded once to a thousandth of a point.
        prop_assert!((left - right - stored).abs() <= 1, "{left} {right} {stored}");
    }

    #[test]
    fn more_of_anything_never_ranks_lower(mut a in inputs(), b in inputs()) {
        let now = at(0);
        let before = Rank::at(&a, now).total;
        a.score_tenths = Some(a.score_tenths.unwrap_or(rank::UNKNOWN_SCORE_TENTHS).max(b.score_tenths.unwrap_or(0)));
        a.exploited |= b.exploited;
        a.epss_ppm = a.epss_ppm.max(b.epss_ppm);
        a.confidence_ppm = a.confidence_ppm.max(b.confidence_ppm);
        a.dependents = a.dependents.max(b.dependents);
        a.default_install |= b.default_install;
        a.since = a.since.min(b.since);
        prop_assert!(Rank::at(&a, now).total >= before);
    }

    #[test]
    fn the_parts_add_up(a in inputs(), now in 0..4_000_000_000_i64) {
        let rank = Rank::at(&a, Timestamp::from_second(now).unwrap());
        let sum = rank.severity + rank.exploitation + rank.reach;
        prop_assert_eq!(rank.total, sum * i64::from(rank.confidence_ppm) / 1_000_000 + rank.age);
    }
}
