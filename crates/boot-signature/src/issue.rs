//! Certificates for new keys: self-signed or issued, in the profiles that firmware, shim, the kernel and sbverify accept.

use crate::algorithm::{encode, sign_message};
use crate::error::der;
use crate::{Certificate, Error, HashAlgorithm, Request, Result, Signer};
use ::der::asn1::{BitString, GeneralizedTime, ObjectIdentifier, OctetString, UtcTime};
use ::der::{Decode, Encode, Sequence};
use jiff::Timestamp;
use std::str::FromStr;
use std::time::Duration;
use x509_cert::ext::Extension;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Signs boot files or root hashes (db, MOK, verity): no authority, digital signature, code signing.
    Code,
    /// Signs variable updates (PK, KEK): no authority, digital signature.
    Variables,
    /// Issues code signing certificates: authority, certificate and digital signature.
    Authority,
}

/// What a certificate shall say.
#[derive(Debug, Clone)]
pub struct CertificateRequest<'a> {
    /// Common name of the subject.
    pub common_name: &'a str,
    /// What it is for.
    pub profile: Profile,
    /// First moment of validity.
    pub from: Timestamp,
    /// Last moment of validity.
    pub until: Timestamp,
    /// The subject's SubjectPublicKeyInfo in DER.
    pub public_key: &'a [u8],
}

#[derive(Sequence)]
struct TbsCertificate {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    version: u8,
    serial: SerialNumber,
    signature: AlgorithmIdentifierOwned,
    issuer: Name,
    validity: Validity,
    subject: Name,
    public_key: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    extensions: Vec<Extension>,
}

#[derive(Sequence)]
struct SignedCertificate {
    tbs: TbsCertificate,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

const WHAT: &str = "certificate";

/// Issues a certificate, signed by `signer` under the name of `issuer`, or self-signed without one. The serial number
/// follows from key and name, so the same request gives the same certificate (with RSA and deterministic ECDSA).
pub fn issue(
    request: &CertificateRequest<'_>,
    signer: &dyn Signer,
    issuer: Option<&Certificate>,
) -> Result<Certificate> {
    let plain = |c: char| c.is_ascii_alphanumeric() || " .-_:()@/".contains(c);
    if request.common_name.is_empty()
        || request.common_name.len() > 64
        || !request.common_name.chars().all(plain)
    {
        return Err(Error::Invalid {
            what: "common name",
            why: "it must have 1 to 64 letters, digits, spaces or .-_:()@/",
        });
    }
    if request.until <= request.from {
        return Err(Error::Invalid {
            what: "validity",
            why: "it ends before it begins",
        });
    }
    let subject = Name::from_str(&format!("CN={}", request.common_name)).map_err(der(WHAT))?;
    let issuer_name = match issuer {
        Some(issuer) => issuer.inner.tbs_certificate().subject().clone(),
        None => subject.clone(),
    };
    let algorithm = signer.public_key().algorithm();
    let hash = algorithm.hash();
    let mut unique = request.public_key.to_vec();
    unique.extend(request.common_name.bytes());
    unique.extend(request.from.as_second().to_be_bytes());
    let mut serial = HashAlgorithm::Sha256.digest(&unique);
    serial.truncate(16);
    // Positive and of full length.
    serial[0] = serial[0] & 0x7f | 0x40;
    let tbs = TbsCertificate {
        version: 2,
        serial: SerialNumber::new(&serial).map_err(der(WHAT))?,
        signature: algorithm.certificate_identifier(hash),
        issuer: issuer_name,
        validity: Validity::new(time(request.from)?, time(request.until)?),
        subject,
        public_key: SubjectPublicKeyInfoOwned::from_der(request.public_key).map_err(der(WHAT))?,
        extensions: extensions(request)?,
    };
    let message = encode(&tbs, WHAT)?;
    let signature = sign_message(
        signer,
        Request {
            message: &message,
            hash,
            subject: &format!("certificate of {}", request.common_name),
        },
    )?;
    let certificate = SignedCertificate {
        tbs,
        algorithm: algorithm.certificate_identifier(hash),
        signature: BitString::from_bytes(&signature).map_err(der(WHAT))?,
    };
    Certificate::from_der(&encode(&certificate, WHAT)?)
}

fn time(at: Timestamp) -> Result<Time> {
    let seconds = u64::try_from(at.as_second()).map_err(|_| Error::Invalid {
        what: "validity",
        why: "it begins before 1970",
    })?;
    let duration = Duration::from_secs(seconds);
    // RFC 5280: UTCTime through 2049, GeneralizedTime from 2050 on.
    Ok(match UtcTime::from_unix_duration(duration) {
        Ok(time) => Time::UtcTime(time),
        Err(_) => {
            Time::GeneralTime(GeneralizedTime::from_unix_duration(duration).map_err(der(WHAT))?)
        }
    })
}

fn extensions(request: &CertificateRequest<'_>) -> Result<Vec<Extension>> {
    use x509_cert::ext::pkix::{
        BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectKeyIdentifier,
    };
    let extension =
        |oid: &str, critical: bool, value: std::result::Result<Vec<u8>, ::der::Error>| {
            Ok::<_, Error>(Extension {
                extn_id: ObjectIdentifier::new_unwrap(oid),
                critical,
                extn_value: OctetString::new(value.map_err(der(WHAT))?).map_err(der(WHAT))?,
            })
        };
    let authority = request.profile == Profile::Authority;
    let constraints = BasicConstraints {
        ca: authority,
        path_len_constraint: None,
    };
    let usage = if authority {
        KeyUsages::DigitalSignature | KeyUsages::KeyCertSign
    } else {
        KeyUsages::DigitalSignature.into()
    };
    let mut key = HashAlgorithm::Sha256.digest(request.public_key);
    key.truncate(20);
    let key = SubjectKeyIdentifier(OctetString::new(key).map_err(der(WHAT))?);
    let mut found = vec![
        extension("2.5.29.19", true, constraints.to_der())?,
        extension("2.5.29.15", true, KeyUsage(usage).to_der())?,
        extension("2.5.29.14", false, key.to_der())?,
    ];
    if request.profile == Profile::Code {
        let code = ExtendedKeyUsage(vec![ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3")]);
        found.push(extension("2.5.29.37", false, code.to_der())?);
    }
    Ok(found)
}
