//! The files of the running system: below a root, hashed once a run, bytes counted.

use crate::{Error, Result};
use boot_esp::Content;
use nix_store_path::StoreDir;
use sha2::{Digest, Sha256};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Most symbolic links that a path may lead through.
const MAX_LINKS: usize = 40;
/// Largest kernel or initrd: references have 32-bit sizes.
const MAX_FILE: u64 = u32::MAX as u64;
/// Kernels and initrds up to so many bytes together stay in memory between hashing and copying, so that they are read once.
const MAX_KEPT: u64 = 256 * 1024 * 1024;
/// Largest file that is read whole.
const MAX_SMALL: u64 = 64 * 1024 * 1024;

/// Reads files below a root; `/` for the running system, another folder for an image that is being built.
#[derive(Debug)]
pub struct Sources {
    root: PathBuf,
    hashed: RefCell<BTreeMap<PathBuf, Content>>,
    read: Cell<u64>,
    kept: Cell<u64>,
}

impl Sources {
    /// Files below `root`.
    pub fn new(root: &Path) -> Sources {
        Sources {
            root: root.to_owned(),
            hashed: RefCell::default(),
            read: Cell::new(0),
            kept: Cell::new(0),
        }
    }

    /// Bytes that were read so far, copying aside.
    pub fn bytes_read(&self) -> u64 {
        self.read.get()
    }

    /// Where an absolute path of the system is, symbolic links followed inside of the root.
    pub fn resolve(&self, path: &Path) -> Result<PathBuf> {
        let mut logical = PathBuf::from("/");
        let mut pending: Vec<_> = parts(path);
        pending.reverse();
        let mut links = 0;
        while let Some(part) = pending.pop() {
            if part == ".." {
                logical.pop();
                continue;
            }
            let next = logical.join(&part);
            match fs::read_link(self.real(&next)) {
                Ok(target) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(Error::Read {
                            path: path.to_owned(),
                            error: io::Error::other("too many symbolic links"),
                        });
                    }
                    if target.is_absolute() {
                        logical = PathBuf::from("/");
                    }
                    let mut more = parts(&target);
                    more.reverse();
                    pending.extend(more);
                }
                // No link, or not there: reading it will tell.
                Err(_) => logical = next,
            }
        }
        Ok(logical)
    }

    /// The file of this machine that a path of the system is.
    fn real(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The file of this machine that an absolute path of the system leads to.
    pub(crate) fn real_path(&self, path: &Path) -> Result<PathBuf> {
        Ok(self.real(&self.resolve(path)?))
    }

    /// The names in a folder; `None` when it is not there.
    pub(crate) fn list(&self, folder: &Path) -> Result<Option<Vec<String>>> {
        let real = self.real(&self.resolve(folder)?);
        let failed = |error| Error::Read {
            path: folder.to_owned(),
            error,
        };
        let entries = match fs::read_dir(real) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            // Names that are not UTF-8 are none of Nix's.
            if let Ok(name) = entry.map_err(failed)?.file_name().into_string() {
                names.push(name);
            }
        }
        names.sort();
        Ok(Some(names))
    }

    /// A small file, whole; `None` when it is not there.
    pub(crate) fn read_if_there(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        let real = self.real(&self.resolve(path)?);
        let failed = |error| Error::Read {
            path: path.to_owned(),
            error,
        };
        let file = match File::open(real) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut bytes = Vec::new();
        file.take(MAX_SMALL + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        if bytes.len() as u64 > MAX_SMALL {
            return Err(failed(io::Error::other("larger than 64 MiB")));
        }
        self.read.set(self.read.get() + bytes.len() as u64);
        Ok(Some(bytes))
    }

    /// A small file, whole.
    pub(crate) fn read(&self, path: &Path) -> Result<Vec<u8>> {
        self.read_if_there(path)?.ok_or_else(|| Error::Read {
            path: path.to_owned(),
            error: io::ErrorKind::NotFound.into(),
        })
    }

    /// Digest and size of a file, read once a run however often it is asked for.
    pub(crate) fn content(&self, path: &Path) -> Result<Content> {
        let resolved = self.resolve(path)?;
        if let Some(known) = self.hashed.borrow().get(&resolved) {
            return Ok(known.clone());
        }
        let real = self.real(&resolved);
        let failed = |error| Error::Read {
            path: path.to_owned(),
            error,
        };
        let mut file = File::open(&real).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        if length > 0 && length <= MAX_KEPT - self.kept.get() {
            let mut bytes = Vec::with_capacity(length as usize);
            file.take(length).read_to_end(&mut bytes).map_err(failed)?;
            self.read.set(self.read.get() + bytes.len() as u64);
            self.kept.set(self.kept.get() + length);
            let content = Content::bytes(bytes);
            self.hashed.borrow_mut().insert(resolved, content.clone());
            return Ok(content);
        }
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1024 * 1024];
        let mut size = 0;
        loop {
            let count = match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed(error)),
            };
            hasher.update(&buffer[..count]);
            size += count as u64;
            if size > MAX_FILE {
                return Err(failed(io::Error::other("larger than 4 GiB")));
            }
        }
        if size == 0 {
            return Err(failed(io::Error::other("it is empty")));
        }
        self.read.set(self.read.get() + size);
        let content = Content::file(&real, hasher.finalize().into(), size);
        self.hashed.borrow_mut().insert(resolved, content.clone());
        Ok(content)
    }

    /// What tells a file apart from every other one: a store path itself, because what is in the store does not change, else
    /// the digest of the content.
    pub(crate) fn identity(&self, path: &Path) -> Result<String> {
        let resolved = self.resolve(path)?;
        let text = resolved.display().to_string();
        if StoreDir::default().parse_within(&text).is_ok() {
            return Ok(text);
        }
        let content = self.content(path)?;
        Ok(format!("{:x?}", content.sha256()))
    }
}

fn parts(path: &Path) -> Vec<std::ffi::OsString> {
    path.components()
        .filter_map(|part| match part {
            std::path::Component::Normal(name) => Some(name.to_owned()),
            std::path::Component::ParentDir => Some("..".into()),
            _ => None,
        })
        .collect()
}
