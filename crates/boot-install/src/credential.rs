//! Telling a credential that systemd-creds encrypted from a plain file.
//!
//! Source: systemd's `creds-util.c`, `struct encrypted_credential_header`: 16 bytes that name the kind of key, then sizes of
//! key, block, initialisation vector and tag, 32 bits each, little-endian; in a file usually as Base64.

/// Largest credential that the service manager takes is 1 MiB of content; encoded it is longer.
pub(crate) const MAX_CREDENTIAL: usize = 2 * 1024 * 1024;

/// The kind of key that protects nothing: systemd-creds uses it where there is neither TPM nor host key.
const NULL_KEY: [u8; 16] = [
    0x05, 0x84, 0x69, 0xda, 0xf6, 0xf5, 0x43, 0x24, 0x80, 0x05, 0x49, 0xda, 0x0f, 0x8e, 0xa2, 0xfb,
];

/// True for the form that `systemd-creds encrypt` writes, encoded or not, unless it was made with the key that protects
/// nothing.
pub fn is_encrypted(file: &[u8]) -> bool {
    if file.len() > MAX_CREDENTIAL {
        return false;
    }
    has_header(file) || decode_start(file).is_some_and(|bytes| has_header(&bytes))
}

/// AES-256-GCM: key of 32 bytes, blocks of 1, vector of 12, tag of 16.
fn has_header(bytes: &[u8]) -> bool {
    let word = |at: usize| {
        let word = bytes.get(at..at + 4)?;
        Some(u32::from_le_bytes(word.try_into().ok()?))
    };
    let sizes = [word(16), word(20), word(24), word(28)];
    sizes == [Some(32), Some(1), Some(12), Some(16)] && !bytes.starts_with(&NULL_KEY)
}

/// The first 48 bytes of Base64 text; line breaks are allowed.
fn decode_start(file: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = file
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .take(64)
        .map(|byte| match byte {
            b'A'..=b'Z' => Some(byte - b'A'),
            b'a'..=b'z' => Some(byte - b'a' + 26),
            b'0'..=b'9' => Some(byte - b'0' + 52),
            b'+' => Some(62),
            b'/' => Some(63),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let quads = digits.as_chunks::<4>().0;
    Some(
        quads
            .iter()
            .flat_map(|[a, b, c, d]| [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d])
            .collect(),
    )
}
