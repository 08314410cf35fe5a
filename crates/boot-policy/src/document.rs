//! The JSON of `.pcrsig`: bank name to a list of signed policies.

use crate::{Error, Floor, PolicyDigest, PolicyReference, Result, unhex};
use base64ct::{Base64, Encoding};
use boot_measure::Bank;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest document that is read.
pub const MAX_DOCUMENT: usize = 1024 * 1024;
/// Most policies in it.
const MAX_POLICIES: usize = 4096;

/// One signed policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedPolicy {
    /// Registers that it is about; always 11.
    pub pcrs: Vec<u8>,
    /// SHA-256 of the key's PKCS#1 form.
    pub key: Vec<u8>,
    /// The policy digest.
    pub policy: PolicyDigest,
    /// PKCS#1 v1.5 signature by the bank's digest.
    pub signature: Vec<u8>,
    /// Policy reference; usually none.
    pub reference: PolicyReference,
    /// The floor that the policy holds the generation to; none in policies of systemd's.
    pub floor: Option<Floor>,
}

/// All signed policies of an image, by bank.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignedPolicies {
    banks: BTreeMap<Bank, Vec<SignedPolicy>>,
}

/// As it stands in JSON, its fields in systemd's order.
#[derive(Serialize, Deserialize)]
struct Raw {
    pcrs: Vec<u8>,
    pkfp: String,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    pol: String,
    /// Ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    polref: Option<String>,
    sig: String,
    /// Ours: systemd compares `pol` with what it computes itself, so it passes over an entry with a floor.
    #[serde(skip_serializing_if = "Option::is_none")]
    floor: Option<RawFloor>,
}

#[derive(Serialize, Deserialize)]
struct RawFloor {
    #[serde(rename = "nvIndex")]
    index: u32,
    epoch: u64,
}

impl SignedPolicies {
    /// Adds one; the same one twice is kept once.
    pub fn add(&mut self, bank: Bank, policy: SignedPolicy) {
        let list = self.banks.entry(bank).or_default();
        if !list.contains(&policy) {
            list.push(policy);
        }
    }

    /// All, by bank and in order.
    pub fn iter(&self) -> impl Iterator<Item = (Bank, &SignedPolicy)> {
        self.banks
            .iter()
            .flat_map(|(bank, list)| list.iter().map(|policy| (*bank, policy)))
    }

    /// One line of JSON, as systemd-measure writes it.
    pub fn to_json(&self) -> Result<String> {
        let raw: BTreeMap<&str, Vec<Raw>> = self
            .banks
            .iter()
            .map(|(bank, list)| {
                let list = list.iter().map(|policy| {
                    let (reference, polref) = policy.reference.write();
                    Raw {
                        pcrs: policy.pcrs.clone(),
                        pkfp: hex::encode(&policy.key),
                        pol: policy.policy.to_string(),
                        reference,
                        polref,
                        sig: Base64::encode_string(&policy.signature),
                        floor: policy
                            .floor
                            .map(|Floor { index, epoch }| RawFloor { index, epoch }),
                    }
                });
                (bank.as_str(), list.collect())
            })
            .collect();
        Ok(serde_json::to_string(&raw)? + "\n")
    }

    /// Reads JSON; banks that are unknown are an error, so that nothing is passed over in silence.
    pub fn from_json(bytes: &[u8]) -> Result<SignedPolicies> {
        let end = bytes
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |at| at + 1);
        let wrong = |what: &str, why| Error::Invalid {
            what: what.to_owned(),
            why,
        };
        if end > MAX_DOCUMENT {
            return Err(wrong("document", "it is longer than 1 MiB"));
        }
        let raw: BTreeMap<String, Vec<Raw>> = serde_json::from_slice(&bytes[..end])?;
        let mut found = SignedPolicies::default();
        let mut count = 0;
        for (name, list) in raw {
            let bank = Bank::ALL
                .into_iter()
                .find(|bank| bank.as_str() == name)
                .ok_or_else(|| wrong(&name, "it is not a bank's name"))?;
            for policy in list {
                count += 1;
                if count > MAX_POLICIES {
                    return Err(wrong("document", "it has more than 4096 policies"));
                }
                let signature = Base64::decode_vec(&policy.sig);
                found.add(
                    bank,
                    SignedPolicy {
                        pcrs: policy.pcrs,
                        key: unhex(&policy.pkfp, "pkfp")?,
                        policy: PolicyDigest::from_bytes(&unhex(&policy.pol, "pol")?)?,
                        signature: signature.map_err(|_| wrong("sig", "it is not base64"))?,
                        reference: PolicyReference::read(
                            policy.reference.as_deref(),
                            policy.polref.as_deref(),
                        )?,
                        floor: policy
                            .floor
                            .map(|RawFloor { index, epoch }| Floor { index, epoch }),
                    },
                );
            }
        }
        Ok(found)
    }
}
