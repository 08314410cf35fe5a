//! A disk that writes down every sector that it is given, so that any moment of a power cut can be played back and booted.
//!
//! It promises what disks promise: a sector is written whole, and what was written before a sync is there after it. Between
//! two syncs any sector may have any of the contents that it was given, or the one that it had.

use boot_esp::Device;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::rc::Rc;

const SECTOR: usize = 512;
type Sector = Box<[u8; SECTOR]>;

/// What the disk was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A sector, by its number, got this content.
    Write(usize, Sector),
    /// Everything before is there.
    Sync,
}

#[derive(Debug)]
struct Record {
    before: Vec<u8>,
    now: Vec<u8>,
    events: Vec<Event>,
}

/// The record of a disk.
#[derive(Debug, Clone)]
pub struct Recorder(Rc<RefCell<Record>>);

/// The disk itself.
#[derive(Debug)]
pub struct Recorded {
    record: Rc<RefCell<Record>>,
    at: u64,
}

/// How the sectors since the last sync fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// All that were written by then are there.
    InOrder,
    /// None is.
    Lost,
    /// Each has any of its contents since the sync, by these dice.
    Scattered(u64),
}

impl Recorder {
    /// A disk with this content.
    pub fn new(content: Vec<u8>) -> Recorder {
        Recorder(Rc::new(RefCell::new(Record {
            now: content.clone(),
            before: content,
            events: Vec::new(),
        })))
    }

    /// The disk, from its first byte.
    pub fn disk(&self) -> Recorded {
        Recorded {
            record: Rc::clone(&self.0),
            at: 0,
        }
    }

    /// How many events there are by now.
    pub fn moment(&self) -> usize {
        self.0.borrow().events.len()
    }

    /// The events so far.
    pub fn events(&self) -> Vec<Event> {
        self.0.borrow().events.clone()
    }

    /// The disk when the power fails after so many events.
    pub fn cut(&self, after: usize, fate: Fate) -> Vec<u8> {
        let record = self.0.borrow();
        let mut image = record.before.clone();
        let past = &record.events[..after];
        let synced = past.iter().rposition(|event| *event == Event::Sync);
        let (kept, loose) = past.split_at(synced.map_or(0, |last| last + 1));
        for (sector, content) in kept.iter().filter_map(written) {
            put(&mut image, sector, content);
        }
        let loose = loose.iter().filter_map(written);
        match fate {
            Fate::InOrder => loose.for_each(|(sector, content)| put(&mut image, sector, content)),
            Fate::Lost => {}
            Fate::Scattered(mut dice) => {
                let mut versions: BTreeMap<usize, Vec<&Sector>> = BTreeMap::new();
                for (sector, content) in loose {
                    versions.entry(sector).or_default().push(content);
                }
                for (sector, contents) in versions {
                    // None of them is the content that it had.
                    if let Some(content) = contents.get(roll(&mut dice, contents.len() + 1)) {
                        put(&mut image, sector, content);
                    }
                }
            }
        }
        image
    }
}

fn written(event: &Event) -> Option<(usize, &Sector)> {
    match event {
        Event::Write(sector, content) => Some((*sector, content)),
        Event::Sync => None,
    }
}

fn put(image: &mut [u8], sector: usize, content: &Sector) {
    image[sector * SECTOR..][..SECTOR].copy_from_slice(&content[..]);
}

/// Numbers below `sides` without a pattern, the same in every run.
fn roll(dice: &mut u64, sides: usize) -> usize {
    *dice = dice
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    ((*dice >> 33) as usize) % sides
}

impl Read for Recorded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let record = self.record.borrow();
        let start = (self.at as usize).min(record.now.len());
        let count = buffer.len().min(record.now.len() - start);
        buffer[..count].copy_from_slice(&record.now[start..start + count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Write for Recorded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut record = self.record.borrow_mut();
        let Record { now, events, .. } = &mut *record;
        let start = self.at as usize;
        let end = start + bytes.len();
        if end > now.len() {
            return Err(io::ErrorKind::WriteZero.into());
        }
        now[start..end].copy_from_slice(bytes);
        for sector in start / SECTOR..end.div_ceil(SECTOR) {
            let mut content = Box::new([0; SECTOR]);
            content.copy_from_slice(&now[sector * SECTOR..][..SECTOR]);
            events.push(Event::Write(sector, content));
        }
        self.at = end as u64;
        Ok(bytes.len())
    }

    // No promise: `sync` alone is one.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Recorded {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let length = self.record.borrow().now.len() as u64;
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => length.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

impl Device for Recorded {
    fn sync(&mut self) -> io::Result<()> {
        self.record.borrow_mut().events.push(Event::Sync);
        Ok(())
    }
}
