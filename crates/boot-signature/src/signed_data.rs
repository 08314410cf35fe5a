//! SignedData: writing it for a content, reading it from foreign bytes, checking a signer's signature.

use crate::algorithm::{encode, sign_message};
use crate::error::der;
use crate::{Certificate, Error, HashAlgorithm, Request, Result, Signer};
use ::der::asn1::{Any, ObjectIdentifier, OctetString, SetOfVec};
use ::der::{Decode, Encode, Reader, SliceReader};
use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{
    CertificateSet, EncapsulatedContentInfo, SignedData, SignerIdentifier, SignerInfo, SignerInfos,
};
use x509_cert::attr::Attribute;
use x509_cert::ext::pkix::SubjectKeyIdentifier;

/// Longest signature that is read; the ones on boot files have a few kilobytes.
pub const MAX_SIGNATURE: usize = 1024 * 1024;
/// Most certificates and signers in one signature.
const MAX_MEMBERS: usize = 64;

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");

/// What a signature is over.
pub(crate) struct Content<'a> {
    pub(crate) kind: ObjectIdentifier,
    /// DER that stands inside; `None` for a detached signature.
    pub(crate) embedded: Option<&'a [u8]>,
    /// What is hashed.
    pub(crate) hashed: &'a [u8],
    /// Whether content type and digest are signed as attributes, or the content itself.
    pub(crate) attributes: bool,
}

/// What goes round a detached signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DetachedForm {
    /// Bare SignedData with the signer's certificate: authenticated variables, which older firmware reads only so.
    Variable,
    /// ContentInfo without certificates: root hashes for the kernel, which has them in its keyring.
    Kernel,
}

/// Signs `message` detached, without attributes.
pub fn sign_detached(
    message: &[u8],
    form: DetachedForm,
    hash: HashAlgorithm,
    signer: &dyn Signer,
    certificate: &Certificate,
    subject: &str,
) -> Result<Vec<u8>> {
    let content = Content {
        kind: DATA,
        embedded: None,
        hashed: message,
        attributes: false,
    };
    let data = match form {
        DetachedForm::Variable => {
            return encode(
                &assemble(&content, hash, signer, &[certificate], subject)?,
                "signature",
            );
        }
        DetachedForm::Kernel => {
            let mut data = assemble(&content, hash, signer, &[certificate], subject)?;
            data.certificates = None;
            data
        }
    };
    wrap(&data)
}

/// A ContentInfo around SignedData.
pub(crate) fn wrap(data: &SignedData) -> Result<Vec<u8>> {
    let content = Any::encode_from(data).map_err(der("signature"))?;
    let info = ContentInfo {
        content_type: SIGNED_DATA,
        content,
    };
    encode(&info, "signature")
}

fn attribute(oid: ObjectIdentifier, value: Any) -> Result<Attribute> {
    let mut values = SetOfVec::new();
    values.insert(value).map_err(der("signed attribute"))?;
    Ok(Attribute { oid, values })
}

/// SignedData of one signer; the first of `certificates` is the signer's.
pub(crate) fn assemble(
    content: &Content<'_>,
    hash: HashAlgorithm,
    signer: &dyn Signer,
    certificates: &[&Certificate],
    subject: &str,
) -> Result<SignedData> {
    const WHAT: &str = "signature";
    let own = certificates.first().ok_or(Error::Invalid {
        what: WHAT,
        why: "there is no certificate of the signer",
    })?;
    if own.public_key()? != *signer.public_key() {
        return Err(Error::Invalid {
            what: "certificate of the signer",
            why: "it has another public key than the key that signs",
        });
    }
    let attributes = if content.attributes {
        let digest = OctetString::new(hash.digest(content.hashed)).map_err(der(WHAT))?;
        let mut set = SetOfVec::new();
        let kind = Any::encode_from(&content.kind).map_err(der(WHAT))?;
        set.insert(attribute(CONTENT_TYPE, kind)?)
            .map_err(der(WHAT))?;
        let digest = Any::encode_from(&digest).map_err(der(WHAT))?;
        set.insert(attribute(MESSAGE_DIGEST, digest)?)
            .map_err(der(WHAT))?;
        Some(set)
    } else {
        None
    };
    let message = match &attributes {
        Some(set) => encode(set, WHAT)?,
        None => content.hashed.to_vec(),
    };
    let request = Request {
        message: &message,
        hash,
        subject,
    };
    let signature = sign_message(signer, request)?;
    let tbs = own.inner.tbs_certificate();
    let info = SignerInfo {
        version: CmsVersion::V1,
        sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
            issuer: tbs.issuer().clone(),
            serial_number: tbs.serial_number().clone(),
        }),
        digest_alg: hash.identifier(),
        signed_attrs: attributes,
        signature_algorithm: signer.public_key().algorithm().signer_identifier(hash),
        signature: OctetString::new(signature).map_err(der(WHAT))?,
        unsigned_attrs: None,
    };
    let set = |certificates: &[&Certificate]| {
        let choices = certificates
            .iter()
            .map(|certificate| CertificateChoices::Certificate(certificate.inner.clone()))
            .collect::<Vec<_>>();
        CertificateSet::try_from(choices).map_err(der(WHAT))
    };
    let mut algorithms = SetOfVec::new();
    algorithms.insert(hash.identifier()).map_err(der(WHAT))?;
    Ok(SignedData {
        version: CmsVersion::V1,
        digest_algorithms: algorithms,
        encap_content_info: EncapsulatedContentInfo {
            econtent_type: content.kind,
            econtent: content
                .embedded
                .map(Any::from_der)
                .transpose()
                .map_err(der(WHAT))?,
        },
        certificates: Some(set(certificates)?),
        crls: None,
        signer_infos: SignerInfos::try_from(vec![info]).map_err(der(WHAT))?,
    })
}

/// A signature that was read.
#[derive(Debug, Clone)]
pub struct SignedMessage {
    data: SignedData,
    certificates: Vec<Certificate>,
    /// Bytes behind the DER: padding, or something that does not belong there.
    pub trailing: Vec<u8>,
    /// True when a ContentInfo is round the SignedData.
    pub wrapped: bool,
}

impl SignedMessage {
    /// Reads a ContentInfo or bare SignedData; what follows it is kept in `trailing`.
    pub fn read(bytes: &[u8]) -> Result<SignedMessage> {
        const WHAT: &str = "signature";
        if bytes.len() > MAX_SIGNATURE {
            return Err(Error::Limit {
                what: "signature length",
                found: bytes.len(),
                limit: MAX_SIGNATURE,
            });
        }
        let mut reader = SliceReader::new(bytes).map_err(der(WHAT))?;
        let outer = Any::decode(&mut reader).map_err(der(WHAT))?;
        let trailing =
            bytes[bytes.len() - usize::try_from(reader.remaining_len()).unwrap_or(0)..].to_vec();
        let outer = encode(&outer, WHAT)?;
        let (data, wrapped) = match ContentInfo::from_der(&outer) {
            Ok(info) if info.content_type == SIGNED_DATA => (
                info.content.decode_as::<SignedData>().map_err(der(WHAT))?,
                true,
            ),
            Ok(_) => {
                return Err(Error::Invalid {
                    what: WHAT,
                    why: "its content is not SignedData",
                });
            }
            Err(_) => (SignedData::from_der(&outer).map_err(der(WHAT))?, false),
        };
        let mut certificates = Vec::new();
        for choice in data.certificates.iter().flat_map(|set| set.0.iter()) {
            if let CertificateChoices::Certificate(certificate) = choice {
                certificates.push(Certificate::from_inner(certificate.clone())?);
            }
        }
        for (what, found) in [
            ("count of certificates", certificates.len()),
            ("count of signers", data.signer_infos.0.len()),
        ] {
            if found > MAX_MEMBERS {
                return Err(Error::Limit {
                    what,
                    found,
                    limit: MAX_MEMBERS,
                });
            }
        }
        Ok(SignedMessage {
            data,
            certificates,
            trailing,
            wrapped,
        })
    }

    /// Certificates inside, in DER order.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// How many signers there are; firmware looks at the first alone.
    pub fn signers(&self) -> usize {
        self.data.signer_infos.0.len()
    }

    /// The embedded content's identifier.
    pub(crate) fn content_type(&self) -> ObjectIdentifier {
        self.data.encap_content_info.econtent_type
    }

    /// The embedded content, whole, in DER.
    pub(crate) fn content_der(&self) -> Option<Vec<u8>> {
        self.data
            .encap_content_info
            .econtent
            .as_ref()?
            .to_der()
            .ok()
    }

    /// The embedded content without tag and length: what is hashed when it is embedded.
    pub fn content(&self) -> Option<&[u8]> {
        Some(self.data.encap_content_info.econtent.as_ref()?.value())
    }

    /// The image digest that an Authenticode signature states, with its algorithm.
    pub fn image_digest(&self) -> Option<(HashAlgorithm, Vec<u8>)> {
        if self.content_type() != crate::spc::INDIRECT_DATA {
            return None;
        }
        crate::spc::read(&self.content_der()?).ok()
    }

    fn signer_info(&self) -> Option<&SignerInfo> {
        self.data.signer_infos.0.iter().next()
    }

    /// The digest algorithm of the first signer.
    pub fn hash(&self) -> Option<HashAlgorithm> {
        HashAlgorithm::of(&self.signer_info()?.digest_alg)
    }

    /// The certificate inside that the first signer names.
    pub fn signer_certificate(&self) -> Option<&Certificate> {
        let info = self.signer_info()?;
        self.certificates.iter().find(|certificate| {
            let tbs = certificate.inner.tbs_certificate();
            match &info.sid {
                SignerIdentifier::IssuerAndSerialNumber(id) => {
                    id.issuer == *tbs.issuer() && id.serial_number == *tbs.serial_number()
                }
                SignerIdentifier::SubjectKeyIdentifier(id) => {
                    matches!(tbs.get_extension::<SubjectKeyIdentifier>(), Ok(Some((_, own))) if own == *id)
                }
            }
        })
    }

    /// The value of the first signer's message digest attribute.
    pub(crate) fn message_digest(&self) -> Option<Vec<u8>> {
        let attributes = self.signer_info()?.signed_attrs.as_ref()?;
        let found = attributes.iter().find(|a| a.oid == MESSAGE_DIGEST)?;
        let value = found.values.iter().next()?;
        Some(value.decode_as::<OctetString>().ok()?.as_bytes().to_vec())
    }

    /// True when the first signer's signature is `certificate`'s over its attributes, or over `content` when it has none,
    /// and the attributes, when there are any, state the digest of `content`.
    pub fn is_signed_by(&self, certificate: &Certificate, content: &[u8]) -> bool {
        let (Some(info), Some(hash), Ok(key)) =
            (self.signer_info(), self.hash(), certificate.public_key())
        else {
            return false;
        };
        let message = match &info.signed_attrs {
            Some(attributes) => {
                if self.message_digest().as_deref() != Some(&hash.digest(content)[..]) {
                    return false;
                }
                match attributes.to_der() {
                    Ok(der) => der,
                    Err(_) => return false,
                }
            }
            None => content.to_vec(),
        };
        key.verifies(hash, &hash.digest(&message), info.signature.as_bytes())
    }
}
