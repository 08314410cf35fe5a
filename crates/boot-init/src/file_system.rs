//! What a device's first bytes say about the file system on it: kind, UUID and label.
//!
//! Invariant: two kinds that could be meant are none: what an earlier file system left behind must not be taken for the root.
//!
//! Sources: the kernel's documentation of ext4, XFS, F2FS and EROFS, and btrfs's of its on-disk format.

use std::io::{self, Read, Seek, SeekFrom};

/// Bytes that are looked at: btrfs says it last, behind 64 KiB.
pub const LOOKED_AT: usize = (64 << 10) + 4096;

/// A file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSystem {
    /// Its kind, as `rootfstype=` has it.
    pub kind: &'static str,
    /// Its UUID, in lower case.
    pub uuid: String,
    /// Its label, where it has one.
    pub label: Option<String>,
}

/// Where a kind keeps what.
struct Form {
    kind: &'static str,
    magic: (usize, &'static [u8]),
    uuid: usize,
    /// Where it is, and its most bytes.
    label: (usize, usize),
    /// True when it is UTF-16 in little-endian order.
    wide: bool,
}

const EXT: usize = 1024;
const BTRFS: usize = 64 << 10;

const FORMS: [Form; 5] = [
    Form {
        kind: "ext4",
        magic: (EXT + 0x38, &[0x53, 0xef]),
        uuid: EXT + 0x68,
        label: (EXT + 0x78, 16),
        wide: false,
    },
    Form {
        kind: "xfs",
        magic: (0, b"XFSB"),
        uuid: 32,
        label: (108, 12),
        wide: false,
    },
    Form {
        kind: "btrfs",
        magic: (BTRFS + 0x40, b"_BHRfS_M"),
        uuid: BTRFS + 0x20,
        label: (BTRFS + 0x12b, 256),
        wide: false,
    },
    Form {
        kind: "f2fs",
        magic: (EXT, &[0x10, 0x20, 0xf5, 0xf2]),
        uuid: EXT + 108,
        label: (EXT + 124, 1024),
        wide: true,
    },
    Form {
        kind: "erofs",
        magic: (EXT, &[0xe2, 0xe1, 0xf5, 0xe0]),
        uuid: EXT + 48,
        label: (EXT + 64, 16),
        wide: false,
    },
];

/// Sixteen bytes as UUIDs are written.
pub(crate) fn uuid_text(bytes: &[u8; 16]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn label(bytes: &[u8], wide: bool) -> Option<String> {
    let text = if wide {
        let (pairs, _) = bytes.as_chunks::<2>();
        let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
        let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
        String::from_utf16(&units).ok()?
    } else {
        let end = bytes.iter().position(|byte| *byte == 0);
        let bytes = &bytes[..end.unwrap_or(bytes.len())];
        std::str::from_utf8(bytes).ok()?.to_owned()
    };
    (!text.is_empty()).then_some(text)
}

impl Form {
    fn read(&self, bytes: &[u8]) -> Option<FileSystem> {
        let part = |at: usize, length: usize| bytes.get(at..)?.get(..length);
        let (at, magic) = self.magic;
        if part(at, magic.len())? != magic {
            return None;
        }
        let uuid = part(self.uuid, 16)?.try_into().ok()?;
        let (at, length) = self.label;
        Some(FileSystem {
            kind: self.kind,
            uuid: uuid_text(uuid),
            label: label(part(at, length)?, self.wide),
        })
    }
}

impl FileSystem {
    /// Reads the first [`LOOKED_AT`] bytes of a device, or fewer of a smaller one. None where it holds no file system that is
    /// known here, or more than one.
    pub fn read(bytes: &[u8]) -> Option<FileSystem> {
        let mut found = FORMS.iter().filter_map(|form| form.read(bytes));
        let one = found.next()?;
        found.next().is_none().then_some(one)
    }

    /// The one on a device.
    ///
    /// # Errors
    /// When the device can't be read.
    pub fn of(device: &mut (impl Read + Seek)) -> io::Result<Option<FileSystem>> {
        let mut bytes = Vec::with_capacity(LOOKED_AT);
        device.seek(SeekFrom::Start(0))?;
        device.take(LOOKED_AT as u64).read_to_end(&mut bytes)?;
        Ok(FileSystem::read(&bytes))
    }
}
