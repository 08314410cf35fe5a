//! A file system in memory holds what a map of files would, whatever is done to it, and every file has a date.

use super::{Device, Fat};
use crate::{EspPath, Volume};
use fatfs::{FileSystem, FormatVolumeOptions, FsOptions};
use proptest::prelude::*;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::rc::Rc;

/// Bytes in memory, and how often they were synced.
struct Memory(Cursor<Vec<u8>>, Rc<Cell<usize>>);

impl Read for Memory {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Memory {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl Device for Memory {
    fn sync(&mut self) -> io::Result<()> {
        self.1.set(self.1.get() + 1);
        Ok(())
    }
}

fn memory() -> Memory {
    let mut bytes = vec![0; 1 << 18];
    let options = FormatVolumeOptions::new();
    fatfs::format_volume(Cursor::new(&mut bytes[..]), options).unwrap();
    Memory(Cursor::new(bytes), Rc::default())
}

fn path(text: &str) -> EspPath {
    EspPath::new(text).unwrap()
}

fn content(volume: &dyn Volume, path: &EspPath) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = volume.read(path, &mut |piece| bytes.extend_from_slice(piece));
    read.unwrap();
    bytes
}

#[test]
fn files_have_a_date_that_firmware_takes() {
    let mut bytes = memory().0.into_inner();
    let device = Memory(Cursor::new(bytes.clone()), Rc::default());
    let volume = Fat::open(device).unwrap();
    volume.make_folder(&path("EFI/Linux")).unwrap();
    let entry = path("EFI/Linux/a name longer than eight+3.efi");
    volume.create(&entry).unwrap();
    volume.write(&entry, 0, b"an entry").unwrap();
    bytes.clone_from(volume.shared.device.borrow().0.get_ref());
    drop(volume);
    let system = FileSystem::new(Cursor::new(bytes), FsOptions::new()).unwrap();
    let folder = system.root_dir().open_dir("EFI/Linux").unwrap();
    let found = folder
        .iter()
        .map(Result::unwrap)
        .find(fatfs::DirEntry::is_file);
    let found = found.unwrap();
    for date in [
        found.created().date,
        found.modified().date,
        found.accessed(),
    ] {
        assert_eq!((date.year, date.month, date.day), (1980, 1, 1));
    }
}

#[test]
fn what_is_not_there_and_what_is_there_already_is_told() {
    let device = memory();
    let synced = Rc::clone(&device.1);
    let volume = Fat::open(device).unwrap();
    let (folder, file) = (path("loader"), path("loader/loader.conf"));
    assert_eq!(volume.files(&folder).unwrap(), []);
    let missing = volume.read(&file, &mut |_| {}).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    volume.remove(&file).unwrap();
    volume.remove_folder(&folder).unwrap();
    volume.make_folder(&folder).unwrap();
    volume.make_folder(&folder).unwrap();
    volume.create(&file).unwrap();
    let twice = volume.create(&file).unwrap_err();
    assert_eq!(twice.kind(), io::ErrorKind::AlreadyExists);
    volume.remove_folder(&folder).unwrap_err();
    assert_eq!(synced.get(), 0);
    volume.sync().unwrap();
    assert_eq!(synced.get(), 1);
    let before = volume.space().unwrap();
    volume.write(&file, 0, &[7; 10_000]).unwrap();
    let after = volume.space().unwrap();
    assert_eq!(before.free - after.free, after.of_file(10_000));
    assert_eq!(content(&volume, &file), [7; 10_000]);
    // Case does not count on FAT.
    assert_eq!(content(&volume, &path("LOADER/Loader.CONF")).len(), 10_000);
}

#[test]
fn what_is_no_file_system_is_refused() {
    for bytes in [vec![], vec![0; 100], vec![0xff; 4096]] {
        assert!(Fat::open(Memory(Cursor::new(bytes), Rc::default())).is_err());
    }
}

/// One thing that is done to a file.
#[derive(Debug, Clone)]
enum Action {
    Write(usize, Vec<u8>),
    Remove(usize),
}

const NAMES: [&str; 4] = ["a", "EFI/b.efi", "EFI/a long name+2-1.efi", "EFI/Linux/x"];

fn action() -> impl Strategy<Value = Action> {
    let bytes = prop::collection::vec(any::<u8>(), 0..1500);
    prop_oneof![
        3 => (0..NAMES.len(), bytes).prop_map(|(at, bytes)| Action::Write(at, bytes)),
        1 => (0..NAMES.len()).prop_map(Action::Remove),
    ]
}

proptest! {
    #[test]
    fn it_holds_what_a_map_would(actions in prop::collection::vec(action(), 0..20)) {
        let volume = Fat::open(memory()).unwrap();
        volume.make_folder(&path("EFI/Linux")).unwrap();
        let mut model: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
        for action in actions {
            match action {
                Action::Write(at, bytes) => {
                    let file = path(NAMES[at]);
                    if !model.contains_key(&at) {
                        volume.create(&file).unwrap();
                    }
                    // Behind what is there, as contents come in pieces.
                    let known = model.entry(at).or_default();
                    volume.write(&file, known.len() as u64, &bytes).unwrap();
                    known.extend(bytes);
                }
                Action::Remove(at) => {
                    volume.remove(&path(NAMES[at])).unwrap();
                    model.remove(&at);
                }
            }
        }
        for (at, bytes) in &model {
            prop_assert_eq!(&content(&volume, &path(NAMES[*at])), bytes);
        }
        let files = volume.files(&path("EFI")).unwrap();
        let mut expected: Vec<(EspPath, u64)> = model
            .iter()
            .filter(|(at, _)| **at > 0)
            .map(|(at, bytes)| (path(NAMES[*at]), bytes.len() as u64))
            .collect();
        expected.sort();
        prop_assert_eq!(files, expected);
    }
}

proptest! {
    /// Whatever bytes an image has, it is refused, or read to an end.
    #[test]
    fn damage_is_an_error_and_no_more(damage in prop::collection::vec((0..40_000_usize, any::<u8>()), 1..20)) {
        let volume = Fat::open(memory()).unwrap();
        volume.make_folder(&path("EFI/Linux")).unwrap();
        for name in NAMES {
            volume.create(&path(name)).unwrap();
            volume.write(&path(name), 0, &[1; 2000]).unwrap();
        }
        let mut bytes = volume.shared.device.borrow().0.get_ref().clone();
        for (at, byte) in damage {
            bytes[at] = byte;
        }
        if let Ok(volume) = Fat::open(Memory(Cursor::new(bytes), Rc::default())) {
            let _ = volume.space();
            for (file, _) in volume.files(&path("EFI")).unwrap_or_default() {
                let _ = volume.read(&file, &mut |_| {});
            }
            let _ = volume.write(&path("a"), 0, b"more");
        }
    }
}
