//! The name part of a store path. Invariant: a [`Name`] obeys every rule of the manual's "Store Path" chapter.

use crate::{Error, error::shown};
use std::fmt;
use std::str::FromStr;

/// Longest name in bytes: 255, a file name's limit, less the digest, the dash and Nix's own suffixes.
pub const MAX_NAME: usize = 211;

/// A valid store path name: 1 to 211 characters of `[0-9A-Za-z+-._?=]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<str>);

impl Name {
    /// Checks a text.
    ///
    /// # Errors
    /// [`Error::Name`] with the broken rule.
    pub fn new(text: &str) -> Result<Name, Error> {
        Name::check(text)?;
        Ok(Name(text.into()))
    }

    /// Checks a text of which no name is needed.
    ///
    /// # Errors
    /// As [`Name::new`].
    pub fn check(text: &str) -> Result<(), Error> {
        let problem = if text.is_empty() {
            "it is empty"
        } else if text.len() > MAX_NAME {
            "it is longer than 211 bytes"
        } else if !text.bytes().all(allowed) {
            "it has a character other than letters, digits and +-._?="
        } else if [".", ".."].contains(&text.split('-').next().unwrap_or_default()) {
            "its first dash-separated part is '.' or '..'"
        } else {
            return Ok(());
        };
        Err(Error::Name {
            text: shown(text),
            problem,
        })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of a derivation's output: its own for `out`, with `-ID` appended for any other.
    ///
    /// # Errors
    /// [`Error::Name`] when the two together are no name.
    pub fn output(&self, id: &str) -> Result<Name, Error> {
        if id == "out" {
            return Ok(self.clone());
        }
        Name::new(&format!("{self}-{id}"))
    }
}

fn allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+-._?=".contains(&byte)
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Name, Error> {
        Name::new(text)
    }
}
