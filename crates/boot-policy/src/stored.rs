//! A policy that lives in an NV index of the TPM, and the file that goes with it: `pcrlock.json`.
//!
//! What is sealed says "whatever this index holds" (PolicyAuthorizeNV), so a new policy is one write to the index: nothing is
//! sealed anew. The file says what the index's digest was compiled from ([`Layout`]): in systemd-pcrlock's fields where it is
//! systemd's layout, in a field of ours otherwise, which systemd refuses by its name.
//!
//! Invariants: what is read and written again is the same document; a document whose index is of another form than systemd
//! defines is refused; nothing in it is secret, and nothing is believed of it that the index does not hold.
//!
//! Source: systemd's `pcrlock` (`make_policy`) and `tpm2-util` (`tpm2_pcrlock_policy_from_json`).

use crate::{Error, Floor, Layout, MAX_LEAVES, NvPublic, PcrSet, Result, unhex};
use base64ct::{Base64, Encoding};
use boot_measure::{Bank, pcrlock};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest document that is read: 4096 states of eight registers of SHA-512.
pub const MAX_STORED: usize = 8 << 20;
/// Longest serialised object in it.
const MAX_OBJECT: usize = 4096;

/// Where a policy is stored, and the code that the index is written with, sealed to what the index lets pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The index as it is defined, before it was first written.
    pub index: NvPublic,
    /// The storage root key, as the TPM software stack serialises it.
    pub parent: Vec<u8>,
    /// The sealed code, public part (TPM2B_PUBLIC).
    pub pin_public: Vec<u8>,
    /// The sealed code, private part (TPM2B_PRIVATE).
    pub pin_private: Vec<u8>,
}

impl Place {
    /// The index as the TPM software stack serialises it once it was written (`Esys_TR_Serialize` 3.2): handle, name, kind of
    /// resource, public area. A LUKS2 token names the index by it.
    pub fn handle(&self) -> Vec<u8> {
        const NV: u32 = 2;
        let written = self.index.written();
        let (name, area) = (written.name(), written.to_bytes());
        let mut bytes = written.index.to_be_bytes().to_vec();
        bytes.extend(sized(name.as_bytes()));
        bytes.extend(NV.to_be_bytes());
        bytes.extend(sized(&area));
        bytes
    }
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
}

/// A stored policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPolicy {
    /// What it lets pass.
    pub layout: Layout,
    /// Where it is stored.
    pub place: Place,
}

/// As it stands in JSON, its fields in systemd's order.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Raw {
    pcr_bank: String,
    pcr_values: Vec<RawValues>,
    nv_index: u32,
    nv_handle: String,
    nv_public: String,
    srk_handle: String,
    pin_public: String,
    pin_private: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rootstock_states: Vec<RawState>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rootstock_held: Vec<RawHeld>,
}

/// Registers and their values, hexadecimal.
type RawState = BTreeMap<u8, String>;

/// A state, and the floor that it is held to.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawHeld {
    nv_index: u32,
    epoch: u64,
    pcrs: RawState,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawValues {
    pcr: u8,
    values: Vec<String>,
}

fn wrong(what: &str, why: &'static str) -> Error {
    Error::Invalid {
        what: format!("stored policy: {what}"),
        why,
    }
}

fn object(text: &str, what: &str) -> Result<Vec<u8>> {
    if text.len() > MAX_OBJECT {
        return Err(wrong(what, "it is longer than 4 KiB"));
    }
    Base64::decode_vec(text).map_err(|_| wrong(what, "it is not base64"))
}

impl StoredPolicy {
    /// The document.
    ///
    /// # Errors
    /// None for documents that were read or made here.
    pub fn to_json(&self) -> Result<String> {
        let place = &self.place;
        let state = |state: &PcrSet| -> RawState {
            let values = state.iter();
            values
                .map(|(pcr, value)| (pcr, hex::encode(value)))
                .collect()
        };
        let mut raw = Raw {
            pcr_bank: self.layout.bank().as_str().to_owned(),
            pcr_values: Vec::new(),
            nv_index: place.index.index,
            nv_handle: Base64::encode_string(&place.handle()),
            nv_public: Base64::encode_string(&sized(&place.index.to_bytes())),
            srk_handle: Base64::encode_string(&place.parent),
            pin_public: Base64::encode_string(&place.pin_public),
            pin_private: Base64::encode_string(&place.pin_private),
            rootstock_states: Vec::new(),
            rootstock_held: Vec::new(),
        };
        match &self.layout {
            Layout::Registers(policy) => {
                let one = |of: &pcrlock::PcrValues| RawValues {
                    pcr: of.pcr,
                    values: of.values.iter().map(hex::encode).collect(),
                };
                raw.pcr_values = policy.values.iter().map(one).collect();
            }
            Layout::States(states) => raw.rootstock_states = states.iter().map(state).collect(),
            Layout::Held(states) => {
                let one = |(pcrs, floor): &(PcrSet, Floor)| RawHeld {
                    nv_index: floor.index,
                    epoch: floor.epoch,
                    pcrs: state(pcrs),
                };
                raw.rootstock_held = states.iter().map(one).collect();
            }
        }
        Ok(serde_json::to_string(&raw).map_err(Error::Stored)? + "\n")
    }

    /// Reads a document.
    ///
    /// # Errors
    /// When it is longer than 8 MiB, not of this form, or its index is none that a policy is stored in; the error names the field.
    pub fn from_json(json: &[u8]) -> Result<StoredPolicy> {
        if json.len() > MAX_STORED {
            return Err(wrong("document", "it is longer than 8 MiB"));
        }
        let raw: Raw = serde_json::from_slice(json).map_err(Error::Stored)?;
        let bank = Bank::parse(&raw.pcr_bank)
            .ok_or_else(|| wrong("pcrBank", "it is not a bank's name"))?;
        let layout = layout(
            bank,
            raw.pcr_values,
            raw.rootstock_states,
            raw.rootstock_held,
        )?;
        let public = object(&raw.nv_public, "nvPublic")?;
        let area = match public.split_first_chunk::<2>() {
            Some((length, area)) if usize::from(u16::from_be_bytes(*length)) == area.len() => area,
            _ => return Err(wrong("nvPublic", "its length is another than it says")),
        };
        let index = NvPublic::from_bytes(area)?;
        let ours = <[u8; 32]>::try_from(&index.policy[..])
            .map(|policy| NvPublic::of_pcrlock(raw.nv_index, &policy));
        if ours.ok().as_ref() != Some(&index) {
            return Err(wrong("nvPublic", "no policy is stored in such an index"));
        }
        let place = Place {
            index,
            parent: object(&raw.srk_handle, "srkHandle")?,
            pin_public: object(&raw.pin_public, "pinPublic")?,
            pin_private: object(&raw.pin_private, "pinPrivate")?,
        };
        if object(&raw.nv_handle, "nvHandle")? != place.handle() {
            return Err(wrong("nvHandle", "it is another index than nvPublic"));
        }
        Ok(StoredPolicy { layout, place })
    }
}

/// One of the three is there; an empty document is systemd's layout without registers.
fn layout(
    bank: Bank,
    values: Vec<RawValues>,
    states: Vec<RawState>,
    held: Vec<RawHeld>,
) -> Result<Layout> {
    if states.is_empty() && held.is_empty() {
        let mut read: BTreeMap<u8, Vec<Vec<u8>>> = BTreeMap::new();
        for RawValues { pcr, values } in values {
            let values = values
                .iter()
                .map(|text| unhex(text, "stored policy: pcrValues"));
            if read.insert(pcr, values.collect::<Result<_>>()?).is_some() {
                return Err(wrong("pcrValues", "a register is there twice"));
            }
        }
        return Ok(Layout::Registers(pcrlock::Policy::new(bank, read)?));
    }
    let field = if held.is_empty() {
        "rootstockStates"
    } else {
        "rootstockHeld"
    };
    if !values.is_empty() {
        return Err(wrong(field, "there are values register by register too"));
    }
    if states.len().max(held.len()) > MAX_LEAVES {
        return Err(wrong(field, "there are more than 4096"));
    }
    let what = format!("stored policy: {field}");
    let one = |state: RawState| {
        let value = |(pcr, text): (u8, String)| Ok((pcr, unhex(&text, &what)?));
        PcrSet::new(
            bank,
            state.into_iter().map(value).collect::<Result<Vec<_>>>()?,
        )
    };
    if held.is_empty() {
        return Ok(Layout::States(
            states.into_iter().map(one).collect::<Result<_>>()?,
        ));
    }
    if !states.is_empty() {
        return Err(wrong(
            field,
            "there are states that are held to no floor too",
        ));
    }
    let held = held.into_iter().map(|raw| {
        let (index, epoch) = (raw.nv_index, raw.epoch);
        Ok((one(raw.pcrs)?, Floor { index, epoch }))
    });
    Ok(Layout::Held(held.collect::<Result<_>>()?))
}
