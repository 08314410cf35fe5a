//! References to a kernel and initrds outside the image (`.rsref`), by which many images share one copy of each.
//!
//! The section is text, one line for each part:
//!
//! ```text
//! KIND SHA256HEX SIZE PATH
//! ```
//!
//! KIND is `linux` (once) or `initrd` (any number, in the order in which the kernel gets them), SHA256HEX the digest of the
//! file in lower case, SIZE its length in bytes, PATH where it is on the volume that the image was loaded from, parts
//! separated by `/`, beginning with one. Every line ends with a newline. There is one way to write a list, so a list that
//! is read prints as the same bytes.

mod error;
#[cfg(test)]
mod tests;

pub use error::{PathError, ReferenceError};

use crate::note::decimal;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::num::NonZeroU32;

/// The section that holds references.
pub const SECTION: &str = ".rsref";
/// Most references in one section.
pub const MAX_REFERENCES: usize = 32;
/// Most bytes of a path, and so of each of its parts (FAT allows parts of 255).
pub const MAX_PATH: usize = 255;
/// Most bytes of a section: as many lines as there may be, each as long as it can be.
pub const MAX_TEXT: usize = MAX_REFERENCES * (6 + 1 + 64 + 1 + 10 + 1 + MAX_PATH + 1);

/// What is referenced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The kernel, in place of `.linux`.
    Linux,
    /// An initrd, in place of `.initrd`.
    Initrd,
}

impl Part {
    /// The word in a line.
    pub fn as_str(self) -> &'static str {
        match self {
            Part::Linux => "linux",
            Part::Initrd => "initrd",
        }
    }

    /// The section that it stands for; measured under that name.
    pub fn section(self) -> &'static str {
        match self {
            Part::Linux => ".linux",
            Part::Initrd => ".initrd",
        }
    }
}

/// One file, by digest and place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What it is.
    pub part: Part,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// Its length in bytes.
    pub size: NonZeroU32,
    path: String,
}

impl Reference {
    /// A reference to the file of this digest and size at `path`, which must be one that [`check_path`] allows.
    pub fn new(
        part: Part,
        sha256: [u8; 32],
        size: NonZeroU32,
        path: &str,
    ) -> Result<Reference, PathError> {
        check_path(path)?;
        Ok(Reference {
            part,
            sha256,
            size,
            path: String::from(path),
        })
    }

    /// Where the file is on the volume, with `/` before each part.
    pub fn path(&self) -> &str {
        &self.path
    }

    fn parse(text: &str) -> Result<Reference, &'static str> {
        let mut words = text.splitn(4, ' ');
        let mut word = |why| words.next().ok_or(why);
        let part = match word("no kind")? {
            "linux" => Part::Linux,
            "initrd" => Part::Initrd,
            _ => return Err("its kind is neither `linux` nor `initrd`"),
        };
        let sha256 = digest(word("no digest")?)
            .ok_or("its digest is not 64 hexadecimal digits in lower case")?;
        let size = decimal(word("no size")?)
            .and_then(NonZeroU32::new)
            .ok_or("its size is not a number from 1 to 4294967295")?;
        Reference::new(part, sha256, size, word("no path")?).map_err(|error| error.why)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.part.as_str())?;
        self.sha256
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, " {} {}", self.size, self.path)
    }
}

/// Checks that a path begins with `/`, has no empty, `.` or `..` part and no part that ends with a dot, and consists of
/// printable ASCII that FAT can store, without spaces.
pub fn check_path(path: &str) -> Result<(), PathError> {
    let wrong = |why| Err(PathError { why });
    if path.len() > MAX_PATH {
        return wrong("its path is longer than 255 bytes");
    }
    let Some(inner) = path.strip_prefix('/') else {
        return wrong("its path does not begin with `/`");
    };
    let stored = |byte: u8| byte.is_ascii_graphic() && !b"\"*:<>?\\|".contains(&byte);
    if !inner.bytes().all(stored) {
        return wrong("its path has a character that is not printable ASCII or that FAT lacks");
    }
    if inner
        .split('/')
        .any(|part| part.is_empty() || part.ends_with('.'))
    {
        return wrong("its path has an empty part or one that ends with a dot");
    }
    Ok(())
}

/// 32 bytes from hexadecimal digits in lower case.
fn digest(text: &str) -> Option<[u8; 32]> {
    fn digit(byte: u8) -> Option<u8> {
        match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        }
    }
    let mut bytes = [0; 32];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

/// The references of one image or profile, in order: not empty, one kernel at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct References(Vec<Reference>);

impl References {
    /// A list of them.
    pub fn new(list: Vec<Reference>) -> Result<References, ReferenceError> {
        if list.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if list.len() > MAX_REFERENCES {
            return Err(ReferenceError::Many { count: list.len() });
        }
        let mut kernels = list
            .iter()
            .enumerate()
            .filter(|(_, r)| r.part == Part::Linux);
        if let Some((index, _)) = kernels.nth(1) {
            return Err(ReferenceError::Line {
                line: index + 1,
                why: "it is a second kernel",
            });
        }
        Ok(References(list))
    }

    /// Reads the content of a section.
    pub fn parse(section: &[u8]) -> Result<References, ReferenceError> {
        if section.len() > MAX_TEXT {
            return Err(ReferenceError::Long {
                size: section.len(),
            });
        }
        let text = core::str::from_utf8(section).map_err(|error| ReferenceError::NotText {
            offset: error.valid_up_to(),
        })?;
        let mut list = Vec::new();
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let wrong = |why| ReferenceError::Line {
                line: index + 1,
                why,
            };
            let line = line
                .strip_suffix('\n')
                .ok_or(wrong("it does not end with a newline"))?;
            list.push(Reference::parse(line).map_err(wrong)?);
        }
        References::new(list)
    }

    /// The kernel, if it is referenced.
    pub fn kernel(&self) -> Option<&Reference> {
        self.0.iter().find(|r| r.part == Part::Linux)
    }

    /// The initrds, in order.
    pub fn initrds(&self) -> impl Iterator<Item = &Reference> {
        self.0.iter().filter(|r| r.part == Part::Initrd)
    }

    /// All, in order.
    pub fn iter(&self) -> core::slice::Iter<'_, Reference> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a References {
    type Item = &'a Reference;
    type IntoIter = core::slice::Iter<'a, Reference>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// As the section holds them.
impl fmt::Display for References {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|reference| writeln!(f, "{reference}"))
    }
}
