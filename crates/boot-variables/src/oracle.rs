//! The boot oracle: what firmware answers when it is asked to load a file, and which entry decides.
//!
//! The order of questions is EDK II's (`DxeImageVerificationHandler`): for an unsigned image its SHA-256 in dbx, then in
//! db. For a signed one each signature in turn: a certificate of dbx in its chain forbids, or the hash of its signer's
//! certificate; a certificate of db in its chain allows; the image's hash (by the signature's digest algorithm) in dbx
//! forbids, in db allows. One "forbidden" ends it whatever else was found; otherwise one "allowed" is enough.

use crate::{Decision, Entry, EntryKind, EntryName, Machine, Platform, Reason, Status};
use boot_pe::{Anomaly, Image};
use boot_signature::{
    Certificate, HashAlgorithm, KeyAlgorithm, SignedMessage, chain, read_signatures,
};

/// A readable signature with what decides about it.
pub(crate) struct Signature {
    pub(crate) index: usize,
    pub(crate) message: SignedMessage,
    pub(crate) hash: HashAlgorithm,
    pub(crate) digest: Vec<u8>,
    elliptic_curves: bool,
}

/// Signatures that can be read; firmware passes over others.
pub(crate) fn signatures(
    image: &Image<'_>,
    platform: Platform,
) -> boot_signature::Result<Vec<Signature>> {
    let mut found = Vec::new();
    for (index, message) in read_signatures(image)?.into_iter().enumerate() {
        let Ok(message) = message else { continue };
        let Some(hash) = message.image_digest().map(|(hash, _)| hash) else {
            continue;
        };
        let digest = hash.image_digest(image)?;
        found.push(Signature {
            index,
            message,
            hash,
            digest,
            elliptic_curves: platform.elliptic_curves,
        });
    }
    Ok(found)
}

impl Signature {
    /// Subjects from the signer to `anchor`, when the signature is good and leads there.
    pub(crate) fn leads_to(&self, anchor: &Certificate) -> Option<Vec<String>> {
        let (_, stated) = self.message.image_digest()?;
        let signer = self.message.signer_certificate()?;
        let content = self.message.content()?;
        if stated != self.digest || !self.message.is_signed_by(signer, content) {
            return None;
        }
        let anchors = std::slice::from_ref(anchor);
        let path = chain(signer, self.message.certificates(), anchors)?;
        // Every key on the path verifies something: the signer's the signature, an issuer's the certificate below.
        let verifiable = self.elliptic_curves || path.iter().all(|c| !has_elliptic_key(c));
        verifiable.then(|| path.iter().map(|c| c.subject()).collect())
    }

    /// True when only the kind of its key keeps firmware from looking at it.
    fn needs_elliptic_curves(&self) -> bool {
        !self.elliptic_curves
            && self
                .message
                .signer_certificate()
                .is_some_and(has_elliptic_key)
    }

    /// The entry of a deny list that is a certificate which this signature leads to.
    pub(crate) fn forbidden_by(&self, list: &'static str, entries: &[Entry]) -> Option<EntryName> {
        entries.iter().enumerate().find_map(|(index, entry)| {
            let certificate = entry.as_certificate()?;
            self.leads_to(&certificate)?;
            Some(name(list, index, entry))
        })
    }

    /// The entry of dbx that is the hash of the signer's certificate. Firmware does not look for the hashes of those above.
    fn signer_forbidden_by(&self, entries: &[Entry]) -> Option<EntryName> {
        let signer = self.message.signer_certificate()?.to_be_signed();
        entries.iter().enumerate().find_map(|(index, entry)| {
            let hit = match entry.kind {
                EntryKind::CertificateHash(hash) => entry.data.starts_with(&hash.digest(&signer)),
                _ => false,
            };
            hit.then(|| name("dbx", index, entry))
        })
    }

    /// The entry of an allow list that this signature leads to, and the chain.
    pub(crate) fn allowed_by(
        &self,
        list: &'static str,
        entries: &[Entry],
        forbidden: &[Entry],
    ) -> Option<(EntryName, Vec<String>)> {
        entries.iter().enumerate().find_map(|(index, entry)| {
            let certificate = entry.as_certificate()?;
            let revoked = forbidden.iter().any(|other| match other.kind {
                EntryKind::CertificateHash(hash) => other
                    .data
                    .starts_with(&hash.digest(&certificate.to_be_signed())),
                _ => false,
            });
            if revoked {
                return None;
            }
            Some((name(list, index, entry), self.leads_to(&certificate)?))
        })
    }
}

fn has_elliptic_key(certificate: &Certificate) -> bool {
    matches!(
        certificate.key_algorithm(),
        Some(KeyAlgorithm::P256 | KeyAlgorithm::P384)
    )
}

pub(crate) fn name(list: &'static str, index: usize, entry: &Entry) -> EntryName {
    EntryName {
        list,
        index,
        owner: entry.owner,
        description: entry.describe(),
    }
}

/// The entry with an image's hash.
pub(crate) fn find_hash(
    list: &'static str,
    entries: &[Entry],
    hash: HashAlgorithm,
    digest: &[u8],
) -> Option<EntryName> {
    let at = entries
        .iter()
        .position(|entry| entry.kind == EntryKind::Image(hash) && entry.data == digest)?;
    Some(name(list, at, &entries[at]))
}

/// Why a loader could not load the image even with checks off.
fn not_loadable(image: &Image<'_>, platform: Platform) -> Option<(Status, String)> {
    if image.machine != platform.processor {
        return Some((
            Status::Unsupported,
            format!(
                "it is for processor {:?}, the machine has {:?}",
                image.machine, platform.processor
            ),
        ));
    }
    if !matches!(image.subsystem, 10..=12) {
        return Some((
            Status::Unsupported,
            format!("subsystem {} is not an EFI one", image.subsystem),
        ));
    }
    if let Some(table) = image.certificate_table()
        && u64::from(table.address) + u64::from(table.size) > image.bytes.len() as u64
    {
        let error = "its certificate table lies outside of the file";
        return Some((Status::Unsupported, error.to_owned()));
    }
    let outside = image
        .anomalies()
        .into_iter()
        .find(|a| matches!(a, Anomaly::OutsideImage { .. }))?;
    Some((Status::LoadError, outside.to_string()))
}

/// What firmware answers when it is asked to load `file`.
pub fn firmware(machine: &Machine, file: &[u8]) -> Decision {
    let image = match Image::parse(file) {
        Ok(image) => image,
        Err(error) => {
            let status = if machine.secure_boot {
                Status::AccessDenied
            } else {
                Status::Unsupported
            };
            return refuse_unloadable(status, error.to_string());
        }
    };
    if machine.secure_boot {
        let decision = verify(machine, &image);
        if !decision.boots {
            return decision;
        }
        return match not_loadable(&image, machine.platform) {
            Some((status, error)) => refuse_unloadable(status, error),
            None => decision,
        };
    }
    match not_loadable(&image, machine.platform) {
        Some((status, error)) => refuse_unloadable(status, error),
        None => Decision::allow(Reason::SecureBootOff),
    }
}

pub(crate) fn refuse_unloadable(status: Status, error: String) -> Decision {
    Decision::new(
        status,
        Reason::NotLoadable { error },
        vec!["build the file anew: it is damaged or not a boot file of this machine".to_owned()],
    )
}

fn verify(machine: &Machine, image: &Image<'_>) -> Decision {
    let denied = |reason, remedies| Decision::new(Status::AccessDenied, reason, remedies);
    let corrupt = |error: String| {
        denied(
            Reason::TableCorrupt { error },
            vec!["strip the file and sign it anew".to_owned()],
        )
    };
    if image.certificate_table().is_none() {
        let digest = match HashAlgorithm::Sha256.image_digest(image) {
            Ok(digest) => digest,
            Err(error) => return corrupt(error.to_string()),
        };
        if let Some(entry) = find_hash("dbx", &machine.dbx, HashAlgorithm::Sha256, &digest) {
            return denied(Reason::HashForbidden { entry }, forbidden_remedies());
        }
        return match find_hash("db", &machine.db, HashAlgorithm::Sha256, &digest) {
            Some(entry) => Decision::allow(Reason::HashAllowed { entry }),
            None => denied(Reason::Unsigned, signing_remedies("db", &machine.db)),
        };
    }
    let found = match signatures(image, machine.platform) {
        Ok(found) => found,
        Err(error) => return corrupt(error.to_string()),
    };
    let mut allowed = None;
    for signature in &found {
        let forbidden = signature
            .forbidden_by("dbx", &machine.dbx)
            .or_else(|| signature.signer_forbidden_by(&machine.dbx));
        if let Some(entry) = forbidden {
            let signature = signature.index;
            return denied(
                Reason::CertificateForbidden { entry, signature },
                forbidden_remedies(),
            );
        }
        if allowed.is_none()
            && let Some((entry, chain)) = signature.allowed_by("db", &machine.db, &machine.dbx)
        {
            allowed = Some(Reason::CertificateAllowed {
                entry,
                signature: signature.index,
                chain,
            });
        }
        if let Some(entry) = find_hash("dbx", &machine.dbx, signature.hash, &signature.digest) {
            return denied(Reason::HashForbidden { entry }, forbidden_remedies());
        }
        if allowed.is_none() {
            allowed = find_hash("db", &machine.db, signature.hash, &signature.digest)
                .map(|entry| Reason::HashAllowed { entry });
        }
    }
    match allowed {
        Some(reason) => Decision::allow(reason),
        None => denied(
            not_allowed(&found),
            enrol_remedies("db", &machine.db, &found),
        ),
    }
}

pub(crate) fn not_allowed(found: &[Signature]) -> Reason {
    Reason::NotAllowed {
        signers: found
            .iter()
            .filter_map(|s| s.message.signer_certificate().map(Certificate::subject))
            .collect(),
    }
}

pub(crate) fn forbidden_remedies() -> Vec<String> {
    vec![
        "install a version that is not revoked; an entry of dbx can be removed only with PK or KEK"
            .to_owned(),
    ]
}

pub(crate) fn signing_remedies(list: &str, entries: &[Entry]) -> Vec<String> {
    let mut remedies: Vec<String> = entries
        .iter()
        .filter_map(Entry::as_certificate)
        .map(|certificate| {
            format!(
                "sign it with the key of `{}` (in {list})",
                certificate.subject()
            )
        })
        .collect();
    remedies.push(format!("add its SHA-256 to {list}"));
    remedies
}

pub(crate) fn enrol_remedies(list: &str, entries: &[Entry], found: &[Signature]) -> Vec<String> {
    let mut remedies: Vec<String> = found
        .iter()
        .filter_map(|s| s.message.signer_certificate())
        .map(|certificate| format!("add the certificate `{}` to {list}", certificate.subject()))
        .collect();
    remedies.extend(signing_remedies(list, entries));
    if found.iter().any(Signature::needs_elliptic_curves) {
        remedies
            .push("sign it with an RSA key: this machine is taken not to verify ECDSA".to_owned());
    }
    remedies
}
