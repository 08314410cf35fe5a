//! `pe ...`: what a PE file is, and its signatures: put on, checked, taken off, moved.

use super::key::{KeyOptions, certificates};
use super::pe_text;
use crate::commands::number::number;
use crate::files;
use crate::print::{Out, Verdict};
use anyhow::Context;
use boot_pe::{Image, Severity};
use boot_signature::{HashAlgorithm, SignatureReport, Strictness};
use jiff::Timestamp;
use serde::Serialize;
use std::path::{Path, PathBuf};

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
    /// Add a signature.
    #[command(after_help = SIGN_EXAMPLES)]
    Sign {
        #[command(flatten)]
        key: KeyOptions,
        /// Digest; every firmware knows SHA-256, few tools the others.
        #[arg(long, value_enum, default_value = "sha256")]
        hash: Hash,
        /// Remove the signatures that are there instead of keeping them.
        #[arg(long)]
        replace: bool,
        /// Where to write: a file, or an existing folder for several inputs.
        #[arg(long, short)]
        output: PathBuf,
        /// What to sign.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Check every signature: digest, signature value, chain, validity, usages, layout.
    #[command(after_help = "\
Exit code 1 when no signature is good. Without --certificate trust is not judged.

Example:
  rootstock-boot pe verify --certificate db.crt nixos.efi")]
    Verify {
        /// Trusted certificates, PEM or DER; may be given several times.
        #[arg(long, value_name = "FILE")]
        certificate: Vec<PathBuf>,
        /// The moment for validity times; now by default.
        #[arg(long, value_name = "RFC 3339")]
        at: Option<Timestamp>,
        /// Judge as firmware does: validity times, usages and layout do not count.
        #[arg(long)]
        firmware: bool,
        /// The file.
        file: PathBuf,
    },
    /// Remove signatures.
    Strip {
        /// Only the signature of this index, counted from 0.
        #[arg(long, value_parser = number(0_usize, 255))]
        index: Option<usize>,
        /// Where to write.
        #[arg(long, short)]
        output: PathBuf,
        /// The signed file.
        file: PathBuf,
    },
    /// Copy one signature out into a file of its own.
    Detach {
        /// Which, counted from 0.
        #[arg(long, default_value_t = 0, value_parser = number(0_usize, 255))]
        index: usize,
        /// Where to write the signature (DER).
        #[arg(long, short)]
        output: PathBuf,
        /// The signed file.
        file: PathBuf,
    },
    /// Add a signature that was detached or made elsewhere.
    Attach {
        /// The signature (DER).
        #[arg(long)]
        signature: PathBuf,
        /// Where to write.
        #[arg(long, short)]
        output: PathBuf,
        /// The file that it belongs to.
        file: PathBuf,
    },
    /// Print the Authenticode hash.
    Hash {
        /// Digest.
        #[arg(long, value_enum, default_value = "sha256")]
        hash: Hash,
        /// Files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

const SIGN_EXAMPLES: &str = "\
Examples:
  rootstock-boot pe sign --key db.key --certificate db.crt -o signed.efi nixos.efi
  rootstock-boot pe sign --key 'pkcs11:token=boot;object=db?module-path=/usr/lib/opensc-pkcs11.so' \\
      --certificate db.crt -o signed.efi nixos.efi
  rootstock-boot pe sign --key offline:requests --certificate db.crt -o signed.efi nixos.efi
      writes requests/HASH.tbs and exits with 3; sign it elsewhere, put the answer into
      requests/HASH.sig and run the same command again";

/// Digests that are written.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl From<Hash> for HashAlgorithm {
    fn from(hash: Hash) -> HashAlgorithm {
        match hash {
            Hash::Sha256 => HashAlgorithm::Sha256,
            Hash::Sha384 => HashAlgorithm::Sha384,
            Hash::Sha512 => HashAlgorithm::Sha512,
        }
    }
}

pub(crate) fn run(command: Command, out: &Out) -> anyhow::Result<Verdict> {
    match command {
        Command::Inspect { file } => {
            let bytes = files::read(&file)?;
            let report = boot_pe::inspect(&bytes).with_context(|| name(&file))?;
            out.answer(&report, pe_text::describe)?;
            let problems = report.anomalies_of(Severity::Problem).count();
            Ok(Verdict::when(problems == 0))
        }
        Command::Sign {
            key,
            hash,
            replace,
            output,
            files,
        } => sign(&key, hash, replace, &output, &files, out),
        Command::Verify {
            certificate,
            at,
            firmware,
            file,
        } => verify(&certificate, at, firmware, &file, out),
        Command::Strip {
            index,
            output,
            file,
        } => edit(&file, &output, out, |bytes| {
            boot_signature::strip(bytes, index)
        }),
        Command::Detach {
            index,
            output,
            file,
        } => {
            let bytes = files::read(&file)?;
            let image = Image::parse(&bytes).with_context(|| name(&file))?;
            let signature = boot_signature::detach(&image, index).with_context(|| name(&file))?;
            files::write(out, &output, &signature)?;
            done(out, &output, signature.len())
        }
        Command::Attach {
            signature,
            output,
            file,
        } => {
            let bytes = files::read(&signature)?;
            let attached = edit(&file, &output, out, |image| {
                boot_signature::attach(image, &bytes)
            });
            // Either may be what is wrong.
            attached.with_context(|| format!("attaching {}", name(&signature)))
        }
        Command::Hash { hash, files } => {
            let mut hashes = Vec::new();
            for file in files {
                let bytes = files::read(&file)?;
                let digest = Image::parse(&bytes)
                    .map_err(boot_signature::Error::from)
                    .and_then(|image| HashAlgorithm::from(hash).image_digest(&image))
                    .with_context(|| name(&file))?;
                hashes.push(FileHash {
                    file,
                    hash: hex::encode(digest),
                });
            }
            out.answer(&hashes, |hashes| {
                let lines: Vec<_> = hashes
                    .iter()
                    .map(|h| format!("{}  {}", h.hash, h.file.display()))
                    .collect();
                lines.join("\n")
            })?;
            Ok(Verdict::Good)
        }
    }
}

#[derive(Serialize)]
struct FileHash {
    file: PathBuf,
    hash: String,
}

#[derive(Serialize)]
struct Written {
    file: PathBuf,
    bytes: usize,
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

fn done(out: &Out, file: &Path, bytes: usize) -> anyhow::Result<Verdict> {
    let written = Written {
        file: file.to_owned(),
        bytes,
    };
    out.answer(&written, |w| {
        format!("{}: {} bytes", w.file.display(), w.bytes)
    })?;
    Ok(Verdict::Good)
}

fn edit(
    file: &Path,
    output: &Path,
    out: &Out,
    change: impl FnOnce(&mut Vec<u8>) -> boot_signature::Result<()>,
) -> anyhow::Result<Verdict> {
    let mut bytes = files::read(file)?;
    change(&mut bytes).with_context(|| name(file))?;
    files::write(out, output, &bytes)?;
    done(out, output, bytes.len())
}

fn sign(
    key: &KeyOptions,
    hash: Hash,
    replace: bool,
    output: &Path,
    inputs: &[PathBuf],
    out: &Out,
) -> anyhow::Result<Verdict> {
    let folder = output.is_dir();
    anyhow::ensure!(
        folder || inputs.len() == 1,
        "{}: several inputs need an existing folder as output",
        output.display()
    );
    let key = key.open(out)?;
    let hash = HashAlgorithm::from(hash);
    let mut written = Vec::new();
    for input in inputs {
        let mut bytes = files::read(input)?;
        let file = input.file_name().with_context(|| name(input))?;
        let subject = format!("Authenticode signature of {}", file.display());
        boot_signature::sign_image(
            &mut bytes,
            &*key.signer,
            &key.certificates(),
            hash,
            !replace,
            &subject,
        )
        .with_context(|| name(input))?;
        let target = if folder {
            output.join(file)
        } else {
            output.to_owned()
        };
        files::write(out, &target, &bytes)?;
        written.push(Written {
            file: target,
            bytes: bytes.len(),
        });
    }
    out.answer(&written, |written| {
        let lines: Vec<_> = written
            .iter()
            .map(|w| format!("{}: {} bytes", w.file.display(), w.bytes))
            .collect();
        lines.join("\n")
    })?;
    Ok(Verdict::Good)
}

fn verify(
    trusted: &[PathBuf],
    at: Option<Timestamp>,
    firmware: bool,
    file: &Path,
    out: &Out,
) -> anyhow::Result<Verdict> {
    let bytes = files::read(file)?;
    let image = Image::parse(&bytes).with_context(|| name(file))?;
    let mut anchors = Vec::new();
    for path in trusted {
        anchors.extend(certificates(path)?);
    }
    let at = at.unwrap_or_else(Timestamp::now);
    let reports = boot_signature::verify_image(&image, &anchors, at).with_context(|| name(file))?;
    let strictness = if firmware {
        Strictness::Firmware
    } else {
        Strictness::Full
    };
    let good = |report: &SignatureReport| report.is_good(strictness);
    out.answer(&reports, |reports| pe_text::signatures(reports))?;
    Ok(Verdict::when(reports.iter().any(good)))
}
