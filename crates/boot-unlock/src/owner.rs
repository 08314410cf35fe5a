//! Recovery by the owner: a request that names one token of one disk, the owner's signature for it, and the disk opened by that.
//!
//! Invariants: a signature serves one token as it is sealed, on the TPM that it is sealed to; sealing anew draws another reference,
//! so a signature that was used is worth nothing afterwards.

use crate::enroll::{passphrase, random, seal};
use crate::protection::{Extra, FIELD};
use crate::unlock::Unlocked;
use crate::{Error, Protection, Result, tokens};
use base64ct::{Base64, Encoding};
use boot_luks::{Storage, Volume};
use boot_policy::{KeyArea, Owner, Token};
use boot_signature::{PublicKey, Signer};
use boot_tpm::{Sealed, Tpm, Transport};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The owner of a disk: whose signature gets past all that a token demands.
#[derive(Debug, Clone)]
pub struct DiskOwner {
    pub(crate) key: PublicKey,
    pub(crate) reference: [u8; 32],
}

impl DiskOwner {
    /// The holder of an RSA key, for a token that is about to be sealed.
    pub fn new(key: PublicKey) -> DiskOwner {
        DiskOwner {
            key,
            reference: *random::<32>(),
        }
    }

    /// Seals a secret for the owner alone: a copy of its own, since a PIN that is forgotten would be needed to read the other from
    /// the TPM unseen.
    pub(crate) fn seal<T: Transport>(&self, tpm: &mut Tpm<T>, secret: &[u8]) -> Result<OwnerField> {
        let owner = Owner {
            key: KeyArea::of(&self.key)?,
            reference: self.reference,
        };
        let parent = tpm.parent()?;
        let sealed = tpm.seal(&parent, &owner.policy(), secret, b"");
        let released = tpm.release(parent);
        let sealed = sealed?;
        released?;
        Ok(OwnerField {
            key: self.key.to_pem()?,
            reference: hex::encode(self.reference),
            blob: Base64::encode_string(&sealed.to_bytes()),
        })
    }
}

/// What a token keeps of its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnerField {
    /// The public key, PEM.
    pub(crate) key: String,
    /// Policy reference, hexadecimal.
    pub(crate) reference: String,
    /// The secret, sealed under the storage root key, base64.
    pub(crate) blob: String,
}

/// What an owner is asked to sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveryRequest {
    /// The disk.
    pub volume: String,
    /// Its token.
    pub token: u32,
    /// The public key that has to sign, PEM.
    pub key: String,
    /// What the signature is for, hexadecimal.
    pub reference: String,
}

/// The owner's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveryToken {
    /// The disk.
    pub volume: String,
    /// Its token.
    pub token: u32,
    /// What the signature is for, hexadecimal.
    pub reference: String,
    /// The signature, base64.
    pub signature: String,
}

/// 32 bytes in hexadecimal.
fn digest(text: &str) -> Option<[u8; 32]> {
    hex::decode(text).ok()?.try_into().ok()
}

impl RecoveryRequest {
    /// The request for a token of a volume.
    ///
    /// # Errors
    /// When there is no such token for a TPM, or it was enrolled without an owner.
    pub fn of<D: Storage>(volume: &Volume<D>, number: u32) -> Result<RecoveryRequest> {
        let (_, owner) = owned(volume, number)?;
        Ok(RecoveryRequest {
            volume: volume.uuid(),
            token: number,
            key: owner.key,
            reference: owner.reference,
        })
    }

    /// Signs it.
    ///
    /// # Errors
    /// When the key is another than the request asks for, or does not sign.
    pub fn sign(&self, signer: &dyn Signer) -> Result<RecoveryToken> {
        let token = self.token;
        if PublicKey::read(self.key.as_bytes())? != *signer.public_key() {
            return Err(Error::Owner {
                token,
                why: "the key is not the one that the token was enrolled with",
            });
        }
        let reference = digest(&self.reference).ok_or(Error::Owner {
            token,
            why: "the request's reference is not 32 bytes in hexadecimal",
        })?;
        let subject = format!("recovery of disk {}, token {token}", self.volume);
        let signature = Owner::sign(&reference, signer, &subject)?;
        Ok(RecoveryToken {
            volume: self.volume.clone(),
            token,
            reference: self.reference.clone(),
            signature: Base64::encode_string(&signature),
        })
    }
}

/// A token that has an owner.
fn owned<D: Storage>(volume: &Volume<D>, number: u32) -> Result<(Token, OwnerField)> {
    let all = tokens(volume.metadata())?;
    let missing = if all.is_empty() {
        Error::NoToken
    } else {
        Error::NotThisToken { token: number }
    };
    let found = all.into_iter().find(|(found, _)| *found == number);
    let (_, token) = found.ok_or(missing)?;
    let extra = token.other.get(FIELD).cloned().unwrap_or_default();
    let extra: Option<Extra> = serde_json::from_value(extra).ok();
    let owner = extra.and_then(|extra| extra.owner).ok_or(Error::Owner {
        token: number,
        why: "it was enrolled without an owner's key",
    })?;
    Ok((token, owner))
}

/// The secret that the owner's signature releases.
fn release<D: Storage, T: Transport>(
    volume: &Volume<D>,
    tpm: &mut Tpm<T>,
    by: &RecoveryToken,
) -> Result<(Token, Zeroizing<Vec<u8>>)> {
    let number = by.token;
    let refused = |why| Error::Owner { token: number, why };
    if by.volume != volume.uuid() {
        return Err(refused("the recovery token is for another disk"));
    }
    let (token, owner) = owned(volume, number)?;
    if by.reference != owner.reference {
        return Err(refused(
            "the recovery token is for an earlier enrolment; it was sealed anew since",
        ));
    }
    let malformed = || refused("its field `rootstock` is malformed");
    let reference = digest(&owner.reference).ok_or_else(malformed)?;
    let signature = Base64::decode_vec(&by.signature)
        .map_err(|_| refused("the recovery token's signature is not base64"))?;
    let key = PublicKey::read(owner.key.as_bytes())?;
    let hash = boot_signature::HashAlgorithm::Sha256;
    let signed = hash.digest(&Owner::to_be_signed(&reference));
    if !key.verifies(hash, &signed, &signature) {
        return Err(refused("the recovery token is not signed by the owner"));
    }
    let blob = owner.blob;
    let owner = Owner {
        key: KeyArea::of(&key)?,
        reference,
    };
    let blob = Base64::decode_vec(&blob).map_err(|_| malformed())?;
    let sealed = Sealed::from_bytes(&blob)?;
    let parent = tpm.parent()?;
    let secret = tpm.unseal_by(
        &parent,
        &sealed,
        &owner.commands(&signature),
        owner.policy(),
        b"",
    );
    let released = tpm.release(parent);
    let secret = secret?;
    released?;
    Ok((token, secret))
}

/// Unlocks a volume for its owner, whatever state the machine is in: another generation, one below the floor, a PIN that was
/// forgotten, a TPM that is locked out.
///
/// # Errors
/// When the recovery token is for another disk or enrolment, not signed by the owner, or the TPM is another.
pub fn recover<D: Storage, T: Transport>(
    volume: &mut Volume<D>,
    tpm: &mut Tpm<T>,
    by: &RecoveryToken,
) -> Result<Unlocked> {
    let (token, secret) = release(volume, tpm, by)?;
    let (keyslot, key) = volume.unlock(passphrase(&secret).as_bytes(), &token.keyslots)?;
    Ok(Unlocked {
        token: by.token,
        keyslot,
        key,
    })
}

/// Seals a token's secret anew for its owner; the recovery token is used up by it.
///
/// # Errors
/// As for [`recover`]; the token is then as it was.
pub fn reseal_as_owner<D: Storage, T: Transport>(
    volume: &mut Volume<D>,
    tpm: &mut Tpm<T>,
    by: &RecoveryToken,
    protection: &Protection,
    pin: &str,
) -> Result<()> {
    let (token, secret) = release(volume, tpm, by)?;
    let (keyslot, _) = volume.unlock(passphrase(&secret).as_bytes(), &token.keyslots)?;
    let token = seal(tpm, protection, &secret, pin, keyslot)?;
    volume.put_token(by.token, token.to_json())?;
    Ok(())
}
