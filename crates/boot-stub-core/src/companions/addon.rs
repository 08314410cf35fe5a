//! PE addons (UAPI.5): sections without a kernel that complete an image.

use super::command_line;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// What an addon adds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Addon {
    /// Its file's name.
    pub name: String,
    /// Tidied; empty when it has none.
    pub command_line: Vec<u16>,
    /// A device tree.
    pub device_tree: Option<Vec<u8>>,
    /// An initrd.
    pub initrd: Option<Vec<u8>>,
    /// Microcode.
    pub microcode: Option<Vec<u8>>,
}

/// Why a file is not used as an addon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddonError {
    /// It has a kernel, so it is an image of its own.
    Kernel,
    /// It is for another kernel release.
    Release,
    /// It adds nothing.
    Nothing,
}

impl fmt::Display for AddonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AddonError::Kernel => "it has a kernel, so it is no addon",
            AddonError::Release => "it is for another kernel release (.uname)",
            AddonError::Nothing => "it has no section that an addon can add",
        })
    }
}

impl core::error::Error for AddonError {}

impl Addon {
    /// Reads an addon by its sections; `release` is the image's `.uname`.
    pub fn read<'a>(
        name: &str,
        section: impl Fn(&str) -> Option<&'a [u8]>,
        release: Option<&[u8]>,
    ) -> Result<Addon, AddonError> {
        let section = |name: &str| section(name).filter(|data| !data.is_empty());
        if section(".linux").is_some() || section(crate::reference::SECTION).is_some() {
            return Err(AddonError::Kernel);
        }
        if let (Some(own), Some(release)) = (section(".uname"), release)
            && text(own) != text(release)
        {
            return Err(AddonError::Release);
        }
        let owned = |name: &str| section(name).map(<[u8]>::to_vec);
        let addon = Addon {
            name: String::from(name),
            command_line: section(".cmdline")
                .map(command_line::from_section)
                .unwrap_or_default(),
            device_tree: owned(".dtb"),
            initrd: owned(".initrd"),
            microcode: owned(".ucode"),
        };
        let empty = Addon {
            name: String::from(name),
            ..Addon::default()
        };
        if addon == empty {
            return Err(AddonError::Nothing);
        }
        Ok(addon)
    }
}

/// Up to the first NUL.
fn text(section: &[u8]) -> &[u8] {
    let end = section.iter().position(|byte| *byte == 0);
    &section[..end.unwrap_or(section.len())]
}
