//! Bounded readers of tar (ustar, GNU and pax names) and ar archives, member by member.
//!
//! Sources: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar manual, "Basic Tar
//! Format"; the System V ar format. Invariants: a header's numbers are checked before use; names are at most
//! [`MAX_NAME`] bytes; sparse and other special members are passed over by their size.

use super::Members;
use std::io::{self, Read};

const BLOCK: usize = 512;
/// Longest name of a member.
const MAX_NAME: u64 = 64 << 10;

/// Does a stream that begins so hold a tar archive? Its first header's checksum decides.
pub(super) fn is_tar(head: &[u8]) -> bool {
    head.first_chunk::<BLOCK>()
        .is_some_and(|block| block[0] != 0 && checksum_fits(block))
}

fn checksum_fits(block: &[u8; BLOCK]) -> bool {
    let stated = octal(&block[148..156]);
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    let field: u64 = block[148..156].iter().map(|byte| u64::from(*byte)).sum();
    stated == Some(sum - field + 8 * u64::from(b' '))
}

/// Octal digits with surrounding blanks, or GNU's base 256.
fn octal(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let mut value = u64::from(field[0] & 0x7f);
        for byte in &field[1..] {
            value = value.checked_mul(256)? + u64::from(*byte);
        }
        return Some(value);
    }
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    if text.is_empty() {
        Some(0)
    } else {
        u64::from_str_radix(text, 8).ok()
    }
}

fn name(field: &[u8]) -> String {
    let end = field
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

fn bad(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// The rest of the current member and the padding after it.
struct Current<'a> {
    stream: &'a mut dyn Read,
    unread: u64,
    padding: u64,
}

impl Current<'_> {
    fn start(&mut self, size: u64, block: u64) {
        self.unread = size;
        self.padding = size.wrapping_neg() % block;
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = self.unread.min(buffer.len() as u64) as usize;
        let count = self.stream.read(&mut buffer[..wanted])?;
        if count == 0 && wanted > 0 {
            return Err(bad("the archive ends within a member"));
        }
        self.unread -= count as u64;
        Ok(count)
    }

    fn skip(&mut self) -> io::Result<()> {
        let rest = self.unread + self.padding;
        let skipped = io::copy(&mut (&mut *self.stream).take(rest), &mut io::sink())?;
        // The last padding is sometimes left out.
        if skipped < self.unread {
            return Err(bad("the archive ends within a member"));
        }
        (self.unread, self.padding) = (0, 0);
        Ok(())
    }

    /// A header; `None` at the end of the stream.
    fn header<const N: usize>(&mut self) -> io::Result<Option<[u8; N]>> {
        self.skip()?;
        let mut block = [0; N];
        let mut filled = 0;
        while filled < N {
            match self.stream.read(&mut block[filled..])? {
                0 if filled == 0 => return Ok(None),
                0 => return Err(bad("the archive ends within a header")),
                count => filled += count,
            }
        }
        Ok(Some(block))
    }

    fn text(&mut self) -> io::Result<Vec<u8>> {
        if self.unread > MAX_NAME {
            return Err(bad("a member's name is larger than the limit"));
        }
        let mut text = vec![0; self.unread as usize];
        self.stream.read_exact(&mut text)?;
        self.unread = 0;
        Ok(text)
    }
}

/// A tar archive.
pub(super) struct Tar<'a>(Current<'a>);

impl<'a> Tar<'a> {
    pub(super) fn new(stream: &'a mut dyn Read) -> Tar<'a> {
        Tar(Current {
            stream,
            unread: 0,
            padding: 0,
        })
    }
}

impl Members for Tar<'_> {
    fn next_member(&mut self) -> io::Result<Option<String>> {
        let (mut long_name, mut pax_size) = (None, None);
        while let Some(block) = self.0.header::<BLOCK>()? {
            if block == [0; BLOCK] {
                return Ok(None);
            }
            if !checksum_fits(&block) {
                return Err(bad("a header's checksum is wrong"));
            }
            let size =
                octal(&block[124..136]).ok_or_else(|| bad("a member's size is no number"))?;
            let kind = block[156];
            match kind {
                b'L' => {
                    self.0.start(size, BLOCK as u64);
                    long_name = Some(name(&self.0.text()?));
                }
                b'x' => {
                    self.0.start(size, BLOCK as u64);
                    for (key, value) in pax(&self.0.text()?) {
                        match key.as_str() {
                            "path" => long_name = Some(value),
                            "size" => pax_size = value.parse().ok(),
                            _ => {}
                        }
                    }
                }
                b'0' | 0 | b'7' => {
                    self.0.start(pax_size.unwrap_or(size), BLOCK as u64);
                    let prefix = if block[257..262] == *b"ustar" {
                        name(&block[345..500])
                    } else {
                        String::new()
                    };
                    let short = name(&block[..100]);
                    let joined = if prefix.is_empty() {
                        short
                    } else {
                        format!("{prefix}/{short}")
                    };
                    return Ok(Some(long_name.unwrap_or(joined)));
                }
                // Links and directories have no contents, whatever their size field says.
                b'1'..=b'6' => (long_name, pax_size) = (None, None),
                _ => self.0.start(size, BLOCK as u64),
            }
        }
        Ok(None)
    }

    fn read_member(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// `LENGTH KEY=VALUE\n` records.
fn pax(mut text: &[u8]) -> Vec<(String, String)> {
    let mut records = Vec::new();
    while let Some(space) = text.iter().position(|byte| *byte == b' ') {
        let length = std::str::from_utf8(&text[..space])
            .ok()
            .and_then(|digits| digits.parse::<usize>().ok());
        let Some((record, rest)) =
            length.and_then(|end| Some((text.get(space + 1..end)?, &text[end..])))
        else {
            break;
        };
        let record = String::from_utf8_lossy(record);
        if let Some((key, value)) = record.trim_end_matches('\n').split_once('=') {
            records.push((key.to_owned(), value.to_owned()));
        }
        text = rest;
    }
    records
}

/// An ar archive: a static library, or a Debian package.
pub(super) struct Ar<'a> {
    current: Current<'a>,
    started: bool,
    long_names: Vec<u8>,
}

impl<'a> Ar<'a> {
    pub(super) fn new(stream: &'a mut dyn Read) -> Ar<'a> {
        Ar {
            current: Current {
                stream,
                unread: 0,
                padding: 0,
            },
            started: false,
            long_names: Vec::new(),
        }
    }
}

impl Members for Ar<'_> {
    fn next_member(&mut self) -> io::Result<Option<String>> {
        if !std::mem::replace(&mut self.started, true) {
            self.current.header::<8>()?;
        }
        while let Some(header) = self.current.header::<60>()? {
            if header[58..] != *b"`\n" {
                return Err(bad("a member's header is malformed"));
            }
            let number = |field: &[u8]| std::str::from_utf8(field).ok()?.trim().parse::<u64>().ok();
            let size =
                number(&header[48..58]).ok_or_else(|| bad("a member's size is no number"))?;
            self.current.start(size, 2);
            let short = String::from_utf8_lossy(&header[..16]).trim_end().to_owned();
            match short.as_str() {
                "/" | "/SYM64/" | "__.SYMDEF" => {}
                "//" => self.long_names = self.current.text()?,
                _ => {
                    let offset = short
                        .strip_prefix('/')
                        .and_then(|digits| digits.parse::<usize>().ok());
                    let long =
                        offset
                            .and_then(|offset| self.long_names.get(offset..))
                            .map(|rest| {
                                let end = rest
                                    .iter()
                                    .position(|byte| *byte == b'\n')
                                    .unwrap_or(rest.len());
                                String::from_utf8_lossy(&rest[..end]).into_owned()
                            });
                    return Ok(Some(long.unwrap_or(short).trim_end_matches('/').to_owned()));
                }
            }
        }
        Ok(None)
    }

    fn read_member(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.current.read(buffer)
    }
}
