//! What an event says: its data, decoded as far as its type defines them.

use crate::device_path::DevicePath;
use crate::{Event, EventType};
use boot_variables::Guid;

/// What was measured, as far as the log tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A variable (UEFI_VARIABLE_DATA).
    Variable {
        /// Who defined it.
        vendor: Guid,
        /// Its name.
        name: String,
        /// Its content.
        data: Vec<u8>,
    },
    /// A program (UEFI_IMAGE_LOAD_EVENT).
    Image {
        /// Where it came from: a path such as `\EFI\BOOT\BOOTX64.EFI`, or the device when it names no file.
        path: String,
    },
    /// The end of a part of the boot.
    Separator,
    /// A text, such as an action's or the name of a section.
    Text(String),
    /// A tagged event: its number and its text, when that is one.
    Tag {
        /// taggedEventID.
        id: u32,
        /// What stands in it.
        text: String,
    },
    /// Anything else.
    Bytes(Vec<u8>),
}

/// Longest text that is shown of a tag or a section.
const MAX_TEXT: usize = 4096;

impl Content {
    /// Decodes an event's data; what does not decode is bytes.
    pub fn of(event: &Event) -> Content {
        let data = &event.data;
        let bytes = || Content::Bytes(data.clone());
        match event.kind {
            EventType::EFI_VARIABLE_DRIVER_CONFIG
            | EventType::EFI_VARIABLE_AUTHORITY
            | EventType::EFI_VARIABLE_BOOT
            | EventType::EFI_VARIABLE_BOOT2 => variable(data).unwrap_or_else(bytes),
            EventType::EFI_BOOT_SERVICES_APPLICATION
            | EventType::EFI_BOOT_SERVICES_DRIVER
            | EventType::EFI_RUNTIME_SERVICES_DRIVER => image(data).unwrap_or_else(bytes),
            EventType::SEPARATOR => Content::Separator,
            EventType::ACTION | EventType::EFI_ACTION | EventType::POST_CODE => {
                text(data).map_or_else(bytes, Content::Text)
            }
            EventType::IPL | EventType::S_CRTM_VERSION => {
                let found = wide_text(data).or_else(|| text(data));
                found.map_or_else(bytes, Content::Text)
            }
            EventType::EVENT_TAG => tag(data).unwrap_or_else(bytes),
            _ => bytes(),
        }
    }

    /// One line for a person.
    pub fn describe(&self) -> String {
        match self {
            Content::Variable { name, data, .. } => {
                format!("variable {name}, {} bytes", data.len())
            }
            Content::Image { path } if path.is_empty() => "a program".to_owned(),
            Content::Image { path } => format!("program {path}"),
            Content::Separator => "separator".to_owned(),
            Content::Text(text) => format!("`{text}`"),
            Content::Tag { id, text } => format!("tag {id:#x} `{text}`"),
            Content::Bytes(bytes) => format!("{} bytes", bytes.len()),
        }
    }
}

fn number(bytes: &[u8]) -> Option<usize> {
    let eight: [u8; 8] = bytes.get(..8)?.try_into().ok()?;
    usize::try_from(u64::from_le_bytes(eight)).ok()
}

fn variable(data: &[u8]) -> Option<Content> {
    let vendor = Guid(data.get(..16)?.try_into().ok()?);
    let characters = number(data.get(16..)?)?;
    let length = number(data.get(24..)?)?;
    let rest = data.get(32..)?;
    let split = characters.checked_mul(2)?;
    let name = utf16(rest.get(..split)?)?;
    let content = rest.get(split..)?;
    (content.len() == length).then(|| Content::Variable {
        vendor,
        name,
        data: content.to_vec(),
    })
}

/// The bytes that are measured for a variable.
pub(crate) fn variable_data(vendor: Guid, name: &str, data: &[u8]) -> Vec<u8> {
    let name: Vec<u16> = name.encode_utf16().collect();
    let mut bytes = vendor.0.to_vec();
    bytes.extend((name.len() as u64).to_le_bytes());
    bytes.extend((data.len() as u64).to_le_bytes());
    bytes.extend(name.into_iter().flat_map(u16::to_le_bytes));
    bytes.extend(data);
    bytes
}

fn image(data: &[u8]) -> Option<Content> {
    let length = number(data.get(24..)?)?;
    let path = data.get(32..32_usize.checked_add(length)?)?;
    let path = DevicePath::read(path).ok()?;
    Some(Content::Image {
        path: path.describe(),
    })
}

fn text(data: &[u8]) -> Option<String> {
    let end = data.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1);
    let text = std::str::from_utf8(&data[..end.min(MAX_TEXT)]).ok()?;
    printable(text).then(|| text.to_owned())
}

fn wide_text(data: &[u8]) -> Option<String> {
    // A section's name in ASCII has no zero in its second byte.
    if data.len() < 2 || data[1] != 0 {
        return None;
    }
    let text = utf16(&data[..data.len().min(MAX_TEXT)])?;
    let text = text.trim_end_matches('\0');
    printable(text).then(|| text.to_owned())
}

fn tag(data: &[u8]) -> Option<Content> {
    let four = |at: usize| Some(u32::from_le_bytes(data.get(at..at + 4)?.try_into().ok()?));
    let (id, length) = (four(0)?, four(4)? as usize);
    let content = data.get(8..8_usize.checked_add(length)?)?;
    let text = wide_text(content)
        .or_else(|| text(content))
        .unwrap_or_default();
    Some(Content::Tag { id, text })
}

fn utf16(bytes: &[u8]) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    String::from_utf16(&units).ok()
}

fn printable(text: &str) -> bool {
    !text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\t'))
}
