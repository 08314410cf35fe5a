//! What proves who asks: 256 random bits with the name of their kind before and a checksum behind them.
//!
//! Invariant: a secret is shown once, to whom it is given; what is stored and compared is its hash, in constant time.
//! It has all the entropy of its hash, so that a fast hash is as good as a slow one.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use sha2::{Digest as _, Sha256};
use std::fmt;
use subtle::ConstantTimeEq as _;

/// What a secret is for. The word before it lets scanners of leaked secrets find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// A session, in a cookie.
    Session,
    /// An API token.
    Token,
    /// A link that signs in once.
    Link,
    /// A sign-in under way, in a cookie.
    SignIn,
}

impl SecretKind {
    /// The word before the secret.
    pub const fn prefix(self) -> &'static str {
        match self {
            SecretKind::Session => "rootstock_session_",
            SecretKind::Token => "rootstock_token_",
            SecretKind::Link => "rootstock_link_",
            SecretKind::SignIn => "rootstock_signin_",
        }
    }
}

/// Random bytes.
const BYTES: usize = 32;
/// Bytes of the checksum, which finds a slip of the hand without asking the database.
const CHECK: usize = 4;
/// Letters of both.
const LETTERS: usize = (BYTES + CHECK) * 4 / 3;

/// A secret.
#[derive(Clone)]
pub struct Secret {
    kind: SecretKind,
    bytes: [u8; BYTES],
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({:?}, …)", self.kind)
    }
}

/// A text that is no secret of the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It is of another kind, or of another program.
    #[error("it does not begin with `{}`", .0.prefix())]
    Kind(SecretKind),
    /// It was cut or mistyped.
    #[error("it is not whole")]
    Damaged,
}

/// The hash of a secret: what is stored.
#[derive(Clone, Copy)]
pub struct SecretHash([u8; 32]);

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

impl PartialEq for SecretHash {
    fn eq(&self, other: &SecretHash) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretHash {}

impl SecretHash {
    /// A stored hash.
    pub fn from_stored(bytes: &[u8]) -> Option<SecretHash> {
        bytes.try_into().ok().map(SecretHash)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Secret {
    /// A secret of random bytes.
    pub fn new(kind: SecretKind, random: [u8; BYTES]) -> Secret {
        Secret {
            kind,
            bytes: random,
        }
    }

    /// Reads a secret of a kind.
    pub fn read(kind: SecretKind, text: &str) -> Result<Secret, SecretError> {
        let letters = text
            .strip_prefix(kind.prefix())
            .ok_or(SecretError::Kind(kind))?;
        if letters.len() != LETTERS {
            return Err(SecretError::Damaged);
        }
        let mut whole = [0; BYTES + CHECK];
        let read = Base64UrlUnpadded::decode(letters, &mut whole);
        if read.map_err(|_| SecretError::Damaged)?.len() != BYTES + CHECK {
            return Err(SecretError::Damaged);
        }
        let (bytes, check) = whole.split_at(BYTES);
        let secret = Secret::new(kind, bytes.try_into().expect("it was split there"));
        if secret.check().ct_eq(check).into() {
            Ok(secret)
        } else {
            Err(SecretError::Damaged)
        }
    }

    /// The secret as it is given: the only way to see it.
    pub fn reveal(&self) -> String {
        let mut whole = self.bytes.to_vec();
        whole.extend(self.check());
        let letters = Base64UrlUnpadded::encode_string(&whole);
        format!("{}{letters}", self.kind.prefix())
    }

    /// What is stored of it.
    pub fn hash(&self) -> SecretHash {
        SecretHash(self.derive("hash"))
    }

    /// A key to seal with what only its bearer may have opened.
    pub fn sealing_key(&self) -> [u8; 32] {
        self.derive("seal")
    }

    /// The `state` of a sign-in (RFC 6749 section 10.12): proves that it ends in the browser in which it began.
    pub fn state(&self) -> String {
        Base64UrlUnpadded::encode_string(&self.derive("state"))
    }

    /// The `code_verifier` of a sign-in (RFC 7636 section 4.1). Who sees the state learns nothing of it.
    pub fn verifier(&self) -> String {
        Base64UrlUnpadded::encode_string(&self.derive("verifier"))
    }

    /// The `nonce` of a sign-in (OpenID Connect Core 1.0 section 3.1.2.1).
    pub fn nonce(&self) -> String {
        Base64UrlUnpadded::encode_string(&self.derive("nonce"))
    }

    /// Whether a text is its state, in constant time.
    pub fn is_state(&self, text: &str) -> bool {
        self.state().as_bytes().ct_eq(text.as_bytes()).into()
    }

    /// 256 bits for a purpose, from which neither the secret nor those for another purpose follow.
    fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.kind.prefix());
        hasher.update(purpose);
        hasher.update([0]);
        hasher.update(self.bytes);
        hasher.finalize().into()
    }

    fn check(&self) -> [u8; CHECK] {
        let whole = self.derive("check");
        *whole.first_chunk().expect("a hash is longer")
    }
}
