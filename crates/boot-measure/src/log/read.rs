//! Reading the two binary forms.

use super::{
    Algorithm, Digest, Event, EventLog, EventType, Form, LogError, MAX_BANKS, MAX_EVENT_DATA,
    MAX_EVENTS, MAX_LOG, Quirk, QuirkKind, quirk,
};
use crate::Bank;

/// What the event begins with that names the banks.
const SPEC_ID: &[u8] = b"Spec ID Event03\0";

/// The rest of a log and where it is.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    event: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, needed: usize, what: &'static str) -> Result<&'a [u8], LogError> {
        let left = self.bytes.len() - self.at;
        if needed > left {
            return Err(LogError::Truncated {
                event: self.event,
                offset: self.at,
                what,
                needed,
                left,
            });
        }
        let taken = &self.bytes[self.at..self.at + needed];
        self.at += needed;
        Ok(taken)
    }

    fn u32(&mut self, what: &'static str) -> Result<u32, LogError> {
        let four = self.take(4, what)?;
        Ok(u32::from_le_bytes(four.try_into().expect("four bytes")))
    }

    fn u16(&mut self, what: &'static str) -> Result<u16, LogError> {
        let two = self.take(2, what)?;
        Ok(u16::from_le_bytes(two.try_into().expect("two bytes")))
    }

    fn invalid(&self, back: usize, what: &'static str, found: u64, why: &'static str) -> LogError {
        LogError::Invalid {
            event: self.event,
            offset: self.at - back,
            what,
            found,
            why,
        }
    }

    /// The length of an event's data, and the data.
    fn data(&mut self) -> Result<Vec<u8>, LogError> {
        let length = self.u32("the length of the event's data")? as usize;
        if length > MAX_EVENT_DATA {
            return Err(LogError::Limit {
                what: "the length of an event's data",
                found: length,
                limit: MAX_EVENT_DATA,
            });
        }
        Ok(self.take(length, "the event's data")?.to_vec())
    }

    /// TCG_PCR_EVENT.
    fn old(&mut self) -> Result<Event, LogError> {
        let offset = self.at;
        let pcr = self.u32("the register's number")?;
        let kind = EventType(self.u32("the event's type")?);
        let value = self.take(Bank::Sha1.length(), "the SHA-1 digest")?.to_vec();
        let digests = vec![Digest {
            algorithm: Bank::Sha1.algorithm(),
            value,
        }];
        Ok(Event {
            pcr,
            kind,
            digests,
            data: self.data()?,
            offset,
        })
    }

    /// TCG_PCR_EVENT2.
    fn agile(&mut self, algorithms: &[Algorithm]) -> Result<Event, LogError> {
        let offset = self.at;
        let pcr = self.u32("the register's number")?;
        let kind = EventType(self.u32("the event's type")?);
        let count = self.u32("the count of digests")?;
        if count as usize > algorithms.len() {
            let why = "more than the log has banks";
            return Err(self.invalid(4, "the count of digests", count.into(), why));
        }
        let mut digests: Vec<Digest> = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let number = self.u16("a digest's algorithm")?;
            let known = algorithms.iter().find(|a| a.number == number);
            let Some(algorithm) = known else {
                let why = "the log's first event does not name this bank";
                return Err(self.invalid(2, "a digest's algorithm", number.into(), why));
            };
            if digests.iter().any(|d| d.algorithm == number) {
                let why = "the event has a digest of this bank already";
                return Err(self.invalid(2, "a digest's algorithm", number.into(), why));
            }
            let value = self.take(algorithm.length.into(), "a digest")?.to_vec();
            digests.push(Digest {
                algorithm: number,
                value,
            });
        }
        Ok(Event {
            pcr,
            kind,
            digests,
            data: self.data()?,
            offset,
        })
    }
}

/// The banks that the first event names, or none when it is an event like any other.
fn banks(first: &Event, at: usize) -> Result<Option<Vec<Algorithm>>, LogError> {
    if first.kind != EventType::NO_ACTION || !first.data.starts_with(SPEC_ID) {
        return Ok(None);
    }
    // Offsets of errors count from the start of the log.
    let mut cursor = Cursor {
        bytes: &first.data,
        at: SPEC_ID.len(),
        event: 0,
    };
    let shift = |error: LogError| match error {
        LogError::Truncated {
            event,
            offset,
            what,
            needed,
            left,
        } => LogError::Truncated {
            event,
            offset: offset + at,
            what,
            needed,
            left,
        },
        LogError::Invalid {
            event,
            offset,
            what,
            found,
            why,
        } => LogError::Invalid {
            event,
            offset: offset + at,
            what,
            found,
            why,
        },
        other => other,
    };
    read_banks(&mut cursor).map(Some).map_err(shift)
}

fn read_banks(cursor: &mut Cursor<'_>) -> Result<Vec<Algorithm>, LogError> {
    // Platform class, minor and major version, errata, size of UINTN.
    cursor.take(8, "the header's versions")?;
    let count = cursor.u32("the count of banks")?;
    if count == 0 || count > MAX_BANKS {
        let why = "a log has 1 to 16 banks";
        return Err(cursor.invalid(4, "the count of banks", count.into(), why));
    }
    let mut algorithms: Vec<Algorithm> = Vec::new();
    for _ in 0..count {
        let number = cursor.u16("a bank's algorithm")?;
        let length = cursor.u16("a bank's digest length")?;
        if Bank::of_algorithm(number).is_some_and(|bank| bank.length() != usize::from(length)) {
            let why = "this algorithm has digests of another length";
            return Err(cursor.invalid(2, "a bank's digest length", length.into(), why));
        }
        if length == 0 || length > 128 {
            let why = "digests have 1 to 128 bytes";
            return Err(cursor.invalid(2, "a bank's digest length", length.into(), why));
        }
        if algorithms.iter().any(|a| a.number == number) {
            let why = "the bank is named twice";
            return Err(cursor.invalid(4, "a bank's algorithm", number.into(), why));
        }
        algorithms.push(Algorithm { number, length });
    }
    let vendor = cursor.take(1, "the length of the vendor's part")?[0];
    cursor.take(vendor.into(), "the vendor's part")?;
    let left = cursor.bytes.len() - cursor.at;
    if left > 0 {
        let why = "bytes are left behind the vendor's part";
        return Err(cursor.invalid(0, "the header's length", left as u64, why));
    }
    Ok(algorithms)
}

pub(super) fn read(bytes: &[u8]) -> Result<EventLog, LogError> {
    if bytes.is_empty() {
        return Err(LogError::Empty);
    }
    if bytes.len() > MAX_LOG {
        return Err(LogError::Limit {
            what: "the length of the log",
            found: bytes.len(),
            limit: MAX_LOG,
        });
    }
    let mut cursor = Cursor {
        bytes,
        at: 0,
        event: 0,
    };
    let first = cursor.old()?;
    // PCR, type, digest and length stand before the data.
    let form = match banks(&first, 4 + 4 + Bank::Sha1.length() + 4)? {
        Some(algorithms) => Form::CryptoAgile { algorithms },
        None => Form::Sha1,
    };
    let mut log = EventLog {
        form,
        events: vec![first],
        quirks: Vec::new(),
    };
    while cursor.at < bytes.len() {
        let rest = &bytes[cursor.at..];
        if let Some(fill) = padding(rest) {
            log.quirks.push(Quirk {
                kind: QuirkKind::Padding,
                event: log.events.len(),
                detail: format!("{} bytes of {fill:#04x} behind the last event", rest.len()),
            });
            break;
        }
        if log.events.len() == MAX_EVENTS {
            return Err(LogError::Limit {
                what: "the count of events",
                found: MAX_EVENTS + 1,
                limit: MAX_EVENTS,
            });
        }
        cursor.event = log.events.len();
        let event = match &log.form {
            Form::Sha1 => cursor.old()?,
            Form::CryptoAgile { algorithms } => cursor.agile(algorithms)?,
        };
        log.events.push(event);
    }
    quirk::find(&mut log);
    Ok(log)
}

/// What fills the rest of a log that was copied with the memory reserved behind it: a whole event's worth of equal bytes,
/// which no event can be (type 0 in PCR 0 without digests, or type 0xffffffff).
fn padding(rest: &[u8]) -> Option<u8> {
    const LEAST: usize = 16;
    let fill = rest[0];
    let all = rest.len() >= LEAST && rest.iter().all(|byte| *byte == fill);
    (all && matches!(fill, 0 | 0xff)).then_some(fill)
}
