//! A FAT volume on a disk that writes down every sector, so that any moment of a power cut can be played back.
//!
//! The disk promises what disks promise: a sector is written whole, and what was written before a flush is there after it.
//! Between two flushes any sector may have any of the contents that it was given, or the one that it had.

use boot_esp::{EspPath, Space, Volume};
use fatfs::{FatType, FileSystem, FormatVolumeOptions, FsOptions};
use std::cell::RefCell;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::rc::Rc;

pub(crate) const SECTOR: usize = 512;
/// More names than any folder here has: a folder that a power cut has turned into a loop ends there.
const MAX_NAMES: usize = 2000;

/// What the disk was told.
#[derive(Clone)]
pub(crate) enum Event {
    Write(usize, Box<[u8; SECTOR]>),
    Flush,
}

pub(crate) struct Disk {
    image: Vec<u8>,
    pub(crate) events: Vec<Event>,
}

/// The disk as a file that fatfs works on.
struct Handle {
    disk: Rc<RefCell<Disk>>,
    position: u64,
}

impl Read for Handle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let disk = self.disk.borrow();
        let start = (self.position as usize).min(disk.image.len());
        let count = buffer.len().min(disk.image.len() - start);
        buffer[..count].copy_from_slice(&disk.image[start..start + count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Write for Handle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut disk = self.disk.borrow_mut();
        let start = self.position as usize;
        let end = start + bytes.len();
        if end > disk.image.len() {
            return Err(io::ErrorKind::WriteZero.into());
        }
        disk.image[start..end].copy_from_slice(bytes);
        for sector in start / SECTOR..end.div_ceil(SECTOR) {
            let at = sector * SECTOR;
            let content: [u8; SECTOR] = disk.image[at..at + SECTOR].try_into().unwrap();
            disk.events.push(Event::Write(sector, Box::new(content)));
        }
        self.position = end as u64;
        Ok(bytes.len())
    }

    // Not a promise: the volume's `sync` alone is.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Handle {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let length = self.disk.borrow().image.len() as i64;
        let position = match to {
            SeekFrom::Start(at) => at as i64,
            SeekFrom::Current(by) => self.position as i64 + by,
            SeekFrom::End(by) => length + by,
        };
        self.position = u64::try_from(position).map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// An empty file system.
pub(crate) fn format(size: usize) -> Vec<u8> {
    let mut image = vec![0; size];
    let options = FormatVolumeOptions::new()
        .fat_type(FatType::Fat12)
        .bytes_per_cluster(1024);
    fatfs::format_volume(Cursor::new(&mut image[..]), options).unwrap();
    image
}

/// A mounted FAT file system.
pub(crate) struct FatVolume {
    system: FileSystem<Handle>,
    pub(crate) disk: Rc<RefCell<Disk>>,
}

impl FatVolume {
    pub(crate) fn mount(image: Vec<u8>) -> io::Result<FatVolume> {
        let disk = Rc::new(RefCell::new(Disk {
            image,
            events: Vec::new(),
        }));
        let handle = Handle {
            disk: Rc::clone(&disk),
            position: 0,
        };
        let system = FileSystem::new(handle, FsOptions::new())?;
        Ok(FatVolume { system, disk })
    }

    pub(crate) fn image(&self) -> Vec<u8> {
        self.disk.borrow().image.clone()
    }

    fn walk(&self, folder: &EspPath, found: &mut Vec<(EspPath, u64)>) -> io::Result<()> {
        let entries = match self.system.root_dir().open_dir(folder.as_str()) {
            Ok(folder) => folder,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in entries.iter().take(MAX_NAMES) {
            let entry = entry?;
            let name = entry.file_name();
            let Ok(path) = folder.join(&name) else {
                continue;
            };
            if entry.is_dir() {
                self.walk(&path, found)?;
            } else {
                found.push((path, entry.len()));
            }
        }
        Ok(())
    }
}

impl Volume for FatVolume {
    fn files(&self, folder: &EspPath) -> io::Result<Vec<(EspPath, u64)>> {
        let mut found = Vec::new();
        self.walk(folder, &mut found)?;
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
        let mut buffer = [0; 4096];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(()),
                count => sink(&buffer[..count]),
            }
        }
    }

    fn make_folder(&self, path: &EspPath) -> io::Result<()> {
        if let Some(parent) = path.parent() {
            self.make_folder(&parent)?;
        }
        self.system.root_dir().create_dir(path.as_str()).map(drop)
    }

    fn create(&self, path: &EspPath) -> io::Result<()> {
        let root = self.system.root_dir();
        if root.open_file(path.as_str()).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        root.create_file(path.as_str())?.flush()
    }

    fn write(&self, path: &EspPath, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.system.root_dir().open_file(path.as_str())?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)?;
        file.flush()
    }

    fn remove(&self, path: &EspPath) -> io::Result<()> {
        match self.system.root_dir().remove(path.as_str()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn remove_folder(&self, path: &EspPath) -> io::Result<()> {
        self.remove(path)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.borrow_mut().events.push(Event::Flush);
        Ok(())
    }
}

/// How the sectors since the last flush fared.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    /// All that were written by then are there.
    InOrder,
    /// None is.
    Lost,
    /// Each has any of its contents since the flush, by these dice.
    Scattered(u64),
}

/// The disk when the power fails after `cut` of `events`.
pub(crate) fn play(start: &[u8], events: &[Event], cut: usize, fate: Fate) -> Vec<u8> {
    let mut image = start.to_vec();
    let past = &events[..cut];
    let flushed = past
        .iter()
        .rposition(|event| matches!(event, Event::Flush))
        .map_or(0, |index| index + 1);
    let put = |image: &mut Vec<u8>, event: &Event| {
        if let Event::Write(sector, content) = event {
            image[sector * SECTOR..][..SECTOR].copy_from_slice(&content[..]);
        }
    };
    past[..flushed]
        .iter()
        .for_each(|event| put(&mut image, event));
    let loose = &past[flushed..];
    match fate {
        Fate::InOrder => loose.iter().for_each(|event| put(&mut image, event)),
        Fate::Lost => {}
        Fate::Scattered(seed) => {
            let mut dice = Dice(seed);
            let mut sectors: Vec<usize> = loose
                .iter()
                .filter_map(|event| match event {
                    Event::Write(sector, _) => Some(*sector),
                    Event::Flush => None,
                })
                .collect();
            sectors.sort_unstable();
            sectors.dedup();
            for sector in sectors {
                let versions: Vec<&Event> = loose
                    .iter()
                    .filter(|event| matches!(event, Event::Write(s, _) if *s == sector))
                    .collect();
                if let Some(event) = versions.get(dice.roll(versions.len() + 1)) {
                    put(&mut image, event);
                }
            }
        }
    }
    image
}

/// Numbers without a pattern, the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// Below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides.max(1)
    }
}
