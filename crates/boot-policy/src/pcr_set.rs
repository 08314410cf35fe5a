//! Values that registers of one bank must have, as PolicyPCR takes them.
//!
//! Invariant: at least one register, each below 24, each value of the bank's length.

use crate::{Error, Result};
use boot_measure::Bank;
use std::collections::BTreeMap;

/// Registers of a TPM on a PC.
const COUNT: u8 = 24;

/// Values of registers of one bank, by number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PcrSet {
    bank: Bank,
    values: BTreeMap<u8, Vec<u8>>,
}

impl PcrSet {
    /// These values.
    pub fn new(bank: Bank, values: impl IntoIterator<Item = (u8, Vec<u8>)>) -> Result<PcrSet> {
        let values: BTreeMap<u8, Vec<u8>> = values.into_iter().collect();
        let wrong = |what: String, why| Err(Error::Invalid { what, why });
        if values.is_empty() {
            return wrong("registers".to_owned(), "there are none");
        }
        for (pcr, value) in &values {
            if *pcr >= COUNT {
                return wrong(format!("PCR {pcr}"), "a TPM has registers 0 to 23");
            }
            if value.len() != bank.length() {
                return wrong(
                    format!("PCR {pcr}"),
                    "the value has not the length of its bank",
                );
            }
        }
        Ok(PcrSet { bank, values })
    }

    /// The bank.
    pub fn bank(&self) -> Bank {
        self.bank
    }

    /// Numbers and values, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &[u8])> {
        self.values
            .iter()
            .map(|(pcr, value)| (*pcr, value.as_slice()))
    }

    /// TPML_PCR_SELECTION: one bank, a bit map of three bytes.
    pub fn selection(&self) -> Vec<u8> {
        let mut map = [0_u8; 3];
        for pcr in self.values.keys() {
            map[usize::from(pcr / 8)] |= 1 << (pcr % 8);
        }
        let mut bytes = 1_u32.to_be_bytes().to_vec();
        bytes.extend(self.bank.algorithm().to_be_bytes());
        bytes.push(map.len() as u8);
        bytes.extend(map);
        bytes
    }

    /// The values as the TPM hashes them: ascending.
    pub(crate) fn in_order(&self) -> Vec<&[u8]> {
        self.values.values().map(Vec::as_slice).collect()
    }

    /// Registers whose value in `live` is another one, or that `live` lacks.
    pub fn differing(&self, live: &boot_measure::Registers) -> Vec<u8> {
        let differs = |pcr: &u8, value: &[u8]| live.get(self.bank, *pcr) != Some(value);
        self.iter()
            .filter(|(pcr, value)| differs(pcr, value))
            .map(|(pcr, _)| pcr)
            .collect()
    }
}
