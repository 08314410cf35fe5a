//! PINs, as systemd turns them into a TPM's authorisation value.

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Rounds of PBKDF2 over a salted PIN (systemd's `tpm2_util_pbkdf2_hmac_sha256`).
const ROUNDS: u32 = 10_000;

/// The authorisation value of a PIN. Since systemd 253 tokens have a salt, and the PIN is stretched before it is hashed.
pub(crate) fn authorisation(pin: &str, salt: Option<&[u8]>) -> Zeroizing<[u8; 32]> {
    let stretched = salt.map(|salt| {
        let mut key = Zeroizing::new([0; 32]);
        pbkdf2::pbkdf2_hmac::<Sha256>(pin.as_bytes(), salt, ROUNDS, key.as_mut_slice());
        Zeroizing::new(Base64::encode_string(&*key))
    });
    let text = stretched.as_ref().map_or(pin, |text| text.as_str());
    Zeroizing::new(Sha256::digest(text.as_bytes()).into())
}
