//! What jobs read: files, folders, or bytes that the program carries.
//!
//! Invariant: folders are walked in the order of names, and links to folders are not followed, so every walk
//! ends and two walks agree.

use crate::error::JobError;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The deepest folder below a named one that is read.
const MAX_FOLDER_DEPTH: usize = 32;

/// Something to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file, or a folder with all its files.
    Path(PathBuf),
    /// What lies in a folder of an archive, below the folder that the archive itself begins with.
    Folder {
        /// The archive.
        archive: PathBuf,
        /// The folder with its slash (`advisories/`); empty for all.
        folder: String,
    },
    /// Bytes under a name.
    Bytes {
        /// What messages call it.
        name: String,
        /// The content of the file.
        bytes: Vec<u8>,
    },
}

/// A single file to read.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) size: u64,
    content: Content,
    /// The folder of an archive that members must lie in.
    folder: Option<String>,
}

#[derive(Debug, Clone)]
enum Content {
    File(PathBuf),
    Bytes(Arc<[u8]>),
}

/// Something in a folder that is passed over.
#[derive(Debug)]
pub(crate) struct PassedOver {
    pub(crate) name: String,
    pub(crate) reason: String,
}

impl Input {
    /// The files of an input, in order, and what in its folders is none.
    pub(crate) fn files(self) -> Result<(Vec<Source>, Vec<PassedOver>), JobError> {
        let mut files = Vec::new();
        let mut passed_over = Vec::new();
        match self {
            Input::Bytes { name, bytes } => files.push(Source {
                name,
                size: bytes.len() as u64,
                content: Content::Bytes(bytes.into()),
                folder: None,
            }),
            Input::Folder { archive, folder } => {
                let (mut found, _) = Input::Path(archive).files()?;
                for file in &mut found {
                    file.folder = Some(folder.clone());
                }
                files.append(&mut found);
            }
            Input::Path(path) => {
                let open = |source| JobError::Open {
                    path: path.clone(),
                    source,
                };
                let metadata = std::fs::metadata(&path).map_err(open)?;
                if metadata.is_dir() {
                    walk(&path, 0, &mut files, &mut passed_over).map_err(open)?;
                } else {
                    // Pipes would block, devices never end.
                    let regular = metadata.is_file();
                    let refusal = || open(io::Error::other("it is no regular file"));
                    files.push(Source::file(&path, metadata.len()));
                    if !regular {
                        return Err(refusal());
                    }
                }
            }
        }
        Ok((files, passed_over))
    }

    /// The only file of an input.
    pub(crate) fn file(self) -> Result<Source, JobError> {
        let name = match &self {
            Input::Path(path) | Input::Folder { archive: path, .. } => path.clone(),
            Input::Bytes { name, .. } => PathBuf::from(name),
        };
        let (mut files, _) = self.files()?;
        if files.len() == 1 {
            return Ok(files.remove(0));
        }
        Err(JobError::Open {
            path: name,
            source: io::Error::other("a single file is needed, not a folder"),
        })
    }
}

/// Whether a path names a JSON file.
pub(crate) fn is_json(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|ending| ending == "json")
}

fn walk(
    folder: &Path,
    depth: usize,
    files: &mut Vec<Source>,
    passed_over: &mut Vec<PassedOver>,
) -> io::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // Hidden files and folders (.git, .cache) are not part of a feed.
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let mut pass_over = |reason: String| {
            let name = path.display().to_string();
            passed_over.push(PassedOver { name, reason });
        };
        if entry.file_type()?.is_dir() {
            if depth >= MAX_FOLDER_DEPTH {
                pass_over(format!("is more than {MAX_FOLDER_DEPTH} folders deep"));
            } else if let Err(error) = walk(&path, depth + 1, files, passed_over) {
                let name = path.display().to_string();
                let reason = format!("cannot be read: {error}");
                passed_over.push(PassedOver { name, reason });
            }
            continue;
        }
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => files.push(Source::file(&path, metadata.len())),
            Ok(_) => pass_over("is no regular file".to_owned()),
            Err(error) => pass_over(format!("cannot be read: {error}")),
        }
    }
    Ok(())
}

impl Source {
    fn file(path: &Path, size: u64) -> Source {
        Source {
            name: path.display().to_string(),
            size,
            content: Content::File(path.to_owned()),
            folder: None,
        }
    }

    /// Whether a member of an archive is one of those to import.
    pub(crate) fn wants(&self, member: &str) -> bool {
        let Some(folder) = &self.folder else {
            return true;
        };
        let inside = member.split_once('/').map_or(member, |(_, inside)| inside);
        inside.starts_with(folder.as_str()) && is_json(inside)
    }

    /// Opens the file; what is read of it is added to `count`.
    pub(crate) fn open(&self, count: &Arc<AtomicU64>) -> io::Result<Counting> {
        let inner = match &self.content {
            Content::File(path) => Inner::File(File::open(path)?),
            Content::Bytes(bytes) => Inner::Bytes(Cursor::new(Arc::clone(bytes))),
        };
        Ok(Counting {
            inner,
            count: Arc::clone(count),
            left: self.size,
        })
    }
}

/// A file that counts what is read of it, each byte once at most.
#[derive(Debug)]
pub(crate) struct Counting {
    inner: Inner,
    count: Arc<AtomicU64>,
    /// How much of the file's size is not counted yet: archives are read twice in part.
    left: u64,
}

#[derive(Debug)]
enum Inner {
    File(File),
    Bytes(Cursor<Arc<[u8]>>),
}

impl Read for Counting {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.inner {
            Inner::File(file) => file.read(into)?,
            Inner::Bytes(bytes) => bytes.read(into)?,
        };
        let counted = self.left.min(read as u64);
        self.left -= counted;
        self.count.fetch_add(counted, Ordering::Relaxed);
        Ok(read)
    }
}

impl Seek for Counting {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.inner {
            Inner::File(file) => file.seek(to),
            Inner::Bytes(bytes) => bytes.seek(to),
        }
    }
}

impl Drop for Counting {
    /// A file that is given up is done with.
    fn drop(&mut self) {
        self.count.fetch_add(self.left, Ordering::Relaxed);
    }
}
