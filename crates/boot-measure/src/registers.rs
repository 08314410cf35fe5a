//! Registers by bank and number: replayed from a log, or read from a machine, and the differences between the two.

use crate::{Bank, EventLog, Register};
use serde::Serialize;
use std::collections::BTreeMap;

/// Longest text of register values that is read.
const MAX_TEXT: usize = 1 << 20;
/// Last register that a PC's TPM resets to ones (17 to 22: dynamic launch).
const DYNAMIC: std::ops::RangeInclusive<u8> = 17..=22;

/// Values of registers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registers(BTreeMap<(Bank, u8), Vec<u8>>);

/// A register whose value is not the one that the log leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// Its bank.
    pub bank: Bank,
    /// Its number.
    pub pcr: u8,
    /// What the log leads to, hexadecimal.
    pub replayed: String,
    /// What the machine has, hexadecimal.
    pub live: String,
}

/// Why a text holds no register values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistersError {
    /// A line that is none of the known forms.
    #[error("line {line}: {why}")]
    Line {
        /// From 1.
        line: usize,
        /// The rule.
        why: &'static str,
    },
    /// No values, or a text that is too long.
    #[error("{0}")]
    Text(&'static str),
}

impl Registers {
    /// A register as a machine starts: zeros, ones for those of dynamic launch, the locality in PCR 0.
    pub fn at_start(bank: Bank, pcr: u8, locality: u8) -> Register {
        let mut register = Register::reset(bank);
        if DYNAMIC.contains(&pcr) {
            register.value.fill(0xff);
        }
        if pcr == 0
            && let Some(last) = register.value.last_mut()
        {
            *last = locality;
        }
        register
    }

    /// What a log leads to: every register that an event extends, in every bank that can be computed.
    pub fn replay(log: &EventLog) -> Registers {
        let locality = log.startup_locality();
        let mut registers = Registers::default();
        for bank in log.banks() {
            for event in log.events.iter().filter(|event| event.is_extended()) {
                let Some(digest) = event.digest(bank) else {
                    continue;
                };
                let pcr = event.pcr as u8;
                let value = registers
                    .0
                    .entry((bank, pcr))
                    .or_insert_with(|| Registers::at_start(bank, pcr, locality).value);
                *value = bank.digest(&[value, digest]);
            }
        }
        registers
    }

    /// Adds or replaces one.
    pub fn insert(&mut self, bank: Bank, pcr: u8, value: Vec<u8>) {
        self.0.insert((bank, pcr), value);
    }

    /// One value.
    pub fn get(&self, bank: Bank, pcr: u8) -> Option<&[u8]> {
        self.0.get(&(bank, pcr)).map(Vec::as_slice)
    }

    /// All, by bank and number.
    pub fn iter(&self) -> impl Iterator<Item = (Bank, u8, &[u8])> {
        self.0
            .iter()
            .map(|((bank, pcr), value)| (*bank, *pcr, value.as_slice()))
    }

    /// The registers of which `live` has another value. A register that the log does not extend must be as at the start;
    /// one that `live` lacks is not compared.
    pub fn differences(&self, live: &Registers) -> Vec<Mismatch> {
        let banks: Vec<Bank> = Bank::ALL
            .into_iter()
            .filter(|b| self.0.keys().any(|k| k.0 == *b))
            .collect();
        let compared = live.iter().filter(|(bank, ..)| banks.contains(bank));
        compared
            .filter_map(|(bank, pcr, value)| {
                let start = Registers::at_start(bank, pcr, 0).value;
                let replayed = self.get(bank, pcr).unwrap_or(&start);
                (replayed != value).then(|| Mismatch {
                    bank,
                    pcr,
                    replayed: hex::encode(replayed),
                    live: hex::encode(value),
                })
            })
            .collect()
    }

    /// Reads values from a text, in the forms that tools print: `tpm2_pcrread` (a bank's name, then `NUMBER : 0xHEX`),
    /// systemd (`NUMBER:BANK=HEX`), and `BANK/NUMBER HEX`. Empty lines and those that begin with `#` are passed over.
    pub fn parse(text: &str) -> Result<Registers, RegistersError> {
        if text.len() > MAX_TEXT {
            return Err(RegistersError::Text(
                "the text of register values is longer than 1 MiB",
            ));
        }
        let mut registers = Registers::default();
        let mut section = None;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            let wrong = |why| RegistersError::Line {
                line: index + 1,
                why,
            };
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(bank) = line.strip_suffix(':') {
                section = Some(
                    Bank::parse(bank.trim()).ok_or_else(|| wrong("a bank that is not known"))?,
                );
                continue;
            }
            let (bank, pcr, value) = parts(line, section).ok_or_else(|| {
                wrong("neither `NUMBER : 0xHEX` below a bank, nor `NUMBER:BANK=HEX`, nor `BANK/NUMBER HEX`")
            })?;
            let pcr: u8 = pcr
                .trim()
                .parse()
                .map_err(|_| wrong("the register is not a number"))?;
            if u32::from(pcr) >= crate::log::REGISTERS {
                return Err(wrong("a TPM has registers 0 to 23"));
            }
            let value = hex::decode(value.trim().trim_start_matches("0x")).ok();
            let value = value.filter(|value| value.len() == bank.length());
            let value =
                value.ok_or_else(|| wrong("the value is not hexadecimal of the bank's length"))?;
            registers.insert(bank, pcr, value);
        }
        if registers.0.is_empty() {
            return Err(RegistersError::Text("there are no register values"));
        }
        Ok(registers)
    }
}

/// Bank, number and value of a line.
fn parts(line: &str, section: Option<Bank>) -> Option<(Bank, &str, &str)> {
    if let Some((name, rest)) = line.split_once('/') {
        let (pcr, value) = rest.split_once(char::is_whitespace)?;
        return Some((Bank::parse(name)?, pcr, value));
    }
    let (pcr, rest) = line.split_once(':')?;
    match rest.split_once('=') {
        Some((name, value)) => Some((Bank::parse(name.trim())?, pcr, value)),
        None => Some((section?, pcr, rest)),
    }
}
