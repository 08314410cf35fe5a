//! Writing a NAR piece by piece. Invariant: what was written and [`Writer::finish`]ed is an archive that
//! [`crate::Reader`] accepts; calls in another order are refused, not written.

use crate::error::{Error, shown};
use crate::limits::{MAX_DEPTH, MAX_TARGET};
use crate::read::{is_name, padding};
use bstr::{BString, ByteSlice};
use std::io::{self, BufWriter, Read, Write};

const BUFFER: usize = 64 << 10;
/// Contents are copied in pieces that stay within a core's second-level cache.
const PIECE: usize = 128 << 10;

/// Writes an archive to a stream.
#[derive(Debug)]
pub struct Writer<W: Write> {
    stream: BufWriter<W>,
    offset: u64,
    /// For each open directory, the last name in it.
    open: Vec<Option<BString>>,
    /// May a file, link or directory come now?
    wants_node: bool,
    piece: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Starts an archive.
    ///
    /// # Errors
    /// [`Error::Stream`].
    pub fn new(stream: W) -> Result<Writer<W>, Error> {
        let mut writer = Writer {
            stream: BufWriter::with_capacity(BUFFER, stream),
            offset: 0,
            open: Vec::new(),
            wants_node: true,
            piece: Vec::new(),
        };
        writer.string(b"nix-archive-1")?;
        Ok(writer)
    }

    /// Writes a file of exactly `size` bytes, read from `contents`. The result tells whether there were that
    /// many; if not, the archive is spoilt.
    ///
    /// # Errors
    /// [`Error::Stream`] when reading or writing fails.
    pub fn file(
        &mut self,
        executable: bool,
        size: u64,
        mut contents: impl Read,
    ) -> Result<bool, Error> {
        self.start_node(b"regular")?;
        if executable {
            self.string(b"executable")?;
            self.string(b"")?;
        }
        self.string(b"contents")?;
        self.raw(&size.to_le_bytes())?;
        let mut piece = std::mem::take(&mut self.piece);
        piece.resize(PIECE, 0);
        let mut left = size;
        while left > 0 {
            let wanted = left.min(PIECE as u64) as usize;
            let count = match contents.read(&mut piece[..wanted]) {
                Ok(0) => return Ok(false),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => {
                    return Err(Error::Stream {
                        offset: self.offset,
                        source,
                    });
                }
            };
            self.raw(&piece[..count])?;
            left -= count as u64;
        }
        self.piece = piece;
        self.raw(&[0; 8][..padding(size) as usize])?;
        self.end_node()?;
        Ok(true)
    }

    /// Writes a symbolic link.
    ///
    /// # Errors
    /// [`Error::Unfinished`] for an empty or overlong target; [`Error::Stream`].
    pub fn link(&mut self, target: &[u8]) -> Result<(), Error> {
        if target.is_empty() || target.len() > MAX_TARGET || target.contains(&0) {
            return Err(self.unfinished("a link's target is empty, overlong or has a NUL byte"));
        }
        self.start_node(b"symlink")?;
        self.string(b"target")?;
        self.string(target)?;
        self.end_node()
    }

    /// Opens a directory.
    ///
    /// # Errors
    /// [`Error::Stream`], [`Error::TooLarge`] when it is too deep.
    pub fn directory(&mut self) -> Result<(), Error> {
        if self.open.len() == MAX_DEPTH {
            let limit = MAX_DEPTH as u64;
            return Err(Error::TooLarge {
                offset: self.offset,
                what: "the depth",
                length: limit + 1,
                limit,
            });
        }
        self.start_node(b"directory")?;
        self.open.push(None);
        Ok(())
    }

    /// Names the file, link or directory that is written next, in the innermost open directory.
    ///
    /// # Errors
    /// [`Error::Name`], [`Error::Order`], [`Error::Unfinished`], [`Error::Stream`].
    pub fn entry(&mut self, name: &[u8]) -> Result<(), Error> {
        let offset = self.offset;
        if !is_name(name) {
            return Err(Error::Name {
                offset,
                name: shown(name),
            });
        }
        if self.wants_node {
            return Err(self.unfinished("an entry comes where a file, link or directory must"));
        }
        let Some(last) = self.open.last_mut() else {
            return Err(self.unfinished("an entry comes outside of any directory"));
        };
        if last.as_ref().is_some_and(|last| last.as_bytes() >= name) {
            return Err(Error::Order {
                offset,
                name: shown(name),
            });
        }
        *last = Some(name.into());
        self.wants_node = true;
        for token in [b"entry".as_slice(), b"(", b"name", name, b"node"] {
            self.string(token)?;
        }
        Ok(())
    }

    /// Closes the innermost open directory.
    ///
    /// # Errors
    /// [`Error::Unfinished`] when none is open or an entry is empty; [`Error::Stream`].
    pub fn leave(&mut self) -> Result<(), Error> {
        if self.wants_node || self.open.pop().is_none() {
            return Err(self.unfinished("a directory is closed where none can be"));
        }
        self.end_node()
    }

    /// Ends the archive and gives back the stream.
    ///
    /// # Errors
    /// [`Error::Unfinished`] when something is still open; [`Error::Stream`].
    pub fn finish(self) -> Result<W, Error> {
        if self.wants_node || !self.open.is_empty() {
            return Err(self.unfinished("the archive ends while a directory or entry is open"));
        }
        let offset = self.offset;
        let into = self.stream.into_inner();
        into.map_err(|error| Error::Stream {
            offset,
            source: error.into_error(),
        })
    }

    /// How many bytes were written.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    fn start_node(&mut self, kind: &[u8]) -> Result<(), Error> {
        if !std::mem::take(&mut self.wants_node) {
            return Err(self.unfinished("a file, link or directory comes where none can"));
        }
        for token in [b"(".as_slice(), b"type", kind] {
            self.string(token)?;
        }
        Ok(())
    }

    fn end_node(&mut self) -> Result<(), Error> {
        self.string(b")")?;
        if self.open.is_empty() {
            Ok(())
        } else {
            self.string(b")")
        }
    }

    fn string(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let length = bytes.len() as u64;
        self.raw(&length.to_le_bytes())?;
        self.raw(bytes)?;
        self.raw(&[0; 8][..padding(length) as usize])
    }

    fn raw(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let offset = self.offset;
        self.stream
            .write_all(bytes)
            .map_err(|source| Error::Stream { offset, source })?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    fn unfinished(&self, problem: &'static str) -> Error {
        Error::Unfinished {
            offset: self.offset,
            problem,
        }
    }
}
