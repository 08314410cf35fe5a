//! Where a vulnerability stands in lists: its rank as one number, and sets as bits.
//!
//! Invariant: a rank is a pure function of the summary; a higher rank stands further up.

use jiff::Timestamp;
use tracker_match::FindingStatus;
use tracker_record::{RecordState, Severity};

/// The scope that holds every vulnerability.
pub(crate) const SCOPE_ALL: i64 = 0;
/// The scope that holds those with a match.
pub(crate) const SCOPE_MATCHED: i64 = -1;

/// The bit of a severity.
pub(crate) const fn severity_bit(severity: Severity) -> i64 {
    1 << severity as i64
}

/// Every severity.
pub(crate) const SEVERITIES: [Severity; 6] = [
    Severity::Unknown,
    Severity::None,
    Severity::Low,
    Severity::Medium,
    Severity::High,
    Severity::Critical,
];

/// The severity of a bit.
pub(crate) fn severity_of(bit: i64) -> Severity {
    SEVERITIES
        .into_iter()
        .find(|severity| severity_bit(*severity) == bit)
        .unwrap_or_default()
}

/// Every status, worst first.
pub(crate) const STATUSES: [FindingStatus; 4] = [
    FindingStatus::Affected,
    FindingStatus::UnderInvestigation,
    FindingStatus::Fixed,
    FindingStatus::NotAffected,
];

/// The bit of a status.
pub(crate) const fn status_bit(status: FindingStatus) -> i64 {
    1 << status as i64
}

/// Stands for "no finding at all", so that a mask of all bits excludes nothing.
pub(crate) const NO_FINDING: i64 = 16;

/// The worst status of a set, if it has one.
pub(crate) fn worst(statuses: i64) -> Option<FindingStatus> {
    STATUSES
        .into_iter()
        .find(|status| statuses & status_bit(*status) != 0)
}

/// The number by which the order of urgency goes: valid before rejected, exploited, severity, newest.
///
/// 42 bits for seconds since 1970 (until the year 139,000), above them the severity, exploitation and state.
pub(crate) fn urgency(
    state: RecordState,
    exploited: bool,
    severity: Severity,
    published: Option<Timestamp>,
) -> i64 {
    let valid = matches!(state, RecordState::Published | RecordState::Disputed);
    let seconds = published.map_or(0, |published| published.as_second().max(0));
    (i64::from(valid) << 46)
        | (i64::from(exploited) << 45)
        | ((severity as i64) << 42)
        | seconds.min((1 << 42) - 1)
}

/// The number by which an order by time goes; what has no time stands last.
pub(crate) fn instant_rank(instant: Option<Timestamp>) -> i64 {
    instant.map_or(i64::MIN >> 1, Timestamp::as_microsecond)
}

/// The stable name of a record's state.
pub(crate) const fn state_name(state: RecordState) -> &'static str {
    match state {
        RecordState::Published => "published",
        RecordState::Rejected => "rejected",
        RecordState::Disputed => "disputed",
        RecordState::Withdrawn => "withdrawn",
    }
}

/// The state of a stable name.
pub(crate) fn state_of(name: &str) -> Option<RecordState> {
    [
        RecordState::Published,
        RecordState::Rejected,
        RecordState::Disputed,
        RecordState::Withdrawn,
    ]
    .into_iter()
    .find(|state| state_name(*state) == name)
}
