//! A volume that counts what passes: for reports, and for comparing schemes by the same measure.

use crate::{EspPath, Space, Volume};
use std::cell::Cell;
use std::io;

/// What passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Meter {
    /// Bytes of files that were read.
    pub read: u64,
    /// Bytes of files that were written.
    pub written: u64,
    /// How often the disk was waited for.
    pub syncs: u64,
}

/// A volume with a [`Meter`].
#[derive(Debug)]
pub struct Metered<V> {
    inner: V,
    meter: Cell<Meter>,
}

impl<V> Metered<V> {
    /// Starts at zero.
    pub fn new(inner: V) -> Metered<V> {
        Metered {
            inner,
            meter: Cell::default(),
        }
    }

    /// What passed so far.
    pub fn meter(&self) -> Meter {
        self.meter.get()
    }

    /// The volume itself.
    pub fn inner(&self) -> &V {
        &self.inner
    }

    fn count(&self, change: impl FnOnce(&mut Meter)) {
        let mut meter = self.meter.get();
        change(&mut meter);
        self.meter.set(meter);
    }
}

impl<V: Volume> Volume for Metered<V> {
    fn files(&self, folder: &EspPath) -> io::Result<Vec<(EspPath, u64)>> {
        self.inner.files(folder)
    }

    fn space(&self) -> io::Result<Space> {
        self.inner.space()
    }

    fn read(&self, path: &EspPath, sink: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        self.inner.read(path, &mut |piece| {
            self.count(|meter| meter.read += piece.len() as u64);
            sink(piece);
        })
    }

    fn make_folder(&self, path: &EspPath) -> io::Result<()> {
        self.inner.make_folder(path)
    }

    fn create(&self, path: &EspPath) -> io::Result<()> {
        self.inner.create(path)
    }

    fn write(&self, path: &EspPath, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.count(|meter| meter.written += bytes.len() as u64);
        self.inner.write(path, offset, bytes)
    }

    fn remove(&self, path: &EspPath) -> io::Result<()> {
        self.inner.remove(path)
    }

    fn remove_folder(&self, path: &EspPath) -> io::Result<()> {
        self.inner.remove_folder(path)
    }

    fn sync(&self) -> io::Result<()> {
        self.count(|meter| meter.syncs += 1);
        self.inner.sync()
    }
}
