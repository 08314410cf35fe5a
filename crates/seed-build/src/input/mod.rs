//! Inputs: found, checked by hash, and taken into the store.
//!
//! Invariants: nothing is used before its hash was compared; what is not there is [`InputError::NotObtainable`], with all that was
//! tried; nothing is fetched when offline, and nothing of the machine's apt configuration is changed.

mod fetch;

#[cfg(test)]
mod tests;

use crate::chain::{Chain, From, Input, Item, fits};
use crate::store::{Object, Store, StoreError};
use nix_store_path::{Algorithm, Hash};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use thiserror::Error;

pub use fetch::FetchLimits;

/// Largest single input in bytes.
pub const MAX_INPUT: u64 = 4 << 30;
/// Most files of a tree.
pub const MAX_FILES: usize = 100_000;

/// Why an input cannot be used.
#[derive(Debug, Error)]
pub enum InputError {
    /// It is nowhere.
    #[error("input not obtainable: {name}{}: {}", version.as_ref().map(|version| format!(" {version}")).unwrap_or_default(), tried.join("; "))]
    NotObtainable {
        /// The item.
        name: String,
        /// Its version.
        version: Option<String>,
        /// Where it was looked for, and what came of it.
        tried: Vec<String>,
    },
    /// It is not what the chain states.
    #[error("input {name}: its SHA-256 is {found}, the chain states {stated}")]
    Hash {
        /// The item.
        name: String,
        /// What the chain file says.
        stated: String,
        /// What it is.
        found: String,
        /// It, in the store.
        object: Box<Object>,
    },
    /// It is there and cannot be read.
    #[error("input {name}: {path}: {problem}")]
    File {
        /// The item.
        name: String,
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where foreign inputs may come from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Files, and folders in which a file of the right name counts.
    pub given: Vec<PathBuf>,
    /// Nothing is fetched.
    pub offline: bool,
    /// What fetching from an address may take.
    pub fetch: FetchLimits,
}

/// Gets an input into the store.
///
/// # Errors
/// [`InputError`].
pub fn obtain(
    chain: &Chain,
    item: &Item,
    input: &Input,
    store: &Store,
    sources: &Sources,
) -> Result<Object, InputError> {
    let reading = Reading {
        name: item.name.as_str(),
        chain,
    };
    let tree = |files: &BTreeMap<PathBuf, Vec<u8>>| {
        let object = store.add_tree(&item.name, files);
        object.map(|object| {
            let hash = object.nar;
            (object, hash)
        })
    };
    let (object, hash) = match &input.from {
        From::File(path) => {
            let bytes = reading.file(path)?;
            let hash = Hash::of(Algorithm::Sha256, &bytes);
            (store.add_file(&item.name, &bytes, false)?, hash)
        }
        From::Hexadecimal(path) => {
            let decoded = seed_proof::hex::decode(&reading.file(path)?);
            let bytes = decoded.map_err(|error| reading.problem(path, &error.to_string()))?;
            let hash = Hash::of(Algorithm::Sha256, &bytes);
            (store.add_file(&item.name, &bytes, true)?, hash)
        }
        From::Tree(path, only) => {
            let mut files = BTreeMap::new();
            reading.tree(path, Path::new(""), only, &mut files)?;
            tree(&files)?
        }
        From::Texts(texts) => {
            let bytes = texts.iter();
            let files = bytes.map(|(name, text)| (PathBuf::from(name), text.clone().into_bytes()));
            tree(&files.collect())?
        }
        From::Foreign { file, apt, url } => {
            let foreign = Foreign {
                reading: &reading,
                input,
                file,
                store,
            };
            let bytes = foreign.find(apt.as_deref(), url.as_deref(), sources)?;
            let hash = Hash::of(Algorithm::Sha256, &bytes);
            (store.add_file(&item.name, &bytes, false)?, hash)
        }
    };
    if hash != input.sha256 {
        return Err(InputError::Hash {
            name: item.name.to_string(),
            stated: input.sha256.base16(),
            found: hash.base16(),
            object: Box::new(object),
        });
    }
    Ok(object)
}

struct Reading<'c> {
    name: &'c str,
    chain: &'c Chain,
}

impl Reading<'_> {
    fn problem(&self, path: &Path, problem: &str) -> InputError {
        InputError::File {
            name: self.name.to_owned(),
            path: path.to_owned(),
            problem: problem.to_owned(),
        }
    }

    fn file(&self, path: &Path) -> Result<Vec<u8>, InputError> {
        let whole = self.chain.folder.join(path);
        if !whole.exists() {
            return Err(InputError::NotObtainable {
                name: self.name.to_owned(),
                version: None,
                tried: vec![format!("{} is not there", whole.display())],
            });
        }
        limited(&whole).map_err(|error| self.problem(&whole, &error.to_string()))
    }

    fn tree(
        &self,
        folder: &Path,
        inner: &Path,
        only: &[String],
        files: &mut BTreeMap<PathBuf, Vec<u8>>,
    ) -> Result<(), InputError> {
        let whole = self.chain.folder.join(folder);
        let failed = |error: std::io::Error| InputError::NotObtainable {
            name: self.name.to_owned(),
            version: None,
            tried: vec![format!("{}: {error}", whole.display())],
        };
        for entry in fs::read_dir(&whole).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let kind = entry.file_type().map_err(failed)?;
            let (path, at) = (folder.join(&name), inner.join(&name));
            if kind.is_dir() {
                self.tree(&path, &at, only, files)?;
            } else if only
                .iter()
                .any(|pattern| fits(&name.to_string_lossy(), pattern))
            {
                if !kind.is_file() {
                    return Err(self.problem(&path, "it is neither file nor directory"));
                }
                files.insert(at, self.file(&path)?);
            }
            if files.len() > MAX_FILES {
                return Err(self.problem(&whole, "the tree has too many files"));
            }
        }
        Ok(())
    }
}

fn limited(path: &Path) -> std::io::Result<Vec<u8>> {
    let file = fs::File::open(path)?;
    let mut bytes = Vec::new();
    file.take(MAX_INPUT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_INPUT {
        return Err(std::io::Error::other("the file is too large"));
    }
    Ok(bytes)
}

struct Foreign<'a> {
    reading: &'a Reading<'a>,
    input: &'a Input,
    file: &'a str,
    store: &'a Store,
}

impl Foreign<'_> {
    /// The first file with the right hash wins; a given one with another hash is an error of its own.
    fn find(
        &self,
        apt: Option<&str>,
        url: Option<&str>,
        sources: &Sources,
    ) -> Result<Vec<u8>, InputError> {
        let mut tried = Vec::new();
        let kept = self.store.download(&self.input.sha256);
        if let Ok(bytes) = limited(&kept) {
            if Hash::of(Algorithm::Sha256, &bytes) == self.input.sha256 {
                return Ok(bytes);
            }
            tried.push(format!("{} has changed", kept.display()));
        }
        for given in &sources.given {
            let path = if given.is_dir() {
                given.join(self.file)
            } else {
                given.clone()
            };
            if path.file_name() != Some(self.file.as_ref()) {
                if !path.exists() {
                    tried.push(format!("{} is not there", path.display()));
                }
                continue;
            }
            match limited(&path) {
                Ok(bytes) => return self.keep(bytes),
                Err(error) => tried.push(format!("{}: {error}", path.display())),
            }
        }
        if sources.offline {
            tried.push("nothing is fetched offline".to_owned());
        } else {
            let scratch = self.store.scratch()?;
            if let Some(package) = apt {
                let version = self.input.version.as_deref();
                match fetch::from_apt(package, version, self.file, scratch.path()) {
                    Ok(bytes) => return self.keep(bytes),
                    Err(problem) => tried.push(format!("apt source package {package}: {problem}")),
                }
            }
            if let Some(url) = url {
                match fetch::from_url(url, &sources.fetch) {
                    Ok(bytes) => return self.keep(bytes),
                    Err(problem) => tried.push(format!("{url}: {problem}")),
                }
            }
        }
        Err(InputError::NotObtainable {
            name: self.reading.name.to_owned(),
            version: self.input.version.clone(),
            tried,
        })
    }

    fn keep(&self, bytes: Vec<u8>) -> Result<Vec<u8>, InputError> {
        if Hash::of(Algorithm::Sha256, &bytes) == self.input.sha256 {
            self.store.keep_download(&self.input.sha256, &bytes)?;
        }
        Ok(bytes)
    }
}
