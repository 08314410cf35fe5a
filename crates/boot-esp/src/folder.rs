//! A mounted volume: a folder of the running system.

use crate::volume::CHUNK;
use crate::{EspPath, Space, Volume};
use rustix::fs::{Advice, fadvise, statvfs, syncfs};
use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Deepest folder that is walked.
const MAX_DEPTH: usize = 8;

/// A folder where the volume is mounted.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    handle: File,
    /// The file that was written to last: contents come in pieces.
    open: RefCell<Option<(EspPath, File)>>,
}

impl Folder {
    /// Opens the folder; it must be there.
    pub fn open(root: &Path) -> io::Result<Folder> {
        Ok(Folder {
            root: root.to_owned(),
            handle: File::open(root)?,
            open: RefCell::new(None),
        })
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn at(&self, path: &EspPath) -> PathBuf {
        self.root.join(path.as_str())
    }

    fn walk(
        &self,
        folder: &EspPath,
        depth: usize,
        found: &mut Vec<(EspPath, u64)>,
    ) -> io::Result<()> {
        let entries = match fs::read_dir(self.at(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            // A name that we can't write is none of ours.
            let Some(path) = name.to_str().and_then(|name| folder.join(name).ok()) else {
                continue;
            };
            let kind = entry.file_type()?;
            if kind.is_dir() && depth < MAX_DEPTH {
                self.walk(&path, depth + 1, found)?;
            } else if kind.is_file() {
                found.push((path, entry.metadata()?.len()));
            }
        }
        Ok(())
    }

    fn close(&self) {
        self.open.replace(None);
    }
}

/// What is gone already needs no removing.
fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

impl Volume for Folder {
    fn files(&self, folder: &EspPath) -> io::Result<Vec<(EspPath, u64)>> {
        let mut found = Vec::new();
        self.walk(folder, 0, &mut found)?;
        found.sort();
        Ok(found)
    }

    fn space(&self) -> io::Result<Space> {
        let answer = statvfs(&self.root)?;
        Ok(Space {
            free: answer.f_bavail * answer.f_frsize,
            total: answer.f_blocks * answer.f_frsize,
            block: answer.f_frsize,
        })
    }

    fn read(&self, path: &EspPath, sink: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let mut file = File::open(self.at(path))?;
        // Asks for the disk's bytes, not the cache's; where that is impossible the cache has to do.
        let _ = fadvise(&file, 0, None, Advice::DontNeed);
        let mut buffer = vec![0; CHUNK];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => sink(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn make_folder(&self, path: &EspPath) -> io::Result<()> {
        fs::create_dir_all(self.at(path))
    }

    fn create(&self, path: &EspPath) -> io::Result<()> {
        self.close();
        let file = File::options()
            .write(true)
            .create_new(true)
            .open(self.at(path))?;
        file.sync_all()
    }

    fn write(&self, path: &EspPath, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut open = self.open.borrow_mut();
        if open.as_ref().is_none_or(|(known, _)| known != path) {
            let file = File::options().write(true).open(self.at(path))?;
            *open = Some((path.clone(), file));
        }
        let (_, file) = open.as_ref().expect("it was put there");
        file.write_all_at(bytes, offset)
    }

    fn remove(&self, path: &EspPath) -> io::Result<()> {
        self.close();
        gone(fs::remove_file(self.at(path)))
    }

    fn remove_folder(&self, path: &EspPath) -> io::Result<()> {
        gone(fs::remove_dir(self.at(path)))
    }

    fn sync(&self) -> io::Result<()> {
        if let Some((_, file)) = self.open.take() {
            file.sync_all()?;
        }
        Ok(syncfs(&self.handle)?)
    }
}
