//! Hashes, public keys and the one interface to private keys.

use crate::error::der;
use crate::{Error, Result};
use ::der::asn1::{Any, ObjectIdentifier};
use ::der::{Decode, Encode};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::Pkcs1v15Sign;
use rsa::traits::PublicKeyParts;
use serde::Serialize;
use sha2::Digest;
use std::fmt;
use x509_cert::spki::{
    AlgorithmIdentifierOwned, DecodePublicKey, EncodePublicKey, SubjectPublicKeyInfoOwned,
};

/// Message digest algorithms that occur in boot signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HashAlgorithm {
    /// Only read in images and variables; written for PCR policies of the SHA-1 bank.
    Sha1,
    /// The one that every firmware knows.
    Sha256,
    /// For P-384 keys.
    Sha384,
    /// Rare.
    Sha512,
}

impl HashAlgorithm {
    const ALL: [HashAlgorithm; 4] = [
        HashAlgorithm::Sha1,
        HashAlgorithm::Sha256,
        HashAlgorithm::Sha384,
        HashAlgorithm::Sha512,
    ];

    pub(crate) fn oid(self) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(match self {
            HashAlgorithm::Sha1 => "1.3.14.3.2.26",
            HashAlgorithm::Sha256 => "2.16.840.1.101.3.4.2.1",
            HashAlgorithm::Sha384 => "2.16.840.1.101.3.4.2.2",
            HashAlgorithm::Sha512 => "2.16.840.1.101.3.4.2.3",
        })
    }

    /// The algorithm of this identifier, whatever its parameters.
    pub(crate) fn of(identifier: &AlgorithmIdentifierOwned) -> Option<HashAlgorithm> {
        HashAlgorithm::ALL
            .into_iter()
            .find(|hash| hash.oid() == identifier.oid)
    }

    /// With NULL parameters, as every Authenticode signature has them.
    pub(crate) fn identifier(self) -> AlgorithmIdentifierOwned {
        AlgorithmIdentifierOwned {
            oid: self.oid(),
            parameters: Some(Any::null()),
        }
    }

    /// The digest of `message`.
    pub fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            HashAlgorithm::Sha1 => sha1::Sha1::digest(message).to_vec(),
            HashAlgorithm::Sha256 => sha2::Sha256::digest(message).to_vec(),
            HashAlgorithm::Sha384 => sha2::Sha384::digest(message).to_vec(),
            HashAlgorithm::Sha512 => sha2::Sha512::digest(message).to_vec(),
        }
    }

    /// The Authenticode digest of an image.
    pub fn image_digest(self, image: &boot_pe::Image<'_>) -> Result<Vec<u8>> {
        Ok(match self {
            HashAlgorithm::Sha1 => image.authenticode::<sha1::Sha1>()?,
            HashAlgorithm::Sha256 => image.authenticode::<sha2::Sha256>()?,
            HashAlgorithm::Sha384 => image.authenticode::<sha2::Sha384>()?,
            HashAlgorithm::Sha512 => image.authenticode::<sha2::Sha512>()?,
        })
    }

    /// The PKCS#1 v1.5 padding scheme for this digest.
    fn padding(self) -> Pkcs1v15Sign {
        match self {
            HashAlgorithm::Sha1 => Pkcs1v15Sign::new::<sha1::Sha1>(),
            HashAlgorithm::Sha256 => Pkcs1v15Sign::new::<sha2::Sha256>(),
            HashAlgorithm::Sha384 => Pkcs1v15Sign::new::<sha2::Sha384>(),
            HashAlgorithm::Sha512 => Pkcs1v15Sign::new::<sha2::Sha512>(),
        }
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HashAlgorithm::Sha1 => "SHA-1",
            HashAlgorithm::Sha256 => "SHA-256",
            HashAlgorithm::Sha384 => "SHA-384",
            HashAlgorithm::Sha512 => "SHA-512",
        })
    }
}

/// Kinds of keys that sign boot files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyAlgorithm {
    /// RSA with PKCS#1 v1.5 padding.
    Rsa {
        /// Length of the modulus.
        bits: usize,
    },
    /// ECDSA on NIST P-256.
    P256,
    /// ECDSA on NIST P-384.
    P384,
}

impl KeyAlgorithm {
    /// The digest that suits the key's strength: SHA-384 for P-384, else SHA-256.
    pub fn hash(self) -> HashAlgorithm {
        match self {
            KeyAlgorithm::P384 => HashAlgorithm::Sha384,
            _ => HashAlgorithm::Sha256,
        }
    }

    /// The identifier of a signature by such a key over such a digest, as certificates state it.
    pub(crate) fn certificate_identifier(self, hash: HashAlgorithm) -> AlgorithmIdentifierOwned {
        let (oid, parameters) = match (self, hash) {
            (KeyAlgorithm::Rsa { .. }, HashAlgorithm::Sha1) => ("1.2.840.113549.1.1.5", true),
            (KeyAlgorithm::Rsa { .. }, HashAlgorithm::Sha256) => ("1.2.840.113549.1.1.11", true),
            (KeyAlgorithm::Rsa { .. }, HashAlgorithm::Sha384) => ("1.2.840.113549.1.1.12", true),
            (KeyAlgorithm::Rsa { .. }, HashAlgorithm::Sha512) => ("1.2.840.113549.1.1.13", true),
            (_, HashAlgorithm::Sha1) => ("1.2.840.10045.4.1", false),
            (_, HashAlgorithm::Sha256) => ("1.2.840.10045.4.3.2", false),
            (_, HashAlgorithm::Sha384) => ("1.2.840.10045.4.3.3", false),
            (_, HashAlgorithm::Sha512) => ("1.2.840.10045.4.3.4", false),
        };
        AlgorithmIdentifierOwned {
            oid: ObjectIdentifier::new_unwrap(oid),
            parameters: parameters.then(Any::null),
        }
    }

    /// The same in a SignerInfo: PKCS#7 names the bare key algorithm for RSA.
    pub(crate) fn signer_identifier(self, hash: HashAlgorithm) -> AlgorithmIdentifierOwned {
        match self {
            KeyAlgorithm::Rsa { .. } => AlgorithmIdentifierOwned {
                oid: ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1"),
                parameters: Some(Any::null()),
            },
            _ => self.certificate_identifier(hash),
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyAlgorithm::Rsa { bits } => write!(f, "RSA {bits}"),
            KeyAlgorithm::P256 => f.write_str("P-256"),
            KeyAlgorithm::P384 => f.write_str("P-384"),
        }
    }
}

/// A public key of a supported kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA, at most 4096 bits.
    Rsa(rsa::PublicKey),
    /// NIST P-256.
    P256(p256::ecdsa::VerifyingKey),
    /// NIST P-384.
    P384(p384::ecdsa::VerifyingKey),
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo in DER.
    pub fn from_der(spki: &[u8]) -> Result<PublicKey> {
        const WHAT: &str = "public key";
        let info = SubjectPublicKeyInfoOwned::from_der(spki).map_err(der(WHAT))?;
        let unsupported = Error::Invalid {
            what: WHAT,
            why: "only RSA up to 4096 bits, P-256 and P-384 are supported",
        };
        let curve = info
            .algorithm
            .parameters
            .as_ref()
            .and_then(|p| p.decode_as::<ObjectIdentifier>().ok());
        let key = match (
            info.algorithm.oid.to_string().as_str(),
            curve.map(|c| c.to_string()),
        ) {
            ("1.2.840.113549.1.1.1", _) => rsa::PublicKey::from_public_key_der(spki)
                .ok()
                .map(PublicKey::Rsa),
            ("1.2.840.10045.2.1", Some(curve)) => match curve.as_str() {
                "1.2.840.10045.3.1.7" => p256::ecdsa::VerifyingKey::from_public_key_der(spki)
                    .ok()
                    .map(PublicKey::P256),
                "1.3.132.0.34" => p384::ecdsa::VerifyingKey::from_public_key_der(spki)
                    .ok()
                    .map(PublicKey::P384),
                _ => None,
            },
            _ => None,
        };
        key.ok_or(unsupported)
    }

    /// The SubjectPublicKeyInfo in DER.
    pub fn to_der(&self) -> Result<Vec<u8>> {
        let document = match self {
            PublicKey::Rsa(key) => key.to_public_key_der(),
            PublicKey::P256(key) => key.to_public_key_der(),
            PublicKey::P384(key) => key.to_public_key_der(),
        };
        Ok(document
            .map_err(|_| Error::Invalid {
                what: "public key",
                why: "it can't be encoded",
            })?
            .into_vec())
    }

    /// The PKCS#1 RSAPublicKey in DER, which systemd's key fingerprints are over.
    pub fn pkcs1_der(&self) -> Result<Vec<u8>> {
        use rsa::pkcs1::EncodeRsaPublicKey;
        let wrong = |why| Error::Invalid {
            what: "public key",
            why,
        };
        match self {
            PublicKey::Rsa(key) => Ok(key
                .to_pkcs1_der()
                .map_err(|_| wrong("it can't be encoded"))?
                .as_bytes()
                .to_vec()),
            _ => Err(wrong("signed PCR policies need an RSA key")),
        }
    }

    /// Modulus and exponent of an RSA key, big-endian; none of another key, or of an exponent over 32 bits.
    pub fn rsa_numbers(&self) -> Option<(Vec<u8>, u32)> {
        let PublicKey::Rsa(key) = self else {
            return None;
        };
        let exponent = key.e_bytes();
        let start = exponent.len().saturating_sub(4);
        let (high, low) = exponent.split_at(start);
        let value = low
            .iter()
            .fold(0, |value, byte| value << 8 | u32::from(*byte));
        high.iter()
            .all(|byte| *byte == 0)
            .then(|| (key.n_bytes().to_vec(), value))
    }

    /// The SubjectPublicKeyInfo in PEM.
    pub fn to_pem(&self) -> Result<String> {
        let der = self.to_der()?;
        Ok(
            ::der::pem::encode_string("PUBLIC KEY", ::der::pem::LineEnding::LF, &der)
                .expect("a key's length fits into PEM"),
        )
    }

    /// Reads a SubjectPublicKeyInfo in PEM or DER.
    pub fn read(bytes: &[u8]) -> Result<PublicKey> {
        if !bytes.starts_with(b"-----BEGIN") {
            return PublicKey::from_der(bytes);
        }
        let (label, der) = ::der::pem::decode_vec(bytes).map_err(|_| Error::Invalid {
            what: "public key",
            why: "its PEM block is malformed",
        })?;
        if label != "PUBLIC KEY" {
            return Err(Error::Invalid {
                what: "public key",
                why: "its PEM block is not labelled PUBLIC KEY",
            });
        }
        PublicKey::from_der(&der)
    }

    /// Which kind it is.
    pub fn algorithm(&self) -> KeyAlgorithm {
        match self {
            PublicKey::Rsa(key) => KeyAlgorithm::Rsa {
                bits: key.n().bit_width() as usize,
            },
            PublicKey::P256(_) => KeyAlgorithm::P256,
            PublicKey::P384(_) => KeyAlgorithm::P384,
        }
    }

    /// True when `signature` is this key's over the digest of a message.
    pub fn verifies(&self, hash: HashAlgorithm, digest: &[u8], signature: &[u8]) -> bool {
        match self {
            PublicKey::Rsa(key) => key.verify(hash.padding(), digest, signature).is_ok(),
            PublicKey::P256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok()),
            PublicKey::P384(key) => p384::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok()),
        }
    }
}

/// What a private key is asked to sign.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The exact bytes; the signature is over their digest.
    pub message: &'a [u8],
    /// The digest algorithm.
    pub hash: HashAlgorithm,
    /// What it is, for a person who holds the key: "Authenticode signature of nixos.efi".
    pub subject: &'a str,
}

impl Request<'_> {
    /// The digest of the message.
    pub fn digest(&self) -> Vec<u8> {
        self.hash.digest(self.message)
    }
}

/// A private key wherever it is: in a file, in a token, or with a person who is asked by request files.
pub trait Signer {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// Signs the request's message: PKCS#1 v1.5 for RSA, a DER `ECDSA-Sig-Value` else.
    fn sign(
        &self,
        request: Request<'_>,
    ) -> std::result::Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>;
}

/// Signs a message: asks `signer` and checks its answer before anyone relies on it.
pub fn sign_message(signer: &dyn Signer, request: Request<'_>) -> Result<Vec<u8>> {
    let signature = signer.sign(request).map_err(|source| Error::Signer {
        subject: request.subject.to_owned(),
        source,
    })?;
    if !signer
        .public_key()
        .verifies(request.hash, &request.digest(), &signature)
    {
        return Err(Error::Invalid {
            what: "answer of the signer",
            why: "it is not a signature by the key over what was asked for",
        });
    }
    Ok(signature)
}

/// DER of a value that can always be encoded.
pub(crate) fn encode(value: &impl Encode, what: &'static str) -> Result<Vec<u8>> {
    value.to_der().map_err(der(what))
}
