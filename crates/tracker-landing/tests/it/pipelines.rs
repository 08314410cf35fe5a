//! Generated channel pipelines whose truth is known: several regimes, with outages and freezes.
//!
//! Invariant: the same seed gives the same pipeline.

use tracker_landing::eta::{Move, Past, Phase, PhaseSeen};

/// How a channel behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Regime {
    pub(crate) name: &'static str,
    /// Mean hours between evaluations.
    pub(crate) evaluation_h: f64,
    /// Mean hours that an evaluation's jobs take.
    pub(crate) build_h: f64,
    /// Share of evaluations that pass.
    pub(crate) passes: f64,
    /// Chance per evaluation that an outage begins, and its mean length in hours.
    pub(crate) outage: (f64, f64),
    /// The pace changes by this factor half way.
    pub(crate) shift: f64,
    /// Factor on the builds' time at weekends.
    pub(crate) weekend: f64,
}

const STEADY: Regime = Regime {
    name: "small, steady",
    evaluation_h: 4.0,
    build_h: 3.0,
    passes: 0.85,
    outage: (0.0, 0.0),
    shift: 1.0,
    weekend: 1.0,
};

pub(crate) const REGIMES: &[Regime] = &[
    STEADY,
    Regime {
        name: "full, steady",
        evaluation_h: 24.0,
        build_h: 20.0,
        passes: 0.7,
        ..STEADY
    },
    Regime {
        name: "full, often red",
        evaluation_h: 20.0,
        build_h: 18.0,
        passes: 0.35,
        ..STEADY
    },
    Regime {
        name: "full, outages",
        evaluation_h: 24.0,
        build_h: 20.0,
        outage: (0.03, 150.0),
        ..STEADY
    },
    Regime {
        name: "small, pace halves",
        shift: 2.5,
        passes: 0.7,
        ..STEADY
    },
    Regime {
        name: "full, freeze then fast",
        evaluation_h: 30.0,
        build_h: 24.0,
        shift: 0.4,
        outage: (0.01, 300.0),
        ..STEADY
    },
    Regime {
        name: "full, slow weekends",
        evaluation_h: 24.0,
        build_h: 14.0,
        weekend: 2.5,
        passes: 0.8,
        ..STEADY
    },
];

/// A deterministic stream of uniform numbers in (0, 1).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Gamma-like: a sum of three exponentials, mean as given.
    pub(crate) fn around(&mut self, mean: f64) -> f64 {
        (0..3).map(|_| -self.next().ln() * mean / 3.0).sum()
    }
}

/// A channel's past, and changes that were merged while it was watched.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) moves: Vec<Move>,
    /// How its jobset stood, as a poll would have seen it.
    pub(crate) phases: Vec<PhaseSeen>,
    /// Times of 500 merges.
    pub(crate) merges: Vec<i64>,
}

impl Pipeline {
    /// With its jobset, as one that was watched.
    pub(crate) fn watched(&self) -> Past<'_> {
        Past {
            moves: &self.moves,
            phases: &self.phases,
        }
    }

    /// Of its moves alone.
    pub(crate) fn unwatched(&self) -> Past<'_> {
        self.moves.as_slice().into()
    }
}

/// How often a poll writes down a phase that lasts, in seconds.
const POLL: i64 = 86_400;

/// A channel over about 700 evaluations.
pub(crate) fn pipeline(regime: &Regime, seed: u64) -> Pipeline {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x0123_4567_89ab_cdef);
    let (mut now, mut moves, evaluations) = (1_500_000_000.0_f64, Vec::<Move>::new(), 700);
    let mut phases = Vec::new();
    for number in 0..evaluations {
        let pace = if number > evaluations / 2 {
            regime.shift
        } else {
            1.0
        };
        let weekday = (now / 86_400.0) as i64 % 7;
        let slow = if matches!(weekday, 2 | 3) {
            regime.weekend
        } else {
            1.0
        };
        if random.next() < regime.outage.0 {
            // Evaluations fail for as long as it lasts.
            let until = now + random.around(regime.outage.1) * 3600.0;
            let polls = (now as i64..until as i64).step_by(POLL as usize);
            phases.extend(polls.map(|at| PhaseSeen {
                at,
                phase: Phase::Blocked,
            }));
            now = until;
        }
        let build = random.around(regime.build_h * pace * slow) * 3600.0;
        let done = (now + build) as i64;
        let later = moves.last().is_none_or(|last| last.at < done);
        let passes = random.next() < regime.passes;
        phases.push(PhaseSeen {
            at: now as i64,
            phase: Phase::Building,
        });
        // A job that fails does so on the way.
        let (at, phase) = if passes {
            (done, Phase::Passed)
        } else {
            ((now + build * 0.6) as i64, Phase::Blocked)
        };
        phases.push(PhaseSeen { at, phase });
        if passes && later {
            moves.push(Move {
                at: done,
                contains_until: now as i64,
            });
        }
        now += random.around(regime.evaluation_h * pace) * 3600.0;
    }
    let (first, last) = (moves[0].at as f64, moves[moves.len() - 1].at as f64);
    let mut merges: Vec<i64> = (0..500)
        .map(|_| (first + random.next() * (last - first)) as i64)
        .collect();
    merges.sort_unstable();
    phases.sort_by_key(|seen| seen.at);
    Pipeline {
        moves,
        phases,
        merges,
    }
}
