//! Event logs of firmware: the binary form that the TCG PC Client Platform Firmware Profile defines, read strictly, kept
//! whole, written back byte for byte.
//!
//! Two forms: the old one, where every event has one SHA-1 digest, and the crypto-agile one, whose first event
//! ("Spec ID Event03") names the banks. Every error carries the offset and the number of the event.

mod kind;
mod quirk;
mod read;
mod write;

#[cfg(test)]
pub(crate) mod tests;

pub use kind::EventType;
pub use quirk::{KNOWN_QUIRKS, KnownQuirk, Quirk, QuirkKind};

use crate::Bank;

/// Longest log that is read; firmware reserves 64 KiB, some boards much more.
pub const MAX_LOG: usize = 16 << 20;
/// Most events of a log.
pub const MAX_EVENTS: usize = 100_000;
/// Most banks that a log may name.
pub(crate) const MAX_BANKS: u32 = 16;
/// Longest data of one event.
pub const MAX_EVENT_DATA: usize = 4 << 20;
/// Registers of a PC's TPM.
pub(crate) const REGISTERS: u32 = 24;

/// Why a log can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The log ends inside of an event.
    #[error(
        "event {event} at offset {offset:#x}: {what} needs {needed} bytes, {left} are left: the log is cut short"
    )]
    Truncated {
        /// The event, from 0.
        event: usize,
        /// Where the missing part starts.
        offset: usize,
        /// The part.
        what: &'static str,
        /// Its length.
        needed: usize,
        /// What there is.
        left: usize,
    },
    /// A value that breaks a rule of the format.
    #[error("event {event} at offset {offset:#x}: {what} is {found:#x}: {why}")]
    Invalid {
        /// The event, from 0.
        event: usize,
        /// Where the value stands.
        offset: usize,
        /// The value's name.
        what: &'static str,
        /// What it is.
        found: u64,
        /// The rule.
        why: &'static str,
    },
    /// More than is read.
    #[error("{what} is {found}, more than the limit of {limit}")]
    Limit {
        /// What is counted.
        what: &'static str,
        /// What the log says.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// No events.
    #[error("the log is empty: the firmware kept none, or the TPM was off")]
    Empty,
}

/// A digest algorithm as a log names it: one that this crate computes, or another whose length the log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Algorithm {
    /// TPM_ALG_ID.
    pub number: u16,
    /// Bytes of a digest.
    pub length: u16,
}

impl Algorithm {
    /// The bank, when it is one that this crate computes.
    pub fn bank(self) -> Option<Bank> {
        let bank = Bank::of_algorithm(self.number)?;
        (bank.length() == usize::from(self.length)).then_some(bank)
    }

    /// Of a bank.
    pub fn of(bank: Bank) -> Algorithm {
        Algorithm {
            number: bank.algorithm(),
            length: bank.length() as u16,
        }
    }
}

/// Which of the two forms a log has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// One SHA-1 digest for each event (TCG_PCR_EVENT).
    Sha1,
    /// Digests of several banks (TCG_PCR_EVENT2).
    CryptoAgile {
        /// The banks, in the order of the header.
        algorithms: Vec<Algorithm>,
    },
}

/// One digest of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// TPM_ALG_ID.
    pub algorithm: u16,
    /// The value.
    pub value: Vec<u8>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Register.
    pub pcr: u32,
    /// What it is about.
    pub kind: EventType,
    /// One for each bank, in the log's order.
    pub digests: Vec<Digest>,
    /// What was measured, or a description of it.
    pub data: Vec<u8>,
    /// Where it stands in the log, 0 for one that was never in a log.
    pub offset: usize,
}

impl Event {
    /// The digest of a bank.
    pub fn digest(&self, bank: Bank) -> Option<&[u8]> {
        let number = bank.algorithm();
        let found = self.digests.iter().find(|d| d.algorithm == number)?;
        Some(&found.value)
    }

    /// True when a register was extended by it.
    pub fn is_extended(&self) -> bool {
        self.kind != EventType::NO_ACTION && self.pcr < REGISTERS
    }
}

/// A log that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventLog {
    /// Its form.
    pub form: Form,
    /// All events, the one that names the banks among them.
    pub events: Vec<Event>,
    /// What was odd, but read.
    pub quirks: Vec<Quirk>,
}

impl EventLog {
    /// Reads a binary log, such as `binary_bios_measurements`.
    pub fn read(bytes: &[u8]) -> Result<EventLog, LogError> {
        read::read(bytes)
    }

    /// The binary form. What was read is written as it was, except for padding behind the last event.
    pub fn write(&self) -> Vec<u8> {
        write::write(self)
    }

    /// Banks that the log has digests of and this crate computes.
    pub fn banks(&self) -> Vec<Bank> {
        match &self.form {
            Form::Sha1 => vec![Bank::Sha1],
            Form::CryptoAgile { algorithms } => {
                algorithms.iter().filter_map(|a| a.bank()).collect()
            }
        }
    }

    /// The locality from which the TPM was started (TCG_EfiStartupLocalityEvent): the last byte of PCR 0 at its start.
    pub fn startup_locality(&self) -> u8 {
        const SIGNATURE: &[u8] = b"StartupLocality\0";
        let found = self.events.iter().find_map(|event| {
            let data = event.data.strip_prefix(SIGNATURE)?;
            (event.kind == EventType::NO_ACTION).then(|| data.first().copied())?
        });
        found.unwrap_or(0)
    }
}
