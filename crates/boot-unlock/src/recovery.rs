//! Recovery keys: 256 bits that a person can write down, photograph as a QR code, and type.
//!
//! Source: systemd's `recovery-key`: modhex, whose letters are in the same places of most keyboards, in eight groups.

use crate::Result;
use crate::enroll::random;
use boot_luks::{Cost, Storage, Volume, VolumeKey};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::json;
use zeroize::Zeroizing;

const ALPHABET: &[u8; 16] = b"cbdefghijklnrtuv";

/// A recovery key; wiped when it is dropped.
pub struct RecoveryKey(Zeroizing<String>);

impl std::fmt::Debug for RecoveryKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryKey(not shown)")
    }
}

impl RecoveryKey {
    /// A new one, by chance.
    pub fn random() -> RecoveryKey {
        RecoveryKey::of(&random::<32>())
    }

    fn of(bytes: &[u8; 32]) -> RecoveryKey {
        let mut text = Zeroizing::new(String::with_capacity(71));
        for (at, byte) in bytes.iter().enumerate() {
            if at > 0 && at % 4 == 0 {
                text.push('-');
            }
            for half in [byte >> 4, byte & 15] {
                text.push(char::from(ALPHABET[usize::from(half)]));
            }
        }
        RecoveryKey(text)
    }

    /// The key that somebody typed: without its hyphens, or in capitals, it is still the same.
    pub fn typed(text: &str) -> Option<RecoveryKey> {
        let letters = || text.bytes().filter(|byte| *byte != b'-');
        let value = |letter: u8| {
            ALPHABET
                .iter()
                .position(|known| *known == letter.to_ascii_lowercase())
        };
        if letters().count() != 64 {
            return None;
        }
        let mut bytes = Zeroizing::new([0; 32]);
        for (at, letter) in letters().enumerate() {
            bytes[at / 2] = bytes[at / 2] << 4 | value(letter)? as u8;
        }
        Some(RecoveryKey::of(&bytes))
    }

    /// The text, which is the passphrase.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as a QR code of half blocks, two rows in a line, for light letters on a dark ground: not every camera's program
    /// reads a code whose colours are exchanged.
    pub fn qr_code(&self) -> Zeroizing<String> {
        let code = QrCode::new(self.0.as_bytes()).expect("71 letters fit into a code");
        let mut picture = code.render::<Dense1x2>();
        picture
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark);
        Zeroizing::new(picture.quiet_zone(true).build())
    }
}

/// Opens a volume by what somebody typed: as it is, and where that is no passphrase as the recovery key that it may be in other
/// letters.
///
/// # Errors
/// When neither opens it.
pub fn unlock_typed<D: Storage>(
    volume: &mut Volume<D>,
    typed: &[u8],
) -> boot_luks::Result<(u32, VolumeKey)> {
    let error = match volume.unlock(typed, &[]) {
        Ok(opened) => return Ok(opened),
        Err(error) => error,
    };
    let text = std::str::from_utf8(typed).ok();
    match text.and_then(RecoveryKey::typed) {
        Some(key) if key.as_str().as_bytes() != typed => {
            volume.unlock(key.as_str().as_bytes(), &[])
        }
        _ => Err(error),
    }
}

/// Adds a keyslot that a new recovery key opens, and systemd's token for it.
///
/// # Errors
/// When there is no room; the volume is then as it was.
pub fn enroll_recovery<D: Storage>(
    volume: &mut Volume<D>,
    (beside, key): (u32, &VolumeKey),
) -> Result<RecoveryKey> {
    let recovery = RecoveryKey::random();
    let keyslot = volume.add_keyslot(beside, key, recovery.as_str().as_bytes(), Cost::Least)?;
    let token = json!({"type": "systemd-recovery", "keyslots": [keyslot.to_string()]});
    if let Err(error) = volume.add_token(token) {
        volume.remove_keyslot(keyslot)?;
        return Err(error.into());
    }
    Ok(recovery)
}

#[cfg(test)]
mod tests {
    use super::RecoveryKey;

    #[test]
    fn a_key_is_eight_groups_of_letters_that_keyboards_agree_on() {
        let bytes: [u8; 32] = std::array::from_fn(|at| at as u8 * 8);
        let key = RecoveryKey::of(&bytes);
        assert_eq!(
            key.as_str(),
            "cccjbcbj-dcdjecej-fcfjgcgj-hchjicij-jcjjkckj-lcljncnj-rcrjtctj-ucujvcvj"
        );
        assert!(key.qr_code().lines().count() > 10);
        for typed in [
            key.as_str().to_owned(),
            key.as_str().to_uppercase(),
            key.as_str().replace('-', ""),
        ] {
            let read = RecoveryKey::typed(&typed).expect("it is one");
            assert_eq!(read.as_str(), key.as_str());
        }
        for other in [&key.as_str()[1..], &key.as_str().replace('c', "a"), ""] {
            assert!(RecoveryKey::typed(other).is_none(), "{other}");
        }
    }
}
