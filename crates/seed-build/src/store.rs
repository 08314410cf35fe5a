//! The store on disk: objects by content, and which step's output is which object.
//!
//! Invariants: an object's name is the store path that Nix computes from its NAR hash, so an object checks itself; what is half
//! written lies in `tmp`, never under a final name; a record names an object that was whole when it was written.

use crate::chain::{From, Input};
use nix_archive::tree::{self, Case};
use nix_archive::{HashWriter, Reader, Summary};
use nix_store_path::computed::References;
use nix_store_path::{Algorithm, ContentAddress, Hash, Method, Name, StoreDir, StorePath};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use thiserror::Error;

/// Why the store does not do it.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A file of the store cannot be read or written.
    #[error("{path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A tree is no NAR or cannot be archived.
    #[error("{path}")]
    Archive {
        /// The tree.
        path: PathBuf,
        /// Why.
        source: nix_archive::Error,
    },
    /// An object is not what its name says.
    #[error("{path} has changed: its NAR's SHA-256 is now {found}")]
    Changed {
        /// The object.
        path: PathBuf,
        /// Its hash now.
        found: String,
    },
    /// A record is malformed.
    #[error("{path}")]
    Record {
        /// The record.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// There is none.
    #[error("{0}: there is no store; `build` makes one")]
    Absent(PathBuf),
    /// Another builder works in it.
    #[error("{0}: another builder works in this store")]
    Busy(PathBuf),
    /// The user that steps run as cannot reach it.
    #[error(
        "{0}: the directory, or one above it, is closed to other users, and root runs steps as one of them: name another with --store"
    )]
    Closed(PathBuf),
}

/// An object in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The store path that its content gives it.
    pub path: StorePath,
    /// SHA-256 of its NAR.
    pub nar: Hash,
    /// Bytes of its NAR.
    pub size: u64,
}

/// A tree that lies in the store's `tmp`, and is gone when this is dropped.
#[derive(Debug)]
pub struct Received {
    tree: PathBuf,
    /// Of its NAR, where it came as one.
    summary: Option<Summary>,
}

impl Drop for Received {
    fn drop(&mut self) {
        // What was kept is not there any more; what cannot be removed is when the store is opened again.
        let _ = remove(&self.tree);
    }
}

/// A store.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    /// How many trees were received, for names in `tmp`.
    received: AtomicU64,
    /// Held as long as the store is open.
    _lock: File,
}

const PARTS: [&str; 5] = ["objects", "results", "statements", "downloads", "tmp"];

impl Store {
    /// Opens a store that was made before, for who only looks at it.
    ///
    /// # Errors
    /// [`StoreError::Absent`], and as for [`Store::open`].
    pub fn existing(root: &Path) -> Result<Store, StoreError> {
        if !PARTS.iter().all(|part| root.join(part).is_dir()) {
            return Err(StoreError::Absent(root.to_owned()));
        }
        Store::open(root)
    }

    /// Opens a store, made if it is not there; remains of a builder that was killed are removed.
    ///
    /// # Errors
    /// [`StoreError::File`], [`StoreError::Busy`], [`StoreError::Closed`].
    pub fn open(root: &Path) -> Result<Store, StoreError> {
        fs::create_dir_all(root).map_err(at(root))?;
        let root = root.canonicalize().map_err(at(root))?;
        let _ = fs::set_permissions(&root, Permissions::from_mode(0o755));
        let lock_path = root.join("lock");
        let lock = File::create(&lock_path).map_err(at(&lock_path))?;
        if lock.try_lock().is_err() {
            return Err(StoreError::Busy(root));
        }
        let tmp = root.join("tmp");
        if tmp.exists() {
            fs::remove_dir_all(&tmp).map_err(at(&tmp))?;
        }
        for part in PARTS {
            let part = root.join(part);
            fs::create_dir_all(&part).map_err(at(&part))?;
            fs::set_permissions(&part, Permissions::from_mode(0o755)).map_err(at(&part))?;
        }
        if rustix::process::geteuid().is_root() {
            let open = |path: &Path| {
                path.metadata()
                    .is_ok_and(|found| found.permissions().mode() & 0o001 != 0)
            };
            if !root.ancestors().all(open) {
                return Err(StoreError::Closed(root));
            }
        }
        Ok(Store {
            root,
            received: AtomicU64::new(0),
            _lock: lock,
        })
    }

    /// The directory for what is half written.
    pub fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// A directory for one run, removed when it is dropped.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn scratch(&self) -> Result<TempDir, StoreError> {
        let tmp = self.tmp();
        let made = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o755))
            .tempdir_in(&tmp);
        made.map_err(at(&tmp))
    }

    /// Where an object is on disk.
    pub fn object(&self, path: &StorePath) -> PathBuf {
        self.root.join("objects").join(path.to_string())
    }

    /// Takes in a NAR archive.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn add_nar(&self, name: &Name, nar: &mut dyn Read) -> Result<Object, StoreError> {
        self.keep(name, &self.receive(nar)?)
    }

    /// Takes in a NAR archive that may not be kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn receive(&self, nar: &mut dyn Read) -> Result<Received, StoreError> {
        let mut received = self.room();
        let failed = |source| StoreError::Archive {
            path: received.tree.clone(),
            source,
        };
        let mut hashed = Hashed {
            stream: nar,
            writer: HashWriter::new(Algorithm::Sha256),
        };
        let mut reader = Reader::new(&mut hashed);
        tree::restore(&mut reader, &received.tree, Case::Kept).map_err(failed)?;
        received.summary = Some(hashed.writer.finish());
        Ok(received)
    }

    /// A place in `tmp` that nothing else has.
    fn room(&self) -> Received {
        let number = self.received.fetch_add(1, Ordering::Relaxed);
        Received {
            tree: self.tmp().join(format!("received-{number}")),
            summary: None,
        }
    }

    /// Takes in a tree of files with these paths and bytes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn add_tree(
        &self,
        name: &Name,
        files: &BTreeMap<PathBuf, Vec<u8>>,
    ) -> Result<Object, StoreError> {
        let room = self.room();
        fs::create_dir(&room.tree).map_err(at(&room.tree))?;
        for (path, bytes) in files {
            let target = room.tree.join(path);
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder).map_err(at(folder))?;
            }
            fs::write(&target, bytes).map_err(at(&target))?;
        }
        self.keep(name, &room)
    }

    /// Takes in one file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn add_file(
        &self,
        name: &Name,
        bytes: &[u8],
        executable: bool,
    ) -> Result<Object, StoreError> {
        let failed = |source| StoreError::Archive {
            path: PathBuf::from(name.as_str()),
            source,
        };
        let mut nar = nix_archive::Writer::new(Vec::new()).map_err(failed)?;
        nar.file(executable, bytes.len() as u64, bytes)
            .map_err(failed)?;
        self.add_nar(name, &mut nar.finish().map_err(failed)?.as_slice())
    }

    /// Makes an object of what was received.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep(&self, name: &Name, received: &Received) -> Result<Object, StoreError> {
        let tree = &received.tree;
        let summary = match received.summary {
            Some(summary) => summary,
            None => summary_of(tree)?,
        };
        let object = Object {
            path: content_path(name, summary.hash),
            nar: summary.hash,
            size: summary.size,
        };
        let target = self.object(&object.path);
        if target.symlink_metadata().is_ok() && self.check(&object.path).is_ok() {
            return Ok(object);
        }
        remove(&target)?;
        fix(tree)?;
        fs::rename(tree, &target).map_err(at(&target))?;
        Ok(object)
    }

    /// Does an object still have the content that its name says?
    ///
    /// # Errors
    /// [`StoreError::Changed`], or why it cannot be read.
    pub fn check(&self, path: &StorePath) -> Result<Object, StoreError> {
        let on_disk = self.object(path);
        let summary = summary_of(&on_disk)?;
        if content_path(path.name(), summary.hash) != *path {
            return Err(StoreError::Changed {
                path: on_disk,
                found: summary.hash.base16(),
            });
        }
        Ok(Object {
            path: path.clone(),
            nar: summary.hash,
            size: summary.size,
        })
    }

    /// An object that is there and whole.
    pub fn whole(&self, path: &StorePath) -> Option<Object> {
        self.check(path).ok()
    }

    /// The object of a single file with these bytes: found by name, since its path follows from its NAR.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn file_with(
        &self,
        name: &str,
        sha256: Hash,
        executable: bool,
    ) -> Result<Option<StorePath>, StoreError> {
        for path in self.named(name)? {
            if let Ok(bytes) = fs::read(self.object(&path))
                && Hash::of(Algorithm::Sha256, &bytes) == sha256
                && self.is_executable(&path) == executable
            {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// The path that an input with its stated hash has, if that can be known.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn stated(&self, name: &Name, input: &Input) -> Result<Option<StorePath>, StoreError> {
        match &input.from {
            From::Tree(..) | From::Texts(_) => Ok(Some(content_path(name, input.sha256))),
            From::File(_) | From::Foreign { .. } => {
                self.file_with(name.as_str(), input.sha256, false)
            }
            From::Hexadecimal(_) => self.file_with(name.as_str(), input.sha256, true),
        }
    }

    /// Objects with this name.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn named(&self, name: &str) -> Result<Vec<StorePath>, StoreError> {
        let folder = self.root.join("objects");
        let mut all = Vec::new();
        for entry in fs::read_dir(&folder).map_err(at(&folder))? {
            let entry = entry.map_err(at(&folder))?.file_name();
            let path = entry.to_str().and_then(|text| StorePath::new(text).ok());
            all.extend(path.filter(|path| path.name().as_str() == name));
        }
        all.sort();
        Ok(all)
    }

    /// Is an object an executable file?
    pub fn is_executable(&self, path: &StorePath) -> bool {
        let found = self.object(path).symlink_metadata();
        found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o100 != 0)
    }

    /// Reads a record; `part` is one of the store's directories.
    ///
    /// # Errors
    /// [`StoreError::File`], [`StoreError::Record`].
    pub fn record<T: DeserializeOwned>(
        &self,
        part: &str,
        name: &str,
    ) -> Result<Option<T>, StoreError> {
        let path = self.root.join(part).join(format!("{name}.json"));
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StoreError::File { path, source }),
        };
        let value = serde_json::from_slice(&bytes);
        value
            .map(Some)
            .map_err(|source| StoreError::Record { path, source })
    }

    /// Writes a record, whole or not at all.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn write_record(
        &self,
        part: &str,
        name: &str,
        value: &impl Serialize,
    ) -> Result<(), StoreError> {
        let path = self.root.join(part).join(format!("{name}.json"));
        let mut bytes = serde_json::to_vec_pretty(value).expect("a record is plain data");
        bytes.push(b'\n');
        self.write(&path, &bytes)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let write = || {
            let mut file = tempfile::NamedTempFile::new_in(self.tmp())?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)
        };
        write().map(drop).map_err(at(path))
    }

    /// Keeps a downloaded file, which has this hash.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn keep_download(&self, sha256: &Hash, bytes: &[u8]) -> Result<(), StoreError> {
        self.write(&self.download(sha256), bytes)
    }

    /// Where a downloaded file with this hash is kept.
    pub fn download(&self, sha256: &Hash) -> PathBuf {
        self.root.join("downloads").join(sha256.base16())
    }
}

fn summary_of(on_disk: &Path) -> Result<Summary, StoreError> {
    let writer = HashWriter::new(Algorithm::Sha256);
    let hashed = tree::dump(on_disk, writer, Case::Kept);
    hashed
        .map(HashWriter::finish)
        .map_err(|source| StoreError::Archive {
            path: on_disk.to_owned(),
            source,
        })
}

/// The store path of a tree without references, by its NAR's SHA-256.
pub fn content_path(name: &Name, nar: Hash) -> StorePath {
    let address = ContentAddress {
        method: Method::Nar,
        hash: nar,
    };
    StoreDir::default()
        .content_path(name.clone(), &address, &References::none())
        .expect("a NAR's SHA-256 without references has a path")
}

struct Hashed<'r> {
    stream: &'r mut dyn Read,
    writer: HashWriter,
}

impl Read for Hashed<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(to)?;
        self.writer.write_all(&to[..count])?;
        Ok(count)
    }
}

/// Gives a tree the rights that Nix gives: readable for all, writable for nobody; directories stay removable.
fn fix(path: &Path) -> Result<(), StoreError> {
    let found = path.symlink_metadata().map_err(at(path))?;
    if found.is_dir() {
        fs::set_permissions(path, Permissions::from_mode(0o755)).map_err(at(path))?;
        for entry in fs::read_dir(path).map_err(at(path))? {
            fix(&entry.map_err(at(path))?.path())?;
        }
    } else if found.is_file() {
        let mode = if found.permissions().mode() & 0o100 != 0 {
            0o555
        } else {
            0o444
        };
        fs::set_permissions(path, Permissions::from_mode(mode)).map_err(at(path))?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), StoreError> {
    let removed = match path.symlink_metadata() {
        Err(_) => return Ok(()),
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    };
    removed.map_err(at(path))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |source| StoreError::File { path, source }
}
