//! What shim answers when it is asked to verify a second stage: its own certificates, MokList and MokListX beside db and
//! dbx, and SBAT before all of them.
//!
//! Order as in shim 16.1 (`verify_buffer`): SBAT; hash in dbx, MokListX or shim's own deny list; hash in db or MokList;
//! then each signature: deny lists, db, MokList, shim's own certificate. One signature that is good and not forbidden is
//! enough, whatever the others are: unlike firmware, shim lets no signature veto another. It hashes by SHA-256 alone, does
//! not look for hashes of certificates.

use crate::oracle::{
    Signature, enrol_remedies, find_hash, forbidden_remedies, not_allowed, refuse_unloadable,
    signatures, signing_remedies,
};
use crate::{
    Decision, Entry, EntryKind, Error, Guid, Machine, Platform, Reason, Result, Status, read_lists,
};
use boot_pe::Image;
use boot_pe::sbat::{Sbat, SbatLevel};
use boot_signature::{Certificate, HashAlgorithm};

/// What is built into a shim.
#[derive(Debug, Clone, Default)]
pub struct Shim {
    /// Certificates and hashes that it allows itself.
    pub authorized: Vec<Entry>,
    /// Those that it forbids itself.
    pub deauthorized: Vec<Entry>,
    /// The SBAT level that it writes unless the machine has a newer one.
    pub level: Option<SbatLevel>,
    /// Whether it verifies ECDSA signatures; shim is built without, Debian's 16.1 included.
    pub elliptic_curves: bool,
}

fn number(bytes: &[u8], at: usize, what: &'static str) -> Result<usize> {
    crate::error::u32_at(bytes, at, what)
}

impl Shim {
    /// Reads `.vendor_cert` and `.sbatlevel` of a shim.
    pub fn read(image: &Image<'_>) -> Result<Shim> {
        const VENDOR: &str = "shim's vendor certificate table";
        const LEVEL: &str = "shim's SBAT levels";
        let mut shim = Shim::default();
        if let Some(section) = image.section_by_long_name(".vendor_cert") {
            let data = section.data();
            let part = |size_at: usize, offset_at: usize| {
                let (size, offset) = (
                    number(data, size_at, VENDOR)?,
                    number(data, offset_at, VENDOR)?,
                );
                crate::error::take(data, offset, size, VENDOR)
            };
            shim.authorized = certificates_or_lists(part(0, 8)?)?;
            shim.deauthorized = certificates_or_lists(part(4, 12)?)?;
        }
        if let Some(section) = image.section_by_long_name(".sbatlevel") {
            let data = section.data();
            if number(data, 0, LEVEL)? != 0 {
                return Err(Error::Invalid {
                    what: LEVEL,
                    offset: 0,
                    why: "its layout version is not 0",
                });
            }
            // Offsets count from behind the version; the first level is the automatic one.
            let start = number(data, 4, LEVEL)? + 4;
            let text = data.get(start..).ok_or(Error::Invalid {
                what: LEVEL,
                offset: 4,
                why: "the automatic level lies outside",
            })?;
            shim.level = Some(SbatLevel::parse(text)?);
        }
        Ok(shim)
    }

    /// The level that counts: the newer of the machine's and shim's own, by date stamp.
    pub fn effective_level(&self, machine: &Machine) -> SbatLevel {
        let levels = [machine.sbat_level.as_ref(), self.level.as_ref()];
        let newest = levels
            .into_iter()
            .flatten()
            .max_by(|a, b| a.datestamp.cmp(&b.datestamp));
        newest.cloned().unwrap_or_default()
    }
}

/// A vendor part is one DER certificate or signature lists.
fn certificates_or_lists(bytes: &[u8]) -> Result<Vec<Entry>> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    match Certificate::from_der(bytes) {
        Ok(certificate) => Ok(vec![Entry::certificate(Guid([0; 16]), &certificate)]),
        Err(_) => read_lists(bytes),
    }
}

/// A MOK that is marked for kernel modules only does not start boot files.
fn boots_with(entry: &Entry) -> bool {
    const MODULES_ONLY: &str = "1.3.6.1.4.1.2312.16.1.2";
    entry.kind != EntryKind::X509
        || entry
            .as_certificate()
            .is_some_and(|certificate| !certificate.has_extended_usage(MODULES_ONLY))
}

/// Who asks shim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// Nobody: shim starts its second stage, which must have SBAT data.
    Shim,
    /// The second stage or what it started, through shim's protocol or through LoadImage, which shim replaces. SBAT data
    /// is checked where it is there.
    SecondStage,
}

/// The status for a file that does not parse: sections that the file lacks are found by shim when it hashes them, what is
/// wrong with headers before that.
fn unreadable(error: &boot_pe::Error) -> Status {
    match error {
        boot_pe::Error::Truncated { what, .. } if *what == boot_pe::SECTION_DATA => {
            Status::InvalidParameter
        }
        _ => Status::Unsupported,
    }
}

/// What shim answers for a file.
pub fn shim(machine: &Machine, shim: &Shim, asker: Asker, file: &[u8]) -> Decision {
    let image = match Image::parse(file) {
        Ok(image) => image,
        Err(error) => return refuse_unloadable(unreadable(&error), error.to_string()),
    };
    if image.machine != machine.platform.processor {
        let error = format!("it is for processor {:?}", image.machine);
        return refuse_unloadable(Status::Unsupported, error);
    }
    let corrupt = |error: String| {
        let remedies = vec!["strip the file and sign it anew".to_owned()];
        let reason = Reason::TableCorrupt { error };
        Decision::new(Status::InvalidParameter, reason, remedies)
    };
    // The file is hashed to measure it, whether it is checked or not.
    if let Some(table) = image.certificate_table()
        && u64::from(table.address) + u64::from(table.size) != file.len() as u64
    {
        return corrupt("the file does not end with its certificate table".to_owned());
    }
    if !machine.secure_boot {
        return Decision::allow(Reason::SecureBootOff);
    }
    if !machine.mok_validation {
        return Decision::allow(Reason::ValidationOff);
    }
    let denied = |reason, remedies| Decision::new(Status::SecurityViolation, reason, remedies);
    let platform = Platform {
        elliptic_curves: shim.elliptic_curves,
        ..machine.platform
    };
    if let Some(decision) = check_sbat(&shim.effective_level(machine), asker, &image) {
        return decision;
    }
    let hash = HashAlgorithm::Sha256;
    let signed = hash
        .image_digest(&image)
        .and_then(|digest| Ok((digest, signatures(&image, platform)?)));
    let (digest, found) = match signed {
        Ok(both) => both,
        Err(error) => return corrupt(error.to_string()),
    };
    let forbid = [
        ("dbx", &machine.dbx),
        ("MokListX", &machine.mokx),
        ("shim's own deny list", &shim.deauthorized),
    ];
    let none = Vec::new();
    let mok: Vec<Entry> = machine
        .mok
        .iter()
        .filter(|entry| boots_with(entry))
        .cloned()
        .collect();
    let allow = [
        (
            "db",
            if machine.mok_uses_db {
                &machine.db
            } else {
                &none
            },
        ),
        ("shim's own list", &shim.authorized),
        ("MokList", &mok),
    ];
    for (list, entries) in forbid {
        if let Some(entry) = find_hash(list, entries, hash, &digest) {
            return denied(Reason::HashForbidden { entry }, forbidden_remedies());
        }
    }
    for (list, entries) in allow {
        if let Some(entry) = find_hash(list, entries, hash, &digest) {
            return Decision::allow(Reason::HashAllowed { entry });
        }
    }
    if image.certificate_table().is_none() {
        return denied(Reason::Unsigned, signing_remedies("MokList", &mok));
    }
    match by_signature(&found, &forbid, &allow) {
        Some(reason @ Reason::CertificateAllowed { .. }) => return Decision::allow(reason),
        Some(reason) => return denied(reason, forbidden_remedies()),
        None => {}
    }
    denied(not_allowed(&found), enrol_remedies("MokList", &mok, &found))
}

/// Names of lists and their entries.
type Lists<'a> = [(&'static str, &'a Vec<Entry>)];

/// What the signatures lead to: the first allowed certificate, else the first forbidden one.
fn by_signature(found: &[Signature], forbid: &Lists<'_>, allow: &Lists<'_>) -> Option<Reason> {
    let mut forbidden = None;
    let usable = |signature: &&Signature| signature.hash == HashAlgorithm::Sha256;
    for found in found.iter().filter(usable) {
        let signature = found.index;
        let by = forbid
            .iter()
            .find_map(|(list, entries)| found.forbidden_by(list, entries));
        if let Some(entry) = by {
            forbidden.get_or_insert(Reason::CertificateForbidden { entry, signature });
            continue;
        }
        let allowed = allow
            .iter()
            .find_map(|(list, entries)| found.allowed_by(list, entries, &[]));
        if let Some((entry, chain)) = allowed {
            return Some(Reason::CertificateAllowed {
                entry,
                signature,
                chain,
            });
        }
    }
    forbidden
}

fn check_sbat(level: &SbatLevel, asker: Asker, image: &Image<'_>) -> Option<Decision> {
    if level.minimum.is_empty() {
        return None;
    }
    let missing = |status, found: String| {
        Decision::new(
            status,
            Reason::SbatMissing { found },
            vec!["build the file with an .sbat section".to_owned()],
        )
    };
    let Some(section) = image.section(".sbat") else {
        let refused = missing(Status::SecurityViolation, "no .sbat section".to_owned());
        return (asker == Asker::Shim).then_some(refused);
    };
    let sbat = match Sbat::parse(section.data()) {
        Ok(sbat) => sbat,
        Err(error) => return Some(missing(Status::InvalidParameter, error.to_string())),
    };
    let revoked = level.check(&sbat);
    if revoked.is_empty() {
        return None;
    }
    let remedies = revoked
        .iter()
        .map(|r| {
            format!(
                "install a version with {} generation {} or later (it has {})",
                r.name, r.minimum, r.found
            )
        })
        .collect();
    Some(Decision::new(
        Status::SecurityViolation,
        Reason::SbatRevoked {
            revoked,
            level: level.datestamp.clone(),
        },
        remedies,
    ))
}
