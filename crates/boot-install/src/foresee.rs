//! What the TPM's registers will hold when an entry's kernel starts, from what is on the volume: PCR 11 of the image's
//! sections, 12 and 13 of what is handed over beside it. The stub's own code decides what is measured and in which order.

use crate::beside::gather;
use crate::{LoaderPaths, Result};
use boot_esp::{EspPath, Outlook};
use boot_measure::{
    Bank, DEFAULT_PHASES, FileOf, Rules, companions, handed_line, loader_version,
    predict_with_files,
};
use boot_pe::{Image, Machine};
use boot_stub_core::command_line::Options;
use boot_stub_core::companions::{EXTENSIONS, PARAMETERS, Settings};
use serde::Serialize;

/// The register of an image's sections.
const SECTIONS: u8 = 11;

/// How an image is started, besides what lies beside it.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// The profile, when the boot loader names one.
    pub profile: Option<u32>,
    /// The boot loader's command line, in UTF-16.
    pub command_line: Vec<u16>,
    /// Secure Boot is off, so that the boot loader's command line counts.
    pub insecure: bool,
    /// Addons that firmware will refuse, by file name.
    pub refused: Vec<String>,
    /// What the boot loader itself measures into PCR 12 before.
    pub measured: Option<String>,
}

/// What registers will hold, and what they got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Foreseen {
    /// The whole command line of the kernel.
    pub command_line: String,
    /// What PCR 12 and 13 get, in order.
    pub measured: Vec<Measured>,
    /// Values.
    pub registers: Vec<Value>,
    /// Addons that the stub leaves out, with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Measured {
    /// Into which register.
    pub pcr: u8,
    /// What the log calls it.
    pub what: String,
}

/// The value of a register in a bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Value {
    /// The register.
    pub pcr: u8,
    /// The bank.
    pub bank: Bank,
    /// PCR 11 alone: the phase path, empty for the moment when the kernel starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Hexadecimal.
    pub value: String,
}

/// Registers 12 and 13 of the image at `path` of the volume, whose content is `bytes`.
pub fn foresee_companions(
    outlook: &Outlook<'_>,
    path: &EspPath,
    bytes: &[u8],
    banks: &[Bank],
    start: &Start,
) -> Result<Foreseen> {
    let image = Image::parse(bytes)?;
    let section = |name: &str| section(&image, name, start.profile);
    let (mut found, left_out) = gather(outlook, path, section(".uname"))?;
    found
        .addons
        .retain(|addon| !start.refused.contains(&addon.name));
    let settings = Settings {
        profile: start.profile,
        given: &start.command_line,
        embedded: section(".cmdline"),
        secure_boot: !start.insecure,
    };
    let mut foreseen = Foreseen {
        command_line: String::new(),
        measured: Vec::new(),
        registers: Vec::new(),
        left_out,
    };
    for bank in banks {
        let foretold = companions(*bank, &settings, &found, start.measured.as_deref())?;
        for (pcr, register) in [
            (PARAMETERS, &foretold.parameters),
            (EXTENSIONS, &foretold.extensions),
        ] {
            foreseen.registers.push(Value {
                pcr,
                bank: *bank,
                phase: None,
                value: hex::encode(&register.value),
            });
        }
        // The same for every bank.
        foreseen.command_line = String::from_utf16_lossy(&foretold.effects.command_line);
        let line = start.measured.iter().map(|line| (PARAMETERS, line));
        let list = foretold.effects.list.iter();
        foreseen.measured = line
            .chain(list.map(|effect| (effect.register, &effect.description)))
            .map(|(pcr, what)| Measured {
                pcr,
                what: what.clone(),
            })
            .collect();
    }
    Ok(foreseen)
}

/// Registers 11, 12 and 13 of the image at `path` of the volume, whose content is `bytes`, started by the boot loader of
/// `esp`; a signed image with Secure Boot, an unsigned one without. Banks other than SHA-256 need the files that the image
/// refers to, and read them.
pub fn foresee(
    outlook: &Outlook<'_>,
    esp: &Outlook<'_>,
    path: &EspPath,
    bytes: &[u8],
    banks: &[Bank],
) -> Result<Foreseen> {
    let image = Image::parse(bytes)?;
    let line = loader_of(esp, image.machine)?.and_then(|version| handed_line(version, &image));
    let units: Vec<u16> = line.iter().flat_map(|line| line.encode_utf16()).collect();
    let start = Start {
        command_line: Options::parse(&units).command_line,
        insecure: image.certificate_table().is_none(),
        measured: line,
        ..Start::default()
    };
    let mut foreseen = foresee_companions(outlook, path, bytes, banks, &start)?;
    let rules = Rules::of(&image)?;
    let mut registers = Vec::new();
    for bank in banks {
        let file_of: &FileOf<'_> = match bank {
            Bank::Sha256 => &|_| None,
            _ => &|reference| {
                let path = EspPath::new(reference.path().trim_start_matches('/')).ok()?;
                outlook.read(&path).ok()
            },
        };
        let predicted = predict_with_files(&image, rules, *bank, None, &DEFAULT_PHASES, file_of)?;
        registers.extend(predicted.into_iter().map(|at| Value {
            pcr: SECTIONS,
            bank: *bank,
            phase: Some(at.phase),
            value: hex::encode(&at.register.value),
        }));
    }
    registers.append(&mut foreseen.registers);
    foreseen.registers = registers;
    Ok(foreseen)
}

/// The version of the systemd-boot on a system partition; none when another program, or nothing, starts the entries.
fn loader_of(esp: &Outlook<'_>, machine: Machine) -> Result<Option<u32>> {
    let Ok(paths) = LoaderPaths::of(machine) else {
        return Ok(None);
    };
    for path in [paths.own, paths.fallback] {
        let folder = path.parent().expect("loaders lie in folders");
        if !esp.files(&folder)?.contains_key(&path) {
            continue;
        }
        let bytes = esp.read(&path)?;
        let version = Image::parse(&bytes)
            .ok()
            .and_then(|image| loader_version(&image));
        if version.is_some() {
            return Ok(version);
        }
    }
    Ok(None)
}

/// The section that the stub takes: the profile's own, else the base's. The first profile is the default.
fn section<'a>(image: &Image<'a>, name: &str, profile: Option<u32>) -> Option<&'a [u8]> {
    let mut open = None;
    let mut found = [None; 2];
    for section in &image.sections {
        let section_name = section.name();
        if section_name == ".profile" {
            open = Some(open.map_or(0, |index: u32| index + 1));
        }
        let own = open == Some(profile.unwrap_or(0));
        if section_name == name && (own || open.is_none()) {
            found[usize::from(!own)].get_or_insert(section.data());
        }
    }
    found[0].or(found[1])
}
