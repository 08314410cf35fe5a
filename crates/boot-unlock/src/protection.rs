//! What a token demands of a machine, and how that stands in the token.
//!
//! Invariant: the policies that a protection compiles to are systemd's for the same demands: signed policies or what an NV index
//! holds first, then registers, then the PIN; alternatives stand between registers and the PIN. Both signed policies and an index
//! are two policies, and the secret is split between them, since a TPM takes one approval for each.

use crate::owner::OwnerField;
use crate::{DiskOwner, Result};
use boot_luks::Metadata;
use boot_measure::Bank;
use boot_policy::{Base, KeyArea, PcrSet, Place, Policy, Rule, SigningKey, TOKEN_TYPE, Token};
use boot_signature::PublicKey;
use boot_tpm::Template;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The field that systemd does not know.
pub(crate) const FIELD: &str = "rootstock";

/// What is demanded. Nothing at all is a token that any boot of this TPM's machine unlocks.
#[derive(Debug, Clone, Default)]
pub struct Protection {
    /// Registers with the values that they must have.
    pub registers: Option<PcrSet>,
    /// The holder of this key signed what was booted.
    pub signing_key: Option<PublicKey>,
    /// With this policy reference, empty for none.
    pub reference: Vec<u8>,
    /// One of these is what was booted; not asked when empty.
    pub alternatives: Vec<PcrSet>,
    /// What this NV index holds lets what was booted pass; see [`crate::prepare`].
    pub stored: Option<Place>,
    /// A PIN is given.
    pub pin: bool,
    /// Whose signature gets past all of it; not a part of the policy, so systemd unlocks the token all the same.
    pub owner: Option<DiskOwner>,
}

/// What a token keeps beside systemd's fields, so that a refusal can be explained.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Extra {
    /// Values of the registers at enrolment, by number, hexadecimal.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) values: BTreeMap<u8, String>,
    /// The policy reference, hexadecimal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) reference: String,
    /// How many alternatives it was sealed for; zero for none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) alternatives: usize,
    /// Sealed under the standard storage root key, which is not kept in the TPM; else under that of systemd 252.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) standard: bool,
    /// The owner's copy of the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<OwnerField>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// A volume's tokens for a TPM, by number.
pub type Tokens = Vec<(u32, Token)>;

/// The tokens of a volume that are for a TPM.
///
/// # Errors
/// When one of them breaks a rule.
pub fn tokens(metadata: &Metadata) -> Result<Tokens> {
    each_token(metadata)
        .map(|(number, token)| Ok((number, token?)))
        .collect()
}

/// The same, each for itself: one that breaks a rule keeps no other from being read.
pub fn each_token(metadata: &Metadata) -> impl Iterator<Item = (u32, Result<Token>)> {
    let ours = |value: &serde_json::Value| {
        value.get("type").and_then(|kind| kind.as_str()) == Some(TOKEN_TYPE)
    };
    let all = metadata.tokens().iter();
    all.filter(move |(_, value)| ours(value))
        .map(|(number, value)| {
            let token = Token::from_json(value.to_string().as_bytes());
            (*number, token.map_err(Into::into))
        })
}

/// How many generations a token was sealed for by value; zero when it demands none.
pub fn generations(token: &Token) -> usize {
    let count = token
        .other
        .get(FIELD)
        .and_then(|extra| extra.get("alternatives"));
    let count = count.and_then(serde_json::Value::as_u64);
    count
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or(0)
}

impl Protection {
    /// The bank that it is about.
    pub(crate) fn bank(&self) -> Bank {
        let first = self.registers.as_ref().or(self.alternatives.first());
        first.map_or(Bank::Sha256, PcrSet::bank)
    }

    /// The policies: two where both a key's holder and an index have a say, and one otherwise.
    ///
    /// # Errors
    /// When the key is no RSA key.
    pub fn policies(&self) -> Result<Vec<Policy>> {
        let mut bases = Vec::new();
        if let Some(key) = &self.signing_key {
            bases.push(Some(Base::SignedBy {
                key: KeyArea::of(key)?,
                reference: self.reference.clone(),
            }));
        }
        if let Some(place) = &self.stored {
            bases.push(Some(Base::StoredIn(place.index.written())));
        }
        if bases.is_empty() {
            bases.push(None);
        }
        let mut rules: Vec<Rule> = self
            .registers
            .iter()
            .cloned()
            .map(Rule::Registers)
            .collect();
        if !self.alternatives.is_empty() {
            let one = |set: &PcrSet| vec![Rule::Registers(set.clone())];
            rules.push(Rule::AnyOf(self.alternatives.iter().map(one).collect()));
        }
        if self.pin {
            rules.push(Rule::Pin);
        }
        let policy = |base| Policy {
            base,
            rules: rules.clone(),
        };
        Ok(bases.into_iter().map(policy).collect())
    }

    /// The parent where none is kept in the TPM. What systemd unlocks too is sealed under the key that systemd makes then. That key
    /// is of no use while the TPM is locked out, so everything else is sealed under the standard one.
    pub(crate) fn template(&self) -> Template {
        if self.alternatives.is_empty() && self.reference.is_empty() {
            Template::Systemd252
        } else {
            Template::Standard
        }
    }

    /// The key as the token keeps it.
    pub(crate) fn token_key(&self) -> Result<Option<SigningKey>> {
        let pem = self
            .signing_key
            .as_ref()
            .map(PublicKey::to_pem)
            .transpose()?;
        Ok(pem.map(|pem| SigningKey {
            pcrs: vec![11],
            pem: pem.into_bytes(),
        }))
    }

    /// What the token keeps for itself.
    pub(crate) fn extra(&self, owner: Option<OwnerField>) -> Extra {
        let values = self.registers.iter().flat_map(PcrSet::iter);
        Extra {
            values: values
                .map(|(pcr, value)| (pcr, hex::encode(value)))
                .collect(),
            reference: hex::encode(&self.reference),
            alternatives: self.alternatives.len(),
            standard: self.template() == Template::Standard,
            owner,
        }
    }
}
