//! The boot loader: where it lies, and whether the one that is there is to be replaced.

use crate::{Error, Result};
use boot_esp::EspPath;
use boot_pe::{Image, Machine, StubIdentity};
use boot_signature::{Strictness, verify_image};
use jiff::Timestamp;
use serde::Serialize;
use sha2::Sha256;
use std::cmp::Ordering;

/// The two places of a loader: the one that a boot option names, and the one that firmware tries without any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoaderPaths {
    /// `EFI/systemd/systemd-bootARCH.efi`.
    pub own: EspPath,
    /// `EFI/BOOT/BOOTARCH.EFI`.
    pub fallback: EspPath,
}

impl LoaderPaths {
    /// The places for an instruction set.
    pub fn of(machine: Machine) -> Result<LoaderPaths> {
        let suffix = match machine {
            Machine::X64 => "x64",
            Machine::Aa64 => "aa64",
            Machine::Riscv64 => "riscv64",
            Machine::Loongarch64 => "loongarch64",
            Machine::Other(_) => {
                return Err(Error::Program {
                    what: "boot loader",
                    why: "it is for an instruction set that firmware has no name for".to_owned(),
                });
            }
        };
        let fallback = suffix.to_uppercase();
        Ok(LoaderPaths {
            own: EspPath::new(&format!("EFI/systemd/systemd-boot{suffix}.efi"))?,
            fallback: EspPath::new(&format!("EFI/BOOT/BOOT{fallback}.EFI"))?,
        })
    }
}

/// What is to be done with one copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoaderChoice {
    /// None is there.
    Install,
    /// It is the same, signed by the same key.
    Keep,
    /// It is older, differs, or its signature is not by this key.
    Update,
    /// It is newer than what would be installed.
    KeepNewer,
    /// It is another program: never touched.
    Foreign,
}

/// Decides about the copy `present` when `wanted` (unsigned) is to be there, signed by the certificate of `fingerprint`
/// (SHA-256, hexadecimal), or unsigned.
pub fn loader_choice(
    present: Option<&[u8]>,
    wanted: &[u8],
    fingerprint: Option<&str>,
) -> Result<LoaderChoice> {
    let Some(present) = present else {
        return Ok(LoaderChoice::Install);
    };
    let wanted = Image::parse(wanted)?;
    let Ok(image) = Image::parse(present) else {
        // What an interrupted run of ours leaves lacks the first two bytes or ends within the header; nobody's program does.
        let unfinished = present.len() <= 512 || present[..2] == [0, 0] || present[..2] == *b"M\0";
        return Ok(if unfinished {
            LoaderChoice::Update
        } else {
            LoaderChoice::Foreign
        });
    };
    let (Some(old), Some(new)) = (StubIdentity::of(&image), StubIdentity::of(&wanted)) else {
        // Damaged where its name stands: the signature still tells whose it was.
        let ours = fingerprint.is_some()
            && verify_image(&image, &[], Timestamp::UNIX_EPOCH).is_ok_and(|reports| {
                reports
                    .iter()
                    .any(|report| report.fingerprint.as_deref() == fingerprint)
            });
        return Ok(if ours {
            LoaderChoice::Update
        } else {
            LoaderChoice::Foreign
        });
    };
    if old.name != new.name {
        return Ok(LoaderChoice::Foreign);
    }
    if !is_whole(present) {
        return Ok(LoaderChoice::Update);
    }
    match uapi_version::strverscmp(&old.version, &new.version) {
        Ordering::Less => return Ok(LoaderChoice::Update),
        Ordering::Greater => return Ok(LoaderChoice::KeepNewer),
        Ordering::Equal => {}
    }
    let same = digest(&image)? == digest(&wanted)?;
    let signed = match fingerprint {
        Some(fingerprint) => verify_image(&image, &[], Timestamp::UNIX_EPOCH)?
            .iter()
            .any(|report| {
                report.is_good(Strictness::Firmware)
                    && report.fingerprint.as_deref() == Some(fingerprint)
            }),
        None => true,
    };
    Ok(if same && signed {
        LoaderChoice::Keep
    } else {
        LoaderChoice::Update
    })
}

/// True when firmware could load it: it parses, and its signature, when it has one, covers it.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    let Ok(image) = Image::parse(bytes) else {
        return false;
    };
    image.certificate_table().is_none()
        || verify_image(&image, &[], Timestamp::UNIX_EPOCH).is_ok_and(|reports| {
            reports
                .iter()
                .any(|report| report.is_good(Strictness::Firmware))
        })
}

/// The digest that signatures cover. Signing pads to eight bytes first, so an unsigned file is padded for the comparison.
fn digest(image: &Image<'_>) -> Result<Vec<u8>> {
    if image.certificate_table().is_some() || image.bytes.len().is_multiple_of(8) {
        return Ok(image.authenticode::<Sha256>()?);
    }
    let mut padded = image.bytes.to_vec();
    boot_pe::pad(&mut padded);
    Ok(Image::parse(&padded)?.authenticode::<Sha256>()?)
}
