//! Rules about the certificates that a shim brings along.

use crate::finding::{Findings, Weight};
use boot_pe::Image;
use boot_signature::{Certificate, KeyAlgorithm};
use boot_variables::{Entry, EntryKind, Shim};
use jiff::Timestamp;

const YEAR: i64 = 365 * 24 * 3600;
/// What reviewers find sensible for a certificate that signs boot files itself.
const SIGNER_YEARS: i64 = 5;
/// And for one that issues others.
const AUTHORITY_YEARS: i64 = 30;

/// The shim's own lists; findings when they can't be read.
pub(crate) fn vendor(image: &Image<'_>, found: &mut Findings) -> Option<Shim> {
    match Shim::read(image) {
        Ok(shim) => Some(shim),
        Err(error) => {
            found.add(
                Weight::Error,
                "vendor-certificate-unreadable",
                error.to_string(),
                "build shim with VENDOR_CERT_FILE in DER form, or VENDOR_DB_FILE as signature lists",
            );
            None
        }
    }
}

/// Judges every certificate that the shim allows.
pub(crate) fn check(shim: &Shim, at: Timestamp, found: &mut Findings) {
    let certificates: Vec<&Entry> = shim
        .authorized
        .iter()
        .filter(|entry| entry.kind == EntryKind::X509)
        .collect();
    if certificates.is_empty() {
        found.add(
            Weight::Warning,
            "vendor-certificate-missing",
            "no vendor certificate is built in",
            "build shim with VENDOR_CERT_FILE: without one it starts only what db or MokList allow",
        );
    }
    for entry in certificates {
        match entry.as_certificate() {
            Some(certificate) => one(&certificate, at, found),
            None => found.add(
                Weight::Error,
                "vendor-certificate-unreadable",
                "a vendor certificate does not parse",
                "embed one X.509 certificate in DER form",
            ),
        }
    }
}

fn one(certificate: &Certificate, at: Timestamp, found: &mut Findings) {
    let subject = certificate.subject();
    let mut add = |weight, rule, what: &str, remedy| {
        found.add(weight, rule, format!("`{subject}` {what}"), remedy);
    };
    match certificate.key_algorithm() {
        Some(KeyAlgorithm::Rsa { bits }) if bits >= 2048 => {}
        Some(KeyAlgorithm::Rsa { bits }) => add(
            Weight::Error,
            "certificate-key",
            &format!("has an RSA key of {bits} bits"),
            "use RSA with 2048 bits or more",
        ),
        _ => add(
            Weight::Error,
            "certificate-key",
            "has no RSA key, and shim verifies nothing else",
            "use RSA with 2048 bits or more",
        ),
    }
    let (from, until) = certificate.validity();
    if until < at {
        add(
            Weight::Warning,
            "certificate-expired",
            &format!("was valid until {until}"),
            "embed a certificate that is valid; shim itself does not look at the time",
        );
    }
    let years = until.as_second().saturating_sub(from.as_second()) / YEAR;
    let authority = certificate.is_authority();
    let limit = if authority {
        AUTHORITY_YEARS
    } else {
        SIGNER_YEARS
    };
    if years > limit {
        add(
            Weight::Warning,
            "certificate-validity",
            &format!("is valid for {years} years, more than {limit}"),
            "a certificate that signs itself should last 1 to 5 years, an authority longer",
        );
    }
    if authority && !certificate.may_issue() {
        add(
            Weight::Error,
            "certificate-authority",
            "is an authority whose key usage lacks certificate signing",
            "add keyCertSign, or make it no authority",
        );
    }
    if !authority && !certificate.may_sign() {
        add(
            Weight::Error,
            "certificate-key-usage",
            "is no authority and its key usage lacks digital signature",
            "add digitalSignature",
        );
    }
    if !authority && !certificate.may_sign_code() {
        add(
            Weight::Warning,
            "certificate-code-signing",
            "states usages without code signing",
            "add codeSigning to its extended key usage",
        );
    }
}
