//! Signed policies: what a key says of PCR 11, and of the floor below which a generation may not unlock.
//!
//! Invariant: what is signed is the digest that the rules compile to, so a signature says nothing that a TPM does not check.

use crate::{
    Comparison, NvPublic, PcrSet, Policy, PolicyDigest, PolicyReference, Result, Rule, SignedPolicy,
};
use boot_measure::{Bank, Register};
use boot_signature::{HashAlgorithm, PublicKey, Request, Signer};

/// The security epoch of a generation, and the counter that says which epochs are revoked: a policy with it holds only
/// while the counter is at or below the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Floor {
    /// Handle of the counter; its public area is [`NvPublic::of_floor`].
    pub index: u32,
    /// What the counter may hold at most: where it started, and the generation's epoch.
    pub epoch: u64,
}

impl Floor {
    /// The condition that the TPM checks: its counter is at or below the epoch.
    pub(crate) fn rule(self) -> Rule {
        Rule::Counter {
            index: NvPublic::of_floor(self.index).written(),
            comparison: Comparison::AtMost,
            number: self.epoch,
        }
    }
}

/// What a signed policy is about.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// PCR 11.
    pub register: &'a Register,
    /// The floor; none for a policy that systemd unlocks with.
    pub floor: Option<Floor>,
    /// Policy reference.
    pub reference: &'a PolicyReference,
}

impl Claim<'_> {
    /// The rules that are signed.
    ///
    /// # Errors
    /// When the register's value has not its bank's length.
    pub fn rules(&self) -> Result<Vec<Rule>> {
        let value = self.register.value.clone();
        let mut rules = vec![Rule::Registers(PcrSet::new(
            self.register.bank,
            [(11, value)],
        )?)];
        rules.extend(self.floor.map(Floor::rule));
        Ok(rules)
    }

    fn digest(&self) -> Result<PolicyDigest> {
        Policy::of(self.rules()?).digest()
    }
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
pub fn to_be_signed(policy: &PolicyDigest, reference: &PolicyReference) -> Vec<u8> {
    [policy.0.as_slice(), &reference.bytes()].concat()
}

/// Signs a claim with an RSA key.
///
/// # Errors
/// When the register's value has not its bank's length, or the key does not sign.
pub fn sign(claim: Claim<'_>, signer: &dyn Signer, subject: &str) -> Result<SignedPolicy> {
    let policy = claim.digest()?;
    let signature = boot_signature::sign_message(
        signer,
        Request {
            message: &to_be_signed(&policy, claim.reference),
            hash: hash(claim.register.bank),
            subject,
        },
    )?;
    Ok(SignedPolicy {
        pcrs: vec![11],
        key: HashAlgorithm::Sha256.digest(&signer.public_key().pkcs1_der()?),
        policy,
        signature,
        reference: claim.reference.clone(),
        floor: claim.floor,
    })
}

/// True when `key` signed exactly this policy for this register, with the floor and the reference that it states.
pub fn verifies(signed: &SignedPolicy, register: &Register, key: &PublicKey) -> bool {
    let claim = Claim {
        register,
        floor: signed.floor,
        reference: &signed.reference,
    };
    let message = to_be_signed(&signed.policy, &signed.reference);
    let hash = hash(register.bank);
    signed.pcrs == [11]
        && claim.digest().is_ok_and(|policy| policy == signed.policy)
        && key
            .pkcs1_der()
            .is_ok_and(|der| HashAlgorithm::Sha256.digest(&der) == signed.key)
        && key.verifies(hash, &hash.digest(&message), &signed.signature)
}
