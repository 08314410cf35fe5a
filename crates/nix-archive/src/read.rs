//! Reading a NAR as a stream of events; a file's contents are read in between, through [`Read`].
//!
//! Invariants: memory is bounded by depth times name length; events always form a well-nested tree; contents
//! that the caller leaves unread are skipped.

use crate::error::{Error, shown};
use crate::limits::{MAX_DEPTH, MAX_NAME, MAX_TARGET};
use bstr::BString;
use std::io::{self, BufRead, BufReader, Read};

/// Longest token of the grammar itself, such as `nix-archive-1`.
const MAX_TOKEN: usize = 13;
const BUFFER: usize = 64 << 10;

/// The next thing in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A file; its bytes are what the reader now gives as [`Read`].
    File {
        /// Is its executable bit set?
        executable: bool,
        /// Its size in bytes.
        size: u64,
        /// Where its bytes start in the archive.
        offset: u64,
    },
    /// A symbolic link.
    Link {
        /// Where it points, uninterpreted.
        target: BString,
    },
    /// A directory; its entries follow, up to [`Event::Leave`].
    Directory,
    /// The name of the file, link or directory that follows.
    Entry {
        /// A valid file name, greater than the previous one.
        name: BString,
    },
    /// The end of the innermost open directory.
    Leave,
}

/// Reads an archive from a stream. Not more than a buffer is read past its end.
#[derive(Debug)]
pub struct Reader<R> {
    stream: BufReader<R>,
    offset: u64,
    /// For each open directory, the last name in it.
    open: Vec<Option<BString>>,
    state: State,
    /// Bytes of the current file that were not read yet, and the padding after them.
    unread: u64,
    padding: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    /// A node is next.
    Node,
    /// The contents of a file are being read.
    Contents,
    /// A node ended; in a directory, its entry must be closed.
    After,
    /// An entry or the end of the directory is next.
    Entries,
    End,
}

impl<R: Read> Reader<R> {
    /// A reader at the start of an archive.
    pub fn new(stream: R) -> Reader<R> {
        Reader {
            stream: BufReader::with_capacity(BUFFER, stream),
            offset: 0,
            open: Vec::new(),
            state: State::Start,
            unread: 0,
            padding: 0,
        }
    }

    /// How many bytes of the archive have been read.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next event; `None` after the last.
    ///
    /// # Errors
    /// Any of [`Error`]'s variants with an offset. The reader is of no use afterwards.
    pub fn next_event(&mut self) -> Result<Option<Event>, Error> {
        if self.state == State::Start {
            self.expect(b"nix-archive-1", "'nix-archive-1'")?;
            self.state = State::Node;
        }
        if self.state == State::Contents {
            self.skip()?;
            self.expect(b")", "')'")?;
            self.state = State::After;
        }
        if self.state == State::After {
            if self.open.is_empty() {
                self.state = State::End;
            } else {
                self.expect(b")", "')'")?;
                self.state = State::Entries;
            }
        }
        match self.state {
            State::Node => self.node().map(Some),
            State::Entries => self.entry().map(Some),
            _ => Ok(None),
        }
    }

    /// Makes sure that nothing follows the archive.
    ///
    /// # Errors
    /// [`Error::Syntax`] when something does, or when the archive was not read to its end.
    pub fn expect_end(&mut self) -> Result<(), Error> {
        let offset = self.offset;
        let rest = self
            .stream
            .fill_buf()
            .map_err(|source| Error::Stream { offset, source })?;
        if self.state == State::End && rest.is_empty() {
            return Ok(());
        }
        let found = shown(rest);
        Err(Error::Syntax {
            offset,
            expected: "the end of the archive",
            found: format!("'{found}'"),
        })
    }

    fn node(&mut self) -> Result<Event, Error> {
        self.expect(b"(", "'('")?;
        self.expect(b"type", "'type'")?;
        let at = self.offset;
        let kind = self.token()?;
        match kind.as_slice() {
            b"regular" => self.file(),
            b"symlink" => {
                self.expect(b"target", "'target'")?;
                let target = self.bytes("a link's target", MAX_TARGET)?;
                if target.is_empty() || target.contains(&0) {
                    return Err(self.syntax(at, "a link's target", &target));
                }
                self.expect(b")", "')'")?;
                self.state = State::After;
                Ok(Event::Link { target })
            }
            b"directory" => {
                if self.open.len() == MAX_DEPTH {
                    return Err(too_large(at, "the depth", MAX_DEPTH as u64 + 1, MAX_DEPTH));
                }
                self.open.push(None);
                self.state = State::Entries;
                Ok(Event::Directory)
            }
            _ => Err(self.syntax(at, "'regular', 'symlink' or 'directory'", &kind)),
        }
    }

    fn file(&mut self) -> Result<Event, Error> {
        let at = self.offset;
        let mut token = self.token()?;
        let executable = *token == b"executable"[..];
        if executable {
            self.expect(b"", "an empty string")?;
            token = self.token()?;
        }
        if *token != b"contents"[..] {
            return Err(self.syntax(at, "'contents'", &token));
        }
        let size = self.length()?;
        self.unread = size;
        self.padding = padding(size);
        self.state = State::Contents;
        Ok(Event::File {
            executable,
            size,
            offset: self.offset,
        })
    }

    fn entry(&mut self) -> Result<Event, Error> {
        let at = self.offset;
        let token = self.token()?;
        if *token == b")"[..] {
            self.open.pop();
            self.state = State::After;
            return Ok(Event::Leave);
        }
        if *token != b"entry"[..] {
            return Err(self.syntax(at, "'entry' or ')'", &token));
        }
        self.expect(b"(", "'('")?;
        self.expect(b"name", "'name'")?;
        let offset = self.offset;
        let name = self.bytes("a file name", MAX_NAME)?;
        if !is_name(&name) {
            return Err(Error::Name {
                offset,
                name: shown(&name),
            });
        }
        self.expect(b"node", "'node'")?;
        let last = self
            .open
            .last_mut()
            .expect("entries are read in open directories only");
        if last.as_ref().is_some_and(|last| *last >= name) {
            return Err(Error::Order {
                offset,
                name: shown(&name),
            });
        }
        *last = Some(name.clone());
        self.state = State::Node;
        Ok(Event::Entry { name })
    }

    fn expect(&mut self, token: &[u8], expected: &'static str) -> Result<(), Error> {
        let at = self.offset;
        let found = self.token()?;
        if found == token {
            Ok(())
        } else {
            Err(self.syntax(at, expected, &found))
        }
    }

    fn token(&mut self) -> Result<BString, Error> {
        self.bytes("a word of the grammar", MAX_TOKEN)
    }

    fn bytes(&mut self, what: &'static str, limit: usize) -> Result<BString, Error> {
        let at = self.offset;
        let length = self.length()?;
        if length > limit as u64 {
            return Err(too_large(at, what, length, limit));
        }
        let mut bytes = vec![0; length as usize];
        self.exactly(&mut bytes)?;
        self.pad(padding(length))?;
        Ok(bytes.into())
    }

    fn length(&mut self) -> Result<u64, Error> {
        let mut bytes = [0; 8];
        self.exactly(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn pad(&mut self, length: u64) -> Result<(), Error> {
        let offset = self.offset;
        let mut bytes = [0; 8];
        self.exactly(&mut bytes[..length as usize])?;
        if bytes == [0; 8] {
            Ok(())
        } else {
            Err(Error::Padding { offset })
        }
    }

    fn exactly(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.stream
            .read_exact(bytes)
            .map_err(|source| match source.kind() {
                io::ErrorKind::UnexpectedEof => Error::Truncated {
                    offset: self.offset,
                },
                _ => Error::Stream {
                    offset: self.offset,
                    source,
                },
            })?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// Passes over what the caller left of the current file.
    fn skip(&mut self) -> Result<(), Error> {
        while self.unread > 0 {
            let buffered = self.stream.fill_buf();
            let offset = self.offset;
            let available = buffered
                .map_err(|source| Error::Stream { offset, source })?
                .len() as u64;
            if available == 0 {
                return Err(Error::Truncated { offset });
            }
            let step = available.min(self.unread);
            self.stream.consume(step as usize);
            self.offset += step;
            self.unread -= step;
        }
        self.pad(self.padding)
    }

    #[expect(clippy::unused_self, reason = "reads like its siblings at every call")]
    fn syntax(&self, offset: u64, expected: &'static str, found: &[u8]) -> Error {
        Error::Syntax {
            offset,
            expected,
            found: format!("'{}'", shown(found)),
        }
    }
}

/// The bytes of the file that the last [`Event::File`] announced.
impl<R: Read> Read for Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = self.unread.min(buffer.len() as u64) as usize;
        if wanted == 0 {
            return Ok(0);
        }
        let count = self.stream.read(&mut buffer[..wanted])?;
        if count == 0 {
            let error = Error::Truncated {
                offset: self.offset,
            };
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, error));
        }
        self.offset += count as u64;
        self.unread -= count as u64;
        Ok(count)
    }
}

fn too_large(offset: u64, what: &'static str, length: u64, limit: usize) -> Error {
    Error::TooLarge {
        offset,
        what,
        length,
        limit: limit as u64,
    }
}

/// Bytes between a string of this length and the next multiple of 8.
pub(crate) fn padding(length: u64) -> u64 {
    length.wrapping_neg() % 8
}

/// Can a directory have an entry of this name?
pub(crate) fn is_name(name: &[u8]) -> bool {
    !name.is_empty()
        && name.len() <= MAX_NAME
        && name != b"."
        && name != b".."
        && !name.iter().any(|byte| [b'/', 0].contains(byte))
}
