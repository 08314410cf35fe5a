//! The owner's way in: an object that is released to whoever shows a signature of the owner's key.
//!
//! The signature is over a reference and over nothing of the machine or the moment, so it can be made anywhere and sent by any way.
//! The reference is of one sealed object alone: a signature opens no other disk, and none that is sealed anew with another.
//!
//! Source: TPM 2.0 library part 3, 23.3 (PolicySigned): the signed digest is over nonceTPM, expiration, cpHashA and policyRef.

use crate::{Command, KeyArea, PolicyDigest, Result};
use boot_signature::{HashAlgorithm, Request, Signer};

/// The owner of a sealed object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The public key.
    pub key: KeyArea,
    /// Policy reference, of one sealed object alone.
    pub reference: [u8; 32],
}

impl Owner {
    /// The policy of an object that the owner's signature releases.
    pub fn policy(&self) -> PolicyDigest {
        PolicyDigest::START.signed(&self.key.name(), &self.reference)
    }

    /// The commands that a signature leads a session by.
    pub fn commands(&self, signature: &[u8]) -> Vec<Command> {
        vec![Command::Signed {
            key: self.key.clone(),
            reference: self.reference.to_vec(),
            signature: signature.to_vec(),
        }]
    }

    /// What the owner signs: no nonce, no expiration, no command, the reference.
    pub fn to_be_signed(reference: &[u8; 32]) -> Vec<u8> {
        [0_u32.to_be_bytes().as_slice(), reference].concat()
    }

    /// Signs for a reference with an RSA key.
    ///
    /// # Errors
    /// When the key is of another kind or does not sign.
    pub fn sign(reference: &[u8; 32], signer: &dyn Signer, subject: &str) -> Result<Vec<u8>> {
        KeyArea::of(signer.public_key())?;
        let request = Request {
            message: &Owner::to_be_signed(reference),
            hash: HashAlgorithm::Sha256,
            subject,
        };
        Ok(boot_signature::sign_message(signer, request)?)
    }
}
