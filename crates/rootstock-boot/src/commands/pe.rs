//! `pe ...`: what a PE file is.

use crate::files;
use crate::print::{Out, Verdict};
use anyhow::Context;
use boot_pe::{Report, Severity};
use std::fmt::Write;
use std::path::PathBuf;

/// PE files.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Print headers, sections, hashes, signatures and everything odd.
    #[command(after_help = "\
Exit code 1 when a finding may make a firmware or a verifier refuse the file.

Example:
  rootstock-boot pe inspect /usr/lib/shim/shimx64.efi.signed")]
    Inspect {
        /// The file.
        file: PathBuf,
    },
}

pub(crate) fn run(command: Command, out: &Out) -> anyhow::Result<Verdict> {
    match command {
        Command::Inspect { file } => {
            let bytes = files::read(&file)?;
            let report = boot_pe::inspect(&bytes).with_context(|| file.display().to_string())?;
            out.answer(&report, describe)?;
            let problems = report.anomalies_of(Severity::Problem).count();
            Ok(Verdict::when(problems == 0))
        }
    }
}

fn describe(report: &Report) -> String {
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
