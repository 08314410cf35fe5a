//! Compressed streams, unpacked as their own tools do: every frame of a file, one after the other.
//!
//! Invariants: memory is bounded by the formats' windows and [`MAX_WINDOW_KIB`], time by [`MAX_FRAMES`]; what follows the last frame
//! is not passed over in silence, [`Unpacked::rest`] gives it back. Sources: RFC 1952 (2.2), RFC 8878 (3.1), the `.xz` file format (2),
//! and bzip2's manual for streams written one after the other.

use super::sniff::Packing;
use std::io::{self, BufRead, Read};

/// Most memory of a decompressor, in KiB: the largest window that xz and zstd use by themselves is 64 MiB.
const MAX_WINDOW_KIB: u32 = 128 << 10;
/// Most frames of one file: each costs a new decompressor, however little it holds.
const MAX_FRAMES: u32 = 1 << 18;
/// How much is read at once.
const BUFFER: usize = 32 << 10;

/// A buffered stream whose next bytes can be looked at.
pub(crate) struct Source<'a> {
    stream: &'a mut dyn Read,
    buffer: Vec<u8>,
    start: usize,
}

impl Source<'_> {
    /// The next bytes, `wanted` of them unless the stream ends before.
    fn peek(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while self.buffer.len() - self.start < wanted {
            self.buffer.drain(..self.start);
            self.start = 0;
            let filled = self.buffer.len();
            self.buffer.resize(filled + BUFFER, 0);
            let count = self.stream.read(&mut self.buffer[filled..]);
            self.buffer.truncate(filled + *count.as_ref().unwrap_or(&0));
            if count? == 0 {
                break;
            }
        }
        let end = self.buffer.len().min(self.start + wanted);
        Ok(&self.buffer[self.start..end])
    }
}

impl BufRead for Source<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.peek(1)?;
        Ok(&self.buffer[self.start..])
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

/// Where an unpacked stream stands.
enum Frame<'a> {
    Gzip(Box<flate2::bufread::GzDecoder<Source<'a>>>),
    Bzip2(Box<bzip2::bufread::BzDecoder<Source<'a>>>),
    Xz(Box<lzma_rust2::XzReader<Source<'a>>>),
    Zstd(Box<ruzstd::decoding::StreamingDecoder<Source<'a>, ruzstd::decoding::FrameDecoder>>),
    /// Between frames.
    Between(Source<'a>),
    /// No frame follows.
    Ended(Source<'a>),
    /// An error was returned; nothing more can be read.
    Broken,
}

/// The bytes that a compressed stream holds.
pub(crate) struct Unpacked<'a> {
    packing: Packing,
    frame: Frame<'a>,
    frames: u32,
}

impl<'a> Unpacked<'a> {
    pub(crate) fn new(packing: Packing, stream: &'a mut dyn Read) -> Unpacked<'a> {
        let (buffer, start) = (Vec::new(), 0);
        Unpacked {
            packing,
            frame: Frame::Between(Source {
                stream,
                buffer,
                start,
            }),
            frames: 0,
        }
    }

    /// What follows the last frame; `None` when it was not reached.
    pub(crate) fn rest(self) -> Option<Source<'a>> {
        match self.frame {
            Frame::Ended(source) => Some(source),
            _ => None,
        }
    }

    /// Begins the next frame, or ends.
    fn begin(&mut self, mut source: Source<'a>) -> io::Result<Frame<'a>> {
        loop {
            let next = source.peek(8)?;
            let skipped = match (self.packing, next) {
                // A skippable frame: its length follows its magic number.
                (Packing::Zstd, [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d]) => {
                    8 + u64::from(u32::from_le_bytes([*a, *b, *c, *d]))
                }
                // Padding: of tapes, and of the .xz format between streams.
                (_, [0, ..]) if self.frames > 0 => 1,
                _ => break,
            };
            let passed = io::copy(&mut (&mut source).take(skipped), &mut io::sink())?;
            if passed < skipped {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        if !self.packing.begins(source.peek(8)?) {
            return Ok(Frame::Ended(source));
        }
        self.frames += 1;
        if self.frames > MAX_FRAMES {
            return Err(io::Error::other("more compressed frames than the limit"));
        }
        Ok(match self.packing {
            Packing::Gzip => Frame::Gzip(Box::new(flate2::bufread::GzDecoder::new(source))),
            Packing::Bzip2 => Frame::Bzip2(Box::new(bzip2::bufread::BzDecoder::new(source))),
            Packing::Xz => Frame::Xz(Box::new(lzma_rust2::XzReader::new_mem_limit(
                source,
                false,
                MAX_WINDOW_KIB,
            ))),
            Packing::Zstd => {
                let decoder = ruzstd::decoding::StreamingDecoder::new(source);
                Frame::Zstd(Box::new(decoder.map_err(io::Error::other)?))
            }
        })
    }

    /// Reads once: how many bytes, and whether the frame ended.
    fn step(&mut self, frame: Frame<'a>, buffer: &mut [u8]) -> io::Result<(Frame<'a>, usize)> {
        macro_rules! read {
            ($kind:path, $decoder:ident) => {{
                let count = $decoder.read(buffer)?;
                let frame = match count {
                    0 => Frame::Between($decoder.into_inner()),
                    _ => $kind($decoder),
                };
                Ok((frame, count))
            }};
        }
        match frame {
            Frame::Gzip(mut decoder) => read!(Frame::Gzip, decoder),
            Frame::Bzip2(mut decoder) => read!(Frame::Bzip2, decoder),
            Frame::Xz(mut decoder) => read!(Frame::Xz, decoder),
            Frame::Zstd(mut decoder) => read!(Frame::Zstd, decoder),
            Frame::Between(source) => Ok((self.begin(source)?, 0)),
            Frame::Ended(_) | Frame::Broken => Ok((frame, 0)),
        }
    }
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let frame = std::mem::replace(&mut self.frame, Frame::Broken);
            let (frame, count) = self.step(frame, buffer)?;
            self.frame = frame;
            if count > 0 || matches!(self.frame, Frame::Ended(_) | Frame::Broken) {
                return Ok(count);
            }
        }
    }
}
