//! What is expected to be measured: foreseen from files, or taken from a log.

use crate::{Bank, Content, Digest, Event, EventLog, EventType, Registers};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measurement {
    /// Register.
    pub pcr: u8,
    /// What it is about.
    pub kind: EventType,
    /// One for each bank.
    pub digests: Vec<Digest>,
    /// What was or will be measured.
    pub content: Content,
}

impl Measurement {
    /// What a log says was extended; none for an event that extends no register.
    pub fn of(event: &Event) -> Option<Measurement> {
        event.is_extended().then(|| Measurement {
            pcr: event.pcr as u8,
            kind: event.kind,
            digests: event.digests.clone(),
            content: Content::of(event),
        })
    }

    /// A measurement of these bytes.
    pub fn of_data(
        banks: &[Bank],
        pcr: u8,
        kind: EventType,
        measured: &[&[u8]],
        content: Content,
    ) -> Measurement {
        let digests = banks
            .iter()
            .map(|bank| Digest {
                algorithm: bank.algorithm(),
                value: bank.digest(measured),
            })
            .collect();
        Measurement {
            pcr,
            kind,
            digests,
            content,
        }
    }

    /// The digest of a bank.
    pub fn digest(&self, bank: Bank) -> Option<&[u8]> {
        let number = bank.algorithm();
        let found = self.digests.iter().find(|d| d.algorithm == number)?;
        Some(&found.value)
    }
}

/// Something that can't be foreseen: a register, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unforeseen {
    /// The register.
    pub pcr: u8,
    /// Why, and what would help.
    pub why: String,
}

/// What a boot is expected to measure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expectation {
    /// Banks that measurements have digests of.
    pub banks: Vec<Bank>,
    /// The locality that the TPM starts from.
    pub locality: u8,
    /// In order.
    pub measurements: Vec<Measurement>,
    /// Registers that are left out.
    pub unforeseen: BTreeSet<Unforeseen>,
    /// What was taken for granted.
    pub assumptions: BTreeSet<String>,
}

impl Expectation {
    /// All that a log says.
    pub fn of_log(log: &EventLog) -> Expectation {
        Expectation {
            banks: log.banks(),
            locality: log.startup_locality(),
            measurements: log.events.iter().filter_map(Measurement::of).collect(),
            unforeseen: BTreeSet::new(),
            assumptions: BTreeSet::new(),
        }
    }

    /// Whether a register is foreseen.
    pub fn foresees(&self, pcr: u8) -> bool {
        self.unforeseen
            .iter()
            .all(|unforeseen| unforeseen.pcr != pcr)
    }

    /// Says that a register can't be foreseen.
    pub(crate) fn doubt(&mut self, pcr: u8, why: impl Into<String>) {
        self.unforeseen.insert(Unforeseen {
            pcr,
            why: why.into(),
        });
    }

    /// The registers that are foreseen and measured into; those of `untouched` that nothing is measured into are as at the
    /// start.
    pub fn registers(&self, untouched: &[u8]) -> Registers {
        let mut values: BTreeMap<(Bank, u8), Vec<u8>> = BTreeMap::new();
        for bank in &self.banks {
            for pcr in untouched {
                values.insert(
                    (*bank, *pcr),
                    Registers::at_start(*bank, *pcr, self.locality).value,
                );
            }
            for measurement in &self.measurements {
                let Some(digest) = measurement.digest(*bank) else {
                    continue;
                };
                let value = values.entry((*bank, measurement.pcr)).or_insert_with(|| {
                    Registers::at_start(*bank, measurement.pcr, self.locality).value
                });
                *value = bank.digest(&[value, digest]);
            }
        }
        let mut registers = Registers::default();
        for ((bank, pcr), value) in values {
            if self.foresees(pcr) {
                registers.insert(bank, pcr, value);
            }
        }
        registers
    }
}
