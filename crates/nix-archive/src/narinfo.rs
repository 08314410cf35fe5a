//! narinfo: what a binary cache says of one store object. The format is in the crate's documentation.
//!
//! Invariant: a narinfo that nix wrote is printed back byte for byte.

use crate::error::shown;
use crate::limits::MAX_NARINFO;
use crate::{KeyError, PublicKey, SecretKey, Signature};
use nix_store_path::computed::References;
use nix_store_path::{Algorithm, ContentAddress, Hash, StoreDir, StorePath};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What is wrong with a narinfo; `line` counts from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NarInfoError {
    /// Larger than [`MAX_NARINFO`].
    #[error("a narinfo of {0} bytes is larger than the limit of {MAX_NARINFO}")]
    TooLarge(usize),
    /// A line that is no `Key: value`.
    #[error("line {line}: '{text}' is no 'Key: value'")]
    Line {
        /// Which line.
        line: usize,
        /// The line, shortened.
        text: String,
    },
    /// A key that may be there once is there twice.
    #[error("line {line}: {key} is there twice")]
    Twice {
        /// Which line.
        line: usize,
        /// Which key.
        key: String,
    },
    /// A key that must be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A path or hash is malformed.
    #[error("line {line}: {source}")]
    Store {
        /// Which line.
        line: usize,
        /// What is wrong.
        source: nix_store_path::Error,
    },
    /// A number is malformed.
    #[error("line {line}: '{text}' is no size in bytes")]
    Size {
        /// Which line.
        line: usize,
        /// The text, shortened.
        text: String,
    },
    /// A signature is malformed.
    #[error("line {line}: {source}")]
    Signature {
        /// Which line.
        line: usize,
        /// What is wrong.
        source: KeyError,
    },
}

/// What a binary cache says of one store object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NarInfo {
    /// The store it is for.
    pub store: StoreDir,
    /// The object.
    pub path: StorePath,
    /// Where its compressed archive lies, relative to the cache.
    pub url: String,
    /// How it is compressed: `xz`, `zstd`, `none`, ...
    pub compression: String,
    /// Hash of the compressed file.
    pub file_hash: Option<Hash>,
    /// Size of the compressed file in bytes.
    pub file_size: Option<u64>,
    /// Hash of the archive.
    pub nar_hash: Hash,
    /// Size of the archive in bytes.
    pub nar_size: u64,
    /// What it refers to, possibly itself.
    pub references: BTreeSet<StorePath>,
    /// The derivation that made it.
    pub deriver: Option<StorePath>,
    /// The system it is for; seldom there.
    pub system: Option<String>,
    /// Who vouches for it.
    pub signatures: Vec<Signature>,
    /// How its path follows from its content, if it does.
    pub address: Option<ContentAddress>,
}

/// Lines by key; all but `Sig` at most once.
struct Fields<'t> {
    single: BTreeMap<&'t str, (usize, &'t str)>,
    signatures: Vec<(usize, &'t str)>,
}

impl<'t> Fields<'t> {
    fn read(text: &'t str) -> Result<Fields<'t>, NarInfoError> {
        let mut fields = Fields {
            single: BTreeMap::new(),
            signatures: Vec::new(),
        };
        for (index, content) in text.lines().enumerate() {
            let line = index + 1;
            let split = content.split_once(':').filter(|(key, _)| !key.is_empty());
            let Some((key, value)) = split else {
                return Err(NarInfoError::Line {
                    line,
                    text: shown(content.as_bytes()),
                });
            };
            let value = value.strip_prefix(' ').unwrap_or(value);
            if key == "Sig" {
                fields.signatures.push((line, value));
            } else if fields.single.insert(key, (line, value)).is_some() {
                return Err(NarInfoError::Twice {
                    line,
                    key: shown(key.as_bytes()),
                });
            }
        }
        Ok(fields)
    }

    fn get(&self, key: &str) -> Option<(usize, &'t str)> {
        self.single.get(key).copied()
    }

    fn need(&self, key: &'static str) -> Result<(usize, &'t str), NarInfoError> {
        self.get(key).ok_or(NarInfoError::Missing(key))
    }

    /// A value read by a function of the ground floor.
    fn parsed<T>(
        (line, value): (usize, &str),
        parse: impl FnOnce(&str) -> Result<T, nix_store_path::Error>,
    ) -> Result<T, NarInfoError> {
        parse(value).map_err(|source| NarInfoError::Store { line, source })
    }

    fn size((line, value): (usize, &str)) -> Result<u64, NarInfoError> {
        value.parse().map_err(|_| NarInfoError::Size {
            line,
            text: shown(value.as_bytes()),
        })
    }
}

impl NarInfo {
    /// Reads a narinfo. Keys that are unknown are passed over, as Nix does.
    ///
    /// # Errors
    /// [`NarInfoError`] with the line.
    pub fn parse(text: &str) -> Result<NarInfo, NarInfoError> {
        if text.len() > MAX_NARINFO {
            return Err(NarInfoError::TooLarge(text.len()));
        }
        let fields = Fields::read(text)?;
        let (store, path) = Fields::parsed(fields.need("StorePath")?, StoreDir::split)?;
        let sha256 = |value: &str| Hash::parse(value, Some(Algorithm::Sha256));
        let references = fields
            .get("References")
            .map_or(Ok(BTreeSet::new()), |field| {
                let read =
                    |value: &str| value.split_ascii_whitespace().map(StorePath::new).collect();
                Fields::parsed(field, read)
            })?;
        let signature = |(line, value): &(usize, &str)| {
            value.parse().map_err(|source| NarInfoError::Signature {
                line: *line,
                source,
            })
        };
        Ok(NarInfo {
            store,
            path,
            url: fields.need("URL")?.1.to_owned(),
            compression: fields
                .get("Compression")
                .map_or("bzip2", |(_, value)| value)
                .to_owned(),
            file_hash: fields
                .get("FileHash")
                .map(|field| Fields::parsed(field, str::parse))
                .transpose()?,
            file_size: fields.get("FileSize").map(Fields::size).transpose()?,
            nar_hash: Fields::parsed(fields.need("NarHash")?, sha256)?,
            nar_size: Fields::size(fields.need("NarSize")?)?,
            references,
            deriver: fields
                .get("Deriver")
                .filter(|(_, value)| *value != "unknown-deriver")
                .map(|field| Fields::parsed(field, StorePath::new))
                .transpose()?,
            system: fields.get("System").map(|(_, value)| value.to_owned()),
            signatures: fields
                .signatures
                .iter()
                .map(signature)
                .collect::<Result<_, _>>()?,
            address: fields
                .get("CA")
                .filter(|(_, value)| !value.is_empty())
                .map(|field| Fields::parsed(field, str::parse))
                .transpose()?,
        })
    }

    /// What signatures sign.
    pub fn fingerprint(&self) -> String {
        let references: Vec<String> = self
            .references
            .iter()
            .map(|path| self.store.join(path))
            .collect();
        format!(
            "1;{};{};{};{}",
            self.store.join(&self.path),
            self.nar_hash,
            self.nar_size,
            references.join(",")
        )
    }

    /// Adds this key's signature, in place of an older one of the same name.
    pub fn sign(&mut self, key: &SecretKey) {
        let signature = key.sign(self.fingerprint().as_bytes());
        self.signatures.retain(|other| other.key != signature.key);
        self.signatures.push(signature);
    }

    /// The names of those keys that vouch for this object: empty means that it is not to be trusted on
    /// signatures.
    pub fn signed_by<'k>(&self, keys: &'k [PublicKey]) -> Vec<&'k str> {
        let fingerprint = self.fingerprint();
        let vouches = |key: &&PublicKey| {
            let mut signatures = self.signatures.iter();
            signatures.any(|signature| key.verifies(fingerprint.as_bytes(), signature))
        };
        keys.iter().filter(vouches).map(PublicKey::name).collect()
    }

    /// Does the path follow from the stated content address? Then no signature is needed, only the content.
    pub fn is_self_evident(&self) -> bool {
        let Some(address) = &self.address else {
            return false;
        };
        let mut references = References {
            others: self.references.clone(),
            itself: false,
        };
        references.itself = references.others.remove(&self.path);
        let computed = self
            .store
            .content_path(self.path.name().clone(), address, &references);
        computed.is_ok_and(|path| path == self.path)
    }
}

impl fmt::Display for NarInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "StorePath: {}", self.store.join(&self.path))?;
        writeln!(f, "URL: {}", self.url)?;
        writeln!(f, "Compression: {}", self.compression)?;
        if let Some(hash) = &self.file_hash {
            writeln!(f, "FileHash: {hash}")?;
        }
        if let Some(size) = self.file_size {
            writeln!(f, "FileSize: {size}")?;
        }
        writeln!(f, "NarHash: {}", self.nar_hash)?;
        writeln!(f, "NarSize: {}", self.nar_size)?;
        let references: Vec<String> = self.references.iter().map(ToString::to_string).collect();
        writeln!(f, "References: {}", references.join(" "))?;
        if let Some(deriver) = &self.deriver {
            writeln!(f, "Deriver: {deriver}")?;
        }
        if let Some(system) = &self.system {
            writeln!(f, "System: {system}")?;
        }
        for signature in &self.signatures {
            writeln!(f, "Sig: {signature}")?;
        }
        if let Some(address) = &self.address {
            writeln!(f, "CA: {address}")?;
        }
        Ok(())
    }
}
