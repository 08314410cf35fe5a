//! EPSS: FIRST's daily table, `cve,epss,percentile` under a comment with the model and the day.
//!
//! A raw document is a table of one row: the comment with the day, the header, the row. That keeps the day
//! with the row, and what is stored can be read again by itself.
//! Invariant: probabilities are held in millionths, rounded to the nearest.

use super::{ReadError, Reading, is_cve_id, stated};
use crate::record::{Exploitation, Record, Source};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

const ORIGIN: &str = "first-epss";
const HEADER: &str = "cve,epss,percentile";

/// What stands above the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epss {
    day: Option<Date>,
}

impl Epss {
    /// Reads the head of a table: an optional comment line and the header line; gives its length in bytes too.
    ///
    /// `None` if the header is another one: then the table is no EPSS table.
    pub fn head(text: &[u8]) -> Option<(Epss, usize)> {
        let mut day = None;
        let (mut line, mut rest) = split_line(text)?;
        if let Some(comment) = line.strip_prefix('#') {
            day = comment
                .split(',')
                .find_map(|part| part.trim().strip_prefix("score_date:"))
                .and_then(|date| date.get(..10)?.parse().ok());
            (line, rest) = split_line(rest)?;
        }
        (line == HEADER).then(|| (Epss { day }, text.len() - rest.len()))
    }

    /// The raw document of a row.
    pub fn document(&self, row: &[u8]) -> Vec<u8> {
        let mut raw = b"#".to_vec();
        if let Some(day) = self.day {
            raw.extend_from_slice(format!("score_date:{day}").as_bytes());
        }
        raw.push(b'\n');
        raw.extend_from_slice(HEADER.as_bytes());
        raw.push(b'\n');
        raw.extend_from_slice(row);
        raw
    }
}

fn split_line(text: &[u8]) -> Option<(&str, &[u8])> {
    let end = memchr::memchr(b'\n', text)?;
    let line = std::str::from_utf8(&text[..end]).ok()?;
    Some((line.trim(), &text[end + 1..]))
}

/// Reads a raw document.
pub(super) fn read(raw: &[u8]) -> Result<Reading, ReadError> {
    let wrong = |reason: String| ReadError::Row { reason };
    let (head, length) =
        Epss::head(raw).ok_or_else(|| wrong("there is no header above it".to_owned()))?;
    let row = std::str::from_utf8(&raw[length..])
        .map_err(|error| wrong(error.to_string()))?
        .trim();
    let fields: Vec<&str> = row.split(',').map(str::trim).collect();
    let [id, probability, percentile] = fields[..] else {
        return Err(wrong(format!("{} fields instead of 3", fields.len())));
    };
    if !is_cve_id(id) {
        return Err(ReadError::WrongId {
            field: "cve",
            id: super::shorten(id),
        });
    }
    let millionths = |name: &str, text: &str| {
        let value: f64 = text.parse().unwrap_or(f64::NAN);
        if (0.0..=1.0).contains(&value) {
            Ok((value * 1e6).round() as u32)
        } else {
            let text = super::shorten(text);
            Err(wrong(format!(
                "{name} {text:?} is no number between 0 and 1"
            )))
        }
    };
    let mut record = Record::new(Source::Epss, id);
    let prediction = Exploitation::Epss {
        probability_ppm: millionths("epss", probability)?,
        percentile_ppm: millionths("percentile", percentile)?,
        day: head.day,
    };
    record.exploitation.push(stated(ORIGIN, prediction));
    record.modified = head.day.and_then(midnight);
    Ok(Reading {
        record,
        warnings: Vec::new(),
    })
}

fn midnight(day: Date) -> Option<Timestamp> {
    Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()
}
