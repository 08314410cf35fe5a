//! The note by which a stub states what it measures (`.rsstub`), for those who foretell it from the file.
//!
//! Text of two lines, exactly: `measures systemd VERSION` (sections and order of that version of systemd's stub) and
//! `references VERSION` (the version of `.rsref` that it understands).

#[cfg(test)]
mod tests;

use core::fmt;

/// The section that holds the note.
pub const NOTE_SECTION: &str = ".rsstub";

/// What a stub of ours says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StubNote {
    /// It measures the sections that this version of systemd's stub measures, in the same order.
    pub measures: u32,
    /// The version of the references that it understands.
    pub references: u32,
}

impl StubNote {
    /// The note of the stub in this repository. Version 258 is 257 with `.efifw` at the end.
    pub const OURS: StubNote = StubNote {
        measures: 258,
        references: 1,
    };
    /// [`StubNote::OURS`] as the section holds it.
    pub const OUR_TEXT: &'static str = "measures systemd 258\nreferences 1\n";

    /// Reads a note; zeros behind it are padding.
    pub fn parse(section: &[u8]) -> Result<StubNote, NoteError> {
        let text = core::str::from_utf8(section).map_err(|_| NoteError { line: 1 })?;
        let mut lines = text
            .trim_end_matches('\0')
            .strip_suffix('\n')
            .ok_or(NoteError { line: 2 })?
            .split('\n');
        let mut number = |line: usize, key: &str| {
            let value = lines.next().and_then(|text| text.strip_prefix(key));
            value.and_then(decimal).ok_or(NoteError { line })
        };
        let note = StubNote {
            measures: number(1, "measures systemd ")?,
            references: number(2, "references ")?,
        };
        if lines.next().is_some() {
            return Err(NoteError { line: 3 });
        }
        Ok(note)
    }
}

impl fmt::Display for StubNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "measures systemd {}", self.measures)?;
        writeln!(f, "references {}", self.references)
    }
}

/// A decimal number as it would be printed: no sign, no leading zero.
pub(crate) fn decimal(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let leading = text.len() > 1 && text.starts_with('0');
    text.parse().ok().filter(|_| plain && !leading)
}

/// A note that is not of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoteError {
    /// Which line, from 1.
    pub line: usize,
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{NOTE_SECTION}, line {}: not of the form", self.line)
    }
}

impl core::error::Error for NoteError {}
