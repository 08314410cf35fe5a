//! What real firmware does that the specification does not say, found in a log and named; none of it keeps a log from
//! being read.

use super::{Event, EventLog, EventType, Form};
use crate::{Bank, Content};
use serde::Serialize;

/// Most quirks of one kind that are kept.
const MOST: usize = 16;

/// One oddity of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quirk {
    /// Which.
    pub kind: QuirkKind,
    /// The event where it shows, from 0.
    pub event: usize,
    /// More about it.
    pub detail: String,
}

/// Kinds of oddities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuirkKind {
    /// Zeros or ones behind the last event.
    Padding,
    /// Only SHA-1 digests.
    Sha1Only,
    /// A bank that this program can't compute.
    UnknownBank,
    /// An event without a digest of each bank.
    MissingDigest,
    /// A separator whose data are not four bytes.
    LongSeparator,
    /// A separator that reports an error of firmware.
    ErrorSeparator,
    /// A second separator in one register.
    RepeatedSeparator,
    /// A register of firmware without a separator.
    MissingSeparator,
    /// An authority in PCR 7 before its separator: firmware checked a driver or option ROM first.
    EarlyAuthority,
    /// A program in PCR 4 before its separator: firmware's own application.
    EarlyApplication,
    /// A digest that is not that of the event's data, though this type says that it is.
    DigestMismatch,
    /// Data of a variable event that are shorter or longer than they say.
    MalformedVariable,
    /// A register that a PC's TPM does not have.
    UnknownRegister,
    /// A type that the specification does not name.
    UnknownType,
}

/// A quirk as it is known from machines.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct KnownQuirk {
    /// Which.
    pub kind: QuirkKind,
    /// Where it was reported.
    pub seen: &'static str,
    /// What follows for prediction.
    pub consequence: &'static str,
}

/// Which machines do what, and what follows.
pub const KNOWN_QUIRKS: [KnownQuirk; 9] = [
    KnownQuirk {
        kind: QuirkKind::LongSeparator,
        seen: "coreboot on StarLabs boards: separators of 50 bytes (StarLabs firmware 437)",
        consequence: "separators are taken over from the log instead of assumed",
    },
    KnownQuirk {
        kind: QuirkKind::EarlyApplication,
        seen: "Dell boards: an application of the maker in PCR 4 before the separator (systemd 38585)",
        consequence: "it is firmware's and taken over from the log",
    },
    KnownQuirk {
        kind: QuirkKind::EarlyAuthority,
        seen: "AMD boards with signed option ROMs (systemd 40381, 43139)",
        consequence: "it is taken over from the log, and entries of db measured there are not measured again",
    },
    KnownQuirk {
        kind: QuirkKind::Sha1Only,
        seen: "boards whose TPM has its SHA-256 bank off (Talos 11668)",
        consequence: "only SHA-1 registers can be foreseen from this log; turn the SHA-256 bank on",
    },
    KnownQuirk {
        kind: QuirkKind::UnknownBank,
        seen: "boards with SM3 on",
        consequence: "registers of that bank are neither computed nor checked",
    },
    KnownQuirk {
        kind: QuirkKind::Padding,
        seen: "logs copied with the memory that firmware reserved",
        consequence: "none; it is not an event",
    },
    KnownQuirk {
        kind: QuirkKind::ErrorSeparator,
        seen: "firmware that failed while it measured",
        consequence: "registers hold the error and match no prediction; update firmware or reset the TPM",
    },
    KnownQuirk {
        kind: QuirkKind::MissingSeparator,
        seen: "coreboot, and logs that were read before firmware was ready to boot",
        consequence: "that register is not foreseen from files alone",
    },
    KnownQuirk {
        kind: QuirkKind::DigestMismatch,
        seen: "firmware that measures less than it logs, and changed logs",
        consequence: "the event is compared by its digest only; its data prove nothing",
    },
];

/// Adds the quirks of a log that was read.
pub(super) fn find(log: &mut EventLog) {
    let mut found = Found(std::mem::take(&mut log.quirks));
    match &log.form {
        Form::Sha1 => found.add(QuirkKind::Sha1Only, 0, String::new),
        Form::CryptoAgile { algorithms } => {
            for algorithm in algorithms.iter().filter(|a| a.bank().is_none()) {
                let detail = || format!("algorithm {:#06x}", algorithm.number);
                found.add(QuirkKind::UnknownBank, 0, detail);
            }
            if log.banks() == [Bank::Sha1] {
                found.add(QuirkKind::Sha1Only, 0, String::new);
            }
            let banks = algorithms.len();
            for (index, event) in log.events.iter().enumerate().skip(1) {
                if event.digests.len() < banks {
                    let detail = || format!("{} of {banks} digests", event.digests.len());
                    found.add(QuirkKind::MissingDigest, index, detail);
                }
            }
        }
    }
    registers(&log.events, &mut found);
    for (index, event) in log.events.iter().enumerate() {
        one(event, index, &mut found);
    }
    log.quirks = found.0;
}

struct Found(Vec<Quirk>);

impl Found {
    fn add(&mut self, kind: QuirkKind, event: usize, detail: impl FnOnce() -> String) {
        if self.0.iter().filter(|quirk| quirk.kind == kind).count() < MOST {
            self.0.push(Quirk {
                kind,
                event,
                detail: detail(),
            });
        }
    }
}

/// What shows only in the order of a register's events.
fn registers(events: &[Event], found: &mut Found) {
    let mut separated = [false; 8];
    for (index, event) in events.iter().enumerate() {
        let Some(done) = separated.get_mut(event.pcr as usize) else {
            continue;
        };
        match event.kind {
            EventType::SEPARATOR if *done => {
                found.add(QuirkKind::RepeatedSeparator, index, || {
                    format!("PCR {}", event.pcr)
                });
            }
            EventType::SEPARATOR => *done = true,
            EventType::EFI_VARIABLE_AUTHORITY if event.pcr == 7 && !*done => {
                found.add(QuirkKind::EarlyAuthority, index, || {
                    Content::of(event).describe()
                });
            }
            EventType::EFI_BOOT_SERVICES_APPLICATION if event.pcr == 4 && !*done => {
                found.add(QuirkKind::EarlyApplication, index, || {
                    Content::of(event).describe()
                });
            }
            _ => {}
        }
    }
    for (pcr, _) in separated.iter().enumerate().filter(|(_, done)| !**done) {
        found.add(QuirkKind::MissingSeparator, events.len(), || {
            format!("PCR {pcr}")
        });
    }
}

/// What one event shows.
fn one(event: &Event, index: usize, found: &mut Found) {
    if event.pcr >= super::REGISTERS && event.kind != EventType::NO_ACTION {
        found.add(QuirkKind::UnknownRegister, index, || {
            format!("PCR {}", event.pcr)
        });
    }
    if event.kind.name().is_none() {
        found.add(QuirkKind::UnknownType, index, || event.kind.to_string());
    }
    if event.kind == EventType::SEPARATOR {
        if event.data.len() != 4 {
            let detail = || format!("{} bytes in PCR {}", event.data.len(), event.pcr);
            found.add(QuirkKind::LongSeparator, index, detail);
        }
        let error = 1_u32.to_le_bytes();
        if event.data == error || error_digest(event) {
            found.add(QuirkKind::ErrorSeparator, index, || {
                format!("PCR {}", event.pcr)
            });
        }
    }
    let variable = matches!(
        event.kind,
        EventType::EFI_VARIABLE_DRIVER_CONFIG
            | EventType::EFI_VARIABLE_AUTHORITY
            | EventType::EFI_VARIABLE_BOOT
            | EventType::EFI_VARIABLE_BOOT2
    );
    if variable && !matches!(Content::of(event), Content::Variable { .. }) {
        let detail = || format!("{} bytes", event.data.len());
        found.add(QuirkKind::MalformedVariable, index, detail);
    }
    if !error_digest(event) && data_is_measured(event.kind) && !matches_data(event) {
        found.add(QuirkKind::DigestMismatch, index, || {
            Content::of(event).describe()
        });
    }
}

/// A separator that stands for an error is extended as the digest of the number 1.
fn error_digest(event: &Event) -> bool {
    event.kind == EventType::SEPARATOR
        && event.digests.iter().any(|digest| {
            let bank = Bank::of_algorithm(digest.algorithm);
            bank.is_some_and(|bank| bank.digest(&[&1_u32.to_le_bytes()]) == digest.value)
        })
}

/// Types whose digest is that of their data. (Some firmware measures only a boot variable's content, so those are left out.)
fn data_is_measured(kind: EventType) -> bool {
    matches!(
        kind,
        EventType::SEPARATOR
            | EventType::ACTION
            | EventType::EFI_ACTION
            | EventType::EFI_VARIABLE_DRIVER_CONFIG
            | EventType::EFI_VARIABLE_AUTHORITY
            | EventType::S_CRTM_VERSION
            | EventType::PLATFORM_CONFIG_FLAGS
            | EventType::TABLE_OF_DEVICES
            | EventType::NONHOST_INFO
            | EventType::EFI_GPT_EVENT
    )
}

fn matches_data(event: &Event) -> bool {
    event.digests.iter().all(|digest| {
        Bank::of_algorithm(digest.algorithm)
            .is_none_or(|bank| bank.digest(&[&event.data]) == digest.value)
    })
}
