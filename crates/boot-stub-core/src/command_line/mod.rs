//! The stub's own options, and command lines as the kernel gets them (UTF-16).

#[cfg(test)]
mod tests;

use alloc::vec::Vec;

/// What the boot loader gave the stub: a profile, then a command line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// `@N`: the profile, from 0.
    pub profile: Option<u32>,
    /// The rest; empty when there is none.
    pub command_line: Vec<u16>,
}

impl Options {
    /// Reads load options. Firmware gives some programs bytes that are no text; those whose first unit is a control
    /// character are taken for that.
    pub fn parse(units: &[u16]) -> Options {
        let end = units.iter().position(|unit| *unit == 0);
        let text = &units[..end.unwrap_or(units.len())];
        if text.first().is_none_or(|unit| *unit < u16::from(b' ')) {
            return Options::default();
        }
        let (profile, rest) = selector(text);
        Options {
            profile,
            command_line: tidy(rest.iter().copied()),
        }
    }
}

/// `@N` with the spaces behind it, and what follows. Anything else is a command line.
fn selector(text: &[u16]) -> (Option<u32>, &[u16]) {
    let Some(digits) = text.strip_prefix(&[u16::from(b'@')]) else {
        return (None, text);
    };
    let mut number: Option<u32> = None;
    for (at, unit) in digits.iter().enumerate() {
        let digit = match u8::try_from(*unit) {
            Ok(byte @ b'0'..=b'9') => u32::from(byte - b'0'),
            Ok(b' ') if number.is_some() => return (number, &digits[at..]),
            _ => return (None, text),
        };
        let longer = number.unwrap_or(0).checked_mul(10);
        match longer.and_then(|longer| longer.checked_add(digit)) {
            Some(longer) => number = Some(longer),
            None => return (None, text),
        }
    }
    match number {
        Some(_) => (number, &[]),
        None => (None, text),
    }
}

/// Control characters turned into spaces, none at both ends.
pub fn tidy(units: impl Iterator<Item = u16>) -> Vec<u16> {
    const SPACE: u16 = b' ' as u16;
    let spaced = units.map(|unit| if unit < SPACE { SPACE } else { unit });
    let mut line: Vec<u16> = spaced.skip_while(|unit| *unit == SPACE).collect();
    while line.last() == Some(&SPACE) {
        line.pop();
    }
    line
}

/// A section's text, up to its first NUL, tidied. Bytes that are not UTF-8 become U+FFFD.
pub fn from_section(section: &[u8]) -> Vec<u16> {
    let end = section.iter().position(|byte| *byte == 0);
    let bytes = &section[..end.unwrap_or(section.len())];
    let chunks = bytes.utf8_chunks().flat_map(|chunk| {
        let replacement = (!chunk.invalid().is_empty()).then_some(0xfffd);
        chunk.valid().encode_utf16().chain(replacement)
    });
    tidy(chunks)
}

/// `line` with `more` behind it, a space between.
pub fn append(line: &mut Vec<u16>, more: &[u16]) {
    if !line.is_empty() && !more.is_empty() {
        line.push(u16::from(b' '));
    }
    line.extend_from_slice(more);
}

/// As it is measured and handed over: little-endian bytes with a NUL unit at the end.
pub fn bytes(line: &[u16]) -> Vec<u8> {
    let units = line.iter().copied().chain([0]);
    units.flat_map(u16::to_le_bytes).collect()
}
