//! Names of TPM objects, and public areas of NV indices, from which names follow.
//!
//! Source: TPM 2.0 library part 1, 16 (names) and part 2, 13.4 and 13.5 (TPMA_NV, TPMS_NV_PUBLIC).

use crate::{Error, Result};
use boot_measure::Bank;

/// TPM_ALG_SHA256.
const SHA256: u16 = 0x000b;
/// Longest NV index that is described here.
const MAX_NV_SIZE: u16 = 2048;

/// A name: the number of a digest algorithm, then the digest of the public area.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Vec<u8>);

impl Name {
    /// The name of a public area (TPMT_PUBLIC or TPMS_NV_PUBLIC) whose name algorithm is SHA-256.
    pub fn of_public(area: &[u8]) -> Name {
        let mut name = SHA256.to_be_bytes().to_vec();
        name.extend(Bank::Sha256.digest(&[area]));
        Name(name)
    }

    /// Reads a name, as a TPM answers it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Name> {
        let known = bytes
            .split_first_chunk::<2>()
            .and_then(|(number, digest)| {
                Some((Bank::of_algorithm(u16::from_be_bytes(*number))?, digest))
            })
            .is_some_and(|(bank, digest)| digest.len() == bank.length());
        if !known {
            return Err(Error::Invalid {
                what: "name of a TPM object".to_owned(),
                why: "it is no algorithm and a digest of its length",
            });
        }
        Ok(Name(bytes.to_vec()))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The public area of a key whose signatures a policy accepts (TPMT_PUBLIC), as it is loaded to check them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyArea(Vec<u8>);

impl KeyArea {
    /// An RSA key as systemd loads it: usable to sign and to decrypt, no scheme, no policy (systemd's `tpm2-util`;
    /// `tpm2_loadexternal` makes the same area of the same file).
    ///
    /// # Errors
    /// When the modulus has another length than 1024, 2048, 3072 or 4096 bits.
    pub fn rsa(modulus: &[u8], exponent: u32) -> Result<KeyArea> {
        /// TPMA_OBJECT: userWithAuth, decrypt, sign.
        const ATTRIBUTES: u32 = 1 << 6 | 1 << 17 | 1 << 18;
        const RSA: u16 = 0x0001;
        const NULL: u16 = 0x0010;
        let bits = u16::try_from(modulus.len() * 8)
            .ok()
            .filter(|bits| matches!(bits, 1024 | 2048 | 3072 | 4096));
        let bits = bits.ok_or(Error::Invalid {
            what: "key".to_owned(),
            why: "it is not RSA of 1024, 2048, 3072 or 4096 bits",
        })?;
        let mut area = Vec::new();
        area.extend(RSA.to_be_bytes());
        area.extend(SHA256.to_be_bytes());
        area.extend(ATTRIBUTES.to_be_bytes());
        area.extend(0_u16.to_be_bytes());
        area.extend(NULL.to_be_bytes());
        area.extend(NULL.to_be_bytes());
        area.extend(bits.to_be_bytes());
        // The usual exponent could be zero (part 2, 12.2.3.5); systemd and tpm2-tools write it out, and the name depends on it.
        area.extend(exponent.to_be_bytes());
        area.extend((modulus.len() as u16).to_be_bytes());
        area.extend(modulus);
        Ok(KeyArea(area))
    }

    /// A secret of up to 64 bytes that signs by HMAC-SHA-256, as systemd-pcrlock makes one of its recovery PIN: no seed, so that
    /// the same secret has the same name. `unique` is SHA-256 of 32 zeros and the secret (part 1, 27.5.3.2).
    pub fn hmac(unique: &[u8; 32]) -> KeyArea {
        /// TPMA_OBJECT: sign.
        const ATTRIBUTES: u32 = 1 << 18;
        const KEYED_HASH: u16 = 0x0008;
        const HMAC: u16 = 0x0005;
        let mut area = Vec::new();
        area.extend(KEYED_HASH.to_be_bytes());
        area.extend(SHA256.to_be_bytes());
        area.extend(ATTRIBUTES.to_be_bytes());
        area.extend(0_u16.to_be_bytes());
        area.extend(HMAC.to_be_bytes());
        area.extend(SHA256.to_be_bytes());
        area.extend(32_u16.to_be_bytes());
        area.extend(unique);
        KeyArea(area)
    }

    /// The area of a public key, which must be RSA.
    ///
    /// # Errors
    /// When it is of another kind or length.
    pub fn of(key: &boot_signature::PublicKey) -> Result<KeyArea> {
        let (modulus, exponent) = key.rsa_numbers().ok_or(Error::Invalid {
            what: "key".to_owned(),
            why: "signed policies need an RSA key",
        })?;
        KeyArea::rsa(&modulus, exponent)
    }

    /// The area.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key's name.
    pub fn name(&self) -> Name {
        Name::of_public(&self.0)
    }
}

/// What an NV index is, and who may do what with it (TPMA_NV).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NvAttributes(pub u32);

impl NvAttributes {
    /// The owner writes with the owner's authorisation.
    pub const OWNER_WRITE: NvAttributes = NvAttributes(1 << 1);
    /// Whoever satisfies the index's policy writes.
    pub const POLICY_WRITE: NvAttributes = NvAttributes(1 << 3);
    /// A counter (TPM_NT 1), which only NV_Increment changes.
    pub const COUNTER: NvAttributes = NvAttributes(1 << 4);
    /// Only whole contents are written.
    pub const WRITE_ALL: NvAttributes = NvAttributes(1 << 12);
    /// The owner reads.
    pub const OWNER_READ: NvAttributes = NvAttributes(1 << 17);
    /// Whoever knows the index's authorisation value reads: anybody, when it is empty.
    pub const AUTH_READ: NvAttributes = NvAttributes(1 << 18);
    /// Whoever satisfies the index's policy reads.
    pub const POLICY_READ: NvAttributes = NvAttributes(1 << 19);
    /// Failed authorisations do not lock the TPM out.
    pub const NO_LOCKOUT: NvAttributes = NvAttributes(1 << 25);
    /// It was written once.
    pub const WRITTEN: NvAttributes = NvAttributes(1 << 29);

    /// Both.
    #[must_use]
    pub const fn and(self, other: NvAttributes) -> NvAttributes {
        NvAttributes(self.0 | other.0)
    }

    /// True when all of `other` are set.
    pub const fn has(self, other: NvAttributes) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The public area of an NV index (TPMS_NV_PUBLIC), whose name algorithm is SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NvPublic {
    /// Handle, 0x01000000 to 0x01ffffff.
    pub index: u32,
    /// Attributes.
    pub attributes: NvAttributes,
    /// The policy of those operations that the attributes leave to it; empty for none.
    pub policy: Vec<u8>,
    /// Bytes that it holds.
    pub size: u16,
}

impl NvPublic {
    /// Where systemd's pcrlock keeps a policy: TPMT_HA of SHA-256, whole writes by the policy alone, read by the owner.
    pub fn of_pcrlock(index: u32, write_policy: &[u8; 32]) -> NvPublic {
        NvPublic {
            index,
            attributes: NvAttributes::WRITE_ALL
                .and(NvAttributes::POLICY_WRITE)
                .and(NvAttributes::OWNER_READ),
            policy: write_policy.to_vec(),
            size: 34,
        }
    }

    /// A counter that the owner raises and anybody reads: the floor of security epochs.
    pub fn of_floor(index: u32) -> NvPublic {
        NvPublic {
            index,
            attributes: NvAttributes::COUNTER
                .and(NvAttributes::OWNER_WRITE)
                .and(NvAttributes::OWNER_READ)
                .and(NvAttributes::AUTH_READ)
                .and(NvAttributes::NO_LOCKOUT),
            policy: Vec::new(),
            size: 8,
        }
    }

    /// The same index once it was written: its name in policies.
    #[must_use]
    pub fn written(&self) -> NvPublic {
        NvPublic {
            attributes: self.attributes.and(NvAttributes::WRITTEN),
            ..self.clone()
        }
    }

    /// As a TPM marshals it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.index.to_be_bytes().to_vec();
        bytes.extend(SHA256.to_be_bytes());
        bytes.extend(self.attributes.0.to_be_bytes());
        bytes.extend((self.policy.len() as u16).to_be_bytes());
        bytes.extend(&self.policy);
        bytes.extend(self.size.to_be_bytes());
        bytes
    }

    /// Reads what a TPM marshals.
    pub fn from_bytes(bytes: &[u8]) -> Result<NvPublic> {
        let wrong = |why| Error::Invalid {
            what: "public area of an NV index".to_owned(),
            why,
        };
        let short = || wrong("it ends early");
        let (index, rest) = bytes.split_first_chunk::<4>().ok_or_else(short)?;
        let (algorithm, rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
        let (attributes, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (policy, rest) = rest.split_at_checked(length).ok_or_else(short)?;
        let (size, rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
        if u16::from_be_bytes(*algorithm) != SHA256 {
            return Err(wrong("its name algorithm is not SHA-256"));
        }
        if !matches!(length, 0 | 32) {
            return Err(wrong("its policy is no SHA-256 digest"));
        }
        let size = u16::from_be_bytes(*size);
        if size > MAX_NV_SIZE {
            return Err(wrong("it holds more than 2048 bytes"));
        }
        if !rest.is_empty() {
            return Err(wrong("something follows it"));
        }
        Ok(NvPublic {
            index: u32::from_be_bytes(*index),
            attributes: NvAttributes(u32::from_be_bytes(*attributes)),
            policy: policy.to_vec(),
            size,
        })
    }

    /// Its name, which changes when it is first written.
    pub fn name(&self) -> Name {
        Name::of_public(&self.to_bytes())
    }
}
