//! Content addresses: how a store object's bytes were hashed, and the hash.
//!
//! Text form (narinfo `CA`, path info): `text:ALGO:BASE32`, `fixed:ALGO:BASE32` (flat), `fixed:r:...` (NAR),
//! `fixed:git:...`. Invariant: [`ContentAddress`] prints the text it was read from.

use crate::{Algorithm, Error, Hash, error::shown};
use std::fmt;
use std::str::FromStr;

/// How a file system object becomes the bytes that are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// The bytes of a single, not executable file.
    Flat,
    /// The NAR of the tree.
    Nar,
    /// The bytes of a single file that may have references; how `.drv` files are stored.
    Text,
    /// The git object of the tree (experimental).
    Git,
}

impl Method {
    /// The prefix before the algorithm in a `.drv` file's output: ``, `r:`, `text:`, `git:`.
    pub const fn prefix(self) -> &'static str {
        match self {
            Method::Flat => "",
            Method::Nar => "r:",
            Method::Text => "text:",
            Method::Git => "git:",
        }
    }

    /// The name in derivation JSON since version 2: `flat`, `nar`, `text`, `git`.
    pub const fn name(self) -> &'static str {
        match self {
            Method::Flat => "flat",
            Method::Nar => "nar",
            Method::Text => "text",
            Method::Git => "git",
        }
    }

    /// The method that [`Method::name`] names.
    pub fn from_name(name: &str) -> Option<Method> {
        [Method::Flat, Method::Nar, Method::Text, Method::Git]
            .into_iter()
            .find(|method| method.name() == name)
    }

    /// Splits `r:sha256` and its like into method and algorithm.
    pub fn parse_prefixed(text: &str) -> Result<(Method, Algorithm), Error> {
        let prefixed = [Method::Nar, Method::Text, Method::Git]
            .into_iter()
            .find_map(|method| Some((method, text.strip_prefix(method.prefix())?)));
        let (method, algorithm) = prefixed.unwrap_or((Method::Flat, text));
        Ok((method, algorithm.parse()?))
    }
}

/// A method and the hash it gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentAddress {
    /// What was hashed.
    pub method: Method,
    /// The hash.
    pub hash: Hash,
}

impl fmt::Display for ContentAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.method {
            Method::Text => write!(f, "text:{}", self.hash),
            method => write!(f, "fixed:{}{}", method.prefix(), self.hash),
        }
    }
}

impl FromStr for ContentAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<ContentAddress, Error> {
        let bad = || Error::ContentAddress(shown(text));
        let (kind, rest) = text.split_once(':').ok_or_else(bad)?;
        let (method, hash) = match kind {
            "text" => (Method::Text, rest),
            "fixed" => [Method::Nar, Method::Git]
                .into_iter()
                .find_map(|method| Some((method, rest.strip_prefix(method.prefix())?)))
                .unwrap_or((Method::Flat, rest)),
            _ => return Err(bad()),
        };
        let (algorithm, digits) = hash.split_once(':').ok_or_else(bad)?;
        Ok(ContentAddress {
            method,
            hash: Hash::from_digits(algorithm.parse()?, digits)?,
        })
    }
}
