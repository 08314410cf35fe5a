//! Store directories and store paths. Invariant: a [`StorePath`] is a valid base name, without its directory;
//! the directory is named where a whole path is read or written.

use crate::encoding::{from_base32, to_base32};
use crate::{Error, Name, error::shown};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// Bytes of a store path's digest.
pub const DIGEST_LEN: usize = 20;
/// What the name of every derivation's file ends in.
pub const DERIVATION_SUFFIX: &str = ".drv";
/// Base32 digits of a store path's digest.
const DIGEST_TEXT: usize = 32;
/// Longest store directory in bytes (a path of Linux has at most 4096).
const MAX_STORE_DIR: usize = 3800;

/// A directory that holds store objects; `/nix/store` by default.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreDir(Box<str>);

impl StoreDir {
    /// Checks an absolute, normal path: no empty, `.` or `..` component, no trailing slash.
    ///
    /// # Errors
    /// [`Error::StoreDir`] with the broken rule.
    pub fn new(text: &str) -> Result<StoreDir, Error> {
        let problem = if !text.starts_with('/') {
            "it is not absolute"
        } else if text.len() > MAX_STORE_DIR {
            "it is longer than 3800 bytes"
        } else if text.contains(|c: char| c.is_control()) {
            "it has a control character"
        } else if text[1..]
            .split('/')
            .any(|part| ["", ".", ".."].contains(&part))
        {
            "a component is empty, '.' or '..'"
        } else {
            return Ok(StoreDir(text.into()));
        };
        Err(Error::StoreDir {
            text: shown(text),
            problem,
        })
    }

    /// The text, without trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The store directory and store path of an absolute path that names a store object itself.
    ///
    /// # Errors
    /// [`Error::Path`] when the last component is no store path's base name.
    pub fn split(text: &str) -> Result<(StoreDir, StorePath), Error> {
        let (dir, base) = text
            .rsplit_once('/')
            .ok_or_else(|| problem(text, "it is not absolute"))?;
        Ok((StoreDir::new(dir)?, StorePath::new(base)?))
    }

    /// Reads a whole path that names a store object of this store, not a file within one.
    ///
    /// # Errors
    /// [`Error::Path`] when it lies elsewhere or is malformed.
    pub fn parse(&self, text: &str) -> Result<StorePath, Error> {
        StorePath::new(self.relative(text)?)
    }

    /// Reads the store object that a path lies in: `/nix/store/DIGEST-NAME/bin/sh` gives the object and `bin/sh`.
    ///
    /// # Errors
    /// [`Error::Path`] when it lies elsewhere or is malformed.
    pub fn parse_within<'t>(&self, text: &'t str) -> Result<(StorePath, &'t str), Error> {
        let relative = self.relative(text)?;
        let (base, rest) = relative.split_once('/').unwrap_or((relative, ""));
        Ok((StorePath::new(base)?, rest))
    }

    fn relative<'t>(&self, text: &'t str) -> Result<&'t str, Error> {
        text.strip_prefix(&*self.0)
            .and_then(|rest| rest.strip_prefix('/'))
            .ok_or_else(|| problem(text, "it does not lie in the store directory"))
    }

    /// The whole path of a store object.
    pub fn join(&self, path: &StorePath) -> String {
        format!("{}/{path}", self.0)
    }
}

impl Default for StoreDir {
    fn default() -> StoreDir {
        StoreDir("/nix/store".into())
    }
}

impl fmt::Display for StoreDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The base name of a store object: `DIGEST-NAME`. Ordered as Nix orders paths, by text.
#[derive(Clone, PartialEq, Eq)]
pub struct StorePath {
    digest: [u8; DIGEST_LEN],
    name: Name,
}

impl StorePath {
    /// Reads `DIGEST-NAME`.
    ///
    /// # Errors
    /// [`Error::Path`], or what is wrong with the digest or the name.
    pub fn new(text: &str) -> Result<StorePath, Error> {
        let Some((digits, rest)) = text.split_at_checked(DIGEST_TEXT) else {
            return Err(problem(text, "it is shorter than its digest of 32 digits"));
        };
        let mut digest = [0; DIGEST_LEN];
        from_base32(digits, &mut digest)?;
        let name = rest
            .strip_prefix('-')
            .ok_or_else(|| problem(text, "no dash follows the digest"))?;
        Ok(StorePath {
            digest,
            name: Name::new(name)?,
        })
    }

    /// A path of known digest.
    pub fn from_digest(digest: [u8; DIGEST_LEN], name: Name) -> StorePath {
        StorePath { digest, name }
    }

    /// The digest's bytes.
    pub fn digest(&self) -> &[u8; DIGEST_LEN] {
        &self.digest
    }

    /// The digest as 32 base32 digits: what references are found by.
    pub fn digest_text(&self) -> String {
        to_base32(&self.digest)
    }

    /// The name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The name of the derivation, if this is the path of one (`NAME.drv`).
    pub fn derivation_name(&self) -> Option<Name> {
        let stem = self.name.as_str().strip_suffix(DERIVATION_SUFFIX)?;
        Name::new(stem).ok()
    }
}

fn problem(text: &str, problem: &'static str) -> Error {
    Error::Path {
        text: shown(text),
        problem,
    }
}

impl Hash for StorePath {
    /// The digest alone: of two paths with one digest there is at most a forged one.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

impl Ord for StorePath {
    /// The first base32 digits are the last bytes, and the alphabet is in byte order.
    fn cmp(&self, other: &StorePath) -> std::cmp::Ordering {
        let digests = self.digest.iter().rev().cmp(other.digest.iter().rev());
        digests.then_with(|| self.name.cmp(&other.name))
    }
}

impl PartialOrd for StorePath {
    fn partial_cmp(&self, other: &StorePath) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.digest_text(), self.name)
    }
}

impl fmt::Debug for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for StorePath {
    type Err = Error;

    fn from_str(text: &str) -> Result<StorePath, Error> {
        StorePath::new(text)
    }
}
