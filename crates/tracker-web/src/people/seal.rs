//! What a provider gave, kept so that only the bearer of a session or token can have it opened.
//!
//! Invariant: the database alone opens nothing: the key is made of a secret of which it has only a hash.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use tracker_people::Secret;

fn key(secret: &Secret) -> LessSafeKey {
    let key = UnboundKey::new(&CHACHA20_POLY1305, &secret.sealing_key());
    LessSafeKey::new(key.expect("the key has the cipher's length"))
}

/// A key seals one text only: a secret is made for one session or token, which is written once.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

/// Seals a text.
pub(crate) fn seal(secret: &Secret, text: &str) -> Vec<u8> {
    let mut sealed = text.as_bytes().to_vec();
    let done = key(secret).seal_in_place_append_tag(nonce(), Aad::empty(), &mut sealed);
    done.expect("the text is shorter than the cipher's limit");
    sealed
}

/// Opens it; nothing if it was not sealed with this secret.
pub(crate) fn open(secret: &Secret, sealed: &[u8]) -> Option<String> {
    let mut text = sealed.to_vec();
    let opened = key(secret).open_in_place(nonce(), Aad::empty(), &mut text);
    String::from_utf8(opened.ok()?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::{open, seal};
    use tracker_people::{Secret, SecretKind};

    #[test]
    fn only_the_same_secret_opens() {
        let secret = Secret::new(SecretKind::Session, [1; 32]);
        let sealed = seal(&secret, "gho_example");
        assert!(!sealed.windows(4).any(|part| part == b"gho_"));
        assert_eq!(open(&secret, &sealed).as_deref(), Some("gho_example"));
        let other = Secret::new(SecretKind::Token, [1; 32]);
        assert_eq!(open(&other, &sealed), None);
        let mut damaged = sealed.clone();
        damaged[0] ^= 1;
        assert_eq!(open(&secret, &damaged), None);
        assert_eq!(open(&secret, b""), None);
    }
}
