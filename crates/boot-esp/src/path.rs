//! Paths on a FAT volume: relative, `/` between the parts, compared without regard to case.

use crate::Error;
use serde::{Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// Longest part of a path, in characters (FAT's long names).
const MAX_PART: usize = 255;
/// Longest path (`FAT` drivers and firmware share this limit).
const MAX_PATH: usize = 1024;

/// A path on the volume, such as `EFI/Linux/nixos.efi`.
#[derive(Debug, Clone)]
pub struct EspPath(String);

impl EspPath {
    /// Checks that FAT can hold every part. Neither a leading nor a trailing slash.
    pub fn new(text: &str) -> crate::Result<EspPath> {
        let wrong = |why| Error::Path {
            path: text.to_owned(),
            why,
        };
        if text.len() > MAX_PATH {
            return Err(wrong("longer than 1024 bytes"));
        }
        for part in text.split('/') {
            if part.is_empty() || part == "." || part == ".." {
                return Err(wrong("an empty part, `.` or `..`"));
            }
            if part.chars().count() > MAX_PART {
                return Err(wrong("a part longer than 255 characters"));
            }
            if part.ends_with(['.', ' ']) {
                return Err(wrong("a part ends with a dot or a blank, which FAT drops"));
            }
            if part
                .chars()
                .any(|c| c.is_control() || "\"*:<>?\\|".contains(c))
            {
                return Err(wrong("a character that FAT does not allow"));
            }
        }
        Ok(EspPath(text.to_owned()))
    }

    /// A path that is written in the code.
    pub(crate) fn fixed(text: &'static str) -> EspPath {
        EspPath(text.to_owned())
    }

    /// This path with one part more.
    pub fn join(&self, part: &str) -> crate::Result<EspPath> {
        EspPath::new(&format!("{}/{part}", self.0))
    }

    /// The folder that it is in; `None` for what lies at the root.
    pub fn parent(&self) -> Option<EspPath> {
        let (parent, _) = self.0.rsplit_once('/')?;
        Some(EspPath(parent.to_owned()))
    }

    /// The last part.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True when it lies in `folder`, at any depth.
    pub fn is_in(&self, folder: &EspPath) -> bool {
        let (own, folder) = (self.0.as_bytes(), folder.0.as_bytes());
        own.len() > folder.len()
            && own[folder.len()] == b'/'
            && own[..folder.len()].eq_ignore_ascii_case(folder)
    }

    fn folded(&self) -> impl Iterator<Item = u8> {
        self.0.bytes().map(|byte| byte.to_ascii_lowercase())
    }
}

impl fmt::Display for EspPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq for EspPath {
    fn eq(&self, other: &EspPath) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for EspPath {}

impl Ord for EspPath {
    fn cmp(&self, other: &EspPath) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

impl PartialOrd for EspPath {
    fn partial_cmp(&self, other: &EspPath) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for EspPath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().for_each(|byte| state.write_u8(byte));
    }
}

impl Serialize for EspPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
