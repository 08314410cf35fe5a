//! Keys: Ed25519 or P-256, in PEM files, or P-256 in a PKCS#11 token. What OpenSSL makes and reads.
//!
//! Invariant: a private key is never printed.

use super::ProvenanceError;
use super::token::TokenKey;
use ed25519_dalek::pkcs8::spki::{DecodePublicKey, EncodePublicKey};
use p256::ecdsa::signature::{Signer, Verifier};
use p256::pkcs8::DecodePrivateKey;
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs;
use std::path::Path;

/// A key that signs.
pub enum SigningKey {
    /// Ed25519, in a file.
    Ed25519(Box<ed25519_dalek::SigningKey>),
    /// P-256, in a file.
    P256(Box<p256::ecdsa::SigningKey>),
    /// In a token.
    Token(TokenKey),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, ..)", self.public().id())
    }
}

impl SigningKey {
    /// Opens a key: the path of a PEM file (PKCS#8), or a `pkcs11:` address; `pin` is a file whose first line is the token's PIN.
    ///
    /// # Errors
    /// [`ProvenanceError`].
    pub fn open(reference: &str, pin: Option<&Path>) -> Result<SigningKey, ProvenanceError> {
        if reference.starts_with("pkcs11:") {
            return TokenKey::open(reference, pin).map(SigningKey::Token);
        }
        let text = read(Path::new(reference))?;
        if let Ok(key) = ed25519_dalek::SigningKey::from_pkcs8_pem(&text) {
            return Ok(SigningKey::Ed25519(Box::new(key)));
        }
        p256::ecdsa::SigningKey::from_pkcs8_pem(&text)
            .map(|key| SigningKey::P256(Box::new(key)))
            .map_err(|_| ProvenanceError::Key(reference.to_owned()))
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        match self {
            SigningKey::Ed25519(key) => PublicKey::Ed25519(key.verifying_key()),
            SigningKey::P256(key) => PublicKey::P256(*key.verifying_key()),
            SigningKey::Token(key) => PublicKey::P256(key.public()),
        }
    }

    /// Signs a message: Ed25519, or ECDSA with SHA-256 in DER.
    ///
    /// # Errors
    /// [`ProvenanceError::Token`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ProvenanceError> {
        Ok(match self {
            SigningKey::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
            SigningKey::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            SigningKey::Token(key) => key.sign(message)?,
        })
    }
}

/// A key that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// Ed25519.
    Ed25519(ed25519_dalek::VerifyingKey),
    /// P-256.
    P256(p256::ecdsa::VerifyingKey),
}

impl PublicKey {
    /// Reads a PEM file (SubjectPublicKeyInfo).
    ///
    /// # Errors
    /// [`ProvenanceError::File`], [`ProvenanceError::Key`].
    pub fn read(path: &Path) -> Result<PublicKey, ProvenanceError> {
        let key = PublicKey::parse(&read(path)?);
        key.ok_or_else(|| ProvenanceError::Key(path.display().to_string()))
    }

    /// Reads PEM; nothing if it is no key of a kind that is supported.
    pub fn parse(pem: &str) -> Option<PublicKey> {
        if let Ok(key) = ed25519_dalek::VerifyingKey::from_public_key_pem(pem) {
            return Some(PublicKey::Ed25519(key));
        }
        let key = p256::ecdsa::VerifyingKey::from_public_key_pem(pem);
        key.ok().map(PublicKey::P256)
    }

    /// SHA-256 of its DER, in hexadecimal.
    pub fn id(&self) -> String {
        let der = match self {
            PublicKey::Ed25519(key) => key.to_public_key_der(),
            PublicKey::P256(key) => key.to_public_key_der(),
        };
        let der = der.expect("a public key has a DER");
        let digest = Sha256::digest(der.as_bytes());
        nix_store_path::encoding::to_base16(&digest)
    }

    /// Is this a signature by the key over the message?
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            PublicKey::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            PublicKey::P256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

fn read(path: &Path) -> Result<String, ProvenanceError> {
    fs::read_to_string(path).map_err(|source| ProvenanceError::File {
        path: path.to_owned(),
        source,
    })
}
