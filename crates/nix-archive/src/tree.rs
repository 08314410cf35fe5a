//! Trees on disk: archiving one, and making one from an archive. The one module here that touches files.
//!
//! Invariants: links are never followed, neither when reading nor when restoring; a restored tree lies wholly
//! in its new root; what exists already is an error, never overwritten.

use crate::{Error, Event, Reader, Writer};
use bstr::{BString, ByteSlice};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What Nix appends to a name that differs from an earlier one by case only.
const CASE_SUFFIX: &[u8] = b"~nix~case~hack~";

/// How names are treated that differ by case only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// As they are: the file system tells them apart (Linux).
    Kept,
    /// Numbered suffixes tell them apart on disk, and are stripped in archives (macOS).
    Hacked,
}

/// Archives a file, link or directory into a stream, and gives the stream back.
///
/// # Errors
/// [`Error::File`], [`Error::Kind`], [`Error::Changed`], [`Error::Collision`] with the path; [`Error::Stream`].
pub fn dump<W: Write>(path: &Path, stream: W, case: Case) -> Result<W, Error> {
    let mut writer = Writer::new(stream)?;
    let kind = fs::symlink_metadata(path).map_err(at(path))?.file_type();
    dump_node(&mut path.to_path_buf(), kind, &mut writer, case)?;
    writer.finish()
}

fn dump_node<W: Write>(
    path: &mut PathBuf,
    kind: fs::FileType,
    writer: &mut Writer<W>,
    case: Case,
) -> Result<(), Error> {
    if kind.is_symlink() {
        let target = fs::read_link(&path).map_err(at(path))?;
        return writer.link(target.as_os_str().as_bytes());
    }
    if kind.is_file() {
        return dump_file(path, writer);
    }
    if !kind.is_dir() {
        return Err(Error::Kind(path.clone()));
    }
    writer.directory()?;
    for (name, (on_disk, kind)) in entries(path, case)? {
        writer.entry(&name)?;
        path.push(on_disk);
        dump_node(path, kind, writer, case)?;
        path.pop();
    }
    writer.leave()
}

fn dump_file<W: Write>(path: &Path, writer: &mut Writer<W>) -> Result<(), Error> {
    let file = File::open(path).map_err(at(path))?;
    let metadata = file.metadata().map_err(at(path))?;
    // Between listing and opening, the file may have been replaced.
    if !metadata.is_file() {
        return Err(Error::Kind(path.to_path_buf()));
    }
    let executable = metadata.permissions().mode() & 0o100 != 0;
    if writer.file(executable, metadata.len(), file)? {
        return Ok(());
    }
    Err(Error::Changed(path.to_path_buf()))
}

type Entries = BTreeMap<BString, (OsString, fs::FileType)>;

/// A directory's entries by archive name, sorted.
fn entries(path: &Path, case: Case) -> Result<Entries, Error> {
    let mut all = Entries::new();
    for entry in fs::read_dir(path).map_err(at(path))? {
        let entry = entry.map_err(at(path))?;
        let on_disk = entry.file_name();
        let mut name = BString::from(on_disk.as_bytes());
        if case == Case::Hacked
            && let Some(suffix) = name.find(CASE_SUFFIX)
        {
            name.truncate(suffix);
        }
        let kind = entry.file_type().map_err(at(&entry.path()))?;
        if all.insert(name, (on_disk, kind)).is_some() {
            return Err(Error::Collision(entry.path()));
        }
    }
    Ok(all)
}

/// Makes the tree of an archive at `path`, where nothing may exist yet. On an error, what was made so far stays.
///
/// # Errors
/// As for [`Reader`]; [`Error::File`] and [`Error::Collision`] with the path.
pub fn restore<R: Read>(reader: &mut Reader<R>, path: &Path, case: Case) -> Result<(), Error> {
    let mut path = path.to_path_buf();
    // For each open directory, the names in it without case, with how often each came.
    let mut folded: Vec<BTreeMap<BString, u32>> = Vec::new();
    // Is the last component of `path` a node that was finished?
    let mut finished = false;
    while let Some(event) = reader.next_event()? {
        match event {
            Event::Entry { name } => {
                if finished {
                    path.pop();
                }
                let names = folded
                    .last_mut()
                    .expect("entries come in open directories only");
                let on_disk = if case == Case::Hacked {
                    distinct(name, names).map_err(|name| collision(&path, name))?
                } else {
                    name
                };
                path.push(OsString::from_vec(on_disk.into()));
                finished = false;
            }
            Event::Leave => {
                folded.pop();
                if finished {
                    path.pop();
                }
                finished = true;
            }
            Event::Directory => {
                fs::create_dir(&path).map_err(at(&path))?;
                folded.push(BTreeMap::new());
                finished = false;
            }
            Event::Link { target } => {
                std::os::unix::fs::symlink(OsStr::from_bytes(&target), &path).map_err(at(&path))?;
                finished = true;
            }
            Event::File { executable, .. } => {
                let mode = if executable { 0o777 } else { 0o666 };
                let mut options = OpenOptions::new();
                let mut file = options
                    .write(true)
                    .create_new(true)
                    .mode(mode)
                    .open(&path)
                    .map_err(at(&path))?;
                io::copy(reader, &mut file).map_err(at(&path))?;
                finished = true;
            }
        }
    }
    Ok(())
}

/// The name on disk that differs from all earlier ones even without case.
fn distinct(name: BString, names: &mut BTreeMap<BString, u32>) -> Result<BString, BString> {
    let folded = BString::from(name.to_ascii_lowercase());
    if name.contains_str(CASE_SUFFIX) {
        return Err(name);
    }
    match names.get_mut(&folded) {
        None => {
            names.insert(folded, 0);
            Ok(name)
        }
        Some(count) => {
            *count += 1;
            let mut hacked = name;
            hacked.extend_from_slice(CASE_SUFFIX);
            hacked.extend_from_slice(count.to_string().as_bytes());
            Ok(hacked)
        }
    }
}

fn collision(folder: &Path, name: BString) -> Error {
    Error::Collision(folder.join(OsString::from_vec(name.into())))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_path_buf();
    move |source| Error::File { path, source }
}
