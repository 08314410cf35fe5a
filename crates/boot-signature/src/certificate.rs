//! X.509 certificates as boot signatures use them.

use crate::algorithm::encode;
use crate::error::der;
use crate::{Error, HashAlgorithm, KeyAlgorithm, PublicKey, Result};
use ::der::{Decode, Encode};
use jiff::Timestamp;
use std::fmt;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages};

/// Longest certificate that is read.
const MAX_CERTIFICATE: usize = 64 * 1024;

/// A parsed certificate with its original bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    pub(crate) inner: x509_cert::Certificate,
    der: Vec<u8>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.subject())
    }
}

impl Certificate {
    /// Reads DER, without anything behind it.
    pub fn from_der(bytes: &[u8]) -> Result<Certificate> {
        if bytes.len() > MAX_CERTIFICATE {
            return Err(Error::Limit {
                what: "certificate length",
                found: bytes.len(),
                limit: MAX_CERTIFICATE,
            });
        }
        let inner = x509_cert::Certificate::from_der(bytes).map_err(der("certificate"))?;
        Ok(Certificate {
            inner,
            der: bytes.to_vec(),
        })
    }

    /// Reads one certificate in PEM or DER.
    pub fn read(bytes: &[u8]) -> Result<Certificate> {
        Certificate::read_all(bytes)?
            .into_iter()
            .next()
            .ok_or(Error::Invalid {
                what: "certificate",
                why: "the file has none",
            })
    }

    /// Reads a DER certificate or any number of PEM ones.
    pub fn read_all(bytes: &[u8]) -> Result<Vec<Certificate>> {
        const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
        const END: &str = "-----END CERTIFICATE-----";
        let Some(text) = std::str::from_utf8(bytes)
            .ok()
            .filter(|text| text.contains(BEGIN))
        else {
            return Ok(vec![Certificate::from_der(bytes)?]);
        };
        let mut found = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find(BEGIN) {
            let block = &rest[start..];
            let end = block.find(END).ok_or(Error::Invalid {
                what: "certificate",
                why: "a PEM block has no end line",
            })?;
            let (_, der) =
                ::der::pem::decode_vec(&block.as_bytes()[..end + END.len()]).map_err(|_| {
                    Error::Invalid {
                        what: "certificate",
                        why: "a PEM block is malformed",
                    }
                })?;
            found.push(Certificate::from_der(&der)?);
            rest = &block[end + END.len()..];
        }
        Ok(found)
    }

    pub(crate) fn from_inner(inner: x509_cert::Certificate) -> Result<Certificate> {
        let der = encode(&inner, "certificate")?;
        Ok(Certificate { inner, der })
    }

    /// The original bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// PEM with a final newline.
    pub fn pem(&self) -> String {
        ::der::pem::encode_string("CERTIFICATE", ::der::pem::LineEnding::LF, &self.der)
            .expect("a certificate's length fits into PEM")
    }

    /// The subject as one line.
    pub fn subject(&self) -> String {
        self.inner.tbs_certificate().subject().to_string()
    }

    /// The issuer as one line.
    pub fn issuer(&self) -> String {
        self.inner.tbs_certificate().issuer().to_string()
    }

    /// The serial number, big-endian.
    pub fn serial(&self) -> &[u8] {
        self.inner.tbs_certificate().serial_number().as_bytes()
    }

    /// SHA-256 of the whole certificate.
    pub fn fingerprint(&self) -> Vec<u8> {
        HashAlgorithm::Sha256.digest(&self.der)
    }

    /// The bytes that its issuer signed; firmware revokes certificates by their hash.
    pub fn to_be_signed(&self) -> Vec<u8> {
        self.inner
            .tbs_certificate()
            .to_der()
            .expect("what was decoded encodes again")
    }

    /// The SubjectPublicKeyInfo in DER.
    pub fn public_key_der(&self) -> Vec<u8> {
        self.inner
            .tbs_certificate()
            .subject_public_key_info()
            .to_der()
            .expect("what was decoded encodes again")
    }

    /// The key, when it is of a supported kind.
    pub fn public_key(&self) -> Result<PublicKey> {
        PublicKey::from_der(&self.public_key_der())
    }

    /// First and last moment of validity.
    pub fn validity(&self) -> (Timestamp, Timestamp) {
        let validity = self.inner.tbs_certificate().validity();
        let stamp = |time: x509_cert::time::Time| {
            let seconds = time.to_unix_duration().as_secs();
            Timestamp::from_second(seconds as i64).unwrap_or(Timestamp::MAX)
        };
        (stamp(validity.not_before), stamp(validity.not_after))
    }

    /// True when the basic constraints make it an authority.
    pub fn is_authority(&self) -> bool {
        let found = self
            .inner
            .tbs_certificate()
            .get_extension::<BasicConstraints>();
        matches!(found, Ok(Some((_, constraints))) if constraints.ca)
    }

    /// True when it may issue certificates, as OpenSSL (and so firmware and shim) judges: a stated key usage must include
    /// certificate signing; basic constraints decide where they are; without them only old self-issued certificates and
    /// those with the key usage may.
    pub fn may_issue(&self) -> bool {
        let tbs = self.inner.tbs_certificate();
        let usage = match tbs.get_extension::<KeyUsage>() {
            Ok(usage) => usage.map(|(_, usage)| usage.0.contains(KeyUsages::KeyCertSign)),
            Err(_) => return false,
        };
        match (usage, tbs.get_extension::<BasicConstraints>()) {
            (Some(false), _) | (_, Err(_)) => false,
            (_, Ok(Some((_, constraints)))) => constraints.ca,
            (usage, Ok(None)) => {
                usage == Some(true) || tbs.extensions().is_none() && self.is_self_issued()
            }
        }
    }

    /// False when it states key usages without digital signature.
    pub fn may_sign(&self) -> bool {
        match self.inner.tbs_certificate().get_extension::<KeyUsage>() {
            Ok(Some((_, usage))) => usage.0.contains(KeyUsages::DigitalSignature),
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// False when it states extended usages without code signing or "any".
    pub fn may_sign_code(&self) -> bool {
        const CODE_SIGNING: &str = "1.3.6.1.5.5.7.3.3";
        const ANY: &str = "2.5.29.37.0";
        match self
            .inner
            .tbs_certificate()
            .get_extension::<ExtendedKeyUsage>()
        {
            Ok(Some((_, usage))) => usage
                .0
                .iter()
                .any(|oid| [CODE_SIGNING, ANY].contains(&oid.to_string().as_str())),
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// True when its extended usages name this identifier.
    pub fn has_extended_usage(&self, identifier: &str) -> bool {
        match self
            .inner
            .tbs_certificate()
            .get_extension::<ExtendedKeyUsage>()
        {
            Ok(Some((_, usage))) => usage.0.iter().any(|oid| oid.to_string() == identifier),
            _ => false,
        }
    }

    /// True when subject and issuer are the same name.
    pub fn is_self_issued(&self) -> bool {
        let tbs = self.inner.tbs_certificate();
        tbs.subject() == tbs.issuer()
    }

    /// True when `issuer` has the name and the key that signed this certificate.
    pub fn is_signed_by(&self, issuer: &Certificate) -> bool {
        let tbs = self.inner.tbs_certificate();
        if tbs.issuer() != issuer.inner.tbs_certificate().subject() {
            return false;
        }
        let Ok(key) = issuer.public_key() else {
            return false;
        };
        let stated = self.inner.signature_algorithm();
        let algorithms = [
            HashAlgorithm::Sha1,
            HashAlgorithm::Sha256,
            HashAlgorithm::Sha384,
            HashAlgorithm::Sha512,
        ];
        let hash = algorithms
            .into_iter()
            .find(|hash| key.algorithm().certificate_identifier(*hash).oid == stated.oid);
        let (Some(hash), Some(signature)) = (hash, self.inner.signature().as_bytes()) else {
            return false;
        };
        key.verifies(hash, &hash.digest(&self.to_be_signed()), signature)
    }

    /// The kind of its key, for people.
    pub fn key_algorithm(&self) -> Option<KeyAlgorithm> {
        self.public_key().ok().map(|key| key.algorithm())
    }
}
