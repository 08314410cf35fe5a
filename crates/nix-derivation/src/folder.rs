//! A folder of `.drv` files, such as a store: the one module of this crate that reads files.
//!
//! Invariants: files are read one at a time a thread and dropped once mapped, so memory holds the results only;
//! only regular files of at most [`MAX_DERIVATION`] bytes are opened (no link, no pipe); one bad file is one
//! error, and the others are still read.

use crate::limits::MAX_DERIVATION;
use crate::{Derivation, Error, Outline, aterm};
use nix_store_path::{DERIVATION_SUFFIX, Name, StoreDir, StorePath};
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a `.drv` file may be read as.
pub trait Form: Sized {
    /// Reads a file's bytes; `name` is the file's name without digest and `.drv`.
    ///
    /// # Errors
    /// The variants of [`Error`] that have an offset.
    fn parse(name: &Name, bytes: &[u8], store: &StoreDir) -> Result<Self, Error>;

    /// The derivations it needs.
    fn derivations(&self) -> impl Iterator<Item = &StorePath>;
}

impl Form for Derivation {
    fn parse(name: &Name, bytes: &[u8], store: &StoreDir) -> Result<Derivation, Error> {
        Derivation::parse(name, bytes, store)
    }

    fn derivations(&self) -> impl Iterator<Item = &StorePath> {
        self.inputs.derivations.keys()
    }
}

impl Form for Outline {
    fn parse(name: &Name, bytes: &[u8], store: &StoreDir) -> Result<Outline, Error> {
        Outline::parse(name, bytes, store)
    }

    fn derivations(&self) -> impl Iterator<Item = &StorePath> {
        self.derivations.iter()
    }
}

/// A folder and the store directory that the derivations in it were written for.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    store: StoreDir,
}

impl Folder {
    /// A folder whose derivations name paths of `store` (which need not be the folder itself).
    pub fn new(path: impl Into<PathBuf>, store: StoreDir) -> Folder {
        let path = path.into();
        Folder { path, store }
    }

    /// A folder in which one of the first readable derivations, in the folder's own order, tells the store directory;
    /// `/nix/store` if none does.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder cannot be listed.
    pub fn open(path: impl Into<PathBuf>) -> Result<Folder, Error> {
        let mut folder = Folder::new(path, StoreDir::default());
        let files = folder.files()?.filter_map(Result::ok);
        let names = files.filter_map(|file| StorePath::new(file.to_str()?).ok());
        let readable = names.filter_map(|name| folder.bytes(&name).ok());
        let told = readable
            .take(100)
            .find_map(|bytes| aterm::store_dir(&bytes));
        if let Some(store) = told {
            folder.store = store;
        }
        Ok(folder)
    }

    /// The names that end as those of derivations do.
    fn files(&self) -> Result<impl Iterator<Item = Result<OsString, Error>> + use<>, Error> {
        let path = self.path.clone();
        let entries = fs::read_dir(&path);
        let io = move |source| Error::Io {
            path: path.clone(),
            source,
        };
        let names = entries.map_err(&io)?.map(move |entry| match entry {
            Ok(entry) => Ok(entry.file_name()),
            Err(error) => Err(io(error)),
        });
        Ok(names.filter(|name| {
            let ends = |name: &OsString| name.to_str()?.ends_with(DERIVATION_SUFFIX).then_some(());
            name.as_ref().map_or(true, |name| ends(name).is_some())
        }))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The store directory of the paths within.
    pub fn store(&self) -> &StoreDir {
        &self.store
    }

    /// The derivations in the folder, sorted; and an error for each `.drv` that has no store path's name.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder cannot be listed.
    pub fn names(&self) -> Result<(Vec<StorePath>, Vec<Error>), Error> {
        let (mut names, mut errors) = (Vec::new(), Vec::new());
        for file in self.files()? {
            let file = file?;
            match StorePath::new(&file.to_string_lossy()) {
                Ok(path) => names.push(path),
                Err(source) => errors.push(self.file(&file, Error::Computed(source))),
            }
        }
        names.sort();
        Ok((names, errors))
    }

    fn file(&self, name: impl AsRef<Path>, source: Error) -> Error {
        Error::File {
            path: self.path.join(name),
            source: Box::new(source),
        }
    }

    fn bytes(&self, name: &StorePath) -> Result<Vec<u8>, Error> {
        let path = self.path.join(name.to_string());
        let io = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::NotFound => Error::Missing(name.clone()),
            _ => Error::Io {
                path: path.clone(),
                source,
            },
        };
        let metadata = fs::symlink_metadata(&path).map_err(io)?;
        if !metadata.is_file() {
            return Err(io(std::io::Error::other("it is no regular file")));
        }
        let too_large = Error::TooLarge {
            offset: MAX_DERIVATION,
            what: "the derivation",
            limit: MAX_DERIVATION,
        };
        if metadata.len() > MAX_DERIVATION as u64 {
            return Err(self.file(&path, too_large));
        }
        let mut bytes = Vec::with_capacity(metadata.len() as usize + 1);
        let file = fs::File::open(&path).map_err(io)?;
        file.take(MAX_DERIVATION as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(io)?;
        Ok(bytes)
    }

    /// Reads one derivation, whole or as an outline.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Io`], or [`Error::File`] with what is wrong inside.
    pub fn read<D: Form>(&self, path: &StorePath) -> Result<D, Error> {
        let bytes = self.bytes(path)?;
        let name = path.derivation_name();
        let name = name.ok_or_else(|| {
            self.file(
                path.to_string(),
                Error::Syntax {
                    offset: 0,
                    expected: "a name that ends in .drv",
                },
            )
        })?;
        D::parse(&name, &bytes, &self.store).map_err(|error| self.file(path.to_string(), error))
    }

    /// Reads these derivations on all cores and keeps what `map` makes of each, in the same order.
    pub fn map<D: Form, T: Send>(
        &self,
        paths: &[StorePath],
        map: impl Fn(&StorePath, Result<D, Error>) -> T + Sync,
    ) -> Vec<T> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = threads.min(paths.len().div_ceil(BATCH)).max(1);
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            loop {
                let start = next.fetch_add(BATCH, Ordering::Relaxed);
                let Some(batch) = paths.get(start..paths.len().min(start + BATCH)) else {
                    break;
                };
                if batch.is_empty() {
                    break;
                }
                let results = batch.iter().map(|path| map(path, self.read(path)));
                done.push((start, results.collect::<Vec<T>>()));
            }
            done
        };
        let mut batches = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut batches = work();
            for other in others {
                batches.extend(other.join().expect("a worker passes on its panic"));
            }
            batches
        });
        batches.sort_by_key(|(start, _)| *start);
        batches
            .into_iter()
            .flat_map(|(_, results)| results)
            .collect()
    }

    /// Reads the closure of `roots`, level by level, and keeps what `map` makes of each derivation.
    pub fn map_closure<D: Form, T: Send>(
        &self,
        roots: &[StorePath],
        map: impl Fn(&StorePath, Result<D, Error>) -> T + Sync,
    ) -> Vec<T> {
        let mut seen: HashSet<StorePath> = roots.iter().cloned().collect();
        let mut level: Vec<StorePath> = seen.iter().cloned().collect();
        level.sort();
        let mut all = Vec::new();
        while !level.is_empty() {
            let results = self.map(&level, |path, derivation: Result<D, Error>| {
                let inputs = derivation
                    .as_ref()
                    .map(|found| found.derivations().cloned().collect::<Vec<_>>());
                (inputs.unwrap_or_default(), map(path, derivation))
            });
            let mut following = Vec::new();
            for (inputs, result) in results {
                following.extend(inputs.into_iter().filter(|path| seen.insert(path.clone())));
                all.push(result);
            }
            level = following;
        }
        all
    }
}

/// How many files a thread takes at once: large enough that threads seldom meet.
const BATCH: usize = 64;
