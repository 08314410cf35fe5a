//! Which of an image's sections count: the base ones, overridden by those of the chosen profile (UAPI.5), and in which order
//! they are measured.

#[cfg(test)]
mod tests;

use crate::pe::{Headers, PeError, Section};
use crate::reference::{self, Part, ReferenceError, References};
use alloc::vec::Vec;
use core::fmt;

/// The measured sections in the order of systemd's stub 257, `.efifw` at the end as in later ones.
pub const MEASURED: [&str; 14] = [
    ".linux", ".osrel", ".cmdline", ".initrd", ".ucode", ".splash", ".dtb", ".uname", ".sbat",
    ".pcrpkey", ".profile", ".dtbauto", ".hwids", ".efifw",
];

/// Sections that count but are not measured as such.
const UNMEASURED: [&str; 2] = [".pcrsig", reference::SECTION];

/// Why an image can't be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SectionError {
    /// Its headers or sections can't be read.
    Pe(PeError),
    /// Its references can't be read.
    References(ReferenceError),
    /// There is no such profile.
    Profile {
        /// Which was asked for.
        index: u32,
        /// How many there are.
        count: usize,
    },
    /// There is no kernel.
    NoKernel,
    /// A part is both contained and referenced.
    Both(Part),
}

impl fmt::Display for SectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SectionError::Pe(error) => write!(f, "the image itself: {error}"),
            SectionError::References(error) => error.fmt(f),
            SectionError::Profile { index, count } => {
                write!(f, "there is no profile {index}; the image has {count}")
            }
            SectionError::NoKernel => f.write_str("the image has no kernel"),
            SectionError::Both(part) => {
                let name = part.as_str();
                write!(f, "{name} is both in the image and beside it")
            }
        }
    }
}

impl core::error::Error for SectionError {}

impl From<PeError> for SectionError {
    fn from(error: PeError) -> SectionError {
        SectionError::Pe(error)
    }
}

/// The sections of one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen<'a> {
    parts: Vec<(&'static str, &'a [u8])>,
    references: Option<References>,
}

/// Chooses among the sections of `image`, which is laid out in memory and has these headers. Of several
/// `.dtbauto` the first counts that `fits`, of several `.efifw` the first, which is measured and not installed; the first
/// profile is the default, where there are profiles.
pub fn choose<'a>(
    image: &'a [u8],
    headers: &Headers,
    profile: Option<u32>,
    fits: impl Fn(&[u8]) -> bool,
) -> Result<Chosen<'a>, SectionError> {
    let groups = groups(&headers.sections);
    let count = groups.len() - 1;
    let index = profile.unwrap_or(0);
    let own = groups.get(index as usize + 1).copied().unwrap_or_default();
    if index != 0 && own.is_empty() {
        return Err(SectionError::Profile { index, count });
    }
    let mut parts = Vec::new();
    for name in MEASURED.into_iter().chain(UNMEASURED) {
        // The profile's, else the base's.
        for group in [own, groups[0]] {
            let found = first_in(group, name, image, &fits)?;
            if let Some(data) = found {
                parts.push((name, data));
                break;
            }
        }
    }
    let mut chosen = Chosen {
        parts,
        references: None,
    };
    if let Some(text) = chosen.get(reference::SECTION) {
        let references = References::parse(text).map_err(SectionError::References)?;
        chosen.references = Some(references);
    }
    chosen.check()?;
    Ok(chosen)
}

fn first_in<'a>(
    group: &[Section],
    name: &str,
    image: &'a [u8],
    fits: impl Fn(&[u8]) -> bool,
) -> Result<Option<&'a [u8]>, PeError> {
    let is_choice = name == ".dtbauto";
    for section in group.iter().filter(|section| section.name() == name) {
        let data = section.in_memory(image)?;
        if !data.is_empty() && (!is_choice || fits(data)) {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

impl<'a> Chosen<'a> {
    fn check(&self) -> Result<(), SectionError> {
        let contains = |part: Part| self.get(part.section()).is_some();
        let refers = |part| self.references.iter().flatten().any(|r| r.part == part);
        for part in [Part::Linux, Part::Initrd] {
            if contains(part) && refers(part) {
                return Err(SectionError::Both(part));
            }
        }
        if !contains(Part::Linux) && !refers(Part::Linux) {
            return Err(SectionError::NoKernel);
        }
        Ok(())
    }

    /// The content of a section; never empty.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        let found = self.parts.iter().find(|(other, _)| *other == name);
        found.map(|(_, data)| *data)
    }

    /// What lies beside the image.
    pub fn references(&self) -> Option<&References> {
        self.references.as_ref()
    }
}

/// The sections before the first `.profile`, then each profile's.
fn groups(sections: &[Section]) -> Vec<&[Section]> {
    let mut groups = Vec::new();
    let mut start = 0;
    for (at, section) in sections.iter().enumerate() {
        if section.name() == ".profile" {
            groups.push(&sections[start..at]);
            start = at;
        }
    }
    groups.push(&sections[start..]);
    groups
}
