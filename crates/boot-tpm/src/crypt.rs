//! Key derivation and parameter encryption (part 1, 11.4.10 and 21).

use aes::Aes128;
use cfb_mode::cipher::KeyIvInit;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// HMAC-SHA-256 of all parts together.
pub(crate) fn hmac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("any length is a key");
    for part in parts {
        mac.update(part);
    }
    mac
}

/// SHA-256 of all parts together.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut state = Sha256::new();
    for part in parts {
        state.update(part);
    }
    state.finalize().into()
}

/// KDFa for up to 256 bits: HMAC(key, counter, label, 0, context of both sides, bits).
pub(crate) fn kdfa(key: &[u8], label: &[u8], u: &[u8], v: &[u8]) -> Zeroizing<[u8; 32]> {
    let parts: [&[u8]; 6] = [
        &1_u32.to_be_bytes(),
        label,
        &[0],
        u,
        v,
        &256_u32.to_be_bytes(),
    ];
    Zeroizing::new(hmac(key, &parts).finalize().into_bytes().into())
}

/// KDFe for 256 bits: H(counter, shared secret, label, 0, both points' x).
pub(crate) fn kdfe(secret: &[u8], label: &[u8], u: &[u8], v: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(sha256(&[&1_u32.to_be_bytes(), secret, label, &[0], u, v]))
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Encrypt,
    Decrypt,
}

/// AES-128-CFB over a parameter, key and start value from KDFa of the session's value.
pub(crate) fn cfb(direction: Direction, value: &[u8], newer: &[u8], older: &[u8], data: &mut [u8]) {
    let material = kdfa(value, b"CFB", newer, older);
    let (key, start) = material.split_at(16);
    let (key, start): ([u8; 16], [u8; 16]) = (
        key.try_into().expect("half of 32"),
        start.try_into().expect("half of 32"),
    );
    match direction {
        Direction::Encrypt => {
            cfb_mode::Encryptor::<Aes128>::new(&key.into(), &start.into()).encrypt(data);
        }
        Direction::Decrypt => {
            cfb_mode::Decryptor::<Aes128>::new(&key.into(), &start.into()).decrypt(data);
        }
    }
}
