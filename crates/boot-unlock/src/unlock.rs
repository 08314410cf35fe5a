//! Unlocking: which token the machine's state satisfies, and what stands against those that it does not.
//!
//! Invariants: the TPM is asked to release only what by our own reckoning it will; the cause of a refusal is named as
//! exactly as the token allows.

use crate::enroll::passphrase;
use crate::protection::{Extra, FIELD};
use crate::{Error, Protection, Result, each_token, pin, stored};
use boot_luks::{Storage, Volume, VolumeKey};
use boot_measure::{Bank, Register, Registers};
use boot_policy::{
    Approved, Base, Claim, PcrSet, Policy, PrimaryKey, SignedPolicies, SignedPolicy, State,
    StoredPolicy, Token,
};
use boot_signature::{HashAlgorithm, PublicKey};
use boot_tpm::{Parent, SRK, Sealed, Template, Tpm, Transport};
use zeroize::Zeroizing;

/// Registers that may be asked for.
const PCRS: u8 = 24;

/// What speaks for the machine beside its registers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evidence<'a> {
    /// Signed policies: the `.pcrsig` of what was booted.
    pub signed: Option<&'a SignedPolicies>,
    /// The alternatives that tokens were sealed for.
    pub alternatives: &'a [PcrSet],
    /// The PIN.
    pub pin: Option<&'a str>,
}

/// A volume that was unlocked.
#[derive(Debug)]
pub struct Unlocked {
    /// The token that did it.
    pub token: u32,
    /// Its keyslot.
    pub keyslot: u32,
    /// The volume's key.
    pub key: VolumeKey,
}

/// A secret that a TPM released.
pub(crate) struct Released {
    pub(crate) keyslot: u32,
    pub(crate) secret: Zeroizing<Vec<u8>>,
    unlocked: Unlocked,
}

/// Unlocks a volume by whichever token the machine satisfies.
///
/// # Errors
/// [`Error::NoToken`] when there is none; else what stands against the last that was tried.
pub fn unlock<D: Storage, T: Transport>(
    volume: &mut Volume<D>,
    tpm: &mut Tpm<T>,
    evidence: &Evidence<'_>,
) -> Result<Unlocked> {
    unlock_stored(volume, None, tpm, evidence, &[])
}

/// Unlocks a volume by one of its tokens.
///
/// # Errors
/// What stands against it.
pub fn unlock_by<D: Storage, T: Transport>(
    volume: &mut Volume<D>,
    token: u32,
    tpm: &mut Tpm<T>,
    evidence: &Evidence<'_>,
) -> Result<Unlocked> {
    unlock_stored(volume, Some(token), tpm, evidence, &[])
}

/// Unlocks a volume by whichever token the machine satisfies, or by one of them; those too that are bound to one of these stored
/// policies.
///
/// # Errors
/// As for [`unlock`].
pub fn unlock_stored<D: Storage, T: Transport>(
    volume: &mut Volume<D>,
    only: Option<u32>,
    tpm: &mut Tpm<T>,
    evidence: &Evidence<'_>,
    stored: &[StoredPolicy],
) -> Result<Unlocked> {
    release(volume, only, tpm, Given { evidence, stored }).map(|released| released.unlocked)
}

/// All that speaks for the machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given<'a> {
    pub(crate) evidence: &'a Evidence<'a>,
    pub(crate) stored: &'a [StoredPolicy],
}

/// Has a secret released, and shows that it opens the volume.
pub(crate) fn release<D: Storage, T: Transport>(
    volume: &mut Volume<D>,
    only: Option<u32>,
    tpm: &mut Tpm<T>,
    given: Given<'_>,
) -> Result<Released> {
    let all: Vec<_> = each_token(volume.metadata()).collect();
    let mut refusal = match only {
        Some(token) if !all.is_empty() => Error::NotThisToken { token },
        _ => Error::NoToken,
    };
    for (number, token) in all {
        if only.is_some_and(|only| only != number) {
            continue;
        }
        let read = token.and_then(|token| Ok((secret(number, &token, tpm, given)?, token)));
        match read {
            Ok((secret, token)) => {
                let (keyslot, key) =
                    volume.unlock(passphrase(&secret).as_bytes(), &token.keyslots)?;
                return Ok(Released {
                    keyslot,
                    secret,
                    unlocked: Unlocked {
                        token: number,
                        keyslot,
                        key,
                    },
                });
            }
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

/// The key that a token's blob is sealed under: the persistent one where the token names it, else one that is made anew each time:
/// the standard one where the token says so, or systemd's, as it did up to 252.
pub(crate) fn parent<T: Transport>(token: &Token, tpm: &mut Tpm<T>) -> Result<Parent> {
    Ok(match &token.srk {
        Some(_) => tpm.persistent(SRK)?,
        None if is_standard(token) => tpm.primary(Template::Standard)?,
        None if token.primary == PrimaryKey::Rsa => tpm.primary(Template::Systemd252Rsa)?,
        None => tpm.primary(Template::Systemd252)?,
    })
}

fn is_standard(token: &Token) -> bool {
    let extra = token.other.get(FIELD);
    extra.and_then(|extra| extra.get("standard")) == Some(&serde_json::Value::Bool(true))
}

fn secret<T: Transport>(
    number: u32,
    token: &Token,
    tpm: &mut Tpm<T>,
    given: Given<'_>,
) -> Result<Zeroizing<Vec<u8>>> {
    let evidence = given.evidence;
    let unsupported = |why| Err(Error::Unsupported { token: number, why });
    let all: Vec<u8> = (0..PCRS).collect();
    let registers = tpm.registers(token.bank, &all)?;
    let extra: Extra = match token.other.get(FIELD) {
        None => Extra::default(),
        Some(value) => match serde_json::from_value(value.clone()) {
            Ok(extra) => extra,
            Err(_) => return unsupported("its field `rootstock` is malformed"),
        },
    };
    let Ok(reference) = hex::decode(&extra.reference) else {
        return unsupported("its policy reference is not hexadecimal");
    };
    let stored = if token.pcrlock {
        Some(stored::chosen(number, token, tpm, given.stored)?)
    } else {
        None
    };
    let mut protection = demanded(token, &extra, reference, &registers, evidence)?;
    protection.stored = stored.map(|stored| stored.place.clone());
    let policies = protection.policies()?;
    if policies.len() != token.blobs.len() {
        return unsupported(
            "its secret is split into another number of parts than its policies are",
        );
    }
    for (policy, digest) in policies.iter().zip(&token.policies) {
        if policy.digest()? != *digest {
            return Err(cause(number, token, &extra, &registers, evidence));
        }
    }
    let mut state = State {
        registers,
        pin: evidence.pin.is_some(),
        ..State::default()
    };
    if let Some(stored) = stored
        && stored.layout.bank() != token.bank
    {
        let bank = stored.layout.bank();
        for (bank, pcr, value) in tpm.registers(bank, &stored.layout.pcrs())?.iter() {
            state.registers.insert(bank, pcr, value.to_vec());
        }
    }
    if let Some(stored) = stored {
        state.counters = stored::counters(tpm, &stored.layout)?;
    }
    let signed = approved(number, token, &protection, &state.registers, evidence)?;
    for floor in signed.iter().filter_map(|(signed, _)| signed.floor) {
        let held = tpm.floor(floor.index)?;
        state.counters.extend(held.map(|held| (floor.index, held)));
    }
    let signed: Vec<Approved> = signed.into_iter().map(|(_, approved)| approved).collect();
    let held = match stored {
        Some(stored) => vec![Approved {
            rules: stored.layout.rules()?,
            signature: Vec::new(),
        }],
        None => Vec::new(),
    };
    let value = evidence
        .pin
        .filter(|_| token.pin)
        .map(|pin| pin::authorisation(pin, token.salt.as_deref()));
    let value = value.as_ref().map_or(&[][..], |value| value.as_slice());
    let blobs: Vec<Sealed> = token
        .blobs
        .iter()
        .map(|blob| Sealed::from_bytes(blob))
        .collect::<std::result::Result<_, _>>()?;
    let parent = parent(token, tpm)?;
    let mut secret = Zeroizing::new(Vec::new());
    let shards = policies
        .iter()
        .zip(&blobs)
        .try_for_each(|(policy, sealed)| {
            let approved = match policy.base {
                Some(Base::StoredIn(_)) => &held,
                _ => &signed,
            };
            let shard = tpm.unseal(&parent, sealed, policy, approved, &state, value)?;
            secret.extend_from_slice(&shard);
            Ok::<_, boot_tpm::Error>(())
        });
    let released = tpm.release(parent);
    shards?;
    released?;
    Ok(secret)
}

/// What the token demands, with the values that the machine has now.
fn demanded(
    token: &Token,
    extra: &Extra,
    reference: Vec<u8>,
    registers: &Registers,
    evidence: &Evidence<'_>,
) -> Result<Protection> {
    let now = |pcr: &u8| Some((*pcr, registers.get(token.bank, *pcr)?.to_vec()));
    let set = (!token.pcrs.is_empty())
        .then(|| PcrSet::new(token.bank, token.pcrs.iter().filter_map(now)))
        .transpose()?;
    let key = token
        .signing_key
        .as_ref()
        .map(|key| PublicKey::read(&key.pem))
        .transpose()?;
    Ok(Protection {
        registers: set,
        signing_key: key,
        reference,
        alternatives: if extra.alternatives == 0 {
            Vec::new()
        } else {
            evidence.alternatives.to_vec()
        },
        stored: None,
        pin: token.pin,
        owner: None,
    })
}

/// Why the policy is another than the token was sealed with.
fn cause(
    number: u32,
    token: &Token,
    extra: &Extra,
    registers: &Registers,
    evidence: &Evidence<'_>,
) -> Error {
    let differs = |(pcr, value): &(&u8, &String)| {
        registers.get(token.bank, **pcr).map(hex::encode).as_ref() != Some(*value)
    };
    let pcrs: Vec<u8> = extra
        .values
        .iter()
        .filter(differs)
        .map(|(pcr, _)| *pcr)
        .collect();
    if pcrs.is_empty()
        && extra.alternatives != 0
        && evidence.alternatives.len() != extra.alternatives
    {
        return Error::OtherAlternatives { token: number };
    }
    Error::Changed {
        token: number,
        pcrs,
    }
}

/// The signed policies that are about what was booted, with the rules that they approve.
fn approved<'a>(
    number: u32,
    token: &Token,
    protection: &Protection,
    registers: &Registers,
    evidence: &Evidence<'a>,
) -> Result<Vec<(&'a SignedPolicy, Approved)>> {
    let Some(key) = &protection.signing_key else {
        return Ok(Vec::new());
    };
    let fingerprint = HashAlgorithm::Sha256.digest(&key.pkcs1_der()?);
    let of_key = evidence.signed.into_iter().flat_map(SignedPolicies::iter);
    let of_key: Vec<&SignedPolicy> = of_key
        .filter(|(bank, policy)| {
            *bank == Bank::Sha256 && token.bank == *bank && policy.key == fingerprint
        })
        .map(|(_, policy)| policy)
        .collect();
    let value = registers.get(token.bank, 11).unwrap_or_default().to_vec();
    let register = Register {
        bank: token.bank,
        value,
    };
    let mut found = Vec::new();
    for policy in &of_key {
        let claim = Claim {
            register: &register,
            floor: policy.floor,
            reference: &policy.reference,
        };
        let rules = claim.rules()?;
        let about_this = policy.reference.bytes() == protection.reference
            && Policy::of(rules.clone()).digest()? == policy.policy;
        if about_this {
            let signature = policy.signature.clone();
            found.push((*policy, Approved { rules, signature }));
        }
    }
    if found.is_empty() {
        return Err(Error::Unsigned {
            token: number,
            count: of_key.len(),
        });
    }
    Ok(found)
}
