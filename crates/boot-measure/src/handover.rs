//! What systemd-boot hands to a unified kernel image, and measures itself, before it starts it.

use boot_pe::{Image, StubIdentity};

/// The first version that hands such an image nothing.
pub(crate) const NOTHING: u32 = 254;

/// The command line that systemd-boot of this version measures into PCR 12 and hands over: the image's own, before 254.
/// Boots through systemd-boot 252 have shown it.
pub fn handed_line(version: u32, image: &Image<'_>) -> Option<String> {
    if version >= NOTHING {
        return None;
    }
    let text = String::from_utf8_lossy(image.section(".cmdline")?.data()).into_owned();
    let text = text.trim_end_matches('\0');
    let text = text.strip_suffix('\n').unwrap_or(text);
    (!text.is_empty()).then(|| text.to_owned())
}

/// The version of a program, when it is systemd-boot.
pub fn loader_version(image: &Image<'_>) -> Option<u32> {
    let identity = StubIdentity::of(image)?;
    (identity.name == "systemd-boot").then(|| identity.major())?
}
