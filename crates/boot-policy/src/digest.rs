//! The digest of a policy session, and what each policy command makes of it: what a TPM computes, without one.
//!
//! Invariant: every session is SHA-256, whatever bank the registers are of; the digest of a session is a value that the
//! commands in order lead to and nothing else does.
//!
//! Source: TPM 2.0 library part 3, chapter 23 (the commands' own descriptions of `policyDigest`), and part 1, 19.7.

use crate::{Error, Name, PcrSet, Result};
use boot_measure::Bank;

/// Most digests that PolicyOR takes (TPML_DIGEST, part 2, 10.9.4).
pub const MAX_ALTERNATIVES: usize = 8;

/// Command codes (part 2, 6.5.2).
mod code {
    pub(super) const NV: u32 = 0x0000_0149;
    pub(super) const AUTHORIZE: u32 = 0x0000_016a;
    pub(super) const AUTH_VALUE: u32 = 0x0000_016b;
    pub(super) const COMMAND_CODE: u32 = 0x0000_016c;
    pub(super) const OR: u32 = 0x0000_0171;
    pub(super) const PCR: u32 = 0x0000_017f;
    pub(super) const SIGNED: u32 = 0x0000_0160;
    pub(super) const AUTHORIZE_NV: u32 = 0x0000_0192;
}

/// How PolicyNV compares what an index holds (its first operand) with a number (TPM_EO, part 2, 6.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Equal,
    /// The index holds at most the number, both without a sign.
    AtMost,
    /// The index holds at least the number, both without a sign.
    AtLeast,
}

impl Comparison {
    /// TPM_EO.
    pub fn operation(self) -> u16 {
        match self {
            Comparison::Equal => 0x0000,
            Comparison::AtLeast => 0x0007,
            Comparison::AtMost => 0x0009,
        }
    }

    /// True when the TPM would let `held` pass.
    pub fn holds(self, held: u64, number: u64) -> bool {
        match self {
            Comparison::Equal => held == number,
            Comparison::AtMost => held <= number,
            Comparison::AtLeast => held >= number,
        }
    }
}

/// The digest of a session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PolicyDigest(pub [u8; 32]);

impl std::fmt::Debug for PolicyDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Display for PolicyDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let digest = Bank::Sha256.digest(parts);
    digest.try_into().expect("SHA-256 has 32 bytes")
}

impl PolicyDigest {
    /// As a session starts: zeros.
    pub const START: PolicyDigest = PolicyDigest([0; 32]);

    /// Reads the bytes of a digest.
    pub fn from_bytes(bytes: &[u8]) -> Result<PolicyDigest> {
        let bytes = bytes.try_into().map_err(|_| Error::Invalid {
            what: "policy digest".to_owned(),
            why: "it has not 32 bytes",
        })?;
        Ok(PolicyDigest(bytes))
    }

    fn then(self, code: u32, arguments: &[&[u8]]) -> PolicyDigest {
        let code = code.to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![&self.0, &code];
        parts.extend(arguments);
        PolicyDigest(sha256(&parts))
    }

    /// The common second half of PolicyAuthorize and PolicySigned (part 1, 19.7.11, `PolicyUpdate`).
    fn update(self, code: u32, name: &Name, reference: &[u8]) -> PolicyDigest {
        let first = self.then(code, &[name.as_bytes()]);
        PolicyDigest(sha256(&[&first.0, reference]))
    }

    /// PolicyPCR: these registers have these values.
    pub fn pcr(self, registers: &PcrSet) -> PolicyDigest {
        self.then(
            code::PCR,
            &[&registers.selection(), &sha256(&registers.in_order())],
        )
    }

    /// PolicyOR: one of two to eight. What came before is forgotten, so each alternative has to hold it already.
    pub fn or(alternatives: &[PolicyDigest]) -> Result<PolicyDigest> {
        if !(2..=MAX_ALTERNATIVES).contains(&alternatives.len()) {
            return Err(Error::Invalid {
                what: format!("{} alternatives", alternatives.len()),
                why: "PolicyOR takes two to eight",
            });
        }
        let parts: Vec<&[u8]> = alternatives.iter().map(|one| one.0.as_slice()).collect();
        Ok(PolicyDigest::START.then(code::OR, &parts))
    }

    /// PolicyAuthorize: what was checked before is what the key signed. It replaces the digest, so it stands first.
    pub fn authorize(key: &Name, reference: &[u8]) -> PolicyDigest {
        PolicyDigest::START.update(code::AUTHORIZE, key, reference)
    }

    /// PolicyAuthorizeNV: what was checked before is what the index holds. It replaces the digest, so it stands first.
    pub fn authorize_nv(index: &Name) -> PolicyDigest {
        PolicyDigest::START.then(code::AUTHORIZE_NV, &[index.as_bytes()])
    }

    /// PolicyAuthValue: the object's own authorisation value is given, as a PIN is.
    pub fn auth_value(self) -> PolicyDigest {
        self.then(code::AUTH_VALUE, &[])
    }

    /// PolicySigned: the key signed the session's nonce.
    pub fn signed(self, key: &Name, reference: &[u8]) -> PolicyDigest {
        self.update(code::SIGNED, key, reference)
    }

    /// PolicyCommandCode: the session serves one command only.
    pub fn command_code(self, command: u32) -> PolicyDigest {
        self.then(code::COMMAND_CODE, &[&command.to_be_bytes()])
    }

    /// PolicyNV: what the index holds from its start compares so with the number, of eight bytes.
    pub fn nv(self, index: &Name, comparison: Comparison, number: u64) -> PolicyDigest {
        let offset = 0_u16.to_be_bytes();
        let operation = comparison.operation().to_be_bytes();
        let arguments = sha256(&[&number.to_be_bytes(), &offset, &operation]);
        self.then(code::NV, &[&arguments, index.as_bytes()])
    }
}
