//! The forecast's own record: each past change forecast from what was known then, and what came of it.
//!
//! Invariant: a forecast in the record never saw a move that came after its moment; the widening used for it came from
//! outcomes that were known by then.

use super::{COVERAGE, Move, Past, forecast, waited};
use serde::Serialize;

/// How fast the widening follows misses; the value of the source's experiments.
const RATE: f64 = 0.05;

/// Bounds of the widening, so that a long outage cannot make the interval meaningless for ever.
const WIDENING: std::ops::RangeInclusive<f64> = 0.2..=8.0;

/// What naive forecasts would have done on the same changes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Baseline {
    /// Median error in seconds of always saying the median wait so far.
    pub constant_median: i64,
    /// Median error in seconds of saying: the mean gap less the channel's age.
    pub mean_gap_less_age: i64,
}

/// How forecasts have done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrackRecord {
    /// Changes forecast and arrived.
    pub changes: usize,
    /// Share that arrived within the interval.
    pub coverage: f64,
    /// Median of the error of the median, in seconds.
    pub median_error: i64,
    /// Median width of the interval in seconds.
    pub median_width: i64,
    /// The widening to use for the next forecast.
    pub widening: f64,
    /// The same changes by naive rules; `None` without any.
    pub baseline: Option<Baseline>,
}

impl TrackRecord {
    /// Replays `merges` (times in seconds, ascending) against the past of a channel, in order of time.
    pub fn replay(past: Past<'_>, merges: &[i64]) -> TrackRecord {
        let moves = past.moves;
        let mut log_widening = 0.0_f64;
        // Outcomes that are not known yet at the moment of the next forecast wait here, by time of arrival.
        let mut pending: Vec<(i64, bool)> = Vec::new();
        let (mut errors, mut widths, mut waits) = (Vec::new(), Vec::new(), Vec::new());
        let (mut constant, mut gap) = (Vec::new(), Vec::new());
        let mut covered = 0_usize;
        for merged in merges {
            pending.retain(|(arrived, inside)| {
                let known = arrived <= merged;
                if known {
                    log_widening += RATE * if *inside { -(1.0 - COVERAGE) } else { COVERAGE };
                }
                !known
            });
            let widening = log_widening.exp().clamp(*WIDENING.start(), *WIDENING.end());
            log_widening = widening.ln();
            let (Some(wait), Ok(said)) = (
                waited(moves, *merged),
                forecast(past, *merged, *merged, widening),
            ) else {
                continue;
            };
            let inside = said.low <= wait && said.high.is_none_or(|high| wait <= high);
            covered += usize::from(inside);
            pending.push((merged + wait, inside));
            errors.push((said.median - wait).abs());
            widths.extend(said.high.map(|high| high - said.low));
            if let Some(usual) = median(&mut waits.clone()) {
                constant.push((usual - wait).abs());
                gap.push((naive(moves, *merged) - wait).abs());
            }
            waits.push(wait);
        }
        TrackRecord {
            changes: errors.len(),
            coverage: if errors.is_empty() {
                0.0
            } else {
                covered as f64 / errors.len() as f64
            },
            median_error: median(&mut errors).unwrap_or_default(),
            median_width: median(&mut widths).unwrap_or_default(),
            widening: log_widening.exp(),
            baseline: median(&mut constant).zip(median(&mut gap)).map(
                |(constant_median, mean_gap_less_age)| Baseline {
                    constant_median,
                    mean_gap_less_age,
                },
            ),
        }
    }
}

/// The mean gap so far less the channel's age, as a person would reckon.
fn naive(moves: &[Move], moment: i64) -> i64 {
    let known = moves
        .get(..moves.partition_point(|step| step.at <= moment))
        .unwrap_or_default();
    let (Some(first), Some(last)) = (known.first(), known.last()) else {
        return 0;
    };
    let gap = (last.at - first.at) / (known.len() as i64 - 1).max(1);
    (gap - (moment - last.at)).max(0)
}

fn median(values: &mut [i64]) -> Option<i64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let (_, median, _) = values.select_nth_unstable(middle);
    Some(*median)
}
