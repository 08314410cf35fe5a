//! Policies that live in an NV index: made, written anew while the machine is in a state that they let pass, removed; and which of
//! several documents the index is about.
//!
//! A new policy is two things, the document and what the index holds, and the power may fail between the two. So the new document is
//! put beside the old one first, then the index is written, then the new document takes the old one's place; after a power cut
//! [`settle`] tells by the index which of the two is true.
//!
//! Invariants: the index is asked before a document is believed; what the machine was unlocked in goes on being let pass
//! ([`Members`]); the code that the index is written with is never in clear on the disk.
//!
//! Source: systemd's `pcrlock` (`make_policy`, `remove_policy`).

use crate::{Error, RecoveryKey, Result};
use boot_policy::{
    Approved, Base, Layout, Members, NvPublic, Place, Policy, State, StoredPolicy, Token,
};
use boot_tpm::{Parent, Sealed, Tpm, Transport, WriteKey};
use std::collections::BTreeMap;

/// The owner's authorisation that NV indices are defined, read and removed by, where none was set, as systemd expects.
const OWNER: &[u8] = b"";

/// The policy that says "whatever the index holds".
fn bound(place: &NvPublic) -> Policy {
    Policy {
        base: Some(Base::StoredIn(place.written())),
        rules: Vec::new(),
    }
}

/// A sealed object in two sized parts, as the document has them.
fn sized(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
}

fn code(place: &Place) -> Result<Sealed> {
    Ok(Sealed::from_bytes(
        &[&place.pin_private[..], &place.pin_public].concat(),
    )?)
}

/// Makes a policy for an index that is free: the document, and the recovery PIN that is sealed in it. Nothing is changed in the TPM.
///
/// # Errors
/// When the TPM keeps no storage root key ([`Tpm::keep`]), something is at the index, or the TPM refuses.
pub fn prepare<T: Transport>(
    tpm: &mut Tpm<T>,
    index: u32,
    members: &Members,
    pin: &RecoveryKey,
) -> Result<StoredPolicy> {
    let key = WriteKey::of_pin(pin.as_str());
    let place = NvPublic::of_pcrlock(index, &key.policy().0);
    if tpm.stored(&place, OWNER)?.is_some() || tpm.index(index)?.is_some() {
        return Err(boot_tpm::Error::Unusable {
            what: format!("NV index {index:#010x}"),
            why: "it is taken; name another index",
        }
        .into());
    }
    let parent = kept(tpm)?;
    let sealed = tpm.seal(&parent, &bound(&place).digest()?, key.as_bytes(), b"")?;
    Ok(StoredPolicy {
        layout: Layout::of(members)?,
        place: Place {
            index: place,
            parent: parent.to_bytes(),
            pin_public: sized(&sealed.public),
            pin_private: sized(&sealed.private),
        },
    })
}

fn kept<T: Transport>(tpm: &mut Tpm<T>) -> Result<Parent> {
    let parent = tpm.kept()?;
    Ok(parent.ok_or_else(|| boot_tpm::Error::Unusable {
        what: "storage root key 0x81000001".to_owned(),
        why: "the TPM keeps none; let it keep one first",
    })?)
}

/// Defines the index of a policy that was just made, and writes it. What was cut off is gone on with.
///
/// # Errors
/// When something else is at the index, the TPM's memory is full, or the TPM refuses.
pub fn install<T: Transport>(
    tpm: &mut Tpm<T>,
    policy: &StoredPolicy,
    pin: &RecoveryKey,
) -> Result<()> {
    let key = WriteKey::of_pin(pin.as_str());
    let parent = kept(tpm)?;
    tpm.define_stored(&policy.place.index, OWNER)?;
    tpm.write_stored(&parent, &policy.place.index, &key, &policy.layout.digest()?)?;
    Ok(())
}

/// A policy that is about to be written in an older one's place.
#[derive(Debug)]
pub struct Renewal {
    /// The new document, to be put beside the old one before [`Renewal::write`], and in its place afterwards.
    pub policy: StoredPolicy,
    key: WriteKey,
}

/// Makes the policy that comes after one that is stored. The machine must be in a state that the old one lets pass, or the recovery
/// PIN be given.
///
/// # Errors
/// When the state is another, the PIN a wrong one, the document is not what the index holds, or the TPM refuses.
pub fn renew<T: Transport>(
    tpm: &mut Tpm<T>,
    old: &StoredPolicy,
    members: &Members,
    pin: Option<&str>,
) -> Result<Renewal> {
    let key = match pin {
        Some(pin) => WriteKey::of_pin(pin),
        None => released(tpm, old)?,
    };
    let policy = StoredPolicy {
        layout: Layout::of(members)?,
        place: old.place.clone(),
    };
    Ok(Renewal { policy, key })
}

/// What the counters hold that a policy's states are held to; one that is not there is left out.
pub(crate) fn counters<T: Transport>(
    tpm: &mut Tpm<T>,
    layout: &Layout,
) -> Result<BTreeMap<u32, u64>> {
    let mut counters = BTreeMap::new();
    for index in layout.counters() {
        counters.extend(tpm.floor(index)?.map(|held| (index, held)));
    }
    Ok(counters)
}

/// The code that an index is written with, from the TPM.
fn released<T: Transport>(tpm: &mut Tpm<T>, old: &StoredPolicy) -> Result<WriteKey> {
    let parent = kept(tpm)?;
    let state = State {
        registers: tpm.registers(old.layout.bank(), &old.layout.pcrs())?,
        counters: counters(tpm, &old.layout)?,
        ..State::default()
    };
    let approved = [Approved {
        rules: old.layout.rules()?,
        signature: Vec::new(),
    }];
    let policy = bound(&old.place.index);
    let value = tpm.unseal(&parent, &code(&old.place)?, &policy, &approved, &state, b"")?;
    Ok(WriteKey::of_released(value)?)
}

impl Renewal {
    /// Writes the index: from here on the new policy holds.
    ///
    /// # Errors
    /// When the PIN is a wrong one, or the TPM refuses; the old policy holds then.
    pub fn write<T: Transport>(&self, tpm: &mut Tpm<T>) -> Result<()> {
        let parent = kept(tpm)?;
        let digest = self.policy.layout.digest()?;
        tpm.write_stored(&parent, &self.policy.place.index, &self.key, &digest)?;
        Ok(())
    }
}

/// Removes a policy's index; what was sealed to it is released to nobody any more.
///
/// # Errors
/// When something else is at the index, or the TPM refuses.
pub fn remove<T: Transport>(tpm: &mut Tpm<T>, policy: &StoredPolicy) -> Result<()> {
    Ok(tpm.remove_stored(&policy.place.index, OWNER)?)
}

/// Which of a document and the one beside it is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The index holds what the document says.
    Current,
    /// The index holds what the document beside it says: that one takes its place.
    Next,
    /// The index was never written: the policy was cut off in the making, and nothing is sealed to it.
    Unwritten,
    /// The index holds something else.
    Neither,
}

/// Asks the index which of two documents is true; `next` is the one that a change has put beside the other.
///
/// # Errors
/// When the index is somebody else's, or the TPM refuses.
pub fn settle<T: Transport>(
    tpm: &mut Tpm<T>,
    current: &StoredPolicy,
    next: Option<&StoredPolicy>,
) -> Result<Settled> {
    let Some(held) = tpm.stored(&current.place.index, OWNER)? else {
        return Ok(Settled::Unwritten);
    };
    if current.layout.digest()? == held {
        return Ok(Settled::Current);
    }
    let Some(next) = next.filter(|next| next.place == current.place) else {
        return Ok(Settled::Neither);
    };
    Ok(if next.layout.digest()? == held {
        Settled::Next
    } else {
        Settled::Neither
    })
}

/// The document that a token is about: of its index, and with the digest that the index holds.
pub(crate) fn chosen<'a, T: Transport>(
    number: u32,
    token: &Token,
    tpm: &mut Tpm<T>,
    stored: &'a [StoredPolicy],
) -> Result<&'a StoredPolicy> {
    let refused = |why| Error::Stored { token: number, why };
    let named = token.pcrlock_nv.as_ref();
    let mut candidates = stored
        .iter()
        .filter(|policy| named.is_none_or(|handle| *handle == policy.place.handle()))
        .peekable();
    let Some(first) = candidates.peek() else {
        return Err(refused(
            "it is bound to a policy in an NV index of the TPM, and no pcrlock.json of that index was given",
        ));
    };
    let place = first.place.index.clone();
    let held = tpm.stored(&place, OWNER)?.ok_or_else(|| {
        refused("the NV index that its policy was in is gone: removed, or the TPM was cleared")
    })?;
    for policy in candidates {
        if policy.place.index == place && policy.layout.digest()? == held {
            return Ok(policy);
        }
    }
    Err(refused(
        "the NV index holds another policy than pcrlock.json says; it was changed and the file was not",
    ))
}
