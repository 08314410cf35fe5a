//! Signing keys of binary caches: ed25519 with a name. Invariant: a secret is never printed by `Debug`.

use crate::limits::MAX_KEY_NAME;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use nix_store_path::encoding::{base64_len, from_base64, to_base64};
use std::fmt;
use std::str::FromStr;

/// Why a text is no key or signature. Secrets are not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not `NAME:BASE64`.
    #[error("a {kind} is NAME:BASE64 of {bytes} bytes; {problem}")]
    Text {
        /// Key or signature.
        kind: &'static str,
        /// How many bytes it has.
        bytes: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// The bytes are no point of the curve.
    #[error("public key '{0}' is no valid ed25519 key")]
    Invalid(String),
    /// The second half of a secret key is not the public key of the first.
    #[error("secret key '{0}' does not match its own public half")]
    Mismatch(String),
}

/// A signature and the name of the key that made it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signature {
    /// Name of the key.
    pub key: String,
    /// The ed25519 signature.
    pub bytes: [u8; 64],
}

/// A key that checks signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    key: VerifyingKey,
}

/// A key that makes signatures.
#[derive(Clone)]
pub struct SecretKey {
    name: String,
    key: SigningKey,
}

impl PublicKey {
    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Did this key make this signature of the message?
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        let bytes = ed25519_dalek::Signature::from_bytes(&signature.bytes);
        signature.key == self.name && self.key.verify_strict(message, &bytes).is_ok()
    }
}

impl SecretKey {
    /// A key from 32 random bytes.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> SecretKey {
        SecretKey {
            name: name.to_owned(),
            key: SigningKey::from_bytes(seed),
        }
    }

    /// The key that checks what this one signs.
    pub fn public(&self) -> PublicKey {
        PublicKey {
            name: self.name.clone(),
            key: self.key.verifying_key(),
        }
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature {
            key: self.name.clone(),
            bytes: self.key.sign(message).to_bytes(),
        }
    }

    /// The text to keep in a file that nobody else can read.
    pub fn to_secret_text(&self) -> String {
        format!("{}:{}", self.name, to_base64(&self.key.to_keypair_bytes()))
    }
}

/// Splits `NAME:BASE64` of a known number of bytes.
fn split<const N: usize>(text: &str, kind: &'static str) -> Result<(String, [u8; N]), KeyError> {
    let bad = |problem| KeyError::Text {
        kind,
        bytes: N,
        problem,
    };
    let (name, digits) = text
        .split_once(':')
        .ok_or_else(|| bad("there is no colon"))?;
    if name.is_empty() || name.len() > MAX_KEY_NAME || name.contains(char::is_whitespace) {
        return Err(bad("the name is empty, overlong or has white space"));
    }
    if digits.len() != base64_len(N) {
        return Err(bad("it has another length"));
    }
    let mut bytes = [0; N];
    from_base64(digits, &mut bytes).map_err(|_| bad("it is no base64"))?;
    Ok((name.to_owned(), bytes))
}

impl FromStr for Signature {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Signature, KeyError> {
        let (key, bytes) = split(text, "signature")?;
        Ok(Signature { key, bytes })
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.key, to_base64(&self.bytes))
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<PublicKey, KeyError> {
        let (name, bytes) = split(text.trim_end(), "public key")?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Invalid(name.clone()))?;
        Ok(PublicKey { name, key })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, to_base64(self.key.as_bytes()))
    }
}

impl FromStr for SecretKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<SecretKey, KeyError> {
        let (name, bytes) = split(text.trim_end(), "secret key")?;
        let key =
            SigningKey::from_keypair_bytes(&bytes).map_err(|_| KeyError::Mismatch(name.clone()))?;
        Ok(SecretKey { name, key })
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
