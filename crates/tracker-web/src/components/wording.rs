//! Numbers and names as they are read.

use nix_version::{Bound, Range, Status};
use tracker_record::{RecordState, Source};
use tracker_store::view::Order;

/// A count with its thousands apart (`268,178`).
pub(crate) fn count(number: impl Into<u64>) -> String {
    let digits = number.into().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A CVSS score (`9.8`).
pub(crate) fn score(tenths: u8) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// A share of one as whole percent, never rounded to a certainty (`99 %`).
pub(crate) fn percent(share: f64) -> String {
    let rounded = (share * 100.0).round();
    let shown = if rounded >= 100.0 && share < 1.0 {
        99.0
    } else if rounded <= 0.0 && share > 0.0 {
        return "< 1\u{a0}%".to_owned();
    } else {
        rounded
    };
    format!("{shown:.0}\u{a0}%")
}

/// A probability in millionths (`97.6 %`).
pub(crate) fn percent_ppm(ppm: u32) -> String {
    match ppm {
        0 => "0\u{a0}%".to_owned(),
        1..500 => "< 0.1\u{a0}%".to_owned(),
        _ => format!("{:.1}\u{a0}%", f64::from(ppm) / 10_000.0),
    }
}

/// A size in bytes.
pub(crate) fn bytes(size: u64) -> String {
    match size {
        0..10_000 => format!("{}\u{a0}B", count(size)),
        10_000..10_000_000 => format!("{}\u{a0}kB", size / 1_000),
        _ => format!("{}\u{a0}MB", size / 1_000_000),
    }
}

/// Feeds, with their word in addresses (the one of their JSON form) and their name.
pub(crate) const SOURCES: &[(Source, &str, &str)] = &[
    (Source::CveList, "cve-list", "CVE List"),
    (Source::Nvd, "nvd", "NVD"),
    (Source::Osv, "osv", "OSV"),
    (Source::Kev, "kev", "CISA KEV"),
    (Source::Epss, "epss", "EPSS"),
    (Source::CpeOverlay, "cpe-overlay", "CPE overlay"),
    (Source::Euvd, "euvd", "EUVD"),
    (Source::Csaf, "csaf", "CSAF"),
    (Source::Debian, "debian", "Debian tracker"),
    (Source::Alpine, "alpine", "Alpine secdb"),
];

/// A feed's name.
pub(crate) fn source_label(source: Source) -> &'static str {
    SOURCES
        .iter()
        .find(|(known, _, _)| *known == source)
        .map_or("", |(_, _, label)| label)
}

/// A feed's word in addresses.
pub(crate) fn source_word(source: Source) -> &'static str {
    SOURCES
        .iter()
        .find(|(known, _, _)| *known == source)
        .map_or("", |(_, word, _)| word)
}

/// A record's state, where it is worth a word.
pub(crate) fn record_state_label(state: RecordState) -> Option<&'static str> {
    match state {
        RecordState::Published => None,
        RecordState::Rejected => Some("Rejected"),
        RecordState::Disputed => Some("Disputed"),
        RecordState::Withdrawn => Some("Withdrawn"),
    }
}

/// An order of the list.
pub(crate) fn order_label(order: Order) -> &'static str {
    match order {
        Order::Urgency => "Most urgent",
        Order::Published => "Newest",
        Order::Modified => "Last changed",
    }
}

/// A range as a sentence without its status (`from 1.1.0 up to and including 1.1.23`).
pub(crate) fn range_text(range: &Range) -> String {
    let within = match (&range.lower, &range.upper) {
        (Bound::Unbounded, Bound::Unbounded) => "all versions".to_owned(),
        (Bound::Inclusive(low), Bound::Inclusive(high)) if low == high => format!("exactly {low}"),
        (Bound::Unbounded, upper) => end(upper),
        (Bound::Inclusive(version), upper) => format!("from {version} {}", end(upper)),
        (Bound::Exclusive(version), upper) => format!("after {version} {}", end(upper)),
    };
    let changes = range.changes.iter().map(|(version, status)| {
        let word = match status {
            Status::Affected => "affected",
            Status::Unaffected => "unaffected",
            Status::Unknown => "unknown",
        };
        format!("{word} from {version}")
    });
    std::iter::once(within)
        .chain(changes)
        .collect::<Vec<_>>()
        .join("; ")
}

fn end(bound: &Bound) -> String {
    match bound {
        Bound::Unbounded => "on".to_owned(),
        Bound::Inclusive(version) => format!("up to and including {version}"),
        Bound::Exclusive(version) => format!("before {version}"),
    }
}
