//! When will a merged change be in a channel? A median and an 80 % interval, with the forecast's own track record.
//!
//! A channel moves when its jobs have passed. How long a change waits depends on how long ago the channel moved, how fast
//! it has been moving lately, the weekday, and how its jobset stands, where that was watched. The forecast looks up past moments in a similar situation and reads off
//! how long those waited: a weighted Kaplan-Meier estimate, conditioned on the time already waited. Its interval is
//! then widened or narrowed by its own recent record (adaptive conformal inference, Gibbs and Candès 2021), so that it keeps
//! its promise when the channel's pace changes.
//!
//! Invariant: a forecast is made from what was known at its moment, and is unknown, with the reason, until there is enough.

mod past;
mod record;
mod survival;

pub use past::{PHASE_LASTS, Past, Phase, PhaseSeen};
pub use record::{Baseline, TrackRecord};

use serde::Serialize;
use survival::Neighbour;
use thiserror::Error;

/// Fewer moves of a channel than this make no forecast.
pub const MIN_MOVES: usize = 12;

/// Moves that are looked back on: older ones say little of today's infrastructure.
pub const MAX_MOVES: usize = 400;

/// The promise: this share of changes arrives within the interval.
pub const COVERAGE: f64 = 0.8;

/// Why there is no forecast.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Unknown {
    /// The channel has not been watched for long enough.
    #[error("too few moves are known: {have} of the {MIN_MOVES} that a forecast needs")]
    TooFewMoves {
        /// Moves on record.
        have: usize,
    },
    /// The moves are not in order of time: a clock jumped.
    #[error("the channel's moves are not in order of time")]
    OutOfOrder,
}

/// How a channel has moved: when, and how old the newest change in the release was then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// When the channel moved, in seconds since 1970.
    pub at: i64,
    /// Changes merged up to this moment are in it.
    pub contains_until: i64,
}

/// A forecast, in seconds from the moment it is made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Forecast {
    /// Nine in ten changes wait longer.
    pub low: i64,
    /// Half of them wait longer.
    pub median: i64,
    /// One in ten waits longer; `None` where the record does not reach that far.
    pub high: Option<i64>,
}

impl Forecast {
    /// The forecast of a wait that begins when this one ends. Bounds are added: the interval is the wider for it.
    #[must_use]
    pub fn then(self, next: Forecast) -> Forecast {
        Forecast {
            low: self.low.saturating_add(next.low),
            median: self.median.saturating_add(next.median),
            high: self
                .high
                .zip(next.high)
                .map(|(first, second)| first.saturating_add(second)),
        }
    }
}

/// What is known of a channel at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Situation {
    /// Seconds since the channel moved.
    pub(crate) age: f64,
    /// Mean of the last gaps between moves, in seconds.
    pub(crate) pace: f64,
    /// Day of the week, 0 to 6.
    pub(crate) weekday: i64,
    /// How the jobset stands, and for how many seconds it has, where that is known.
    pub(crate) phase: Option<(Phase, f64)>,
}

/// How unlike two situations are in which the jobset stands in other ways, and where only one of them is known; and of which one
/// is on a weekend.
const OTHER_PHASE: f64 = 2.0;
const UNKNOWN_PHASE: f64 = 0.5;
const OTHER_DAY: f64 = 2.0;

impl Situation {
    /// How unlike two situations are: 0 for the same.
    fn distance(&self, then: &Situation) -> f64 {
        let ratio = |a: f64, b: f64| ((a + 3600.0) / (b + 3600.0)).ln().abs();
        let day = if weekend(then.weekday) == weekend(self.weekday) {
            0.0
        } else {
            OTHER_DAY
        };
        let phase = match (self.phase, then.phase) {
            (None, _) => 0.0,
            (Some(_), None) => UNKNOWN_PHASE,
            (Some((here, _)), Some((there, _))) if here != there => OTHER_PHASE,
            // How long an outage has lasted says how long it may last; of the others it says nothing.
            (Some((Phase::Blocked, here)), Some((_, there))) => ratio(there, here) / 2.0,
            (Some(_), Some(_)) => 0.0,
        };
        ratio(then.age, self.age) / 0.7 + (then.pace / self.pace).ln().abs() / 0.5 + day + phase
    }
}

/// The last moves by which the pace is judged.
const PACE_MOVES: usize = 5;

impl Situation {
    /// The situation at `moment`, from the moves before it.
    pub(crate) fn at(past: Past<'_>, moment: i64) -> Option<Situation> {
        let moves = past.moves;
        let before = moves.partition_point(|step| step.at <= moment);
        let last = moves.get(before.checked_sub(1)?)?;
        let recent = moves.get(before.saturating_sub(PACE_MOVES + 1)..before)?;
        let gaps = recent.len().saturating_sub(1).max(1) as f64;
        let pace = recent
            .first()
            .map_or(0.0, |first| (last.at - first.at) as f64 / gaps);
        Some(Situation {
            age: (moment - last.at) as f64,
            pace: pace.max(1.0),
            weekday: moment.div_euclid(86_400).rem_euclid(7),
            phase: past
                .phase(moment)
                .map(|(phase, since)| (phase, (moment - since) as f64)),
        })
    }
}

/// How long a change merged at `merged` waited for its channel, if it has arrived.
pub(crate) fn waited(moves: &[Move], merged: i64) -> Option<i64> {
    let place = moves.partition_point(|step| step.contains_until < merged);
    moves.get(place).map(|step| step.at - merged)
}

/// The forecast for a change that was merged at `merged` and has not arrived at `now`, from what was known at `now`.
/// `widening` comes from the track record; 1.0 without one.
///
/// # Errors
/// [`Unknown`], with the reason.
pub fn forecast(past: Past<'_>, merged: i64, now: i64, widening: f64) -> Result<Forecast, Unknown> {
    let moves = past.moves;
    let known = moves
        .get(..moves.partition_point(|step| step.at <= now))
        .unwrap_or_default();
    if !known.is_sorted_by_key(|step| step.at) {
        return Err(Unknown::OutOfOrder);
    }
    let known = known
        .get(known.len().saturating_sub(MAX_MOVES)..)
        .unwrap_or_default();
    let too_few = Unknown::TooFewMoves { have: known.len() };
    if known.len() < MIN_MOVES {
        return Err(too_few);
    }
    // The question is asked of the moment of merging, conditioned on what has been waited since.
    let elapsed = (now - merged).max(0) as f64;
    let known = Past {
        moves: known,
        phases: past.phases,
    };
    let here = Situation::at(known, now).ok_or(too_few)?;
    let neighbours = neighbours(known, here, elapsed, now);
    let quantile =
        |share| survival::quantile(&neighbours, share).map(|wait| (wait - elapsed).max(0.0));
    let Some(median) = quantile(0.5) else {
        return Err(Unknown::TooFewMoves {
            have: known.moves.len(),
        });
    };
    // Widening acts on both distances from the median, in time relative to the pace.
    let tail = (1.0 - COVERAGE) / 2.0;
    let low = quantile(tail).unwrap_or(0.0);
    let high = quantile(1.0 - tail);
    Ok(Forecast {
        low: (median - (median - low) * widening).max(0.0) as i64,
        median: median as i64,
        high: high.map(|high| (median + (high - median) * widening) as i64),
    })
}

/// Past changes that had waited as long in a similar situation, and how long they waited in the end.
fn neighbours(past: Past<'_>, here: Situation, elapsed: f64, now: i64) -> Vec<Neighbour> {
    let moves = past.moves;
    let mut neighbours = Vec::new();
    let (Some(first), Some(last)) = (moves.first(), moves.last()) else {
        return neighbours;
    };
    // Moments spread over the record, four to a gap on average, ending now.
    let step = ((last.at - first.at) / (moves.len() as i64 * 4)).max(900);
    let mut moment = last.at;
    let mut rank = 0.0_f64;
    while moment > first.at {
        if let Some(then) = Situation::at(past, moment) {
            let merged = moment - elapsed as i64;
            let arrived = waited(moves, merged).map(|wait| wait as f64);
            let waited = arrived.unwrap_or((now - merged) as f64);
            // Only those still waiting at that moment are comparable.
            if waited >= elapsed {
                let distance = here.distance(&then);
                let weight = (-distance * distance / 2.0).exp() * (-rank / 400.0).exp();
                neighbours.push(Neighbour {
                    waited,
                    arrived: arrived.is_some(),
                    weight,
                });
            }
        }
        moment -= step;
        rank += 1.0;
    }
    neighbours
}

/// 1970-01-01 was a Thursday; day 2 and 3 of the count are Saturday and Sunday.
fn weekend(weekday: i64) -> bool {
    matches!(weekday, 2 | 3)
}
