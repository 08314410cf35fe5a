//! `unlock owner-request|owner-sign`, and what an owner's recovery token is used for: a disk whose machine does not unlock it.

use super::inputs::{TpmOptions, VolumeOptions};
use crate::commands::key::{PinOptions, certificates};
use crate::files;
use crate::print::{Out, Verdict};
use anyhow::Context;
use boot_sign::KeyReference;
use boot_unlock::{RecoveryRequest, RecoveryToken};
use std::path::{Path, PathBuf};

/// Ask the owner of a disk.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The request holds no secret. The token that the owner makes of it opens this disk by this TPM alone, until it is sealed anew.

Example:
  rootstock-boot unlock owner-request --token 0 -o request.json /dev/vda2")]
pub(crate) struct Request {
    #[command(flatten)]
    volume: VolumeOptions,
    /// The token's number.
    #[arg(long, value_parser = crate::commands::number::token)]
    token: u32,
    /// Where to write the request.
    #[arg(long, short)]
    output: PathBuf,
}

/// Grant a request.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: where the owner's key is, which need not be on the machine
  rootstock-boot unlock owner-sign --key owner.key -o recovery.json request.json
then on the machine:
  rootstock-boot unlock try --recovery-token recovery.json /dev/vda2
  rootstock-boot unlock reseal --token 0 --recovery-token recovery.json --pcr 7 \\
      --owner-key owner.pub /dev/vda2")]
pub(crate) struct Sign {
    /// The owner's private RSA key: a PEM or DER file, a PKCS#11 URI, or offline:FOLDER for request files.
    #[arg(long, value_name = "FILE|pkcs11:URI|offline:FOLDER")]
    key: String,
    /// Certificate of the key; only an offline key needs it.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    #[command(flatten)]
    pin: PinOptions,
    /// The request.
    request: PathBuf,
    /// Where to write the recovery token.
    #[arg(long, short)]
    output: PathBuf,
}

/// Runs `owner-request`.
pub(crate) fn request(options: &Request, out: &Out) -> anyhow::Result<Verdict> {
    let volume = options.volume.open(false)?;
    let request = RecoveryRequest::of(&volume, options.token)?;
    let json = serde_json::to_string_pretty(&request)? + "\n";
    files::write(out, &options.output, json.as_bytes())?;
    out.answer(&request, |request| {
        format!(
            "{}: disk {}, token {}, to be signed by its owner",
            options.output.display(),
            request.volume,
            request.token
        )
    })?;
    Ok(Verdict::Good)
}

/// Runs `owner-sign`.
pub(crate) fn sign(options: &Sign, out: &Out) -> anyhow::Result<Verdict> {
    let name = || options.request.display().to_string();
    let request: RecoveryRequest =
        serde_json::from_slice(&files::read(&options.request)?).with_context(name)?;
    let reference: KeyReference = options.key.parse()?;
    let certificate = match &options.certificate {
        Some(path) => certificates(path)?.into_iter().next(),
        None => None,
    };
    let signer = options
        .pin
        .keys(out)?
        .open(&reference, certificate.as_ref())?;
    let token = request.sign(&*signer)?;
    let json = serde_json::to_string_pretty(&token)? + "\n";
    files::write(out, &options.output, json.as_bytes())?;
    out.answer(&token, |token| {
        format!(
            "{}: opens disk {} by token {}, until that is sealed anew",
            options.output.display(),
            token.volume,
            token.token
        )
    })?;
    Ok(Verdict::Good)
}

/// Reads a recovery token.
pub(crate) fn token(path: &Path) -> anyhow::Result<RecoveryToken> {
    serde_json::from_slice(&files::read(path)?).with_context(|| path.display().to_string())
}

/// Whether a recovery token opens the disk.
pub(crate) fn attempt(
    volume: &VolumeOptions,
    tpm: &TpmOptions,
    path: &Path,
) -> anyhow::Result<boot_unlock::Result<boot_unlock::Unlocked>> {
    let mut open = volume.open(false)?;
    let mut tpm = tpm.open()?;
    Ok(boot_unlock::recover(&mut open, &mut tpm, &token(path)?))
}
