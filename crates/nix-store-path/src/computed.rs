//! Store paths computed from what they name; the table is in the crate's documentation.
//!
//! Invariant: every function is total for valid arguments except where the kind of object allows no references.

use crate::encoding::to_base32;
use crate::{Algorithm, ContentAddress, Error, Hash, Method, Name, StoreDir, StorePath};
use std::collections::BTreeSet;
use std::fmt::Write;

/// What an object refers to: other store objects, and possibly itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    /// Other store objects.
    pub others: BTreeSet<StorePath>,
    /// Does it hold its own path?
    pub itself: bool,
}

impl References {
    /// No reference at all.
    pub fn none() -> References {
        References::default()
    }
}

impl StoreDir {
    /// The path of a fingerprint's parts: `KIND:sha256:HEX:STOREDIR:NAME`.
    fn fingerprinted(&self, kind: &str, inner: &Hash, name: Name) -> StorePath {
        let fingerprint = format!(
            "{kind}:{}:{}:{self}:{name}",
            inner.algorithm(),
            inner.base16()
        );
        let digest = Hash::of(Algorithm::Sha256, fingerprint.as_bytes()).fold();
        StorePath::from_digest(digest, name)
    }

    fn kind(&self, kind: &str, references: &References) -> String {
        let mut text = kind.to_owned();
        for path in &references.others {
            write!(text, ":{self}/{path}").expect("writing to a string succeeds");
        }
        if references.itself {
            text.push_str(":self");
        }
        text
    }

    /// The path of a text file with these bytes, such as a `.drv` file.
    pub fn text_path(
        &self,
        name: Name,
        text: &[u8],
        references: &BTreeSet<StorePath>,
    ) -> StorePath {
        let references = References {
            others: references.clone(),
            itself: false,
        };
        let inner = Hash::of(Algorithm::Sha256, text);
        self.fingerprinted(&self.kind("text", &references), &inner, name)
    }

    /// The path of a content-addressed object: a text, a source tree, a fixed output, or the output of a
    /// floating content-addressed derivation once its hash is known.
    ///
    /// # Errors
    /// [`Error::References`] when the kind of address allows none and some are given;
    /// [`Error::OtherAlgorithm`] when a text is not hashed by SHA-256.
    pub fn content_path(
        &self,
        name: Name,
        address: &ContentAddress,
        references: &References,
    ) -> Result<StorePath, Error> {
        let ContentAddress { method, hash } = address;
        let sha256 = hash.algorithm() == Algorithm::Sha256;
        match method {
            Method::Text if !sha256 => Err(Error::OtherAlgorithm {
                text: address.to_string(),
                found: hash.algorithm().name(),
                expected: "sha256",
            }),
            Method::Text if references.itself => Err(Error::References(name.to_string())),
            Method::Text => Ok(self.fingerprinted(&self.kind("text", references), hash, name)),
            Method::Nar if sha256 => {
                Ok(self.fingerprinted(&self.kind("source", references), hash, name))
            }
            _ if *references != References::none() => Err(Error::References(name.to_string())),
            _ => {
                let inner = format!(
                    "fixed:out:{}{}:{}:",
                    method.prefix(),
                    hash.algorithm(),
                    hash.base16()
                );
                let inner = Hash::of(Algorithm::Sha256, inner.as_bytes());
                Ok(self.fingerprinted("output:out", &inner, name))
            }
        }
    }

    /// The path of an input-addressed output, given the derivation's name and hash modulo fixed outputs.
    ///
    /// # Errors
    /// [`Error::Name`] when name and output together are no name.
    pub fn output_path(
        &self,
        name: &Name,
        output: &str,
        modulo: &Hash,
    ) -> Result<StorePath, Error> {
        Ok(self.fingerprinted(&format!("output:{output}"), modulo, name.output(output)?))
    }
}

/// What a derivation writes where its own, not yet known output path will stand (`builtins.placeholder`).
pub fn placeholder(output: &str) -> String {
    slashed(&format!("nix-output:{output}"))
}

/// What a derivation writes where an output of a content-addressed input will stand.
///
/// # Errors
/// [`Error::Path`] when `derivation` is no `.drv` path, [`Error::Name`] for an unfit output name.
pub fn upstream_placeholder(derivation: &StorePath, output: &str) -> Result<String, Error> {
    let name = derivation.derivation_name().ok_or_else(|| Error::Path {
        text: derivation.to_string(),
        problem: "its name does not end in .drv",
    })?;
    Ok(slashed(&format!(
        "nix-upstream-output:{}:{}",
        derivation.digest_text(),
        name.output(output)?
    )))
}

fn slashed(text: &str) -> String {
    let hash = Hash::of(Algorithm::Sha256, text.as_bytes());
    format!("/{}", to_base32(hash.bytes()))
}
