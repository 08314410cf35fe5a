//! This program's own image: where it is in memory, where it came from, and what the boot loader gave it.

use crate::error::{Context, Error};
use alloc::string::String;
use alloc::vec::Vec;
use boot_stub_core::pe::Headers;
use uefi::boot;
use uefi::proto::device_path::{DeviceSubType, DeviceType};
use uefi::proto::loaded_image::LoadedImage;
use uefi::{Handle, Status};

/// Largest image: offsets in it have 32 bits.
const MAX_IMAGE: u64 = u32::MAX as u64;

/// What firmware knows about this image.
#[derive(Debug)]
pub(crate) struct Own {
    /// The image as it is laid out in memory, with all its sections.
    pub(crate) memory: &'static [u8],
    /// The device that it was loaded from.
    pub(crate) device: Option<Handle>,
    /// Its path on the device, parts separated by `\`; empty when firmware does not say.
    pub(crate) path: String,
    /// Load options.
    pub(crate) options: Vec<u16>,
}

impl Own {
    #[expect(
        unsafe_code,
        reason = "firmware tells the image's place as a bare pointer"
    )]
    pub(crate) fn find() -> Result<Own, Error> {
        let loaded = boot::open_protocol_exclusive::<LoadedImage>(boot::image_handle())
            .context(Status::UNSUPPORTED, &"firmware does not know this image")?;
        let (start, size) = loaded.info();
        if start.is_null() || size > MAX_IMAGE {
            return Err(Error::new(
                Status::LOAD_ERROR,
                &"firmware does not know where this image is",
            ));
        }
        // SAFETY: firmware loaded this image to `size` bytes at `start`; they stay as long as this program runs. What is
        // read through the slice are headers and sections of data, which nothing writes to.
        let memory = unsafe { core::slice::from_raw_parts(start.cast::<u8>(), size as usize) };
        let mut path = String::new();
        for node in loaded
            .file_path()
            .into_iter()
            .flat_map(|path| path.node_iter())
        {
            if node.full_type() == (DeviceType::MEDIA, DeviceSubType::MEDIA_FILE_PATH) {
                let units = units(node.data());
                let text = String::from_utf16_lossy(&units);
                let text = text.trim_end_matches('\0');
                if !path.ends_with('\\') && !text.starts_with('\\') {
                    path.push('\\');
                }
                path.push_str(text);
            }
        }
        let options = loaded.load_options_as_bytes().unwrap_or_default();
        Ok(Own {
            memory,
            device: loaded.device(),
            path,
            options: units(options),
        })
    }

    pub(crate) fn headers(&self) -> Result<Headers, Error> {
        Headers::parse(self.memory).map_err(|error| Error::new(Status::LOAD_ERROR, &error))
    }
}

/// Text as firmware has it.
fn units(bytes: &[u8]) -> Vec<u16> {
    let units = bytes.as_chunks::<2>().0.iter();
    units.map(|pair| u16::from_le_bytes(*pair)).collect()
}
