//! systemd-pcrlock's files: component files (`*.pcrlock`) and the policy that it seals secrets with (`pcrlock.json`).
//!
//! A component file lists, in order, what one part of the boot measures; a folder `NNN-NAME.pcrlock.d` holds variants of
//! it. Source: systemd-pcrlock(8) and `src/pcrlock`; Debian 12 has no pcrlock, so files are checked against vectors that
//! were derived by hand.

#[cfg(test)]
mod tests;

use crate::{Bank, Digest, Measurement, Registers};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest document that is read.
pub const MAX_DOCUMENT: usize = 4 << 20;
/// Most records of a component.
pub const MAX_RECORDS: usize = 4096;
/// Most alternatives of one register in a policy: PolicyOR takes eight.
pub const MAX_VALUES: usize = 8;
/// Registers of a TPM.
const LAST_PCR: u8 = 23;

/// Why a document can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PcrlockError {
    /// It is not the JSON that pcrlock writes.
    #[error("pcrlock document")]
    Json(#[from] serde_json::Error),
    /// A value breaks a rule.
    #[error("pcrlock document: {place}: {why}")]
    Invalid {
        /// Where.
        place: String,
        /// The rule.
        why: &'static str,
    },
    /// More than is read.
    #[error("pcrlock document: {what} is {found}, more than the limit of {limit}")]
    Limit {
        /// What is counted.
        what: &'static str,
        /// What there is.
        found: usize,
        /// The limit.
        limit: usize,
    },
}

fn limit(what: &'static str, found: usize, limit: usize) -> Result<(), PcrlockError> {
    if found > limit {
        return Err(PcrlockError::Limit { what, found, limit });
    }
    Ok(())
}

/// One measurement of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its register.
    pub pcr: u8,
    /// Its digests, one for each bank.
    pub digests: BTreeMap<Bank, Vec<u8>>,
}

/// A component file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Component {
    /// In order.
    pub records: Vec<Record>,
}

#[derive(Serialize, Deserialize)]
struct ComponentJson {
    records: Vec<RecordJson>,
}

#[derive(Serialize, Deserialize)]
struct RecordJson {
    pcr: u8,
    digests: Vec<DigestJson>,
}

#[derive(Serialize, Deserialize)]
struct DigestJson {
    #[serde(rename = "hashAlg")]
    algorithm: String,
    digest: String,
}

impl Component {
    /// The component that measures these, registers of others left out.
    pub fn of(measurements: &[Measurement], pcrs: &[u8]) -> Component {
        let digest =
            |digest: &Digest| Some((Bank::of_algorithm(digest.algorithm)?, digest.value.clone()));
        let records = measurements
            .iter()
            .filter(|measurement| pcrs.contains(&measurement.pcr))
            .map(|measurement| Record {
                pcr: measurement.pcr,
                digests: measurement.digests.iter().filter_map(digest).collect(),
            });
        Component {
            records: records.collect(),
        }
    }

    /// Reads a file. Digests of algorithms that are not known are passed over, as pcrlock does.
    pub fn from_json(json: &[u8]) -> Result<Component, PcrlockError> {
        limit("its length", json.len(), MAX_DOCUMENT)?;
        let read: ComponentJson = serde_json::from_slice(json)?;
        limit("the count of records", read.records.len(), MAX_RECORDS)?;
        let mut records = Vec::new();
        for (index, record) in read.records.into_iter().enumerate() {
            let wrong = |why| PcrlockError::Invalid {
                place: format!("record {index}"),
                why,
            };
            if record.pcr > LAST_PCR {
                return Err(wrong("a TPM has registers 0 to 23"));
            }
            let mut digests = BTreeMap::new();
            for digest in record.digests {
                let Some(bank) = Bank::parse(&digest.algorithm) else {
                    continue;
                };
                let value = hex::decode(&digest.digest)
                    .ok()
                    .filter(|value| value.len() == bank.length());
                let value = value.ok_or_else(|| {
                    wrong("a digest is not hexadecimal of its algorithm's length")
                })?;
                if digests.insert(bank, value).is_some() {
                    return Err(wrong("an algorithm has two digests"));
                }
            }
            records.push(Record {
                pcr: record.pcr,
                digests,
            });
        }
        Ok(Component { records })
    }

    /// The file.
    pub fn to_json(&self) -> String {
        let digest = |(bank, value): (&Bank, &Vec<u8>)| DigestJson {
            algorithm: bank.as_str().to_owned(),
            digest: hex::encode(value),
        };
        let record = |record: &Record| RecordJson {
            pcr: record.pcr,
            digests: record.digests.iter().map(digest).collect(),
        };
        let records = self.records.iter().map(record).collect();
        let json = serde_json::to_string(&ComponentJson { records });
        json.expect("records are plain values") + "\n"
    }
}

/// Every value that the registers may end with when one variant of each component is measured, in the order of the
/// components. Components are given by name with their variants; pcrlock orders both by name.
pub fn combinations(
    components: &BTreeMap<String, Vec<Component>>,
    bank: Bank,
) -> Result<BTreeMap<u8, Vec<Vec<u8>>>, PcrlockError> {
    let mut values: BTreeMap<u8, Vec<Vec<u8>>> = BTreeMap::new();
    for (name, variants) in components {
        let pcrs: std::collections::BTreeSet<u8> = variants
            .iter()
            .flat_map(|variant| &variant.records)
            .map(|record| record.pcr)
            .collect();
        for pcr in pcrs {
            let start = || vec![Registers::at_start(bank, pcr, 0).value];
            let before = values.remove(&pcr).unwrap_or_else(start);
            let mut after: Vec<Vec<u8>> = Vec::new();
            for value in &before {
                for variant in variants {
                    let mut value = value.clone();
                    for record in variant.records.iter().filter(|record| record.pcr == pcr) {
                        let digest =
                            record
                                .digests
                                .get(&bank)
                                .ok_or_else(|| PcrlockError::Invalid {
                                    place: format!("component {name}"),
                                    why: "a record has no digest of the bank",
                                })?;
                        value = bank.digest(&[&value, digest]);
                    }
                    if !after.contains(&value) {
                        after.push(value);
                    }
                }
            }
            limit(
                "the count of values of one register",
                after.len(),
                MAX_RECORDS,
            )?;
            values.insert(pcr, after);
        }
    }
    Ok(values)
}

/// The values of one register in a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PcrValues {
    /// The register.
    pub pcr: u8,
    /// Alternatives, one to eight.
    pub values: Vec<Vec<u8>>,
}

/// `pcrlock.json`. What only the TPM gives is kept as it is written: base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The bank.
    pub bank: Bank,
    /// Registers in ascending order.
    pub values: Vec<PcrValues>,
    /// Where the policy is stored in the TPM; none before it is.
    pub nv: Option<PolicyNv>,
}

/// The policy's place in the TPM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyNv {
    /// Handle of the NV index.
    pub nv_index: u32,
    /// Serialised handle, base64.
    pub nv_handle: String,
    /// Its public area, base64.
    pub nv_public: String,
    /// Serialised storage root key, base64.
    pub srk_handle: String,
    /// Sealed access code, public part, base64.
    pub pin_public: String,
    /// Sealed access code, private part, base64.
    pub pin_private: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PolicyJson {
    pcr_bank: String,
    pcr_values: Vec<PcrValuesJson>,
    #[serde(flatten)]
    nv: Option<PolicyNv>,
}

#[derive(Serialize, Deserialize)]
struct PcrValuesJson {
    pcr: u8,
    values: Vec<String>,
}

impl Policy {
    /// The policy that lets these values pass; one that is not yet in a TPM.
    pub fn new(bank: Bank, values: BTreeMap<u8, Vec<Vec<u8>>>) -> Result<Policy, PcrlockError> {
        let values = values
            .into_iter()
            .map(|(pcr, values)| PcrValues { pcr, values });
        let policy = Policy {
            bank,
            values: values.collect(),
            nv: None,
        };
        policy.check()?;
        Ok(policy)
    }

    fn check(&self) -> Result<(), PcrlockError> {
        let mut last = None;
        for PcrValues { pcr, values } in &self.values {
            let wrong = |why| PcrlockError::Invalid {
                place: format!("PCR {pcr}"),
                why,
            };
            if *pcr > LAST_PCR {
                return Err(wrong("a TPM has registers 0 to 23"));
            }
            if last.is_some_and(|last| last >= *pcr) {
                return Err(wrong("registers are not in ascending order"));
            }
            last = Some(*pcr);
            if values.is_empty() {
                return Err(wrong("there is no value"));
            }
            limit(
                "the count of values of one register",
                values.len(),
                MAX_VALUES,
            )?;
            if values.iter().any(|value| value.len() != self.bank.length()) {
                return Err(wrong("a value has not the length of the bank"));
            }
        }
        Ok(())
    }

    /// Reads a policy.
    pub fn from_json(json: &[u8]) -> Result<Policy, PcrlockError> {
        limit("its length", json.len(), MAX_DOCUMENT)?;
        let read: PolicyJson = serde_json::from_slice(json)?;
        let bank = Bank::parse(&read.pcr_bank).ok_or(PcrlockError::Invalid {
            place: "pcrBank".to_owned(),
            why: "the bank is not known",
        })?;
        let mut values = Vec::new();
        for PcrValuesJson { pcr, values: texts } in read.pcr_values {
            let read: Option<Vec<Vec<u8>>> =
                texts.iter().map(|text| hex::decode(text).ok()).collect();
            let read = read.ok_or_else(|| PcrlockError::Invalid {
                place: format!("PCR {pcr}"),
                why: "a value is not hexadecimal",
            })?;
            values.push(PcrValues { pcr, values: read });
        }
        let policy = Policy {
            bank,
            values,
            nv: read.nv,
        };
        policy.check()?;
        Ok(policy)
    }

    /// The document.
    pub fn to_json(&self) -> String {
        let values = |of: &PcrValues| PcrValuesJson {
            pcr: of.pcr,
            values: of.values.iter().map(hex::encode).collect(),
        };
        let json = serde_json::to_string(&PolicyJson {
            pcr_bank: self.bank.as_str().to_owned(),
            pcr_values: self.values.iter().map(values).collect(),
            nv: self.nv.clone(),
        });
        json.expect("policies are plain values") + "\n"
    }

    /// The digest that the policy's NV index holds: PolicyPCR over the registers of one value, then for each register of
    /// several the alternatives, joined by PolicyOR (TPM 2.0 library part 3, 23.6 and 23.7). Always SHA-256.
    pub fn digest(&self) -> [u8; 32] {
        let single: Vec<&PcrValues> = self
            .values
            .iter()
            .filter(|of| of.values.len() == 1)
            .collect();
        let mut digest = [0; 32];
        if !single.is_empty() {
            let pcrs: Vec<u8> = single.iter().map(|of| of.pcr).collect();
            let values: Vec<&[u8]> = single.iter().map(|of| &*of.values[0]).collect();
            digest = self.policy_pcr(digest, &pcrs, &values);
        }
        for of in self.values.iter().filter(|of| of.values.len() > 1) {
            let branches: Vec<[u8; 32]> = of
                .values
                .iter()
                .map(|value| self.policy_pcr(digest, &[of.pcr], &[value]))
                .collect();
            const POLICY_OR: [u8; 4] = 0x171_u32.to_be_bytes();
            let mut parts: Vec<&[u8]> = vec![&[0; 32], &POLICY_OR];
            parts.extend(branches.iter().map(<[u8; 32]>::as_slice));
            digest = sha256(&parts);
        }
        digest
    }

    fn policy_pcr(&self, before: [u8; 32], pcrs: &[u8], values: &[&[u8]]) -> [u8; 32] {
        // TPML_PCR_SELECTION: one bank, three bytes of a bit map.
        let mut selection = 1_u32.to_be_bytes().to_vec();
        selection.extend(self.bank.algorithm().to_be_bytes());
        let mut map = [3, 0, 0, 0];
        for pcr in pcrs {
            map[1 + usize::from(pcr / 8)] |= 1 << (pcr % 8);
        }
        selection.extend(map);
        sha256(&[
            &before,
            &0x17f_u32.to_be_bytes(),
            &selection,
            &sha256(values),
        ])
    }
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    Bank::Sha256
        .digest(parts)
        .try_into()
        .expect("SHA-256 has 32 bytes")
}
