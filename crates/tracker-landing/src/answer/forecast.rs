//! When a channel will have a change: the stages that are left, each with its own moves.
//!
//! A change on the channel's branch waits for the channel alone. One in staging or staging-next waits for those merges first:
//! the bounds of the stages are added, which makes the interval wider than 80 %, never narrower.
//! Invariant: a channel that stands still, a branch that is not known and a clock that runs behind give no forecast.

use super::{Change, instant};
use crate::eta::{self, Forecast, Move, TrackRecord};
use crate::index::{Channel, LandingIndex, feeders};
use jiff::Timestamp;
use serde::Serialize;

/// A channel is taken to have stopped when it has not moved for this long and for [`STOPPED_GAPS`] of its longest gaps.
const STOPPED_AFTER: i64 = 21 * 86_400;

/// See [`STOPPED_AFTER`].
const STOPPED_GAPS: i64 = 3;

/// Forecasts that must have been seen to come true or not before one is shown.
pub(super) const MIN_RECORD: usize = 20;

/// When a channel will have a change.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Eta {
    /// A forecast.
    Forecast {
        /// Nine in ten come later.
        low: Timestamp,
        /// Half of them come later.
        median: Timestamp,
        /// One in ten comes later; `None` where the record does not reach that far.
        high: Option<Timestamp>,
        /// The stages that are left, as branches and the channel.
        stages: Vec<String>,
        /// How such forecasts for the channel have done.
        record: TrackRecord,
    },
    /// Not known.
    Unknown {
        /// Why.
        because: String,
    },
}

/// When a channel will have a change that is not merged yet, if it were merged now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prospect {
    /// The channel.
    pub channel: String,
    /// The branch that it is built from.
    pub branch: String,
    /// When, counted from a merge now.
    pub eta: Eta,
}

impl LandingIndex {
    /// What an open change can expect of each channel, if it were merged into `base` now.
    pub fn prospects(&self, base: &str, now: Timestamp) -> Vec<Prospect> {
        let arrival = |branch: &str| (branch == base).then_some(now.as_second());
        self.channels()
            .iter()
            .map(|(name, channel)| Prospect {
                channel: name.clone(),
                branch: channel.feeding().to_owned(),
                eta: said(self, &arrival, channel, now),
            })
            .collect()
    }
}

/// The forecast for a change that a channel does not have.
pub(crate) fn eta(change: &Change<'_>, channel: &Channel, now: Timestamp) -> Eta {
    said(
        change.index,
        &|branch| change.arrival_on(branch),
        channel,
        now,
    )
}

/// When a branch got the change, in seconds since 1970.
type Arrival<'a> = &'a dyn Fn(&str) -> Option<i64>;

fn said(index: &LandingIndex, arrival: Arrival<'_>, channel: &Channel, now: Timestamp) -> Eta {
    match forecast(index, arrival, channel, now.as_second()) {
        Ok((said, stages, record)) => Eta::Forecast {
            low: instant(now.as_second() + said.low),
            median: instant(now.as_second() + said.median),
            high: said.high.map(|high| instant(now.as_second() + high)),
            stages,
            record,
        },
        Err(because) => Eta::Unknown { because },
    }
}

type Said = (Forecast, Vec<String>, TrackRecord);

fn forecast(
    index: &LandingIndex,
    arrival: Arrival<'_>,
    channel: &Channel,
    now: i64,
) -> Result<Said, String> {
    let branch = channel.feeding();
    let newest = channel.history().releases().last();
    if let Some(newest) = newest.filter(|newest| newest.time.as_second() > now) {
        let time = newest.time;
        return Err(format!(
            "the clock says a time before the newest release, of {time}"
        ));
    }
    if !index.branches().contains_key(branch) {
        return Err(format!(
            "the branch `{branch}`, which the channel is built from, is not in the index"
        ));
    }
    let here = arrival(branch);
    // The stages before the channel's branch: how long until the change is on it?
    let (mut said, mut stages, merged) = match here {
        Some(merged) => (None, Vec::new(), merged),
        None => {
            let (said, stages) = gathering(index, arrival, branch, now)?;
            (Some(said), stages, now)
        }
    };
    let moves = channel.moves();
    stopped(moves, now)?;
    let record = index.record(channel);
    let last =
        eta::forecast(channel.past(), merged, now, record.widening).map_err(|e| e.to_string())?;
    if record.changes < MIN_RECORD {
        return Err(format!(
            "{} forecasts for the channel can be checked so far; it takes {MIN_RECORD}",
            record.changes
        ));
    }
    let said = match said.take() {
        Some(before) => before.then(last),
        None => last,
    };
    stages.push("channel".to_owned());
    Ok((said, stages, record.clone()))
}

/// A channel that has stopped (end of life, or broken for weeks) has no pace.
fn stopped(moves: &[Move], now: i64) -> Result<(), String> {
    let Some(last) = moves.last() else {
        return Err("no release of the channel is known".to_owned());
    };
    let gaps = moves.iter().zip(moves.iter().skip(1));
    let longest = gaps.map(|(a, b)| b.at - a.at).max().unwrap_or(0);
    let still = now - last.at;
    if still > STOPPED_AFTER && still > longest * STOPPED_GAPS {
        return Err(format!(
            "the channel has not moved for {} days",
            still / 86_400
        ));
    }
    Ok(())
}

/// The wait until a change that is in a gathering branch (staging-next, staging) reaches the channel's branch.
fn gathering(
    index: &LandingIndex,
    arrival: Arrival<'_>,
    branch: &str,
    now: i64,
) -> Result<(Forecast, Vec<String>), String> {
    let mut after: Vec<(String, Vec<Move>)> = Vec::new();
    for (from, into) in feeders(branch, index.trunk().unwrap_or_default()) {
        let moves = index.feed(&from, &into);
        let Some(merged) = arrival(&from) else {
            after.push((into, moves));
            continue;
        };
        let stage = |error: eta::Unknown| format!("merges of `{from}` into `{into}`: {error}");
        stopped(&moves, now).map_err(|_| format!("`{from}` is rarely merged into `{into}`"))?;
        let mut said = eta::forecast(moves.as_slice().into(), merged, now, 1.0).map_err(stage)?;
        let mut stages = vec![into.clone()];
        for (next, moves) in after.iter().rev() {
            let later = eta::forecast(moves.as_slice().into(), now, now, 1.0)
                .map_err(|error| format!("merges into `{next}`: {error}"))?;
            said = said.then(later);
            stages.push(next.clone());
        }
        return Ok((said, stages));
    }
    Err(format!(
        "it is neither on `{branch}`, which the channel is built from, nor in a branch that flows into it; no backport of it is known"
    ))
}
