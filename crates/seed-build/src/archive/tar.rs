//! The tar format as a stream of entries. Sources: POSIX.1-2017 `pax`, clauses "ustar Interchange Format" and "pax Header Block";
//! GNU tar's manual, "Basic Tar Format", for its long names and large numbers.
//!
//! Invariants: every name handed out is a list of plain components; headers are checked by their sum; counts, sizes and depth are bounded
//! before they are believed.

use super::{ArchiveError, MAX_DEPTH, MAX_NAME, UnpackLimits};
use std::io::{self, Read, Write};

const BLOCK: usize = 512;

/// Largest extended header in bytes.
const MAX_EXTENDED: u64 = 64 << 10;

/// One thing in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name as the archive states it, for messages.
    pub name: String,
    /// Its name as components, each neither empty, `.` nor `..`.
    pub path: Vec<Vec<u8>>,
    /// What it is.
    pub kind: Kind,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A file; [`Tar::contents`] gives its bytes.
    File {
        /// Has its owner the right to run it?
        executable: bool,
        /// Its size in bytes.
        size: u64,
    },
    /// A directory.
    Directory,
    /// A symbolic link.
    Link {
        /// Where it leads, uninterpreted.
        target: Vec<u8>,
    },
}

/// Reads an archive.
#[derive(Debug)]
pub struct Tar<R> {
    stream: R,
    offset: u64,
    limits: UnpackLimits,
    entries: u64,
    /// Bytes of the current file and its padding that were not read yet.
    unread: u64,
    padding: u64,
}

/// What extended headers say about the next entry.
#[derive(Debug, Default)]
struct Extended {
    name: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
}

impl<R: Read> Tar<R> {
    /// A reader at the start of an archive.
    pub fn new(stream: R, limits: UnpackLimits) -> Tar<R> {
        Tar {
            stream,
            offset: 0,
            limits,
            entries: 0,
            unread: 0,
            padding: 0,
        }
    }

    /// The next entry; what was not read of the one before is skipped.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn next_entry(&mut self) -> Result<Option<Entry>, ArchiveError> {
        self.skip()?;
        let mut extended = Extended::default();
        loop {
            let start = self.offset;
            let Some(header) = self.block()? else {
                return Ok(None);
            };
            let problem = |problem| ArchiveError::Format {
                offset: start,
                problem,
            };
            let sum = number(&header[148..156]).ok_or_else(|| problem("the sum is no number"))?;
            if sum != checksum(&header) {
                return Err(problem("the header's sum is wrong"));
            }
            let size = number(&header[124..136]).ok_or_else(|| problem("the size is no number"))?;
            match header[156] {
                b'x' => self.pax(size, &mut extended)?,
                b'g' => drop(self.small(size)?),
                b'L' => extended.name = Some(until_nul(self.small(size)?)),
                b'K' => extended.target = Some(until_nul(self.small(size)?)),
                kind => return self.entry(&header, kind, size, extended).map(Some),
            }
        }
    }

    fn entry(
        &mut self,
        header: &[u8; BLOCK],
        kind: u8,
        size: u64,
        extended: Extended,
    ) -> Result<Entry, ArchiveError> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(ArchiveError::Limit {
                what: "entries",
                limit: self.limits.entries,
            });
        }
        let raw = extended.name.unwrap_or_else(|| short_name(header));
        let name = shown(&raw);
        let path = components(&raw).map_err(|problem| ArchiveError::Name {
            name: name.clone(),
            problem,
        })?;
        let foreign = |kind| {
            Err(ArchiveError::Kind {
                name: name.clone(),
                kind,
            })
        };
        let kind = match kind {
            // Old archives mark directories by a slash at the end.
            0 | b'0' | b'7' if !raw.ends_with(b"/") => {
                let size = extended.size.unwrap_or(size);
                self.unread = size;
                self.padding = size.wrapping_neg() % BLOCK as u64;
                let mode = number(&header[100..108]).unwrap_or(0);
                Kind::File {
                    executable: mode & 0o100 != 0,
                    size,
                }
            }
            0 | b'0' | b'5' => Kind::Directory,
            b'2' => {
                let field = until_nul(header[157..257].to_vec());
                let target = extended.target.unwrap_or(field);
                Kind::Link { target }
            }
            b'1' => return foreign("a hard link"),
            b'3' => return foreign("a character device"),
            b'4' => return foreign("a block device"),
            b'6' => return foreign("a named pipe"),
            b'S' => return foreign("a sparse file"),
            _ => return foreign("of unknown kind"),
        };
        Ok(Entry { name, path, kind })
    }

    /// Copies the bytes of the current file.
    ///
    /// # Errors
    /// [`ArchiveError::Limit`], [`ArchiveError::Format`] if the archive ends, [`ArchiveError::Read`], [`ArchiveError::Write`].
    pub fn contents(&mut self, to: &mut impl Write, name: &str) -> Result<(), ArchiveError> {
        let mut piece = [0; 1 << 14];
        while self.unread > 0 {
            let wanted = self.unread.min(piece.len() as u64) as usize;
            self.exactly(&mut piece[..wanted])?;
            self.unread -= wanted as u64;
            to.write_all(&piece[..wanted])
                .map_err(|source| ArchiveError::Write {
                    name: name.to_owned(),
                    source,
                })?;
        }
        self.skip()
    }

    fn skip(&mut self) -> Result<(), ArchiveError> {
        let mut left = self.unread.saturating_add(self.padding);
        let mut piece = [0; BLOCK];
        while left > 0 {
            let wanted = left.min(BLOCK as u64) as usize;
            self.exactly(&mut piece[..wanted])?;
            left -= wanted as u64;
        }
        (self.unread, self.padding) = (0, 0);
        Ok(())
    }

    /// The next header; nothing at the end, which is a block of zeros or the end of the stream.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, ArchiveError> {
        let mut block = [0; BLOCK];
        match self.stream.read(&mut block[..1]) {
            Ok(0) => return Ok(None),
            Ok(_) => self.offset += 1,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(ArchiveError::Read(error)),
        }
        self.exactly(&mut block[1..])?;
        Ok(block.iter().any(|byte| *byte != 0).then_some(block))
    }

    fn exactly(&mut self, to: &mut [u8]) -> Result<(), ArchiveError> {
        self.offset += to.len() as u64;
        if self.offset > self.limits.bytes {
            return Err(ArchiveError::Limit {
                what: "bytes",
                limit: self.limits.bytes,
            });
        }
        self.stream
            .read_exact(to)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => ArchiveError::Format {
                    offset: self.offset,
                    problem: "the archive ends within an entry",
                },
                _ => ArchiveError::Read(error),
            })
    }

    /// The contents of an extended header.
    fn small(&mut self, size: u64) -> Result<Vec<u8>, ArchiveError> {
        if size > MAX_EXTENDED {
            return Err(ArchiveError::Limit {
                what: "bytes of an extended header",
                limit: MAX_EXTENDED,
            });
        }
        let mut bytes = vec![0; size.next_multiple_of(BLOCK as u64) as usize];
        self.exactly(&mut bytes)?;
        bytes.truncate(size as usize);
        Ok(bytes)
    }

    /// Records `LENGTH KEY=VALUE\n`, where LENGTH counts all of the record.
    fn pax(&mut self, size: u64, extended: &mut Extended) -> Result<(), ArchiveError> {
        let offset = self.offset;
        let bytes = self.small(size)?;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let record = record(rest).ok_or(ArchiveError::Format {
                offset,
                problem: "a record of the extended header is malformed",
            })?;
            match record.key {
                b"path" => extended.name = Some(record.value.to_vec()),
                b"linkpath" => extended.target = Some(record.value.to_vec()),
                b"size" => {
                    let text = std::str::from_utf8(record.value).ok();
                    let size = text.and_then(|text| text.parse().ok());
                    extended.size = Some(size.ok_or(ArchiveError::Format {
                        offset,
                        problem: "the size in the extended header is no number",
                    })?);
                }
                _ => {}
            }
            rest = &rest[record.length..];
        }
        Ok(())
    }
}

struct Record<'b> {
    length: usize,
    key: &'b [u8],
    value: &'b [u8],
}

fn record(bytes: &[u8]) -> Option<Record<'_>> {
    let blank = bytes.iter().position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(&bytes[..blank]).ok()?.parse().ok()?;
    let body = bytes.get(blank + 1..length)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|byte| *byte == b'=')?;
    Some(Record {
        length,
        key: &body[..equals],
        value: &body[equals + 1..],
    })
}

/// Octal digits between blanks, or, with the highest bit set, a big-endian number.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let first = u64::from(field[0] & 0x7f);
        return field[1..].iter().try_fold(first, |value, byte| {
            value.checked_mul(256).map(|value| value + u64::from(*byte))
        });
    }
    let digits = |byte: &u8| !matches!(byte, b' ' | 0);
    let start = field.iter().position(digits).unwrap_or(field.len());
    let end = field[start..].iter().position(|byte| !digits(byte));
    let text = &field[start..end.map_or(field.len(), |end| start + end)];
    text.iter().try_fold(0_u64, |value, byte| match byte {
        b'0'..=b'7' => value
            .checked_mul(8)
            .map(|value| value + u64::from(byte - b'0')),
        _ => None,
    })
}

/// The sum of a header's bytes, its own field counted as blanks.
fn checksum(header: &[u8; BLOCK]) -> u64 {
    let own = header[148..156]
        .iter()
        .map(|byte| u64::from(*byte))
        .sum::<u64>();
    header.iter().map(|byte| u64::from(*byte)).sum::<u64>() - own + 8 * u64::from(b' ')
}

/// The name in the header itself, with POSIX' prefix.
fn short_name(header: &[u8; BLOCK]) -> Vec<u8> {
    let name = until_nul(header[..100].to_vec());
    let posix = &header[257..263] == b"ustar\0";
    let prefix = until_nul(header[345..500].to_vec());
    if !posix || prefix.is_empty() {
        return name;
    }
    [prefix, name].join(&b'/')
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        bytes.truncate(end);
    }
    bytes
}

fn components(name: &[u8]) -> Result<Vec<Vec<u8>>, &'static str> {
    if name.is_empty() {
        return Err("the name is empty");
    }
    if name.len() > MAX_NAME {
        return Err("the name is too long");
    }
    if name.contains(&0) {
        return Err("the name has a NUL byte");
    }
    if name[0] == b'/' {
        return Err("the path is absolute");
    }
    let mut path = Vec::new();
    for part in name.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return Err("the path leads upwards"),
            _ => path.push(part.to_vec()),
        }
    }
    if path.len() > MAX_DEPTH {
        return Err("the path is too deep");
    }
    Ok(path)
}

fn shown(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    name.chars()
        .take(200)
        .collect::<String>()
        .escape_debug()
        .to_string()
}
