//! Boot options: `Boot####` and their order, as the boot manager of UEFI (3.1) and EDK II uses them.

use crate::device_path::DevicePath;
use boot_variables::{Variables, guids};

/// Most options of an order that are looked at.
const MAX_OPTIONS: usize = 256;
/// LOAD_OPTION_ACTIVE.
const ACTIVE: u32 = 1;
/// LOAD_OPTION_CATEGORY; another than 0 is not a boot option but a tool.
const CATEGORY: u32 = 0x1f00;

/// One option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootOption {
    /// Its number.
    pub number: u16,
    /// Attributes.
    pub attributes: u32,
    /// Its name in menus.
    pub description: String,
    /// What it starts.
    pub path: DevicePath,
    /// What the program is given.
    pub optional: Vec<u8>,
}

impl BootOption {
    /// Reads EFI_LOAD_OPTION; none when it is malformed, which firmware passes over.
    pub fn read(number: u16, data: &[u8]) -> Option<BootOption> {
        let attributes = u32::from_le_bytes(data.get(..4)?.try_into().ok()?);
        let length = usize::from(u16::from_le_bytes(data.get(4..6)?.try_into().ok()?));
        let (pairs, _) = data.get(6..)?.as_chunks::<2>();
        let end = pairs.iter().position(|pair| *pair == [0, 0])?;
        let units: Vec<u16> = pairs[..end]
            .iter()
            .map(|pair| u16::from_le_bytes(*pair))
            .collect();
        let rest = data.get(6 + 2 * (end + 1)..)?;
        let path = rest.get(..length)?;
        Some(BootOption {
            number,
            attributes,
            description: String::from_utf16_lossy(&units),
            path: DevicePath::read(path).ok()?,
            optional: rest[length..].to_vec(),
        })
    }

    /// The bytes of an active option that starts a file.
    pub fn of_file(description: &str, file: &str) -> Vec<u8> {
        let path = DevicePath::of_file(file);
        let mut bytes = ACTIVE.to_le_bytes().to_vec();
        bytes.extend((path.len() as u16).to_le_bytes());
        bytes.extend(
            description
                .encode_utf16()
                .chain([0])
                .flat_map(u16::to_le_bytes),
        );
        bytes.extend(path);
        bytes
    }

    /// Whether the boot manager tries it by itself.
    pub fn is_tried(&self) -> bool {
        self.attributes & ACTIVE != 0 && self.attributes & CATEGORY == 0
    }

    /// The name of its variable.
    pub fn variable(&self) -> String {
        format!("Boot{:04X}", self.number)
    }
}

/// Numbers in BootOrder.
pub(crate) fn order(variables: &Variables) -> Vec<u16> {
    let Some(order) = variables.get(guids::GLOBAL, "BootOrder") else {
        return Vec::new();
    };
    let (pairs, _) = order.data.as_chunks::<2>();
    pairs
        .iter()
        .take(MAX_OPTIONS)
        .map(|pair| u16::from_le_bytes(*pair))
        .collect()
}

/// The options that the boot manager tries, in order: BootNext first, then BootOrder.
pub fn tried(variables: &Variables) -> Vec<BootOption> {
    let next = variables.get(guids::GLOBAL, "BootNext");
    let next = next.and_then(|v| Some(u16::from_le_bytes(v.data.get(..2)?.try_into().ok()?)));
    let numbers = next.into_iter().chain(order(variables));
    numbers
        .filter_map(|number| {
            let variable = variables.get(guids::GLOBAL, &format!("Boot{number:04X}"))?;
            BootOption::read(number, &variable.data)
        })
        .filter(BootOption::is_tried)
        .collect()
}
