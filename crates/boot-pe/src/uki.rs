//! Unified kernel images and PE addons (UAPI.5): which sections there are, which may repeat, and how they are laid out.
//!
//! Order in the file: the stub's own sections, the base sections in the order of [`SectionName`], then each profile, its
//! `.profile` first. The kernel is last in its group, so that a stub which unpacks it in place has room behind it. In place
//! of kernel and initrd there may be references to files beside the image, when the stub says that it knows them.

use crate::reference::{self, Part, References};
use crate::sbat::Sbat;
use crate::{Error, Image, NewSection, Result, rebuild};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt;

/// A section that UAPI.5 defines, or ours for references, in the order in which they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum SectionName {
    /// Opens a profile: `ID=` and `TITLE=` lines.
    #[serde(rename = ".profile")]
    Profile,
    /// os-release of the system.
    #[serde(rename = ".osrel")]
    Osrel,
    /// Kernel command line.
    #[serde(rename = ".cmdline")]
    Cmdline,
    /// Kernel release, as `uname -r`.
    #[serde(rename = ".uname")]
    Uname,
    /// Splash picture, BMP.
    #[serde(rename = ".splash")]
    Splash,
    /// Device tree.
    #[serde(rename = ".dtb")]
    Dtb,
    /// Device tree chosen by hardware; may repeat.
    #[serde(rename = ".dtbauto")]
    Dtbauto,
    /// Hardware identifiers that `.dtbauto` and `.efifw` are chosen by.
    #[serde(rename = ".hwids")]
    Hwids,
    /// Firmware image chosen by hardware; may repeat.
    #[serde(rename = ".efifw")]
    Efifw,
    /// Revocation data, merged with the stub's.
    #[serde(rename = ".sbat")]
    Sbat,
    /// Public key of the PCR signatures, PEM.
    #[serde(rename = ".pcrpkey")]
    Pcrpkey,
    /// Signed PCR policies, JSON; never measured.
    #[serde(rename = ".pcrsig")]
    Pcrsig,
    /// Processor microcode, a cpio archive.
    #[serde(rename = ".ucode")]
    Ucode,
    /// Initial RAM disk, a cpio archive.
    #[serde(rename = ".initrd")]
    Initrd,
    /// Kernel and initrds that lie beside the image ([`mod@reference`]); an extension of ours.
    #[serde(rename = ".rsref")]
    Rsref,
    /// The kernel.
    #[serde(rename = ".linux")]
    Linux,
}

impl SectionName {
    /// Every name, in writing order.
    pub const ALL: [SectionName; 16] = [
        SectionName::Profile,
        SectionName::Osrel,
        SectionName::Cmdline,
        SectionName::Uname,
        SectionName::Splash,
        SectionName::Dtb,
        SectionName::Dtbauto,
        SectionName::Hwids,
        SectionName::Efifw,
        SectionName::Sbat,
        SectionName::Pcrpkey,
        SectionName::Pcrsig,
        SectionName::Ucode,
        SectionName::Initrd,
        SectionName::Rsref,
        SectionName::Linux,
    ];

    /// The name with its dot.
    pub fn as_str(self) -> &'static str {
        match self {
            SectionName::Profile => ".profile",
            SectionName::Osrel => ".osrel",
            SectionName::Cmdline => ".cmdline",
            SectionName::Uname => ".uname",
            SectionName::Splash => ".splash",
            SectionName::Dtb => ".dtb",
            SectionName::Dtbauto => ".dtbauto",
            SectionName::Hwids => ".hwids",
            SectionName::Efifw => ".efifw",
            SectionName::Sbat => ".sbat",
            SectionName::Pcrpkey => ".pcrpkey",
            SectionName::Pcrsig => ".pcrsig",
            SectionName::Ucode => ".ucode",
            SectionName::Initrd => ".initrd",
            SectionName::Rsref => reference::SECTION,
            SectionName::Linux => ".linux",
        }
    }

    /// The section of this name, with its dot.
    pub fn parse(name: &str) -> Option<SectionName> {
        SectionName::ALL.into_iter().find(|s| s.as_str() == name)
    }

    /// True when one profile may have several.
    pub fn repeatable(self) -> bool {
        matches!(self, SectionName::Dtbauto | SectionName::Efifw)
    }
}

impl fmt::Display for SectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One section's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UkiSection<'a> {
    /// Which section.
    pub name: SectionName,
    /// Its bytes; not empty.
    pub data: Cow<'a, [u8]>,
}

/// A profile: the boot menu shows it as an entry of its own; its sections override the base ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile<'a> {
    /// Content of `.profile`, such as `ID=main\nTITLE=Default\n`.
    pub description: Cow<'a, [u8]>,
    /// What it overrides or adds.
    pub sections: Vec<UkiSection<'a>>,
}

/// What a UKI or addon is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uki<'a> {
    /// Sections that all profiles share.
    pub base: Vec<UkiSection<'a>>,
    /// Profiles, in menu order; usually none.
    pub profiles: Vec<Profile<'a>>,
}

impl<'a> Uki<'a> {
    /// Writes a UKI on `stub`. There must be a kernel, or a reference to one, in the base or in every profile.
    pub fn write(&self, stub: &Image<'a>) -> Result<Vec<u8>> {
        let refused = |section: &str, why| Error::Section {
            section: section.to_owned(),
            why,
        };
        let base = Group::read(&self.base)?;
        let mut referenced = base.references.is_some();
        let mut groups = vec![base];
        for profile in &self.profiles {
            let own = Group::read(&profile.sections)?;
            referenced |= own.references.is_some();
            groups.push(own.over(&groups[0]));
        }
        if referenced && !reference::understood_by(stub)? {
            let why = "the stub does not state (`.rsstub`) that it knows references: it could not start the image";
            return Err(refused(reference::SECTION, why));
        }
        // The base need not be whole where profiles complete it.
        let started = if self.profiles.is_empty() {
            &groups[..]
        } else {
            &groups[1..]
        };
        for group in started {
            match group.kernels() {
                0 => {
                    let why =
                        "a unified kernel image needs a kernel; write an addon for anything less";
                    return Err(refused(".linux", why));
                }
                1 => {}
                _ => {
                    return Err(refused(
                        ".linux",
                        "the kernel is both contained and referenced",
                    ));
                }
            }
            if group.initrd && group.initrd_referenced() {
                return Err(refused(
                    ".initrd",
                    "initrds are both contained and referenced",
                ));
            }
        }
        self.assemble(stub)
    }

    /// Writes an addon on `base` (see [`crate::addon_base`]). It must not have a kernel or profiles.
    pub fn write_addon(&self, base: &Image<'a>) -> Result<Vec<u8>> {
        let forbidden = |s: &&UkiSection<'_>| {
            matches!(
                s.name,
                SectionName::Linux | SectionName::Rsref | SectionName::Osrel | SectionName::Pcrsig
            )
        };
        if let Some(section) = self.base.iter().find(forbidden) {
            return Err(Error::Section {
                section: section.name.to_string(),
                why: "an addon must not carry it (UAPI.5, addons)",
            });
        }
        if !self.profiles.is_empty() {
            return Err(Error::Section {
                section: ".profile".to_owned(),
                why: "an addon has no profiles",
            });
        }
        if self.base.iter().all(|s| s.name == SectionName::Sbat) {
            return Err(Error::Section {
                section: ".cmdline".to_owned(),
                why: "an addon needs a section besides `.sbat`",
            });
        }
        self.assemble(base)
    }

    fn assemble(&self, stub: &Image<'a>) -> Result<Vec<u8>> {
        for section in &stub.sections {
            if let Some(name) = SectionName::parse(&section.name())
                && name != SectionName::Sbat
            {
                return Err(Error::Section {
                    section: name.to_string(),
                    why: "the stub has it already: it is not a bare stub",
                });
            }
        }
        let mut sections = Vec::new();
        let sbat = self.merged_sbat(stub)?;
        for section in &stub.sections {
            match &sbat {
                // The merged text takes the old one's place in memory when it fits.
                Some(text) if section.name() == ".sbat" => {
                    let mut merged = NewSection::data(".sbat", Cow::Owned(text.clone()))?;
                    let next = stub
                        .sections
                        .iter()
                        .map(|s| s.virtual_address)
                        .filter(|address| *address > section.virtual_address)
                        .min();
                    let room = next.map_or(0, |next| next - section.virtual_address);
                    merged.virtual_address =
                        (merged.virtual_size <= room).then_some(section.virtual_address);
                    sections.push(merged);
                }
                _ => sections.push(NewSection::keep(section)),
            }
        }
        if let Some(text) = sbat
            && stub.section(".sbat").is_none()
        {
            sections.push(NewSection::data(".sbat", Cow::Owned(text))?);
        }
        append(&mut sections, &self.base)?;
        for profile in &self.profiles {
            sections.push(NewSection::data(".profile", profile.description.clone())?);
            if let Some(section) = profile
                .sections
                .iter()
                .find(|s| s.name == SectionName::Sbat)
            {
                return Err(Error::Section {
                    section: section.name.to_string(),
                    why: "revocation data belongs to the whole image, not to a profile",
                });
            }
            append(&mut sections, &profile.sections)?;
        }
        rebuild(stub, &sections)
    }

    /// The stub's SBAT with ours; `None` when we add nothing.
    fn merged_sbat(&self, stub: &Image<'_>) -> Result<Option<Vec<u8>>> {
        let mut own = self.base.iter().filter(|s| s.name == SectionName::Sbat);
        let Some(section) = own.next() else {
            return Ok(None);
        };
        let ours = Sbat::parse(&section.data)?;
        let merged = match stub.section(".sbat") {
            Some(section) => Sbat::parse(section.data())?.merge(&ours),
            None => ours,
        };
        Ok(Some(merged.to_string().into_bytes()))
    }
}

/// What a stub would start from a group of sections.
struct Group {
    linux: bool,
    initrd: bool,
    references: Option<References>,
}

impl Group {
    fn read(sections: &[UkiSection<'_>]) -> Result<Group> {
        let find = |name| sections.iter().find(|section| section.name == name);
        let references = find(SectionName::Rsref)
            .map(|section| References::parse(&section.data).map_err(Error::Reference));
        Ok(Group {
            linux: find(SectionName::Linux).is_some(),
            initrd: find(SectionName::Initrd).is_some(),
            references: references.transpose()?,
        })
    }

    /// A profile's group, completed by the base.
    fn over(self, base: &Group) -> Group {
        Group {
            linux: self.linux || base.linux,
            initrd: self.initrd || base.initrd,
            references: self.references.or_else(|| base.references.clone()),
        }
    }

    fn kernels(&self) -> usize {
        let referenced = self.references.as_ref().and_then(References::kernel);
        usize::from(self.linux) + usize::from(referenced.is_some())
    }

    fn initrd_referenced(&self) -> bool {
        let parts = |list: &References| list.iter().any(|r| r.part == Part::Initrd);
        self.references.as_ref().is_some_and(parts)
    }
}

/// Adds one group's sections in writing order, refusing what may not repeat.
fn append<'a>(out: &mut Vec<NewSection<'a>>, group: &[UkiSection<'a>]) -> Result<()> {
    for name in SectionName::ALL {
        let mut matching = group.iter().filter(|section| section.name == name);
        let count = matching.clone().count();
        if count > 1 && !name.repeatable() {
            return Err(Error::Section {
                section: name.to_string(),
                why: "it occurs more than once in one profile",
            });
        }
        if name == SectionName::Profile && count > 0 {
            return Err(Error::Section {
                section: name.to_string(),
                why: "it is written from the profile's description",
            });
        }
        // `.sbat` has been merged into the stub's.
        if name != SectionName::Sbat {
            matching.try_for_each(|section| {
                out.push(NewSection::data(name.as_str(), section.data.clone())?);
                Ok::<(), Error>(())
            })?;
        }
    }
    Ok(())
}

/// The release that an x86 kernel image states in its boot header, as `uname -r` prints it.
pub fn kernel_release(kernel: &[u8]) -> Option<&str> {
    const MAX: usize = 128;
    if kernel.get(0x202..0x206)? != b"HdrS" {
        return None;
    }
    let pointer = u16::from_le_bytes(kernel.get(0x20e..0x210)?.try_into().ok()?);
    let text = kernel.get(usize::from(pointer) + 0x200..)?;
    let text = &text[..text.len().min(MAX)];
    let end = text.iter().position(|b| *b == b' ' || *b == 0)?;
    std::str::from_utf8(&text[..end])
        .ok()
        .filter(|s| !s.is_empty())
}
