//! Counting what goes into a decoder and what comes out of it.
//!
//! Invariant: the byte after the limit is never given out.

use super::{MAX_UNPACKED_BYTES, over_ratio};
use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// Counts the bytes that are read through it.
pub(super) struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R> Counted<R> {
    pub(super) fn new(inner: R) -> (Counted<R>, Rc<Cell<u64>>) {
        let count = Rc::new(Cell::new(0));
        let counted = Counted {
            inner,
            count: Rc::clone(&count),
        };
        (counted, count)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}

/// Holds a decoder's output to the limits.
pub(super) struct Meter<R> {
    inner: R,
    packed: Rc<Cell<u64>>,
    unpacked: u64,
}

impl<R> Meter<R> {
    /// Against a packed size that is known.
    pub(super) fn new(inner: R, packed: u64) -> Meter<R> {
        Meter::following(inner, Rc::new(Cell::new(packed)))
    }

    /// Against a count of what the decoder has read.
    pub(super) const fn following(inner: R, packed: Rc<Cell<u64>>) -> Meter<R> {
        Meter {
            inner,
            packed,
            unpacked: 0,
        }
    }
}

impl<R: Read> Read for Meter<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.unpacked += read as u64;
        let packed = self.packed.get();
        if self.unpacked > MAX_UNPACKED_BYTES || over_ratio(self.unpacked, packed) {
            let problem = format!(
                "unpacks to over {} bytes from {packed}, which is over the limit",
                self.unpacked
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        Ok(read)
    }
}
