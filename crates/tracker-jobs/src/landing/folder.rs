//! The index on disk: a folder with one file of segments, one writer at a time, any number of readers.
//!
//! Invariant: only whole, checked segments are taken in. The file is made under another name and then renamed; from then on it
//! only grows, but for a damaged end, which the next writer cuts off.

use super::error::LandingError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tracker_landing::archive::{self, Checked, Ending, Position, Segment};
use tracker_landing::index::{LandingIndex, OutsideRelease, RequestNote};

const FILE: &str = "index";
const NEW: &str = "index.new";
const LOCK: &str = "lock";

/// How often, and how long apart, the lock is tried.
const LOCK_TRIES: u32 = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The index of a folder, as far as it has been read.
#[derive(Debug)]
pub struct LandingFolder {
    path: PathBuf,
    index: LandingIndex,
    position: Position,
}

impl LandingFolder {
    /// Reads the index in `folder`.
    ///
    /// # Errors
    /// [`LandingError::Absent`], [`LandingError::Archive`], [`LandingError::Graph`] or [`LandingError::Disk`].
    pub fn open(folder: &Path) -> Result<LandingFolder, LandingError> {
        let mut opened = LandingFolder::read(folder)?;
        opened.index.settle();
        Ok(opened)
    }

    fn read(folder: &Path) -> Result<LandingFolder, LandingError> {
        let path = folder.join(FILE);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(LandingError::Absent(folder.to_owned()));
            }
            Err(source) => return Err(LandingError::Disk { path, source }),
        };
        let length = file.metadata().map_err(disk(&path))?.len();
        let mut index = LandingIndex::for_bytes(length);
        let mut stream = BufReader::with_capacity(1 << 20, file);
        let begun = archive::check_beginning(&mut stream);
        let begun = begun.map_err(|source| LandingError::Archive {
            path: path.clone(),
            source,
        })?;
        let position = taking(&path, &mut index, begun, stream)?;
        Ok(LandingFolder {
            path,
            index,
            position,
        })
    }

    /// Takes in what was appended since; says whether anything was.
    ///
    /// # Errors
    /// As [`LandingFolder::open`].
    pub fn refresh(&mut self) -> Result<bool, LandingError> {
        let disk = disk(&self.path);
        let mut file = File::open(&self.path).map_err(&disk)?;
        if file.metadata().map_err(&disk)?.len() <= self.position.length {
            return Ok(false);
        }
        file.seek(SeekFrom::Start(self.position.length))
            .map_err(&disk)?;
        let before = self.position;
        let stream = BufReader::with_capacity(1 << 20, file);
        self.position = taking(&self.path, &mut self.index, before, stream)?;
        let grown = self.position.length > before.length;
        if grown {
            self.index.settle();
        }
        Ok(grown)
    }

    /// Releases that are known from elsewhere, such as the tracker's own database; says whether they are others than before.
    pub fn set_outside(&mut self, releases: Vec<OutsideRelease>) -> bool {
        let news = !self.index.has_outside(&releases);
        if news {
            self.index.set_outside(releases);
            self.index.settle();
        }
        news
    }

    /// What pull requests say that their commits may not.
    pub fn set_requests(&mut self, notes: Vec<RequestNote>) {
        self.index.set_requests(notes);
    }

    /// The index.
    pub fn index(&self) -> &LandingIndex {
        &self.index
    }

    /// Bytes of the file that are valid.
    pub fn bytes(&self) -> u64 {
        self.position.length
    }
}

/// Segments that are read ahead of those that are taken in.
const READ_AHEAD: usize = 8;

/// Takes the rest of a file into an index: one thread reads and checks it, another takes it in.
fn taking(
    path: &Path,
    index: &mut LandingIndex,
    from: Position,
    stream: impl Read + Send,
) -> Result<Position, LandingError> {
    let (sender, segments) = std::sync::mpsc::sync_channel::<Checked>(READ_AHEAD);
    std::thread::scope(|scope| {
        let reader =
            scope.spawn(move || archive::check_on(stream, from, |each| sender.send(each).is_ok()));
        let mut taken = from;
        for checked in segments {
            // One that cannot be read ends the file here, as one whose check is wrong does.
            if !index.take_checked(&checked)? {
                taken.ending = Ending::Damaged;
                return Ok(taken);
            }
            taken = checked.after;
        }
        let ended = reader.join().expect("reading does not panic");
        let ended = ended.map_err(|source| LandingError::Archive {
            path: path.to_owned(),
            source,
        })?;
        taken.ending = ended.ending;
        Ok(taken)
    })
}

fn disk(path: &Path) -> impl Fn(std::io::Error) -> LandingError + use<> {
    let path = path.to_owned();
    move |source| LandingError::Disk {
        path: path.clone(),
        source,
    }
}

/// The only writer of a folder.
#[derive(Debug)]
pub(super) struct Writer {
    folder: LandingFolder,
    file: File,
    /// Bytes of a damaged end that were cut off.
    pub(super) dropped: u64,
    /// Held, not used: the system gives it back when the process ends, however it ends.
    _lock: File,
}

impl Writer {
    /// Takes the folder's lock, makes the file if it is not there, and cuts a damaged end off.
    pub(super) fn open(folder: &Path) -> Result<Writer, LandingError> {
        std::fs::create_dir_all(folder).map_err(disk(folder))?;
        let lock_path = folder.join(LOCK);
        let open = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path);
        let lock = open.map_err(disk(&lock_path))?;
        if !locked(&lock).map_err(disk(&lock_path))? {
            return Err(LandingError::Busy(folder.to_owned()));
        }
        let path = folder.join(FILE);
        if !path.try_exists().map_err(disk(&path))? || is_cut_in_its_beginning(&path)? {
            make(folder)?;
        }
        let read = LandingFolder::read(folder)?;
        let file = OpenOptions::new()
            .write(true)
            .open(&path)
            .map_err(disk(&path))?;
        let length = file.metadata().map_err(disk(&path))?.len();
        let mut writer = Writer {
            folder: read,
            file,
            dropped: 0,
            _lock: lock,
        };
        let position = writer.folder.position;
        if position.ending == Ending::Damaged || length > position.length {
            writer.dropped = length - position.length;
            writer.file.set_len(position.length).map_err(disk(&path))?;
            writer.file.sync_all().map_err(disk(&path))?;
        }
        writer.file.seek(SeekFrom::End(0)).map_err(disk(&path))?;
        writer.folder.index.settle_branches();
        Ok(writer)
    }

    pub(super) fn index(&self) -> &LandingIndex {
        &self.folder.index
    }

    /// Brings branches and ancestry up to date with what was appended.
    pub(super) fn settle_branches(&mut self) {
        self.folder.index.settle_branches();
    }

    pub(super) fn bytes(&self) -> u64 {
        self.folder.bytes()
    }

    /// Takes a segment into the index, and appends it if `accept` finds the index right with it.
    pub(super) fn append(
        &mut self,
        segment: Segment,
        accept: impl FnOnce(&LandingIndex) -> Result<(), LandingError>,
    ) -> Result<(), LandingError> {
        let mut bytes = Vec::new();
        let mut position = self.folder.position;
        let path = self.folder.path.clone();
        archive::append(&mut bytes, &mut position, &segment).map_err(disk(&path))?;
        self.folder.index.take(segment)?;
        accept(&self.folder.index)?;
        // A write that fails half way leaves an end that the next writer cuts off.
        self.file.write_all(&bytes).map_err(disk(&path))?;
        self.folder.position = position;
        Ok(())
    }

    /// Makes what was appended outlast a loss of power.
    pub(super) fn sync(&self) -> Result<(), LandingError> {
        self.file.sync_data().map_err(disk(&self.folder.path))
    }
}

/// Takes a lock, patiently: a process that another thread has just started holds our files until it runs its own program.
fn locked(lock: &File) -> std::io::Result<bool> {
    for _ in 0..LOCK_TRIES {
        match lock.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(false)
}

/// A file of fewer bytes than every index begins with, all of them right: making it was cut off.
fn is_cut_in_its_beginning(path: &Path) -> Result<bool, LandingError> {
    let length = std::fs::metadata(path).map_err(disk(path))?.len();
    if length >= archive::MAGIC.len() as u64 {
        return Ok(false);
    }
    let held = std::fs::read(path).map_err(disk(path))?;
    Ok(archive::MAGIC.starts_with(&held))
}

/// Makes an empty index.
fn make(folder: &Path) -> Result<(), LandingError> {
    let (new, path) = (folder.join(NEW), folder.join(FILE));
    let mut file = File::create(&new).map_err(disk(&new))?;
    archive::begin(&mut file).map_err(disk(&new))?;
    file.sync_all().map_err(disk(&new))?;
    std::fs::rename(&new, &path).map_err(disk(&path))?;
    // The name too has to outlast a loss of power.
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(disk(folder))
}
