//! Enrolment: a new secret in a keyslot and in the TPM; sealing anew; wiping.
//!
//! Invariant: at each moment every token's keyslot is there; a power cut leaves at most a keyslot whose secret nobody has,
//! which the next wipe removes.

use crate::protection::{FIELD, Protection};
use crate::{Error, Evidence, Result, pin, tokens, unlock};
use base64ct::{Base64, Encoding};
use boot_luks::{Cost, Storage, Volume, VolumeKey};
use boot_policy::{Place, Policy, PolicyDigest, StoredPolicy, Token};
use boot_tpm::{SRK, Tpm, Transport};
use serde_json::Value;
use zeroize::Zeroizing;

/// Fills bytes.
pub(crate) fn random<const N: usize>() -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut_slice()).expect("the system gives random bytes");
    bytes
}

/// The passphrase that a released secret stands for, as systemd makes it.
pub(crate) fn passphrase(secret: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(Base64::encode_string(secret))
}

/// Seals a secret, and writes the token that says how to have it released.
pub(crate) fn seal<T: Transport>(
    tpm: &mut Tpm<T>,
    protection: &Protection,
    secret: &[u8],
    pin: &str,
    keyslot: u32,
) -> Result<Token> {
    let salt = protection.pin.then(random::<32>);
    let value = match &salt {
        Some(salt) => pin::authorisation(pin, Some(salt.as_slice())).to_vec(),
        None => Vec::new(),
    };
    let value = Zeroizing::new(value);
    let policies = protection.policies()?;
    let digests: Vec<PolicyDigest> = policies
        .iter()
        .map(Policy::digest)
        .collect::<std::result::Result<_, _>>()?;
    let parent = match tpm.persistent(SRK) {
        Ok(parent) => parent,
        Err(_) => tpm.primary(protection.template())?,
    };
    let mut shards = secret.chunks(secret.len().div_ceil(digests.len()).max(1));
    let sealed: std::result::Result<Vec<Vec<u8>>, boot_tpm::Error> = digests
        .iter()
        .map(|digest| {
            let shard = shards.next().unwrap_or_default();
            let sealed = tpm.seal(&parent, digest, shard, &value)?;
            Ok(sealed.to_bytes())
        })
        .collect();
    // A persistent parent is named, so that a cleared TPM is told from a changed machine.
    let srk = parent.is_persistent().then(|| parent.to_bytes());
    let primary = parent.kind();
    let released = tpm.release(parent);
    let blobs = sealed?;
    released?;
    let owner = match &protection.owner {
        Some(owner) => Some(owner.seal(tpm, secret)?),
        None => None,
    };
    let mut token = Token {
        keyslots: vec![keyslot],
        blobs,
        policies: digests,
        pcrs: protection
            .registers
            .iter()
            .flat_map(|set| set.iter().map(|(pcr, _)| pcr))
            .collect(),
        bank: protection.bank(),
        primary,
        pin: protection.pin,
        signing_key: protection.token_key()?,
        salt: salt.map(|salt| salt.to_vec()),
        srk,
        pcrlock: protection.stored.is_some(),
        pcrlock_nv: protection.stored.as_ref().map(Place::handle),
        other: serde_json::Map::new(),
    };
    let extra = serde_json::to_value(protection.extra(owner)).expect("plain values");
    token.other.insert(FIELD.to_owned(), extra);
    Ok(token)
}

/// Enrols a TPM: a new keyslot, whose passphrase the TPM releases under the protection, and its token. `key` is what a
/// keyslot gave, `beside` that keyslot. Answers the token's number.
///
/// # Errors
/// When the TPM refuses, or there is no room; the volume is then as it was.
pub fn enroll<D: Storage, T: Transport>(
    volume: &mut Volume<D>,
    (beside, key): (u32, &VolumeKey),
    tpm: &mut Tpm<T>,
    protection: &Protection,
    pin: &str,
) -> Result<u32> {
    // One key's length for each policy, as systemd does.
    let count = protection.policies()?.len();
    let shards = (0..count).flat_map(|_| random::<32>().to_vec());
    let secret = Zeroizing::new(shards.collect::<Vec<u8>>());
    // The TPM first: when it refuses, nothing was written.
    let mut token = seal(tpm, protection, &secret, pin, 0)?;
    let passphrase = passphrase(&secret);
    let keyslot = volume.add_keyslot(beside, key, passphrase.as_bytes(), Cost::Least)?;
    token.keyslots = vec![keyslot];
    match volume.add_token(token.to_json()) {
        Ok(number) => Ok(number),
        Err(error) => {
            volume.remove_keyslot(keyslot)?;
            Err(error.into())
        }
    }
}

/// Seals a token's secret anew, under another protection: the machine as it is must unlock it. No passphrase is needed and
/// the keyslot stays. The PIN stays too.
///
/// # Errors
/// When the token is not unlocked, or the TPM refuses; the token is then as it was.
pub fn reseal<D: Storage, T: Transport>(
    volume: &mut Volume<D>,
    number: u32,
    tpm: &mut Tpm<T>,
    evidence: &Evidence<'_>,
    protection: &Protection,
) -> Result<()> {
    reseal_stored(volume, number, tpm, (evidence, &[]), protection)
}

/// As [`reseal`], of tokens too that are bound to one of these stored policies.
///
/// # Errors
/// As for [`reseal`].
pub fn reseal_stored<D: Storage, T: Transport>(
    volume: &mut Volume<D>,
    number: u32,
    tpm: &mut Tpm<T>,
    (evidence, stored): (&Evidence<'_>, &[StoredPolicy]),
    protection: &Protection,
) -> Result<()> {
    let given = unlock::Given { evidence, stored };
    let unlocked = unlock::release(volume, Some(number), tpm, given)?;
    let keyslot = unlocked.keyslot;
    let pin = evidence.pin.unwrap_or_default();
    let token = seal(tpm, protection, &unlocked.secret, pin, keyslot)?;
    volume.put_token(number, token.to_json())?;
    Ok(())
}

/// Removes a token with its keyslots; those that another token names as well stay. Answers the keyslots that went.
///
/// # Errors
/// When a keyslot is the volume's last, or there is no such token for a TPM.
pub fn wipe<D: Storage>(volume: &mut Volume<D>, number: u32) -> Result<Vec<u32>> {
    let all = tokens(volume.metadata())?;
    let missing = if all.is_empty() {
        Error::NoToken
    } else {
        Error::NotThisToken { token: number }
    };
    let token = all.into_iter().find(|(found, _)| *found == number);
    let (_, token) = token.ok_or(missing)?;
    let shared: Vec<u32> = volume
        .metadata()
        .tokens()
        .iter()
        .filter(|(other, _)| **other != number)
        .flat_map(|(_, other)| {
            other
                .get("keyslots")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        })
        .filter_map(|name| name.as_str()?.parse().ok())
        .collect();
    let gone: Vec<u32> = token
        .keyslots
        .into_iter()
        .filter(|slot| !shared.contains(slot))
        .collect();
    for keyslot in &gone {
        volume.remove_keyslot(*keyslot)?;
    }
    volume.remove_token(number)?;
    Ok(gone)
}
