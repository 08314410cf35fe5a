//! GUIDs in EFI's mixed-endian form, and the ones that Secure Boot uses.

use crate::Error;
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Sixteen bytes as EFI stores them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// From the number that the text form shows, read as one big-endian integer.
    pub const fn from_u128(number: u128) -> Guid {
        let b = number.to_be_bytes();
        Guid([
            b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13],
            b[14], b[15],
        ])
    }

    /// A GUID that follows from bytes (the first half of a SHA-256, say), marked as version 8.
    pub fn from_hash(hash: &[u8; 16]) -> Guid {
        let mut b = *hash;
        b[6] = b[6] & 0x0f | 0x80;
        b[8] = b[8] & 0x3f | 0x80;
        Guid::from_u128(u128::from_be_bytes(b))
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let b = &self.0;
        write!(
            f,
            "{:02x}{:02x}{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}-",
            b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9]
        )?;
        b[10..].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Guid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Guid, Error> {
        let wrong = || Error::Guid {
            text: text.chars().take(64).collect(),
        };
        let groups: Vec<&str> = text.split('-').collect();
        let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
        let digits = groups
            .iter()
            .all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()));
        if lengths != [8, 4, 4, 4, 12] || !digits {
            return Err(wrong());
        }
        let number = u128::from_str_radix(&groups.concat(), 16).map_err(|_| wrong())?;
        Ok(Guid::from_u128(number))
    }
}

impl Serialize for Guid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// GUIDs by name.
pub mod guids {
    use super::Guid;

    /// Vendor of PK, KEK, SecureBoot, SetupMode.
    pub const GLOBAL: Guid = Guid::from_u128(0x8be4df61_93ca_11d2_aa0d_00e098032b8c);
    /// Vendor of db and dbx.
    pub const SECURITY_DATABASE: Guid = Guid::from_u128(0xd719b2cb_3d3a_4596_a3bc_dad00e67656f);
    /// Vendor of shim's variables.
    pub const SHIM: Guid = Guid::from_u128(0x605dab50_e046_4300_abb6_3dd810dd8b23);
    /// Vendor of EDK II's SecureBootEnable.
    pub const SECURE_BOOT_ENABLE: Guid = Guid::from_u128(0xf0a30bc7_af08_4556_99c4_001009c93a44);
    /// Vendor of EDK II's CustomMode.
    pub const CUSTOM_MODE: Guid = Guid::from_u128(0xc076ec0c_7028_4399_a072_71ee5c448b9f);
    /// Certificate type of time-authenticated updates.
    pub const PKCS7: Guid = Guid::from_u128(0x4aafd29d_68df_49ee_8aa9_347d375665a7);
    /// Entry type: X.509 certificate.
    pub const X509: Guid = Guid::from_u128(0xa5c059a1_94e4_4aa7_87b5_ab155c2bf072);
    /// Entry type: SHA-1 of an image.
    pub const SHA1: Guid = Guid::from_u128(0x826ca512_cf10_4ac9_b187_be01496631bd);
    /// Entry type: SHA-256 of an image.
    pub const SHA256: Guid = Guid::from_u128(0xc1c41626_504c_4092_aca9_41f936934328);
    /// Entry type: SHA-384 of an image.
    pub const SHA384: Guid = Guid::from_u128(0xff3e5307_9fd0_48c9_85f1_8ad56c701e01);
    /// Entry type: SHA-512 of an image.
    pub const SHA512: Guid = Guid::from_u128(0x093e0fae_a6c4_4f50_9f1b_d41e2b89c19a);
    /// Entry type: SHA-256 of a certificate's signed part, with a time.
    pub const X509_SHA256: Guid = Guid::from_u128(0x3bd2a492_96c0_4079_b420_fcf98ef103ed);
    /// Entry type: SHA-384 of a certificate's signed part, with a time.
    pub const X509_SHA384: Guid = Guid::from_u128(0x7076876e_80c2_4ee6_aad2_28b349a6865b);
    /// Entry type: SHA-512 of a certificate's signed part, with a time.
    pub const X509_SHA512: Guid = Guid::from_u128(0x446dbf63_2502_4cda_bcfa_2465d2b0fe9d);
}
