//! The modules that are built into a GRUB image: reviewers ask for their names.
//!
//! The section `mods` starts with a header (`mimg`, four bytes of padding, offset and size as 64-bit numbers); then
//! follow objects of type and size (32-bit numbers, the size counting both). A module is an object of type 0: a
//! relocatable ELF file whose section `.modname` holds its name.

use boot_pe::Image;
use object::{Object, ObjectSection};

/// Most modules that are listed; a full GRUB has some 300.
pub const MAX_MODULES: usize = 1024;
/// Start of the section.
const MAGIC: &[u8] = b"mimg";
/// Type of an object that is a module.
const MODULE: u32 = 0;
/// Longest name.
const MAX_NAME: usize = 64;

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// Names in file order; `None` when the image has no module section, or one that can't be walked to its end.
pub fn modules(image: &Image<'_>) -> Option<Vec<String>> {
    let data = image.section("mods")?.data();
    if !data.starts_with(MAGIC) {
        return None;
    }
    let (mut at, size) = (number(data, 8)? as usize, number(data, 16)? as usize);
    let data = data.get(..size)?;
    let mut names = Vec::new();
    while at < data.len() {
        let (kind, length) = (number(data, at)?, number(data, at + 4)? as usize);
        let end = at.checked_add(length)?;
        let content = data.get(at + 8..end)?;
        if kind == MODULE {
            if names.len() == MAX_MODULES {
                return None;
            }
            names.push(name(content)?);
        }
        // An object is never empty, so this ends.
        at = end;
    }
    Some(names)
}

fn name(module: &[u8]) -> Option<String> {
    let file = object::File::parse(module).ok()?;
    let data = file.section_by_name(".modname")?.data().ok()?;
    let text = data.split(|byte| *byte == 0).next()?;
    let plain = text.len() <= MAX_NAME && text.iter().all(u8::is_ascii_graphic);
    (plain && !text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned())
}
