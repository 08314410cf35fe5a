//! The questions of a shim review that the binaries answer themselves.

use crate::grub;
use crate::program::{Program, ShimIdentity};
use boot_pe::{Image, inspect};
use boot_signature::{Certificate, KeyAlgorithm};
use boot_variables::{Entry, Shim};
use serde::Serialize;

/// One answer, for one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The question in short.
    pub question: &'static str,
    /// Lines; never empty.
    pub answer: Vec<String>,
}

/// What can be answered about one file; which questions depends on what program it is.
pub fn questionnaire(file: &[u8]) -> crate::Result<Vec<Answer>> {
    let image = Image::parse(file)?;
    let report = inspect(file)?;
    let program = Program::of(&image);
    let mut answers = Vec::new();
    let mut add = |question, answer: Vec<String>| {
        if !answer.is_empty() {
            answers.push(Answer { question, answer });
        }
    };
    add("SHA-256 of the file", vec![report.sha256]);
    add(
        "Authenticode hash (SHA-256)",
        vec![report.authenticode_sha256],
    );
    add(
        "Is the NX compatibility flag set?",
        vec![if image.nx_compatible() { "yes" } else { "no" }.to_owned()],
    );
    add(
        "SBAT entries",
        match (report.sbat, report.sbat_problem) {
            (Some(sbat), _) => sbat.components.iter().map(ToString::to_string).collect(),
            (None, Some(problem)) => vec![problem],
            (None, None) => vec!["none".to_owned()],
        },
    );
    add("Signatures", vec![report.signatures.to_string()]);
    if program == Program::Shim {
        let identity = ShimIdentity::of(&image);
        let unknown = || "it does not say".to_owned();
        add(
            "Version of shim",
            vec![identity.version.unwrap_or_else(unknown)],
        );
        add(
            "Commit of the source",
            vec![identity.commit.unwrap_or_else(unknown)],
        );
        match Shim::read(&image) {
            Ok(shim) => built_in(&shim, &mut add),
            Err(error) => add("Vendor certificates", vec![error.to_string()]),
        }
    }
    if program == Program::Grub {
        let modules = grub::modules(&image);
        let unknown = || vec!["the module section can't be read".to_owned()];
        add(
            "Modules built into GRUB",
            modules.map_or_else(unknown, |names| vec![names.join(" ")]),
        );
    }
    Ok(answers)
}

fn built_in(shim: &Shim, add: &mut impl FnMut(&'static str, Vec<String>)) {
    let none = |lines: Vec<String>| {
        if lines.is_empty() {
            vec!["none".to_owned()]
        } else {
            lines
        }
    };
    add(
        "Vendor certificates and hashes that it allows",
        none(shim.authorized.iter().map(describe).collect()),
    );
    add(
        "Certificates and hashes that it forbids (vendor dbx)",
        none(shim.deauthorized.iter().map(Entry::describe).collect()),
    );
    if let Some(level) = &shim.level {
        let text = level.to_string();
        add(
            "SBAT level that it applies",
            text.lines().map(str::to_owned).collect(),
        );
    }
}

fn describe(entry: &Entry) -> String {
    match entry.as_certificate() {
        Some(certificate) => certificate_line(&certificate),
        None => entry.describe(),
    }
}

fn certificate_line(certificate: &Certificate) -> String {
    let fingerprint = hex::encode(certificate.fingerprint());
    let key = match certificate.key_algorithm() {
        Some(KeyAlgorithm::Rsa { bits }) => format!("RSA {bits}"),
        Some(KeyAlgorithm::P256) => "P-256".to_owned(),
        Some(KeyAlgorithm::P384) => "P-384".to_owned(),
        None => "unknown".to_owned(),
    };
    let (from, until) = certificate.validity();
    let authority = if certificate.is_authority() {
        "authority (CA)"
    } else {
        "no authority"
    };
    format!(
        "{}, issued by {}, {authority}, key {key}, valid from {from} to {until}, SHA-256 {fingerprint}",
        certificate.subject(),
        certificate.issuer()
    )
}
