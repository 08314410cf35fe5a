//! `pcr companions`: PCR 12 and 13 of an image on its volume, from the files beside it.

use super::pcr::BankName;
use super::pe::hex;
use crate::files;
use crate::print::{Out, Verdict};
use anyhow::Context;
use boot_measure::{Bank, addon, companions};
use boot_pe::Image;
use boot_stub_core::command_line::Options;
use boot_stub_core::companions::{
    ADDONS, CREDENTIALS, Companions, File, Kind, Settings, own_folder,
};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Where the image and its companions are, and how it is started.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Folder where the image's volume is mounted.
    #[arg(long, value_name = "FOLDER")]
    volume: PathBuf,
    /// What the boot loader hands over: `@N` for a profile, then a command line.
    #[arg(long, value_name = "TEXT", default_value = "")]
    options: String,
    /// Secure Boot is off, so that the boot loader's command line counts.
    #[arg(long)]
    insecure: bool,
    /// An addon that firmware will refuse, by its file name.
    #[arg(long, value_name = "NAME")]
    without: Vec<String>,
    /// Banks; SHA-256 by default.
    #[arg(long, value_enum, default_value = "sha256")]
    bank: Vec<BankName>,
    /// The image's path on the volume, such as EFI/Linux/nixos.efi.
    image: String,
}

#[derive(Serialize)]
struct Statement {
    command_line: String,
    measured: Vec<Measured>,
    registers: Vec<Value>,
}

#[derive(Serialize)]
struct Measured {
    pcr: u8,
    what: String,
}

#[derive(Serialize)]
struct Value {
    pcr: u8,
    bank: Bank,
    value: String,
}

pub(crate) fn run(arguments: &Arguments, out: &Out) -> anyhow::Result<Verdict> {
    let path = arguments.image.trim_start_matches('/');
    let file = files::read(&arguments.volume.join(path))?;
    let image = Image::parse(&file).with_context(|| arguments.image.clone())?;
    let units: Vec<u16> = arguments.options.encode_utf16().collect();
    let options = Options::parse(&units);
    let section = |name: &str| {
        // A profile's own section comes before the base's.
        let mut profile = None;
        let mut found = [None; 2];
        for section in &image.sections {
            let section_name = section.name();
            if section_name == ".profile" {
                profile = Some(profile.map_or(0, |index: u32| index + 1));
            }
            let own = profile == Some(options.profile.unwrap_or(0));
            if section_name == name && (own || profile.is_none()) {
                found[usize::from(!own)].get_or_insert(section.data());
            }
        }
        found[0].or(found[1])
    };
    let found = gather(arguments, path, section(".uname"))?;
    let settings = Settings {
        profile: options.profile,
        given: &options.command_line,
        embedded: section(".cmdline"),
        secure_boot: !arguments.insecure,
    };
    let mut registers = Vec::new();
    let mut statement = None;
    for name in &arguments.bank {
        let bank = name.bank();
        let foretold = companions(bank, &settings, &found)?;
        for (pcr, register) in [(12, &foretold.parameters), (13, &foretold.extensions)] {
            registers.push(Value {
                pcr,
                bank,
                value: hex(&register.value),
            });
        }
        statement = Some(foretold.effects);
    }
    let effects = statement.context("no bank is asked for")?;
    let statement = Statement {
        command_line: String::from_utf16_lossy(&effects.command_line),
        measured: effects
            .list
            .iter()
            .map(|effect| Measured {
                pcr: effect.register,
                what: effect.description.clone(),
            })
            .collect(),
        registers,
    };
    out.answer(&statement, |statement| {
        let mut lines = vec![format!("# command line: {}", statement.command_line)];
        let measured = statement.measured.iter();
        lines.extend(measured.map(|m| format!("# PCR[{}] {}", m.pcr, m.what)));
        let values = statement.registers.iter();
        lines.extend(values.map(|v| format!("{}:{}={}", v.pcr, v.bank, v.value)));
        lines.join("\n")
    })?;
    Ok(Verdict::Good)
}

/// What the stub will find; folders that do not exist have nothing.
fn gather(
    arguments: &Arguments,
    image: &str,
    release: Option<&[u8]>,
) -> anyhow::Result<Companions> {
    let folder = |path: &str| {
        let path = path.replace('\\', "/");
        arguments.volume.join(path.trim_start_matches('/'))
    };
    let mut found = Companions::default();
    let own = list(&folder(&own_folder(image)))?;
    for (name, path) in list(&folder(ADDONS))?.iter().chain(&own) {
        if Kind::of(name) == Some(Kind::Addon) && !arguments.without.contains(name) {
            let file = files::read(path)?;
            let image = Image::parse(&file).with_context(|| path.display().to_string())?;
            // What the stub leaves out changes no register.
            found.addons.extend(addon(name, &image, release).ok());
        }
    }
    let of = |list: &[(String, PathBuf)], kind: Kind| -> anyhow::Result<Vec<File>> {
        let wanted = list.iter().filter(|(name, _)| Kind::of(name) == Some(kind));
        wanted
            .map(|(name, path)| Ok((name.clone(), files::read(path)?)))
            .collect()
    };
    found.credentials = of(&own, Kind::Credential)?;
    found.sysexts = of(&own, Kind::Sysext)?;
    found.confexts = of(&own, Kind::Confext)?;
    found.global_credentials = of(&list(&folder(CREDENTIALS))?, Kind::Credential)?;
    Ok(found)
}

/// Names and paths of a folder's files, in order.
fn list(folder: &Path) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let name = || folder.display().to_string();
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(name)?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.with_context(name)?;
        if entry.file_type().with_context(name)?.is_file() {
            let file = entry.file_name().to_string_lossy().into_owned();
            files.push((file, entry.path()));
        }
    }
    files.sort();
    Ok(files)
}
