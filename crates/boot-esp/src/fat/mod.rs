//! A FAT file system that nobody has mounted: in a disk image, or on whatever else can be read and written.

#[cfg(test)]
mod tests;

use crate::{EspPath, Space, Volume};
use fatfs::{Date, DateTime, Dir, FileSystem, FsOptions, Time, TimeProvider};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::rc::Rc;

/// Deepest folder that is walked.
const MAX_DEPTH: usize = 8;
/// FAT's own limit of names in a folder; one that a power cut has turned into a loop ends there.
const MAX_NAMES: usize = 65_536;
const SECTOR: usize = 512;
/// Bytes of an entry in a folder.
const SLOT: usize = 32;
/// Bytes that are handed on at a time.
const PIECE: usize = 64 * 1024;

/// The time of every file: FAT's first moment, so that an image does not depend on when it is made. It has to be a date:
/// firmware refuses to rename a file whose date is none, and boot counting is renaming.
#[derive(Debug)]
struct Epoch;

impl TimeProvider for Epoch {
    fn get_current_date(&self) -> Date {
        Date {
            year: 1980,
            month: 1,
            day: 1,
        }
    }

    fn get_current_date_time(&self) -> DateTime {
        DateTime {
            date: self.get_current_date(),
            time: Time {
                hour: 0,
                min: 0,
                sec: 0,
                millis: 0,
            },
        }
    }
}

/// What a FAT file system lies on.
pub trait Device: Read + Write + Seek {
    /// Returns when everything before is on the disk.
    fn sync(&mut self) -> io::Result<()>;
}

/// A device below its file system, which alone would not give it back, and which is watched for one thing.
struct Shared<D> {
    device: Rc<RefCell<D>>,
    watch: Rc<Cell<Watch>>,
}

/// Where a new folder's entries begin: its first cluster is filled with zeros before anything is written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watch {
    Off,
    Waiting,
    Seen(u64),
}

impl<D> Shared<D> {
    fn new(device: D) -> Shared<D> {
        Shared {
            device: Rc::new(RefCell::new(device)),
            watch: Rc::new(Cell::new(Watch::Off)),
        }
    }

    fn share(&self) -> Shared<D> {
        Shared {
            device: Rc::clone(&self.device),
            watch: Rc::clone(&self.watch),
        }
    }
}

impl<D: Read> Read for Shared<D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.device.borrow_mut().read(buffer)
    }
}

impl<D: Write + Seek> Write for Shared<D> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut device = self.device.borrow_mut();
        if self.watch.get() == Watch::Waiting && *bytes == [0; SECTOR] {
            self.watch.set(Watch::Seen(device.stream_position()?));
        }
        device.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.device.borrow_mut().flush()
    }
}

impl<D: Seek> Seek for Shared<D> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.device.borrow_mut().seek(to)
    }
}

/// A FAT file system on a device.
pub struct Fat<D: Device> {
    system: FileSystem<Shared<D>>,
    shared: Shared<D>,
}

impl<D: Device> fmt::Debug for Fat<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fat").finish_non_exhaustive()
    }
}

impl<D: Device> Fat<D> {
    /// Opens the file system that begins at the device's first byte. Opening writes nothing.
    pub fn open(device: D) -> io::Result<Fat<D>> {
        let shared = Shared::new(device);
        let options = FsOptions::new()
            .update_accessed_date(false)
            .time_provider(&Epoch);
        let system = FileSystem::new(shared.share(), options)?;
        Ok(Fat { system, shared })
    }

    /// Makes a folder in one that exists; it may be there already. The library gives the entries `.` and `..` of a new folder
    /// long names, which programs that check file systems take for damage, and `..` the root's cluster, which is written as
    /// 0: the first sector of the folder is written again as it has to be.
    fn make_one(&self, path: &EspPath) -> io::Result<()> {
        let Shared { device, watch } = &self.shared;
        watch.set(Watch::Waiting);
        let made = self.system.root_dir().create_dir(path.as_str()).map(drop);
        let seen = watch.replace(Watch::Off);
        made?;
        let Watch::Seen(place) = seen else {
            return Ok(());
        };
        let mut device = device.borrow_mut();
        let mut slots = [[0; SLOT]; 4];
        device.seek(SeekFrom::Start(place))?;
        device.read_exact(slots.as_flattened_mut())?;
        let [_, own, _, parent] = &mut slots;
        if !own.starts_with(b".          \x10") || !parent.starts_with(b"..         \x10") {
            return Err(io::Error::other("a new folder is not written as expected"));
        }
        if path.parent().is_none() {
            for half in [20..22, 26..28] {
                parent[half].fill(0);
            }
        }
        let tidy = [*own, *parent, [0; SLOT], [0; SLOT]];
        device.seek(SeekFrom::Start(place))?;
        device.write_all(tidy.as_flattened())
    }

    fn walk(
        path: &EspPath,
        folder: &Dir<'_, Shared<D>>,
        depth: usize,
        found: &mut Vec<(EspPath, u64)>,
    ) -> io::Result<()> {
        for entry in folder.iter().take(MAX_NAMES) {
            let entry = entry?;
            // A name that we can't write, or that of a folder itself, is none of ours.
            let Ok(path) = path.join(&entry.file_name()) else {
                continue;
            };
            if entry.is_file() {
                found.push((path, entry.len()));
            } else if entry.is_dir() && depth < MAX_DEPTH {
                Fat::walk(&path, &entry.to_dir(), depth + 1, found)?;
            }
        }
        Ok(())
    }
}

/// What is gone already needs no removing.
fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

impl<D: Device> Volume for Fat<D> {
    fn files(&self, folder: &EspPath) -> io::Result<Vec<(EspPath, u64)>> {
        let mut found = Vec::new();
        match self.system.root_dir().open_dir(folder.as_str()) {
            Ok(dir) => Fat::walk(folder, &dir, 0, &mut found)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        found.sort();
        Ok(found)
    }

    fn space(&self) -> io::Result<Space> {
        let stats = self.system.stats()?;
        let block = u64::from(stats.cluster_size());
        Ok(Space {
            free: u64::from(stats.free_clusters()) * block,
            total: u64::from(stats.total_clusters()) * block,
            block,
        })
    }

    fn read(&self, path: &EspPath, sink: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let mut file = self.system.root_dir().open_file(path.as_str())?;
        let mut piece = Vec::with_capacity(PIECE);
        loop {
            piece.clear();
            // The file system reads one cluster at a time.
            Read::by_ref(&mut file)
                .take(PIECE as u64)
                .read_to_end(&mut piece)?;
            if piece.is_empty() {
                return Ok(());
            }
            sink(&piece);
        }
    }

    fn make_folder(&self, path: &EspPath) -> io::Result<()> {
        if let Some(parent) = path.parent() {
            self.make_folder(&parent)?;
        }
        self.make_one(path)
    }

    fn create(&self, path: &EspPath) -> io::Result<()> {
        let root = self.system.root_dir();
        match root.open_file(path.as_str()) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                root.create_file(path.as_str())?.flush()
            }
            Err(error) => Err(error),
        }
    }

    fn write(&self, path: &EspPath, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.system.root_dir().open_file(path.as_str())?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)?;
        file.flush()
    }

    fn remove(&self, path: &EspPath) -> io::Result<()> {
        gone(self.system.root_dir().remove(path.as_str()))
    }

    fn remove_folder(&self, path: &EspPath) -> io::Result<()> {
        gone(self.system.root_dir().remove(path.as_str()))
    }

    fn sync(&self) -> io::Result<()> {
        self.shared.device.borrow_mut().sync()
    }
}
