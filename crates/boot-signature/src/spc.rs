//! Authenticode's own content type: the digest of an image, wrapped.

use crate::algorithm::encode;
use crate::error::der;
use crate::{Error, HashAlgorithm, Result};
use ::der::asn1::{Any, ObjectIdentifier, OctetString};
use ::der::{Decode, Reader, Sequence, SliceReader};
use x509_cert::spki::AlgorithmIdentifierOwned;

/// SpcIndirectDataContent.
pub(crate) const INDIRECT_DATA: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.2.1.4");
/// SpcPeImageData.
const PE_IMAGE_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.2.1.15");

#[derive(Debug, Sequence)]
struct IndirectData {
    data: TypeAndValue,
    message_digest: DigestInfo,
}

#[derive(Debug, Sequence)]
struct TypeAndValue {
    kind: ObjectIdentifier,
    #[asn1(optional = "true")]
    value: Option<Any>,
}

#[derive(Debug, Sequence)]
struct DigestInfo {
    algorithm: AlgorithmIdentifierOwned,
    digest: OctetString,
}

/// The DER of the content for an image's digest; the file link is the customary `<<<Obsolete>>>`.
pub(crate) fn content(hash: HashAlgorithm, digest: &[u8]) -> Result<Vec<u8>> {
    const WHAT: &str = "image digest";
    // SEQUENCE { BIT STRING (no flags), [0] { [2] { [0] BMPString } } }
    let mut value = vec![
        0x30, 0x25, 0x03, 0x01, 0x00, 0xa0, 0x20, 0xa2, 0x1e, 0x80, 0x1c,
    ];
    value.extend("<<<Obsolete>>>".bytes().flat_map(|letter| [0, letter]));
    encode(
        &IndirectData {
            data: TypeAndValue {
                kind: PE_IMAGE_DATA,
                value: Some(Any::from_der(&value).map_err(der(WHAT))?),
            },
            message_digest: DigestInfo {
                algorithm: hash.identifier(),
                digest: OctetString::new(digest).map_err(der(WHAT))?,
            },
        },
        WHAT,
    )
}

/// Algorithm and digest that a content states.
pub(crate) fn read(content: &[u8]) -> Result<(HashAlgorithm, Vec<u8>)> {
    const WHAT: &str = "Authenticode content";
    let mut reader = SliceReader::new(content).map_err(der(WHAT))?;
    let data = IndirectData::decode(&mut reader).map_err(der(WHAT))?;
    let wrong = |why| Error::Invalid { what: WHAT, why };
    if !reader.is_finished() {
        return Err(wrong("bytes follow the digest"));
    }
    // What the digest is of is stated beside it, wrongly by some signers; firmware, shim and sbverify do not look.
    let hash = HashAlgorithm::of(&data.message_digest.algorithm)
        .ok_or_else(|| wrong("its digest algorithm is unknown"))?;
    Ok((hash, data.message_digest.digest.as_bytes().to_vec()))
}
