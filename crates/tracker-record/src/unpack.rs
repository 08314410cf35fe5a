//! Compressed feeds: gzip, zstd, brotli and zip, recognised by content, one layer inside another.
//!
//! Invariant: what comes out is bounded, in bytes and against what went in, before anything is held of it.

mod meter;

use flate2::read::MultiGzDecoder;
use meter::{Counted, Meter};
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};

/// The most bytes that one file may unpack to, all members together.
pub const MAX_UNPACKED_BYTES: u64 = 16 << 30;

/// How many times larger than packed a file may be, beyond [`RATIO_FREE_BYTES`]. Real feeds reach 50.
pub const MAX_RATIO: u64 = 250;

/// Up to here the ratio is not looked at.
pub const RATIO_FREE_BYTES: u64 = 32 << 20;

/// The most members of an archive; the CVE list has about 300,000.
pub const MAX_MEMBERS: usize = 2_000_000;

/// The most layers of compression around a feed.
pub const MAX_LAYERS: u8 = 3;

/// The window of zstd frames that is accepted, as a power of two: 128 MiB.
pub const ZSTD_WINDOW_LOG: u32 = 27;

/// How much of a file is tried when brotli, which has no mark, is suspected.
const TRIAL_BYTES: u64 = 64 << 10;

/// Why a file, or a member of it, is not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The archive's directory is damaged, or a member is encrypted or packed in an unknown way.
    #[error("zip archive: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// More than [`MAX_MEMBERS`].
    #[error("{0} members; the limit is {MAX_MEMBERS}")]
    Members(usize),
    /// A packing that is not read.
    #[error("packed by {0}, which is not read: unpack it first")]
    Unsupported(&'static str),
    /// Compression inside compression inside compression.
    #[error("more than {MAX_LAYERS} layers of compression")]
    Layers,
    /// The size that the archive itself states is over a limit.
    #[error("unpacks to {stated} bytes from {packed}, which is over the limit")]
    Stated {
        /// Unpacked size.
        stated: u64,
        /// Packed size.
        packed: u64,
    },
    /// The file itself.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// Gives every member of a file to `each`, unpacked, with its name inside the file (empty if it is the file
/// itself). A member that cannot be unpacked is given as an error, and the next one follows.
///
/// `name` is the file's name; its ending only helps to recognise brotli.
///
/// # Errors
/// When nothing of the file can be unpacked.
pub fn unpack<R: Read + Seek>(
    name: &str,
    mut input: R,
    mut each: impl FnMut(&str, Result<&mut dyn Read, UnpackError>),
) -> Result<(), UnpackError> {
    let mut mark = [0; 4];
    let read = fill(&mut input, &mut mark)?;
    input.seek(SeekFrom::Start(0))?;
    if !is_zip(&mark[..read]) {
        let mut reader = open_layers(name, Box::new(input), 0)?;
        each("", Ok(&mut reader));
        return Ok(());
    }
    let mut archive = zip::ZipArchive::new(BufReader::new(input))?;
    if archive.len() > MAX_MEMBERS {
        return Err(UnpackError::Members(archive.len()));
    }
    let mut total = 0u64;
    for index in 0..archive.len() {
        let member = match archive.by_index(index) {
            Ok(member) if member.is_dir() => continue,
            Ok(member) => member,
            Err(error) => {
                each(&format!("member {index}"), Err(error.into()));
                continue;
            }
        };
        let name = String::from_utf8_lossy(member.name_raw()).into_owned();
        let (stated, packed) = (member.size(), member.compressed_size());
        total = total.saturating_add(stated);
        if total > MAX_UNPACKED_BYTES || over_ratio(stated, packed) {
            each(&name, Err(UnpackError::Stated { stated, packed }));
            continue;
        }
        // The stated size may lie, so what really comes out is measured as well.
        let meter = Meter::new(member, packed);
        match open_layers(&name, Box::new(meter), 1) {
            Ok(mut reader) => each(&name, Ok(&mut reader)),
            Err(error) => each(&name, Err(error)),
        }
    }
    Ok(())
}

fn is_zip(mark: &[u8]) -> bool {
    mark.starts_with(b"PK\x03\x04") || mark.starts_with(b"PK\x05\x06")
}

fn over_ratio(unpacked: u64, packed: u64) -> bool {
    unpacked > RATIO_FREE_BYTES && unpacked / MAX_RATIO > packed
}

/// Unwraps layer after layer until the content is none that is known.
fn open_layers<'a>(
    name: &str,
    mut input: Box<dyn Read + 'a>,
    layers: u8,
) -> Result<Box<dyn Read + 'a>, UnpackError> {
    let mut mark = [0; 6];
    let read = fill(&mut input, &mut mark)?;
    let mark = &mark[..read];
    let whole: Box<dyn Read + 'a> = Box::new(Cursor::new(mark.to_vec()).chain(input));
    let packed = match mark {
        [0x1f, 0x8b, ..] => Packing::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Packing::Zstd,
        [0xfd, b'7', b'z', b'X', b'Z', ..] => return Err(UnpackError::Unsupported("xz")),
        [b'B', b'Z', b'h', ..] => return Err(UnpackError::Unsupported("bzip2")),
        [b'7', b'z', 0xbc, 0xaf, ..] => return Err(UnpackError::Unsupported("7-Zip")),
        _ if is_zip(mark) => return Err(UnpackError::Unsupported("zip inside another packing")),
        [b'{' | b'[' | b'#' | b' ' | b'\n' | b'\r' | b'\t' | 0xef, ..] | [] => return Ok(whole),
        _ => return brotli(name, whole, layers),
    };
    if layers >= MAX_LAYERS {
        return Err(UnpackError::Layers);
    }
    let (counted, count) = Counted::new(whole);
    let unpacked: Box<dyn Read + 'a> = match packed {
        Packing::Gzip => {
            let decoder = MultiGzDecoder::new(BufReader::new(counted));
            Box::new(Meter::following(decoder, count))
        }
        Packing::Zstd => {
            let mut decoder = zstd::Decoder::new(counted)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(Meter::following(decoder, count))
        }
    };
    let inner = name.rsplit_once('.').map_or(name, |(inner, _)| inner);
    open_layers(inner, unpacked, layers + 1)
}

enum Packing {
    Gzip,
    Zstd,
}

/// Brotli has no mark: a file whose name says so, or whose beginning unpacks to a feed's, is taken for it.
fn brotli<'a>(
    name: &str,
    mut input: Box<dyn Read + 'a>,
    layers: u8,
) -> Result<Box<dyn Read + 'a>, UnpackError> {
    let mut beginning = Vec::new();
    input
        .by_ref()
        .take(TRIAL_BYTES)
        .read_to_end(&mut beginning)?;
    let named = name
        .rsplit_once('.')
        .is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("br"));
    let is_brotli = named || unpacks_to_a_feed(&beginning);
    let whole: Box<dyn Read + 'a> = Box::new(Cursor::new(beginning).chain(input));
    if !is_brotli {
        return Ok(whole);
    }
    if layers >= MAX_LAYERS {
        return Err(UnpackError::Layers);
    }
    let (counted, count) = Counted::new(whole);
    let decoder = brotli_decompressor::Decompressor::new(counted, 64 << 10);
    Ok(Box::new(Meter::following(decoder, count)))
}

fn unpacks_to_a_feed(beginning: &[u8]) -> bool {
    let mut decoder = brotli_decompressor::Decompressor::new(beginning, 4096);
    let mut text = [0; 64];
    let read = fill(&mut decoder, &mut text).unwrap_or(0);
    let text = text[..read].trim_ascii_start();
    matches!(text.first(), Some(b'{' | b'['))
        || text.starts_with(b"#model")
        || text.starts_with(b"cve,epss")
}

/// Reads until the buffer is full or the input ends.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests;
