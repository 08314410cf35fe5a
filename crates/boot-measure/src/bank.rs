//! PCR banks and the one operation on a register.

use serde::Serialize;
use sha2::Digest;
use std::fmt;

/// A bank of registers, named by its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Bank {
    /// 20 bytes.
    Sha1,
    /// 32 bytes.
    Sha256,
    /// 48 bytes.
    Sha384,
    /// 64 bytes.
    Sha512,
}

impl Bank {
    /// Every bank, in the order of their TPM numbers.
    pub const ALL: [Bank; 4] = [Bank::Sha1, Bank::Sha256, Bank::Sha384, Bank::Sha512];

    /// TPM_ALG_ID.
    pub fn algorithm(self) -> u16 {
        match self {
            Bank::Sha1 => 0x0004,
            Bank::Sha256 => 0x000b,
            Bank::Sha384 => 0x000c,
            Bank::Sha512 => 0x000d,
        }
    }

    /// The bank of a TPM_ALG_ID.
    pub fn of_algorithm(number: u16) -> Option<Bank> {
        Bank::ALL
            .into_iter()
            .find(|bank| bank.algorithm() == number)
    }

    /// The bank of a name such as `sha256`, in any case.
    pub fn parse(name: &str) -> Option<Bank> {
        Bank::ALL
            .into_iter()
            .find(|bank| bank.as_str().eq_ignore_ascii_case(name))
    }

    /// Bytes of a digest.
    pub fn length(self) -> usize {
        match self {
            Bank::Sha1 => 20,
            Bank::Sha256 => 32,
            Bank::Sha384 => 48,
            Bank::Sha512 => 64,
        }
    }

    /// The name that tools use, such as `sha256`.
    pub fn as_str(self) -> &'static str {
        match self {
            Bank::Sha1 => "sha1",
            Bank::Sha256 => "sha256",
            Bank::Sha384 => "sha384",
            Bank::Sha512 => "sha512",
        }
    }

    /// The digest of all parts together.
    pub fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        fn hash<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
            let mut state = D::new();
            for part in parts {
                state.update(part);
            }
            state.finalize().to_vec()
        }
        match self {
            Bank::Sha1 => hash::<sha1::Sha1>(parts),
            Bank::Sha256 => hash::<sha2::Sha256>(parts),
            Bank::Sha384 => hash::<sha2::Sha384>(parts),
            Bank::Sha512 => hash::<sha2::Sha512>(parts),
        }
    }
}

impl fmt::Display for Bank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One register of one bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// Its bank.
    pub bank: Bank,
    /// Its value.
    pub value: Vec<u8>,
}

impl Register {
    /// As after a reset: zeros.
    pub fn reset(bank: Bank) -> Register {
        Register {
            bank,
            value: vec![0; bank.length()],
        }
    }

    /// Extends by the digest of `data` (all parts together).
    pub fn measure(&mut self, data: &[&[u8]]) {
        self.extend(&self.bank.digest(data));
    }

    /// Extends by a digest of this bank.
    pub fn extend(&mut self, digest: &[u8]) {
        self.value = self.bank.digest(&[&self.value, digest]);
    }
}
