//! The short name of some bytes.

use sha2::{Digest, Sha256};

/// The first 64 bits of SHA-256, in hexadecimal: enough to tell one page or file from its next version.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let first = digest.first_chunk().expect("SHA-256 has 32 bytes");
    format!("{:016x}", u64::from_be_bytes(*first))
}
