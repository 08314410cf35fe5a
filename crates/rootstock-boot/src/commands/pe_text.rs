//! How `pe inspect` and `pe verify` read for a person.

use boot_pe::Report;
use boot_signature::SignatureReport;
use std::fmt::Write;

/// One line for each property, section and finding.
pub(super) fn describe(report: &Report) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: String| {
        let _ = writeln!(text, "{label:<20} {value}");
    };
    line("kind", format!("{:?}, {:?}", report.kind, report.machine));
    line("size", format!("{} bytes", report.size));
    if let Some(stub) = &report.stub {
        line("program", format!("{} {}", stub.name, stub.version));
    }
    if let Some(release) = &report.kernel_release {
        line("kernel", release.clone());
    }
    line(
        "alignment",
        format!(
            "memory {:#x}, file {:#x}",
            report.section_alignment, report.file_alignment
        ),
    );
    line(
        "NX compatible",
        if report.nx_compatible { "yes" } else { "no" }.to_owned(),
    );
    line("signatures", report.signatures.to_string());
    line("SHA-256 of the file", report.sha256.clone());
    line("Authenticode SHA-256", report.authenticode_sha256.clone());
    line("Authenticode SHA-384", report.authenticode_sha384.clone());
    line("Authenticode SHA-512", report.authenticode_sha512.clone());
    text.push_str("\nsection    address      in memory    in file      at           access\n");
    for section in &report.sections {
        let _ = writeln!(
            text,
            "{:<10} {:#010x}   {:<10}   {:<10}   {:#010x}   {}",
            section.name,
            section.virtual_address,
            section.virtual_size,
            section.raw_size,
            section.raw_offset,
            section.access
        );
        for line in section.text.iter().flat_map(|text| text.lines()) {
            let _ = writeln!(text, "           | {line}");
        }
    }
    for (index, profile) in report.profiles.iter().enumerate() {
        let _ = writeln!(
            text,
            "profile {index}: {} ({})",
            profile.description.replace('\n', " "),
            profile.sections.join(" ")
        );
    }
    if let Some(problem) = &report.sbat_problem {
        let _ = writeln!(text, "problem: {problem}");
    }
    for anomaly in &report.anomalies {
        let _ = writeln!(text, "{:?}: {anomaly}", anomaly.severity());
    }
    text
}

/// One paragraph for each signature.
pub(super) fn signatures(reports: &[SignatureReport]) -> String {
    if reports.is_empty() {
        return "not signed".to_owned();
    }
    let mut text = String::new();
    for report in reports {
        let signer = report.signer.as_deref().unwrap_or("unknown signer");
        let hash = report
            .hash
            .map_or("unknown digest".to_owned(), |hash| hash.to_string());
        let _ = writeln!(text, "signature {}: {signer}, {hash}", report.index);
        if report.chain.len() > 1 {
            let _ = writeln!(text, "  chain: {}", report.chain.join(" <- "));
        }
        for problem in &report.problems {
            let _ = writeln!(text, "  problem: {problem}");
        }
        if report.problems.is_empty() {
            text.push_str("  good\n");
        }
    }
    text
}
