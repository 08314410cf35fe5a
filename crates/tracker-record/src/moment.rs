//! Instants and days as the feeds write them: with seconds or without, with a zone or without (then UTC).
//!
//! Invariant: the zero time of Go's library, year 1, is no time.

use crate::json::{At, Warnings};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

/// A field that holds an instant.
pub(crate) fn instant(at: &At<'_, '_>, key: &str, warnings: &mut Warnings) -> Option<Timestamp> {
    let text = at.text(key, warnings)?;
    let read = read_instant(text);
    if read.is_none() {
        warnings.push(at, key, format!("{text:?} is no time"));
    }
    read.filter(|time| *time >= FIRST)
}

/// A field that holds a day.
pub(crate) fn day(at: &At<'_, '_>, key: &str, warnings: &mut Warnings) -> Option<Date> {
    let text = at.text(key, warnings)?;
    let read = text.parse::<Date>().ok();
    if read.is_none() {
        warnings.push(at, key, format!("{text:?} is no day"));
    }
    read
}

/// Nothing was published before this: the first day of 1970.
const FIRST: Timestamp = Timestamp::UNIX_EPOCH;

fn read_instant(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let time = text.parse::<DateTime>().ok()?;
    Offset::UTC.to_timestamp(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_feeds() {
        let expected = "2021-04-08T17:15:00Z".parse().unwrap();
        for text in [
            "2021-04-08T17:15Z",
            "2021-04-08T17:15:00",
            "2021-04-08T17:15:00.000Z",
            "2021-04-08T17:15:00.000",
            "2021-04-08T19:15:00+02:00",
            "2021-04-08T17:15:00.000000+00:00",
        ] {
            assert_eq!(read_instant(text), Some(expected), "{text}");
        }
        assert_eq!(
            read_instant("2021-04-08"),
            Some("2021-04-08T00:00:00Z".parse().unwrap())
        );
        assert_eq!(read_instant("yesterday"), None);
    }
}
