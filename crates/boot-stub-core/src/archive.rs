//! Archives of files for the initial file system (`cpio`, the "new ASCII" form of the kernel's `initramfs` documentation),
//! byte for byte as systemd's stub writes them, since they are measured.

use alloc::vec::Vec;
use core::fmt;

/// Most bytes of all files of an archive together.
pub const MAX_ARCHIVE: usize = 1 << 30;

/// Modes of a directory and of the files in it, without the type bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Modes {
    /// Of the directory.
    pub directory: u32,
    /// Of each file.
    pub file: u32,
}

impl Modes {
    /// Readable by everybody.
    pub const PUBLIC: Modes = Modes {
        directory: 0o555,
        file: 0o444,
    };
    /// Readable by root alone.
    pub const SECRET: Modes = Modes {
        directory: 0o500,
        file: 0o400,
    };
}

/// An archive would be larger than [`MAX_ARCHIVE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the files beside the image have more than {MAX_ARCHIVE} bytes"
        )
    }
}

impl core::error::Error for TooLarge {}

/// An archive of these files (name and content) in `directory`, such as `.extra/credentials`. Directories above it are made
/// with mode 0555.
pub fn archive<'a>(
    directory: &str,
    modes: Modes,
    files: impl Iterator<Item = (&'a str, &'a [u8])> + Clone,
) -> Result<Vec<u8>, TooLarge> {
    // A record is a header of 110 bytes, a name, and padding twice.
    let room = |(name, data): (&str, &[u8])| 120 + directory.len() + name.len() + data.len();
    let mut size = 1024_usize;
    for file in files.clone() {
        size = size
            .checked_add(room(file))
            .filter(|size| *size <= MAX_ARCHIVE)
            .ok_or(TooLarge)?;
    }
    let mut writer = Writer {
        bytes: Vec::with_capacity(size),
        inode: 1,
    };
    for (at, _) in directory.match_indices('/') {
        writer.record(&[&directory[..at]], 0o040_555, &[]);
    }
    writer.record(&[directory], 0o040_000 | modes.directory, &[]);
    for (name, data) in files {
        writer.record(&[directory, "/", name], 0o100_000 | modes.file, data);
    }
    writer.end();
    Ok(writer.bytes)
}

/// An archive of these records, in this order: path without a slash before it, type and mode, content (of a file, or the
/// target of a link). Numbers of inodes count up, times and owners are zero, so that the same records give the same bytes.
pub fn tree<'a>(
    records: impl Iterator<Item = (&'a str, u32, &'a [u8])> + Clone,
) -> Result<Vec<u8>, TooLarge> {
    let mut size = 1024_usize;
    for (path, _, data) in records.clone() {
        size = size
            .checked_add(120 + path.len())
            .and_then(|size| size.checked_add(data.len()))
            .filter(|size| *size <= MAX_ARCHIVE)
            .ok_or(TooLarge)?;
    }
    let mut writer = Writer {
        bytes: Vec::with_capacity(size),
        inode: 1,
    };
    for (path, mode, data) in records {
        writer.record(&[path], mode, data);
    }
    writer.end();
    Ok(writer.bytes)
}

struct Writer {
    bytes: Vec<u8>,
    inode: u32,
}

impl Writer {
    fn record(&mut self, name: &[&str], mode: u32, data: &[u8]) {
        let length: usize = name.iter().map(|part| part.len()).sum();
        self.header([
            self.inode,
            mode,
            0,
            0,
            1,
            0,
            data.len() as u32,
            0,
            0,
            0,
            0,
            length as u32 + 1,
            0,
        ]);
        self.inode += 1;
        for part in name {
            self.bytes.extend_from_slice(part.as_bytes());
        }
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(data);
        self.pad();
    }

    fn header(&mut self, fields: [u32; 13]) {
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            for shift in (0..8).rev() {
                let digit = (field >> (4 * shift) & 0xf) as usize;
                self.bytes.push(b"0123456789abcdef"[digit]);
            }
        }
    }

    /// The record that ends an archive; the length of its name is written in capitals by systemd, and so here.
    fn end(&mut self) {
        self.bytes.extend_from_slice(b"070701");
        self.bytes.extend_from_slice(&[b'0'; 4 * 8]);
        self.bytes.extend_from_slice(b"00000001");
        self.bytes.extend_from_slice(&[b'0'; 6 * 8]);
        self.bytes.extend_from_slice(b"0000000B");
        self.bytes.extend_from_slice(&[b'0'; 8]);
        self.bytes.extend_from_slice(b"TRAILER!!!\0");
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}
