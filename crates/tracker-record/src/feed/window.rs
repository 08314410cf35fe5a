//! A growing window onto a stream: bytes are kept from the beginning of the current document only.
//!
//! Invariant: the window never grows beyond the limit that a caller names, plus one block.

use super::SplitError;
use std::io::{ErrorKind, Read};

/// How much is read at a time.
const BLOCK_BYTES: usize = 256 << 10;

#[derive(Debug)]
pub(super) struct Window<R> {
    input: R,
    /// What a single read gives, before it joins the rest.
    block: Box<[u8]>,
    buffer: Vec<u8>,
    /// Where the unconsumed bytes begin in the buffer.
    start: usize,
    /// Bytes that were consumed and are gone.
    gone: u64,
    ended: bool,
    /// Why the stream could not be read on; said again whenever more is asked for.
    failed: Option<String>,
}

impl<R: Read> Window<R> {
    pub(super) fn new(input: R) -> Window<R> {
        Window {
            input,
            block: vec![0; BLOCK_BYTES].into_boxed_slice(),
            buffer: Vec::new(),
            start: 0,
            gone: 0,
            ended: false,
            failed: None,
        }
    }

    /// The bytes at hand.
    pub(super) fn rest(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Position of the first byte at hand in the stream.
    pub(super) const fn offset(&self) -> u64 {
        self.gone + self.start as u64
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
    }

    /// Reads another block; `false` at the end.
    pub(super) fn fill(&mut self) -> Result<bool, SplitError> {
        if let Some(reason) = self.failed.clone() {
            return Err(SplitError::Unreadable { reason });
        }
        if self.ended {
            return Ok(false);
        }
        // Consumed bytes make room first.
        self.buffer.drain(..self.start);
        self.gone += self.start as u64;
        self.start = 0;
        let count = loop {
            match self.input.read(&mut self.block) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    let reason = error.to_string();
                    self.failed = Some(reason.clone());
                    return Err(SplitError::Unreadable { reason });
                }
                Ok(count) => break count,
            }
        };
        self.buffer.extend_from_slice(&self.block[..count]);
        self.ended = count == 0;
        Ok(count > 0)
    }

    /// Consumes bytes while they match; gives the first that does not, unconsumed.
    pub(super) fn skip(&mut self, matches: impl Fn(u8) -> bool) -> Result<Option<u8>, SplitError> {
        loop {
            if let Some(position) = self.rest().iter().position(|byte| !matches(*byte)) {
                self.consume(position);
                return Ok(Some(self.rest()[0]));
            }
            self.start = self.buffer.len();
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Consumes up to where `scan` finds the end, and gives those bytes. `scan` sees every byte once, in
    /// order, and answers how many bytes of what it was given belong to the document once it has ended.
    pub(super) fn take(
        &mut self,
        limit: usize,
        mut scan: impl FnMut(&[u8]) -> Option<usize>,
    ) -> Result<Vec<u8>, SplitError> {
        let mut seen = 0;
        loop {
            if let Some(end) = scan(&self.rest()[seen..]) {
                let end = seen + end;
                let raw = self.rest()[..end].to_vec();
                self.consume(end);
                return if raw.len() > limit {
                    Err(SplitError::TooLarge)
                } else {
                    Ok(raw)
                };
            }
            seen = self.rest().len();
            if seen > limit {
                self.consume(seen);
                self.discard(scan)?;
                return Err(SplitError::TooLarge);
            }
            if !self.fill()? {
                return Err(SplitError::NotClosed);
            }
        }
    }

    /// Consumes up to where `scan` finds the end, keeping nothing.
    pub(super) fn discard(
        &mut self,
        mut scan: impl FnMut(&[u8]) -> Option<usize>,
    ) -> Result<(), SplitError> {
        loop {
            if let Some(end) = scan(self.rest()) {
                self.consume(end);
                return Ok(());
            }
            self.start = self.buffer.len();
            if !self.fill()? {
                return Err(SplitError::NotClosed);
            }
        }
    }

    /// The next line without its end; `None` at the end of the stream.
    pub(super) fn line(&mut self, limit: usize) -> Result<Option<Vec<u8>>, SplitError> {
        let find = |bytes: &[u8]| memchr::memchr(b'\n', bytes).map(|position| position + 1);
        match self.take(limit, find) {
            Ok(mut line) => {
                line.pop();
                Ok(Some(line))
            }
            // The last line needs no end.
            Err(SplitError::NotClosed) => {
                let line = self.rest().to_vec();
                self.consume(line.len());
                Ok((!line.is_empty()).then_some(line))
            }
            Err(error) => Err(error),
        }
    }
}
