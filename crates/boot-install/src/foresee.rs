//! What the TPM's registers will hold when an entry's kernel starts, from what is on the volume: PCR 11 of the image's
//! sections, 12 and 13 of what is handed over beside it. The stub's own code decides what is measured and in which order.

use crate::beside::gather;
use crate::{Result, hex};
use boot_esp::{EspPath, Outlook};
use boot_measure::{Bank, DEFAULT_PHASES, FileOf, Rules, companions, predict_with_files};
use boot_pe::Image;
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
        let foretold = companions(*bank, &settings, &found)?;
        for (pcr, register) in [
            (PARAMETERS, &foretold.parameters),
            (EXTENSIONS, &foretold.extensions),
        ] {
            foreseen.registers.push(Value {
                pcr,
                bank: *bank,
                phase: None,
                value: hex(&register.value),
            });
        }
        // The same for every bank.
        foreseen.command_line = String::from_utf16_lossy(&foretold.effects.command_line);
        let list = foretold.effects.list.iter();
        foreseen.measured = list
            .map(|effect| Measured {
                pcr: effect.register,
                what: effect.description.clone(),
            })
            .collect();
    }
    Ok(foreseen)
}

/// Registers 11, 12 and 13 of the image at `path` of the volume, whose content is `bytes`, started without a word from the
/// boot loader. Banks other than SHA-256 need the files that the image refers to, and read them.
pub fn foresee(
    outlook: &Outlook<'_>,
    path: &EspPath,
    bytes: &[u8],
    banks: &[Bank],
) -> Result<Foreseen> {
    let mut foreseen = foresee_companions(outlook, path, bytes, banks, &Start::default())?;
    let image = Image::parse(bytes)?;
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
            value: hex(&at.register.value),
        }));
    }
    registers.append(&mut foreseen.registers);
    foreseen.registers = registers;
    Ok(foreseen)
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
