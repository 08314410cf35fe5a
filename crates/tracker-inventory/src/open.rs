//! Decompression by content: plain, gzip, xz, zstd, or brotli, which has no signature and is what remains.
//!
//! Invariant: no more than the limit comes out, whatever goes in.

use std::io::{self, BufRead, BufReader, Read};

/// Most bytes that a decompressed list may have. A channel's `packages.json` has about 100 MB.
pub const MAX_BYTES: u64 = 2 << 30;

/// Largest zstd window, as a power of two: the long-distance mode of the usual tools.
const WINDOW_LOG: u32 = 27;

/// Most memory that decoding xz may take, in KiB: its highest setting takes 65 MiB.
const XZ_MEMORY_KIB: u32 = 128 << 10;

/// How plain lists begin that are no JSON: Debian's indexes, lists of store paths.
const PLAIN: [&[u8]; 3] = [b"Package:", b"/nix/store/", b"/gnu/store/"];

/// Bytes buffered on either side of a decoder.
const BUFFER: usize = 1 << 16;

/// Opens a list for reading, whatever it is compressed with.
///
/// JSON begins with a brace or bracket, which no brotli stream of ours does (its first byte would ask for a window
/// that the encoder never writes for such inputs), an index of Debian with a field, a list of store paths with its
/// folder; gzip, xz and zstd have magic numbers; everything else is taken for brotli.
pub fn open<'a>(input: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    open_limited(input, MAX_BYTES)
}

/// As [`open`], with another limit on the bytes that come out.
pub fn open_limited<'a>(input: impl Read + 'a, limit: u64) -> io::Result<Box<dyn Read + 'a>> {
    let mut input = BufReader::with_capacity(BUFFER, input);
    let start = input.fill_buf()?;
    let first = start.iter().find(|b| !b.is_ascii_whitespace()).copied();
    let reader: Box<dyn Read + 'a> = if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let mut decoder = zstd::Decoder::with_buffer(input)?;
        decoder.window_log_max(WINDOW_LOG)?;
        Box::new(decoder)
    } else if start.starts_with(&[0xfd, b'7', b'z', b'X', b'Z', 0]) {
        Box::new(lzma_rust2::XzReader::new_mem_limit(
            input,
            true,
            XZ_MEMORY_KIB,
        ))
    } else if start.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::bufread::MultiGzDecoder::new(input))
    } else if matches!(first, Some(b'{' | b'[') | None)
        || start.starts_with(&[0xef, 0xbb, 0xbf])
        || PLAIN.iter().any(|mark| start.starts_with(mark))
    {
        Box::new(input)
    } else {
        Box::new(Unmarked(brotli_decompressor::Decompressor::new(
            input, BUFFER,
        )))
    };
    Ok(Box::new(BufReader::with_capacity(
        BUFFER,
        Limited {
            reader,
            left: limit,
            limit,
        },
    )))
}

/// Reads what was taken for brotli because nothing else marks it: where it is none, the decoder's word says little.
struct Unmarked<R>(R);

impl<R: Read> Read for Unmarked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => io::Error::new(
                error.kind(),
                "it is no list, plain or packed by gzip, xz, zstd or brotli, or it is damaged",
            ),
            _ => error,
        })
    }
}

/// Marks the error by which a [`Limited`] reader refuses to go on; carries the limit.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("more than {0} bytes after decompression")]
pub(crate) struct TooLarge(pub(crate) u64);

/// A reader that fails, rather than ends, when too much comes out of it.
struct Limited<R> {
    reader: R,
    left: u64,
    limit: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::other(TooLarge(self.limit)))?;
        Ok(count)
    }
}
