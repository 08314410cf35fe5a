//! Private keys in PEM or DER files: PKCS#8 (encrypted or not), PKCS#1 and SEC1.

use crate::{Error, Pins, Result};
use boot_signature::{HashAlgorithm, PublicKey, Request, Signer};
use getrandom::SysRng;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use rsa::Pkcs1v15Sign;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::PublicKeyParts;
use std::fmt;
use std::path::Path;
use zeroize::Zeroizing;

/// Shortest RSA modulus that is accepted.
pub(crate) const MIN_RSA: u32 = 2048;
/// Longest RSA modulus that is accepted.
pub(crate) const MAX_RSA: u32 = 4096;
/// Longest key file.
const MAX_FILE: u64 = 64 * 1024;

enum Private {
    Rsa(Box<rsa::PrivateKey>),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
}

/// A private key in memory; its parts are wiped when it goes.
pub struct FileKey {
    private: Private,
    public: PublicKey,
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileKey({}, ..)", self.public.algorithm())
    }
}

impl FileKey {
    /// Reads a key file; an encrypted one asks for its passphrase.
    pub fn read(path: &Path, pins: &mut Pins) -> Result<FileKey> {
        use std::io::Read;
        let wrong = |source| Error::File {
            path: path.to_owned(),
            source,
        };
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE as usize));
        let file = std::fs::File::open(path).map_err(wrong)?;
        file.take(MAX_FILE).read_to_end(&mut bytes).map_err(wrong)?;
        FileKey::parse(&bytes, path, pins)
    }

    /// Reads the content of a key file; `path` is its name for errors and prompts.
    pub fn parse(bytes: &[u8], path: &Path, pins: &mut Pins) -> Result<FileKey> {
        let why = |why| Error::KeyFile {
            path: path.to_owned(),
            why,
        };
        const UNKNOWN: &str =
            "not a private key in PKCS#8, PKCS#1 or SEC1 form (RSA, P-256 or P-384), as PEM or DER";
        let text = std::str::from_utf8(bytes)
            .ok()
            .filter(|text| text.contains("-----BEGIN"));
        let private = match text {
            Some(text) if text.contains("BEGIN ENCRYPTED PRIVATE KEY") => {
                let secret = pins.get(&path.display().to_string())?;
                let password = secret.expose();
                first(
                    || rsa::PrivateKey::from_pkcs8_encrypted_pem(text, password).ok(),
                    || p256::ecdsa::SigningKey::from_pkcs8_encrypted_pem(text, password).ok(),
                    || p384::ecdsa::SigningKey::from_pkcs8_encrypted_pem(text, password).ok(),
                )
                .ok_or_else(|| {
                    why("the passphrase does not open it, or it holds another kind of key")
                })?
            }
            Some(text) => first(
                || {
                    rsa::PrivateKey::from_pkcs8_pem(text)
                        .ok()
                        .or_else(|| rsa::PrivateKey::from_pkcs1_pem(text).ok())
                },
                || {
                    p256::ecdsa::SigningKey::from_pkcs8_pem(text)
                        .ok()
                        .or_else(|| {
                            p256::SecretKey::from_sec1_pem(sec1(text))
                                .ok()
                                .map(Into::into)
                        })
                },
                || {
                    p384::ecdsa::SigningKey::from_pkcs8_pem(text)
                        .ok()
                        .or_else(|| {
                            p384::SecretKey::from_sec1_pem(sec1(text))
                                .ok()
                                .map(Into::into)
                        })
                },
            )
            .ok_or_else(|| why(UNKNOWN))?,
            None => first(
                || {
                    rsa::PrivateKey::from_pkcs8_der(bytes)
                        .ok()
                        .or_else(|| rsa::PrivateKey::from_pkcs1_der(bytes).ok())
                },
                || {
                    p256::ecdsa::SigningKey::from_pkcs8_der(bytes)
                        .ok()
                        .or_else(|| p256::SecretKey::from_sec1_der(bytes).ok().map(Into::into))
                },
                || {
                    p384::ecdsa::SigningKey::from_pkcs8_der(bytes)
                        .ok()
                        .or_else(|| p384::SecretKey::from_sec1_der(bytes).ok().map(Into::into))
                },
            )
            .ok_or_else(|| why(UNKNOWN))?,
        };
        FileKey::new(private).ok_or_else(|| why("RSA keys must have 2048 to 4096 bits"))
    }

    fn new(private: Private) -> Option<FileKey> {
        let public = match &private {
            Private::Rsa(key) => {
                let bits = key.n().bit_width();
                if !(MIN_RSA..=MAX_RSA).contains(&bits) {
                    return None;
                }
                PublicKey::Rsa(key.to_public_key())
            }
            Private::P256(key) => PublicKey::P256(*key.verifying_key()),
            Private::P384(key) => PublicKey::P384(*key.verifying_key()),
        };
        Some(FileKey { private, public })
    }
}

/// OpenSSL puts an `EC PARAMETERS` block before the key's.
fn sec1(text: &str) -> &str {
    text.find("-----BEGIN EC PRIVATE KEY")
        .map_or(text, |at| &text[at..])
}

fn first(
    rsa: impl FnOnce() -> Option<rsa::PrivateKey>,
    p256: impl FnOnce() -> Option<p256::ecdsa::SigningKey>,
    p384: impl FnOnce() -> Option<p384::ecdsa::SigningKey>,
) -> Option<Private> {
    rsa()
        .map(|key| Private::Rsa(Box::new(key)))
        .or_else(|| p256().map(Private::P256))
        .or_else(|| p384().map(Private::P384))
}

impl Signer for FileKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(
        &self,
        request: Request<'_>,
    ) -> std::result::Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        let digest = request.digest();
        match &self.private {
            Private::Rsa(key) => {
                let padding = match request.hash {
                    HashAlgorithm::Sha256 => Pkcs1v15Sign::new::<rsa::sha2::Sha256>(),
                    HashAlgorithm::Sha384 => Pkcs1v15Sign::new::<rsa::sha2::Sha384>(),
                    HashAlgorithm::Sha512 => Pkcs1v15Sign::new::<rsa::sha2::Sha512>(),
                    HashAlgorithm::Sha1 => Pkcs1v15Sign::new::<sha1::Sha1>(),
                };
                // Blinded with randomness; the signature is the same every time.
                Ok(key.sign_with_rng(&mut SysRng, padding, &digest)?)
            }
            // Deterministic nonces (RFC 6979).
            Private::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(&digest)?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
            Private::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign_prehash(&digest)?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
        }
    }
}
