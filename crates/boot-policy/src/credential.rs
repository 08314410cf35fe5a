//! A stored policy as a credential beside an image: how systemd-pcrlock hands `pcrlock.json` to an initrd on the system partition.
//!
//! The form is that of systemd's encrypted credentials with the key that protects nothing (`systemd-creds --with-key=null`, before
//! systemd 253 `tpm2-absent`). A stored policy holds no secret, and what the index does not hold is not believed.
//!
//! Invariants: what is written is read again as the same document; every length is checked before it is believed; a credential that
//! needs a key is refused as one.
//!
//! Source: systemd's `creds-util.c` (`encrypted_credential_header`, `metadata_credential_header`).

use crate::{Error, MAX_STORED, Result, StoredPolicy};
use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use base64ct::{Base64, Encoding};
use boot_measure::Bank;

/// Longest file that is read: a document of the greatest length in base64, with line breaks and headers.
pub const MAX_CREDENTIAL: usize = MAX_STORED / 2 * 3;
/// What a credential that protects nothing starts with.
const NULL_KEY: [u8; 16] = [
    0x05, 0x84, 0x69, 0xda, 0xf6, 0xf5, 0x43, 0x24, 0x80, 0x05, 0x49, 0xda, 0x0f, 0x8e, 0xa2, 0xfb,
];
/// Bytes of AES-256-GCM's key, block (a stream's), vector and tag.
const SIZES: [u32; 4] = [32, 1, 12, 16];
/// Bytes of the header, with its padding to eight; the vector ends four before.
const HEADER: usize = 48;
const VECTOR: std::ops::Range<usize> = 32..44;
/// Bytes of times and the name's length, before the name.
const METADATA: usize = 20;
/// Longest name of a credential.
const MAX_NAME: usize = 255;

fn wrong(why: &'static str) -> Error {
    Error::Invalid {
        what: "stored policy's credential".to_owned(),
        why,
    }
}

/// The key that protects nothing: the hash of no key at all.
fn cipher() -> Aes256Gcm {
    let key = Bank::Sha256.digest(&[]);
    Aes256Gcm::new_from_slice(&key).expect("SHA-256 is as long as a key")
}

fn header(vector: [u8; 12]) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..16].copy_from_slice(&NULL_KEY);
    for (place, size) in header[16..32].chunks_exact_mut(4).zip(SIZES) {
        place.copy_from_slice(&size.to_le_bytes());
    }
    header[VECTOR].copy_from_slice(&vector);
    header
}

/// Where the content starts, behind a name of so many bytes.
fn content_after(name: usize) -> usize {
    (METADATA + name).next_multiple_of(8)
}

/// What a credential holds.
fn decrypt(text: &[u8]) -> Result<Vec<u8>> {
    let digits: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let digits = std::str::from_utf8(&digits).map_err(|_| wrong("it is not base64"))?;
    let bytes = Base64::decode_vec(digits).map_err(|_| wrong("it is not base64"))?;
    let (start, encrypted) = bytes
        .split_first_chunk::<HEADER>()
        .ok_or_else(|| wrong("it ends in its header"))?;
    let vector: [u8; 12] = start[VECTOR].try_into().expect("the range has twelve");
    if !start.starts_with(&NULL_KEY) {
        return Err(wrong(
            "it is encrypted for a key of the host or its TPM, which an initrd has not; none is needed",
        ));
    }
    if *start != header(vector) {
        return Err(wrong("its header is of another form"));
    }
    let whole = Payload {
        msg: encrypted,
        aad: start,
    };
    let mut plain = cipher()
        .decrypt(&vector.into(), whole)
        .map_err(|_| wrong("it was cut off or changed"))?;
    let name = plain
        .get(16..METADATA)
        .and_then(|length| length.try_into().ok())
        .map(|length| u32::from_le_bytes(length) as usize)
        .filter(|length| *length <= MAX_NAME)
        .ok_or_else(|| wrong("its name is longer than 255 bytes"))?;
    let from = content_after(name);
    if from > plain.len() {
        return Err(wrong("it ends in its name"));
    }
    Ok(plain.split_off(from))
}

impl StoredPolicy {
    /// The document as a credential of this name, which never expires. The same document gives the same bytes: its time is 1970, and
    /// its vector, which protects nothing, comes from the document.
    ///
    /// # Errors
    /// When the name is longer than 255 bytes.
    pub fn to_credential(&self, name: &str) -> Result<String> {
        if name.len() > MAX_NAME {
            return Err(wrong("its name is longer than 255 bytes"));
        }
        let json = self.to_json()?;
        let mut vector = [0; 12];
        let hash = Bank::Sha256.digest(&[json.as_bytes()]);
        vector.copy_from_slice(&hash[..12]);
        let mut plain = vec![0; 8];
        plain.extend(u64::MAX.to_le_bytes());
        plain.extend((name.len() as u32).to_le_bytes());
        plain.extend(name.as_bytes());
        plain.resize(content_after(name.len()), 0);
        plain.extend(json.as_bytes());
        let header = header(vector);
        let whole = Payload {
            msg: &plain,
            aad: &header,
        };
        let encrypted = cipher()
            .encrypt(&vector.into(), whole)
            .map_err(|_| wrong("the document is too long"))?;
        Ok(Base64::encode_string(&[&header[..], &encrypted].concat()) + "\n")
    }

    /// Reads what lies beside an image: a credential that protects nothing, or the document itself.
    ///
    /// # Errors
    /// As for [`StoredPolicy::from_json`], and when the credential is longer than 12 MiB, needs a key, or was changed.
    pub fn from_credential(file: &[u8]) -> Result<StoredPolicy> {
        if file.len() > MAX_CREDENTIAL {
            return Err(wrong("it is longer than 12 MiB"));
        }
        if file.trim_ascii_start().starts_with(b"{") {
            return StoredPolicy::from_json(file);
        }
        StoredPolicy::from_json(&decrypt(file)?)
    }
}
