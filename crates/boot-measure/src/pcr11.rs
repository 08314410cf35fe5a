//! PCR 11: for each used section its name with NUL, then its content; later one word for each phase of the boot. A kernel or
//! initrd that the image refers to is measured as the section that it stands for, initrds one by one.

use crate::{Bank, Content, Digest, Error, EventType, Measurement, Register, Result};
use boot_pe::reference::{Part, Reference, References, note_of};
use boot_pe::{Image, Section, SectionName, StubIdentity};
use boot_stub_core::sections::MEASURED;
use serde::Serialize;

/// The phase paths that systemd signs for by default.
pub const DEFAULT_PHASES: [&str; 4] = [
    "enter-initrd",
    "enter-initrd:leave-initrd",
    "enter-initrd:leave-initrd:sysinit",
    "enter-initrd:leave-initrd:sysinit:ready",
];

/// Most zeros that are hashed behind a section's data.
const MAX_FILL: u32 = 256 * 1024 * 1024;

/// In which order sections are measured. The two published ones differ once `.dtbauto`, `.efifw` or `.hwids` stand beside
/// `.uname` or `.sbat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// As systemd-stub does it.
    Systemd,
    /// As the text of UAPI.5 lists them; lanzaboote's stub follows it.
    Uapi,
}

impl Order {
    fn sections(self) -> [SectionName; 14] {
        use SectionName as S;
        match self {
            // The stub of this repository measures in this order too, by the same list.
            Order::Systemd => MEASURED
                .map(|name| SectionName::parse(name).expect("a section that UAPI.5 defines")),
            Order::Uapi => [
                S::Linux,
                S::Osrel,
                S::Cmdline,
                S::Initrd,
                S::Ucode,
                S::Splash,
                S::Dtb,
                S::Dtbauto,
                S::Efifw,
                S::Hwids,
                S::Uname,
                S::Sbat,
                S::Pcrpkey,
                S::Profile,
            ],
        }
    }
}

/// What a stub measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Order of sections.
    pub order: Order,
    /// Major version of systemd whose stub it is, or equals in what it measures.
    pub version: u32,
}

impl Rules {
    /// The rules of the stub inside `image`, by its note (`.rsstub`), else by its `.sdmagic`.
    pub fn of(image: &Image<'_>) -> Result<Rules> {
        if let Some(note) = note_of(image)? {
            return Ok(Rules {
                order: Order::Systemd,
                version: note.measures,
            });
        }
        let identity = StubIdentity::of(image).filter(|identity| identity.name.ends_with("stub"));
        let version = identity.and_then(|identity| identity.major());
        Ok(Rules {
            order: Order::Systemd,
            version: version.ok_or(Error::UnknownStub)?,
        })
    }

    /// Whether a stub of this version knows the section; what it does not know it does not measure.
    fn measures(self, name: SectionName) -> bool {
        let since = match name {
            SectionName::Pcrsig | SectionName::Rsref => return false,
            SectionName::Linux
            | SectionName::Osrel
            | SectionName::Cmdline
            | SectionName::Initrd
            | SectionName::Splash
            | SectionName::Dtb
            | SectionName::Pcrpkey => 252,
            SectionName::Uname => UNAME_SINCE,
            SectionName::Sbat => SBAT_SINCE,
            SectionName::Ucode => 256,
            SectionName::Profile | SectionName::Dtbauto | SectionName::Hwids => 257,
            SectionName::Efifw => 258,
        };
        self.version >= since
    }
}

/// First version whose stub measures `.uname`.
const UNAME_SINCE: u32 = 253;
/// First version whose stub measures `.sbat`.
const SBAT_SINCE: u32 = 254;

/// A predicted value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pcr11 {
    /// The phase path, empty for the moment when the kernel starts.
    pub phase: String,
    /// The register then.
    pub register: Register,
}

/// The sections that the stub uses: the base ones, overridden by those of the chosen profile. Without a choice that is the
/// first profile, when there is one.
fn chosen<'i, 'a>(
    image: &'i Image<'a>,
    profile: Option<usize>,
) -> Result<Vec<(SectionName, &'i Section<'a>)>> {
    let named = image
        .sections
        .iter()
        .filter_map(|s| Some((SectionName::parse(&s.name())?, s)));
    let mut groups: Vec<Vec<(SectionName, &Section<'a>)>> = vec![Vec::new()];
    for (name, section) in named {
        if name == SectionName::Profile {
            groups.push(Vec::new());
        }
        groups
            .last_mut()
            .expect("there is a base group")
            .push((name, section));
    }
    let count = groups.len() - 1;
    let mut base = groups.swap_remove(0);
    // swap_remove moved the last profile to the front; put the profiles into order again.
    if count > 1 {
        groups.rotate_left(1);
    }
    let index = profile.unwrap_or(0);
    if profile.is_some() && index >= count {
        return Err(Error::Profile { index, count });
    }
    if let Some(own) = groups.get(index) {
        base.retain(|(name, _)| own.iter().all(|(other, _)| other != name));
        base.extend(own.iter().copied());
    }
    Ok(base)
}

/// A section: its name, then its content with the zeros behind it.
fn measure_section(
    measurements: &mut Vec<Measurement>,
    banks: &[Bank],
    name: SectionName,
    section: &Section<'_>,
) -> Result<()> {
    let data = section.data();
    let fill = section.virtual_size - data.len() as u32;
    if fill > MAX_FILL {
        return Err(Error::Size {
            name: name.as_str(),
            size: section.virtual_size,
        });
    }
    measurements.push(of_name(banks, name));
    let zeros = vec![0; fill as usize];
    let content = Content::Text(name.as_str().to_owned());
    let measured = [data, &zeros];
    measurements.push(Measurement::of_data(
        banks,
        11,
        EventType::IPL,
        &measured,
        content,
    ));
    Ok(())
}

fn of_name(banks: &[Bank], name: SectionName) -> Measurement {
    let name = name.as_str();
    let content = Content::Text(name.to_owned());
    let measured: [&[u8]; 2] = [name.as_bytes(), &[0]];
    Measurement::of_data(banks, 11, EventType::IPL, &measured, content)
}

fn section_of(part: Part) -> SectionName {
    match part {
        Part::Linux => SectionName::Linux,
        Part::Initrd => SectionName::Initrd,
    }
}

/// As if the file were the section that it stands for.
fn measure_file(
    measurements: &mut Vec<Measurement>,
    banks: &[Bank],
    reference: &Reference,
    file_of: &FileOf<'_>,
) -> Result<()> {
    let path = || reference.path().to_owned();
    let file = file_of(reference);
    if let Some(file) = &file
        && (file.len() as u64 != u64::from(reference.size.get())
            || Bank::Sha256.digest(&[file]) != reference.sha256)
    {
        return Err(Error::FileDiffers { path: path() });
    }
    let name = section_of(reference.part);
    measurements.push(of_name(banks, name));
    let mut digests = Vec::new();
    for bank in banks {
        let value = match (bank, &file) {
            (Bank::Sha256, _) => reference.sha256.to_vec(),
            (_, Some(file)) => bank.digest(&[file]),
            (bank, None) => {
                return Err(Error::FileNeeded {
                    bank: *bank,
                    path: path(),
                });
            }
        };
        digests.push(Digest {
            algorithm: bank.algorithm(),
            value,
        });
    }
    measurements.push(Measurement {
        pcr: 11,
        kind: EventType::IPL,
        digests,
        content: Content::Text(name.as_str().to_owned()),
    });
    Ok(())
}

/// Gives the file that a reference names, where it is at hand.
pub type FileOf<'f> = dyn Fn(&Reference) -> Option<Vec<u8>> + 'f;

/// What the stub of `image` measures into PCR 11, in order: for each section its name, then its content.
/// `.dtbauto` and `.efifw` are measured as written, which is right for images that have at most one match.
pub(crate) fn measurements(
    image: &Image<'_>,
    rules: Rules,
    banks: &[Bank],
    profile: Option<usize>,
    file_of: &FileOf<'_>,
) -> Result<Vec<Measurement>> {
    let sections = chosen(image, profile)?;
    // An older stub takes the first section of a name.
    let find = |name| {
        let found = sections.iter().find(|(other, _)| *other == name);
        found.map(|(_, section)| *section)
    };
    let references = find(SectionName::Rsref)
        .map(|section| References::parse(section.data()).map_err(boot_pe::Error::Reference))
        .transpose()?;
    let mut measurements = Vec::new();
    for name in rules.order.sections() {
        if !rules.measures(name) {
            continue;
        }
        if let Some(section) = find(name).filter(|section| section.virtual_size > 0) {
            measure_section(&mut measurements, banks, name, section)?;
        }
        for reference in references.iter().flatten() {
            if section_of(reference.part) == name {
                measure_file(&mut measurements, banks, reference, file_of)?;
            }
        }
    }
    Ok(measurements)
}

/// PCR 11 in `bank` when the kernel starts and after each of `phases` (paths such as `enter-initrd:leave-initrd`).
pub fn predict(
    image: &Image<'_>,
    rules: Rules,
    bank: Bank,
    profile: Option<usize>,
    phases: &[&str],
) -> Result<Vec<Pcr11>> {
    predict_with_files(image, rules, bank, profile, phases, &|_| None)
}

/// As [`predict`], for images with references: a bank other than SHA-256 needs the files, and a file that `file_of` has is
/// checked against its reference.
pub fn predict_with_files(
    image: &Image<'_>,
    rules: Rules,
    bank: Bank,
    profile: Option<usize>,
    phases: &[&str],
    file_of: &FileOf<'_>,
) -> Result<Vec<Pcr11>> {
    let mut register = Register::reset(bank);
    for measurement in measurements(image, rules, &[bank], profile, file_of)? {
        let digest = measurement
            .digest(bank)
            .expect("it was measured in this bank");
        register.extend(digest);
    }
    let mut predicted = vec![Pcr11 {
        phase: String::new(),
        register: register.clone(),
    }];
    for path in phases {
        let mut after = register.clone();
        for word in path.split(':') {
            if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(Error::Phase {
                    path: (*path).to_owned(),
                });
            }
            after.measure(&[word.as_bytes()]);
        }
        predicted.push(Pcr11 {
            phase: (*path).to_owned(),
            register: after,
        });
    }
    Ok(predicted)
}
