//! Authenticode on PE images: sign, read, verify, strip, detach, attach.

use crate::signed_data::{Content, assemble, wrap};
use crate::{Certificate, Error, HashAlgorithm, Result, SignedMessage, Signer, chain, spc};
use ::der::{Decode, Reader, SliceReader};
use boot_pe::{Anomaly, Image, Severity};
use jiff::Timestamp;
use serde::Serialize;

/// One reason why a signature is not good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "problem", rename_all = "kebab-case")]
pub enum Problem {
    /// It can't be read.
    #[error("unreadable: {error}")]
    Unreadable {
        /// Why.
        error: String,
    },
    /// It covers another image.
    #[error(
        "it states digest {stated}, the file's is {actual}: the file was changed or this signature belongs to another one"
    )]
    ImageDigest {
        /// In the signature.
        stated: String,
        /// Of the file.
        actual: String,
    },
    /// Its content is no Authenticode content.
    #[error("its content is not an Authenticode image digest")]
    ContentType,
    /// The signer's certificate is not inside.
    #[error("the signer's certificate is not inside")]
    NoSignerCertificate,
    /// The signature does not verify with the signer's key.
    #[error("the signature value does not verify with the key of `{signer}`")]
    BadSignature {
        /// Subject.
        signer: String,
    },
    /// No trusted certificate is reached.
    #[error("no trusted certificate is reached from `{signer}`")]
    Untrusted {
        /// Subject.
        signer: String,
    },
    /// A certificate of the chain is outside of its validity.
    #[error("`{subject}` is valid from {from} to {until}, not at {at}")]
    Validity {
        /// Subject.
        subject: String,
        /// First moment.
        from: Timestamp,
        /// Last moment.
        until: Timestamp,
        /// The moment that was checked.
        at: Timestamp,
    },
    /// The signer may not sign.
    #[error("`{subject}` may not sign: its key usage lacks digital signature")]
    KeyUsage {
        /// Subject.
        subject: String,
    },
    /// The signer may not sign code.
    #[error("`{subject}` may not sign code: its extended key usage lacks code signing")]
    ExtendedKeyUsage {
        /// Subject.
        subject: String,
    },
    /// SHA-1.
    #[error("it uses SHA-1, which shim and new firmware refuse")]
    WeakHash,
    /// More than one signer in one signature.
    #[error("it has {count} signers; firmware looks at the first alone")]
    SeveralSigners {
        /// How many.
        count: usize,
    },
    /// Bytes that are not padding follow the signature.
    #[error("{length} bytes that are not zero padding follow the signature inside its table entry")]
    Trailing {
        /// How many.
        length: usize,
    },
    /// The image's layout lets verifiers disagree.
    #[error("{anomaly}")]
    Layout {
        /// What is odd.
        anomaly: Anomaly,
    },
}

/// How a set of problems is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// As firmware: validity times, usages and layout do not count.
    Firmware,
    /// Everything counts.
    Full,
}

/// What was found about one signature.
#[derive(Debug, Clone, Serialize)]
pub struct SignatureReport {
    /// Its place among the image's signatures, from 0.
    pub index: usize,
    /// Digest algorithm.
    pub hash: Option<HashAlgorithm>,
    /// Subject of the signer.
    pub signer: Option<String>,
    /// SHA-256 of the signer's certificate, hexadecimal.
    pub fingerprint: Option<String>,
    /// Subjects from the signer to the trusted certificate.
    pub chain: Vec<String>,
    /// Everything wrong with it.
    pub problems: Vec<Problem>,
}

impl SignatureReport {
    /// True when nothing that counts is wrong.
    pub fn is_good(&self, strictness: Strictness) -> bool {
        self.problems.iter().all(|problem| {
            strictness == Strictness::Firmware
                && matches!(
                    problem,
                    Problem::Validity { .. }
                        | Problem::KeyUsage { .. }
                        | Problem::ExtendedKeyUsage { .. }
                        | Problem::SeveralSigners { .. }
                        | Problem::Layout { .. }
                )
        })
    }
}

/// Signs `file` in place: pads it, hashes it and adds one signature, after those it has or instead of them. The first of
/// `certificates` is the signer's, further ones help a verifier to reach what it trusts. `subject` tells a person who
/// holds the key what is being signed.
pub fn sign_image(
    file: &mut Vec<u8>,
    signer: &dyn Signer,
    certificates: &[&Certificate],
    hash: HashAlgorithm,
    keep: bool,
    subject: &str,
) -> Result<()> {
    if hash == HashAlgorithm::Sha1 {
        return Err(Error::Invalid {
            what: "digest algorithm",
            why: "SHA-1 signatures are not written",
        });
    }
    let signed = Image::parse(file)?.certificate_table().is_some();
    if !signed {
        boot_pe::pad(file);
    }
    let image = Image::parse(file)?;
    let digest = hash.image_digest(&image)?;
    let content_der = spc::content(hash, &digest)?;
    let content = Content {
        kind: spc::INDIRECT_DATA,
        embedded: Some(&content_der),
        hashed: value_of(&content_der)?,
        attributes: true,
    };
    let data = assemble(&content, hash, signer, certificates, subject)?;
    let signature = wrap(&data)?;
    let mut all: Vec<Vec<u8>> = Vec::new();
    if keep {
        all.extend(
            image
                .certificates()?
                .iter()
                .map(|entry| entry.data.to_vec()),
        );
    }
    all.push(signature);
    let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    boot_pe::replace_certificates(file, &all)?;
    Ok(())
}

/// The value inside a DER element: Authenticode hashes its content without tag and length.
fn value_of(element: &[u8]) -> Result<&[u8]> {
    let wrong = crate::error::der("Authenticode content");
    let mut reader = SliceReader::new(element).map_err(&wrong)?;
    let header = ::der::Header::decode(&mut reader).map_err(&wrong)?;
    reader.read_slice(header.length()).map_err(&wrong)
}

/// Each signature of an image, as read.
pub fn read_signatures(image: &Image<'_>) -> Result<Vec<Result<SignedMessage>>> {
    Ok(image
        .certificates()?
        .iter()
        .filter(|entry| entry.is_authenticode())
        .map(|entry| SignedMessage::read(entry.data))
        .collect())
}

/// Checks every signature of an image. `anchors` are what is trusted; without any, trust is not judged. `at` is the moment
/// for validity.
pub fn verify_image(
    image: &Image<'_>,
    anchors: &[Certificate],
    at: Timestamp,
) -> Result<Vec<SignatureReport>> {
    let layout: Vec<Problem> = image
        .anomalies()
        .into_iter()
        .filter(|anomaly| anomaly.severity() == Severity::Problem)
        .map(|anomaly| Problem::Layout { anomaly })
        .collect();
    let mut reports = Vec::new();
    for (index, message) in read_signatures(image)?.into_iter().enumerate() {
        let mut report = SignatureReport {
            index,
            hash: None,
            signer: None,
            fingerprint: None,
            chain: Vec::new(),
            problems: layout.clone(),
        };
        match message {
            Ok(message) => judge(&message, image, anchors, at, &mut report)?,
            Err(error) => report.problems.push(Problem::Unreadable {
                error: error.to_string(),
            }),
        }
        reports.push(report);
    }
    Ok(reports)
}

fn judge(
    message: &SignedMessage,
    image: &Image<'_>,
    anchors: &[Certificate],
    at: Timestamp,
    report: &mut SignatureReport,
) -> Result<()> {
    let problems = &mut report.problems;
    if message.trailing.len() >= 8 || message.trailing.iter().any(|byte| *byte != 0) {
        problems.push(Problem::Trailing {
            length: message.trailing.len(),
        });
    }
    if message.signers() != 1 {
        problems.push(Problem::SeveralSigners {
            count: message.signers(),
        });
    }
    let stated = message
        .content_der()
        .filter(|_| message.content_type() == spc::INDIRECT_DATA)
        .map(|der| spc::read(&der));
    match stated {
        None => problems.push(Problem::ContentType),
        Some(Err(error)) => problems.push(Problem::Unreadable {
            error: error.to_string(),
        }),
        Some(Ok((hash, stated))) => {
            report.hash = Some(hash);
            if hash == HashAlgorithm::Sha1 {
                problems.push(Problem::WeakHash);
            }
            let actual = hash.image_digest(image)?;
            if stated != actual {
                problems.push(Problem::ImageDigest {
                    stated: hex::encode(stated),
                    actual: hex::encode(actual),
                });
            }
        }
    }
    let Some(signer) = message.signer_certificate() else {
        problems.push(Problem::NoSignerCertificate);
        return Ok(());
    };
    let subject = signer.subject();
    report.signer = Some(subject.clone());
    report.fingerprint = Some(hex::encode(signer.fingerprint()));
    if !message.is_signed_by(signer, message.content().unwrap_or_default()) {
        problems.push(Problem::BadSignature {
            signer: subject.clone(),
        });
    }
    if !signer.may_sign() {
        problems.push(Problem::KeyUsage {
            subject: subject.clone(),
        });
    }
    if !signer.may_sign_code() {
        problems.push(Problem::ExtendedKeyUsage {
            subject: subject.clone(),
        });
    }
    let path = match chain(signer, message.certificates(), anchors) {
        Some(path) => path,
        None if anchors.is_empty() => vec![signer],
        None => {
            problems.push(Problem::Untrusted { signer: subject });
            vec![signer]
        }
    };
    for certificate in &path {
        let (from, until) = certificate.validity();
        if at < from || at > until {
            problems.push(Problem::Validity {
                subject: certificate.subject(),
                from,
                until,
                at,
            });
        }
    }
    report.chain = path
        .iter()
        .map(|certificate| certificate.subject())
        .collect();
    Ok(())
}

/// Removes all signatures, or the one of this index. The padding that signing added stays.
pub fn strip(file: &mut Vec<u8>, index: Option<usize>) -> Result<()> {
    let image = Image::parse(file)?;
    let entries = image.certificates()?;
    let kept: Vec<Vec<u8>> = match index {
        None => Vec::new(),
        Some(index) => {
            detach(&image, index)?;
            entries
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != index)
                .map(|(_, entry)| entry.data.to_vec())
                .collect()
        }
    };
    let kept: Vec<&[u8]> = kept.iter().map(Vec::as_slice).collect();
    Ok(boot_pe::replace_certificates(file, &kept)?)
}

/// The DER of one signature, without padding, to be kept in a file of its own.
pub fn detach(image: &Image<'_>, index: usize) -> Result<Vec<u8>> {
    let entries = image.certificates()?;
    let entry = entries.get(index).ok_or(Error::Invalid {
        what: "signature index",
        why: "the image has no signature of this index (counted from 0)",
    })?;
    let message = SignedMessage::read(entry.data)?;
    Ok(entry.data[..entry.data.len() - message.trailing.len()].to_vec())
}

/// Adds a detached signature to an image; refuses one that states another image's digest.
pub fn attach(file: &mut Vec<u8>, signature: &[u8]) -> Result<()> {
    const WHAT: &str = "detached signature";
    let message = SignedMessage::read(signature)?;
    if !message.wrapped || !message.trailing.is_empty() {
        return Err(Error::Invalid {
            what: WHAT,
            why: "it must be one DER ContentInfo and nothing else",
        });
    }
    let content = message.content_der().ok_or(Error::Invalid {
        what: WHAT,
        why: "it has no content",
    })?;
    let (hash, stated) = spc::read(&content)?;
    if Image::parse(file)?.certificate_table().is_none() {
        boot_pe::pad(file);
    }
    let image = Image::parse(file)?;
    if hash.image_digest(&image)? != stated {
        return Err(Error::Invalid {
            what: WHAT,
            why: "it states the digest of another image",
        });
    }
    let mut all: Vec<Vec<u8>> = image
        .certificates()?
        .iter()
        .map(|e| e.data.to_vec())
        .collect();
    all.push(signature.to_vec());
    let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    Ok(boot_pe::replace_certificates(file, &all)?)
}
