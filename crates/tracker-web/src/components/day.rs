//! A date: the day is shown, the instant and its distance from now are in its title.

use askama::Template;
use askama::filters::HtmlSafe;
use jiff::Timestamp;

/// An instant as a day.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<time datetime="{{ instant }}" title="{{ title }}">{{ day }}</time>"#
)]
pub(crate) struct Day {
    instant: String,
    title: String,
    day: String,
}

impl HtmlSafe for Day {}

impl Day {
    /// The day of an instant in UTC, seen from `now`.
    pub(crate) fn new(at: Timestamp, now: Timestamp) -> Day {
        let instant = format!("{at:.0}");
        let (day, time) = instant.split_once('T').unwrap_or((&instant, ""));
        let title = format!(
            "{day} {} UTC, {}",
            time.trim_end_matches('Z'),
            distance(at, now)
        );
        Day {
            day: day.to_owned(),
            title,
            instant,
        }
    }
}

/// An instant as its distance from now.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<time datetime="{{ instant }}" title="{{ title }}">{{ distance }}</time>"#
)]
pub(crate) struct Moment {
    instant: String,
    title: String,
    distance: String,
}

impl HtmlSafe for Moment {}

impl Moment {
    /// The distance of an instant, seen from `now`.
    pub(crate) fn new(at: Timestamp, now: Timestamp) -> Moment {
        Moment {
            instant: format!("{at:.0}"),
            title: at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            distance: distance(at, now),
        }
    }
}

/// How long before (or after) `now` an instant is, in one unit.
pub(super) fn distance(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - at.as_second();
    let amount = seconds.unsigned_abs();
    let (number, unit) = match amount {
        0..60 => return "just now".to_owned(),
        60..3_600 => (amount / 60, "minute"),
        3_600..86_400 => (amount / 3_600, "hour"),
        86_400..5_184_000 => (amount / 86_400, "day"),
        5_184_000..63_072_000 => (amount / 2_592_000, "month"),
        _ => (amount / 31_557_600, "year"),
    };
    let plural = if number == 1 { "" } else { "s" };
    if seconds > 0 {
        format!("{number} {unit}{plural} ago")
    } else {
        format!("in {number} {unit}{plural}")
    }
}
