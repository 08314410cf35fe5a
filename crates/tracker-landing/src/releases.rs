//! Files that tell a channel's history: which revision it was at, since when.
//!
//! Two shapes are read. *Lines*, as channel history pages list them: `REVISION TIME [NAME]`, the time in seconds since 1970 or
//! as RFC 3339, the channel named by the caller; empty lines and `#` comments are passed over. *Metrics*, as a Prometheus server
//! answers `query` or `query_range` for `channel_revision`: JSON whose series carry `channel` and `revision` labels; a series
//! with `current="0"` tells of no move.
//! Invariant: an entry is read whole or named with its place; nothing is guessed from a part of it.

use crate::graph::ObjectName;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;
use thiserror::Error;

/// The largest file that is read.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The longest release or channel name that is kept.
pub const MAX_NAME: usize = 200;

/// A release that a file tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its line or series, counted from 1.
    pub place: usize,
    /// The channel.
    pub channel: String,
    /// The commit it was made from.
    pub commit: ObjectName,
    /// When the channel was there.
    pub time: Timestamp,
    /// Its name; empty where the file gives none.
    pub name: String,
    /// Whether the time is that of an observation, not of the move.
    pub observed: bool,
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Releases, in order of channel and time.
    pub releases: Vec<Listed>,
    /// Entries that are none: their place (a line or a series, counted from 1) and the reason.
    pub rejected: Vec<(usize, String)>,
}

/// Why a file cannot be read at all.
#[derive(Debug, Error)]
pub enum ReleasesError {
    /// More than [`MAX_BYTES`].
    #[error("the history has {0} bytes; the limit is {MAX_BYTES}")]
    TooLarge(usize),
    /// Lines without a channel: name it.
    #[error("a history of lines does not say of which channel it is; name the channel")]
    NoChannel,
    /// JSON of another shape.
    #[error("the history is no answer of a metrics server")]
    Json(#[from] serde_json::Error),
    /// The server answered that it failed.
    #[error("the metrics server answered `{0}`")]
    Failed(String),
}

/// Reads a file. `channel` names the channel of a history of lines, and restricts metrics to one.
///
/// # Errors
/// [`ReleasesError`]; entries that are wrong are listed in the result instead.
pub fn read(bytes: &[u8], channel: Option<&str>) -> Result<Listing, ReleasesError> {
    if bytes.len() > MAX_BYTES {
        return Err(ReleasesError::TooLarge(bytes.len()));
    }
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    let mut listing = if first == Some(&b'{') {
        metrics(bytes, channel)?
    } else {
        lines(bytes, channel.ok_or(ReleasesError::NoChannel)?)
    };
    listing
        .releases
        .sort_by(|a, b| (&a.channel, a.time).cmp(&(&b.channel, b.time)));
    Ok(listing)
}

fn lines(bytes: &[u8], channel: &str) -> Listing {
    let mut listing = Listing::default();
    for (place, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match entry(place + 1, line, channel) {
            Ok(release) => listing.releases.push(release),
            Err(reason) => listing.rejected.push((place + 1, reason)),
        }
    }
    listing
}

fn entry(place: usize, line: &str, channel: &str) -> Result<Listed, String> {
    let mut fields = line.split_ascii_whitespace();
    let revision = fields.next().unwrap_or_default();
    let commit = revision
        .parse()
        .map_err(|_| format!("`{}` is no commit name", shortened(revision)))?;
    let time = fields.next().ok_or("a time is missing")?;
    let time = moment(time).ok_or_else(|| format!("`{}` is no time", shortened(time)))?;
    let name = fields.next().unwrap_or_default();
    if name.len() > MAX_NAME {
        return Err(format!("the name is longer than {MAX_NAME} bytes"));
    }
    Ok(Listed {
        place,
        channel: channel.to_owned(),
        commit,
        time,
        name: name.to_owned(),
        observed: false,
    })
}

fn moment(text: &str) -> Option<Timestamp> {
    match text.parse::<i64>() {
        Ok(second) => Timestamp::from_second(second).ok(),
        Err(_) => text.parse().ok(),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

#[derive(Deserialize)]
struct Metrics {
    status: String,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<Sample>,
    #[serde(default)]
    value: Option<Sample>,
}

/// Time in seconds with a fraction, and the value as text.
#[derive(Deserialize)]
struct Sample(f64, String);

fn metrics(bytes: &[u8], wanted: Option<&str>) -> Result<Listing, ReleasesError> {
    let answer: Metrics = serde_json::from_slice(bytes)?;
    if answer.status != "success" {
        let reason = answer.error.unwrap_or(answer.status);
        return Err(ReleasesError::Failed(shortened(&reason)));
    }
    let mut listing = Listing::default();
    let result = answer.data.map(|data| data.result).unwrap_or_default();
    for (place, series) in result.into_iter().enumerate() {
        let label = |name: &str| series.metric.get(name).map_or("", String::as_str);
        let channel = label("channel");
        if wanted.is_some_and(|wanted| wanted != channel) || label("current") == "0" {
            continue;
        }
        let mut reject = |reason: String| listing.rejected.push((place + 1, reason));
        if channel.is_empty() || channel.len() > MAX_NAME {
            reject("the series names no channel".to_owned());
            continue;
        }
        let Ok(commit) = label("revision").parse() else {
            let revision = shortened(label("revision"));
            reject(format!("`{revision}` is no commit name"));
            continue;
        };
        // The first sample is when the revision was first seen; the others only repeat it.
        let first = series.values.first().or(series.value.as_ref());
        let time = first.filter(|sample| sample.1 != "0" && sample.0.is_finite());
        let time = time.and_then(|sample| Timestamp::from_second(sample.0 as i64).ok());
        match time {
            Some(time) => listing.releases.push(Listed {
                place: place + 1,
                channel: channel.to_owned(),
                commit,
                time,
                name: String::new(),
                observed: true,
            }),
            None => reject("the series has no sample".to_owned()),
        }
    }
    Ok(listing)
}

#[cfg(test)]
mod tests;
