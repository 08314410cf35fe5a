//! FAT volumes on disks that write down every sector, so that any moment of a power cut can be played back.
//!
//! A disk promises little: what was written before a flush is there after it. Between two flushes any sector may have any of
//! the contents that it was given, or the one that it had, or begin as one of them and go on as the one before it.

use boot_esp::{EspPath, Space, Volume};
use fatfs::{FatType, FileSystem, FormatVolumeOptions, FsOptions};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::rc::Rc;

pub(crate) const SECTOR: usize = 512;
/// What a torn sector is torn between: no controller moves less at a time.
const WORD: usize = 8;
/// More names than any folder here has: a folder that a power cut has turned into a loop ends there.
const MAX_NAMES: usize = 2000;

/// What a disk was told.
#[derive(Clone)]
pub(crate) enum Event {
    /// A sector's number and content.
    Write(usize, Box<[u8; SECTOR]>),
    /// Everything before is to be there.
    Flush,
}

/// What all disks of a machine were told, in order, each by its number.
pub(crate) type Log = Rc<RefCell<Vec<(usize, Event)>>>;

struct Disk {
    image: Vec<u8>,
    number: usize,
    log: Log,
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
            let event = Event::Write(sector, Box::new(content));
            disk.log.borrow_mut().push((disk.number, event));
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
    disk: Rc<RefCell<Disk>>,
}

impl FatVolume {
    /// The disk of this number, whose events go into `log`.
    pub(crate) fn mount(image: Vec<u8>, number: usize, log: &Log) -> io::Result<FatVolume> {
        let disk = Rc::new(RefCell::new(Disk {
            image,
            number,
            log: Rc::clone(log),
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

    /// The length that the folder states.
    fn length(&self, path: &EspPath) -> io::Result<u64> {
        let root = self.system.root_dir();
        let folder = match path.parent() {
            Some(parent) => root.open_dir(parent.as_str())?,
            None => root,
        };
        for entry in folder.iter().take(MAX_NAMES) {
            let entry = entry?;
            if entry.file_name().eq_ignore_ascii_case(path.name()) {
                return Ok(entry.len());
            }
        }
        Err(io::ErrorKind::NotFound.into())
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
        let length = self.length(path)?;
        let mut buffer = [0; 4096];
        let mut found = 0;
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                count => {
                    sink(&buffer[..count]);
                    found += count as u64;
                }
            }
        }
        // As Linux does; the library itself takes the end of a chain for the end of the file.
        let cut = || io::Error::other("the chain of clusters ends early");
        if found == length { Ok(()) } else { Err(cut()) }
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
        let disk = self.disk.borrow();
        disk.log.borrow_mut().push((disk.number, Event::Flush));
        Ok(())
    }
}

/// How the sectors of each disk since its last flush fared.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    /// All that were written by then are there.
    InOrder,
    /// None is.
    Lost,
    /// Each has any of its contents since the flush, by these dice.
    Scattered(u64),
    /// As scattered, and each may be torn: it begins as one content and goes on as the one before.
    Torn(u64),
}

/// The disks when the power fails after `cut` of `events`.
pub(crate) fn play(
    start: &[Vec<u8>],
    events: &[(usize, Event)],
    cut: usize,
    fate: Fate,
) -> Vec<Vec<u8>> {
    let past = &events[..cut];
    let disk = |(number, start): (usize, &Vec<u8>)| {
        let own = past.iter().filter(|(disk, _)| *disk == number);
        let own: Vec<&Event> = own.map(|(_, event)| event).collect();
        play_one(start.clone(), &own, fate)
    };
    start.iter().enumerate().map(disk).collect()
}

fn play_one(mut image: Vec<u8>, past: &[&Event], fate: Fate) -> Vec<u8> {
    let flushed = past
        .iter()
        .rposition(|event| matches!(event, Event::Flush))
        .map_or(0, |index| index + 1);
    let put = |image: &mut Vec<u8>, event: &Event| {
        if let Event::Write(sector, content) = event {
            image[sector * SECTOR..][..SECTOR].copy_from_slice(&content[..]);
        }
    };
    let (kept, loose) = past.split_at(flushed);
    for event in kept {
        put(&mut image, event);
    }
    match fate {
        Fate::InOrder => loose.iter().for_each(|event| put(&mut image, event)),
        Fate::Lost => {}
        Fate::Scattered(seed) => scatter(&mut image, loose, &mut Dice(seed), false),
        Fate::Torn(seed) => scatter(&mut image, loose, &mut Dice(seed), true),
    }
    image
}

/// Gives each sector that was written one of its contents by the dice, or leaves it; torn ones at a multiple of [`WORD`].
fn scatter(image: &mut [u8], loose: &[&Event], dice: &mut Dice, torn: bool) {
    let mut versions: BTreeMap<usize, Vec<&[u8; SECTOR]>> = BTreeMap::new();
    for event in loose {
        if let Event::Write(sector, content) = event {
            versions.entry(*sector).or_default().push(content);
        }
    }
    for (sector, contents) in versions {
        let place = &mut image[sector * SECTOR..][..SECTOR];
        let chosen = dice.roll(contents.len() + 1);
        if let Some(before) = chosen.checked_sub(1) {
            place.copy_from_slice(contents[before]);
        }
        if let Some(next) = contents.get(chosen).filter(|_| torn) {
            let end = dice.roll(SECTOR / WORD) * WORD;
            place[..end].copy_from_slice(&next[..end]);
        }
    }
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
