//! The policy digest, what is signed of it, and the signature.

use crate::{Error, Result, SignedPolicy};
use boot_measure::{Bank, Register};
use boot_signature::{HashAlgorithm, PublicKey, Request, Signer};

/// TPM2_CC_PolicyPCR.
const POLICY_PCR: u32 = 0x0000_017f;
/// Longest policy reference: a digest of the session's algorithm.
pub const MAX_REFERENCE: usize = 32;

/// The digest of a SHA-256 policy session after PolicyPCR on one register.
pub fn pcr_policy(pcr: u8, register: &Register) -> Vec<u8> {
    let mut select = [0_u8; 3];
    select[usize::from(pcr / 8)] |= 1 << (pcr % 8);
    let mut selection = 1_u32.to_be_bytes().to_vec();
    selection.extend(register.bank.algorithm().to_be_bytes());
    selection.push(select.len() as u8);
    selection.extend(select);
    // The values are hashed by the session's algorithm, whatever the bank.
    let values = Bank::Sha256.digest(&[&register.value]);
    Bank::Sha256.digest(&[&[0; 32], &POLICY_PCR.to_be_bytes(), &selection, &values])
}

/// The digest of a bank's signatures: systemd-measure 252 signs by the bank's own algorithm, SHA-1 included.
fn hash(bank: Bank) -> HashAlgorithm {
    match bank {
        Bank::Sha1 => HashAlgorithm::Sha1,
        Bank::Sha256 => HashAlgorithm::Sha256,
        Bank::Sha384 => HashAlgorithm::Sha384,
        Bank::Sha512 => HashAlgorithm::Sha512,
    }
}

/// What the key signs: the policy digest, then the policy reference.
pub fn to_be_signed(policy: &[u8], reference: &[u8]) -> Vec<u8> {
    [policy, reference].concat()
}

/// Signs the policy "PCR 11 has this value" with an RSA key; `reference` may be empty.
pub fn sign(
    register: &Register,
    reference: &[u8],
    signer: &dyn Signer,
    subject: &str,
) -> Result<SignedPolicy> {
    if reference.len() > MAX_REFERENCE {
        return Err(Error::Invalid {
            what: "policy reference".to_owned(),
            why: "it is longer than 32 bytes",
        });
    }
    let policy = pcr_policy(11, register);
    let message = to_be_signed(&policy, reference);
    let signature = boot_signature::sign_message(
        signer,
        Request {
            message: &message,
            hash: hash(register.bank),
            subject,
        },
    )?;
    Ok(SignedPolicy {
        pcrs: vec![11],
        key: HashAlgorithm::Sha256.digest(&signer.public_key().pkcs1_der()?),
        policy,
        signature,
        reference: reference.to_vec(),
    })
}

/// True when `key` signed exactly this policy for this register.
pub fn verifies(signed: &SignedPolicy, register: &Register, key: &PublicKey) -> bool {
    let policy = pcr_policy(11, register);
    let message = to_be_signed(&policy, &signed.reference);
    let hash = hash(register.bank);
    signed.pcrs == [11]
        && signed.policy == policy
        && key
            .pkcs1_der()
            .is_ok_and(|der| HashAlgorithm::Sha256.digest(&der) == signed.key)
        && key.verifies(hash, &hash.digest(&message), &signed.signature)
}
