//! Which program a boot file is, by what it says of itself.

use boot_pe::sbat::Sbat;
use boot_pe::{Image, SectionName};
use serde::Serialize;

/// The programs that shim's reviewers know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Program {
    /// shim itself: it has a vendor certificate table.
    Shim,
    /// MokManager or fallback, built with shim.
    ShimHelper,
    /// GRUB.
    Grub,
    /// A unified kernel image.
    Uki,
    /// Something else that shim may start.
    Other,
}

impl Program {
    /// What `image` is.
    pub fn of(image: &Image<'_>) -> Program {
        let sbat = image.section(".sbat").map(|s| Sbat::parse(s.data()));
        let names = |wanted: &str| {
            let components = sbat.iter().flatten().flat_map(|sbat| &sbat.components);
            components.into_iter().any(|c| c.name == wanted)
        };
        if image.section_by_long_name(".vendor_cert").is_some() {
            Program::Shim
        } else if [SectionName::Linux, SectionName::Rsref]
            .iter()
            .any(|name| image.section(name.as_str()).is_some())
        {
            Program::Uki
        } else if names("shim") {
            Program::ShimHelper
        } else if names("grub") || image.section("mods").is_some() {
            Program::Grub
        } else {
            Program::Other
        }
    }
}

/// What shim's build writes into its data: `$Version: 16.1 $`, `$Commit: ... $`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ShimIdentity {
    /// Such as `16.1`.
    pub version: Option<String>,
    /// The source's commit.
    pub commit: Option<String>,
}

impl ShimIdentity {
    /// Reads `.data.ident`.
    pub fn of(image: &Image<'_>) -> ShimIdentity {
        let Some(section) = image.section_by_long_name(".data.ident") else {
            return ShimIdentity::default();
        };
        let text = String::from_utf8_lossy(section.data());
        let field = |key: &str| {
            let start = text.find(key)? + key.len();
            let value = text[start..].split('$').next()?.trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        ShimIdentity {
            version: field("$Version:"),
            commit: field("$Commit:"),
        }
    }

    /// Major and minor number of the version.
    pub fn numbers(&self) -> Option<(u32, u32)> {
        let (major, minor) = self.version.as_deref()?.split_once('.')?;
        let digits = minor.split(|c: char| !c.is_ascii_digit()).next()?;
        Some((major.parse().ok()?, digits.parse().ok()?))
    }
}
