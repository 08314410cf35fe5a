//! The binary header, of which a volume has two (specification, 2.1).
//!
//! Invariant: a header is believed only when its checksum over itself and its metadata is right.

use crate::Metadata;
use sha2::{Digest, Sha256};

/// Size of the binary part; the metadata follow.
pub(crate) const BINARY: usize = 4096;
/// Largest header, with its metadata.
pub const MAX_HEADER: usize = 4 << 20;
/// Size of a sector of the keyslots' areas.
pub const SECTOR: usize = 512;

/// Where a header's second copy may begin: the sizes that a header may have.
pub(crate) const SIZES: [u64; 9] = [
    0x4000, 0x8000, 0x1_0000, 0x2_0000, 0x4_0000, 0x8_0000, 0x10_0000, 0x20_0000, 0x40_0000,
];

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copy {
    Primary,
    Secondary,
}

impl Copy {
    fn magic(self) -> &'static [u8; 6] {
        match self {
            Copy::Primary => b"LUKS\xba\xbe",
            Copy::Secondary => b"SKUL\xba\xbe",
        }
    }

    /// Where it stands, by the size of a header.
    pub(crate) fn place(self, size: u64) -> u64 {
        match self {
            Copy::Primary => 0,
            Copy::Secondary => size,
        }
    }
}

/// What of a header is not metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// Size with the metadata.
    pub(crate) size: u64,
    /// Counts changes.
    pub(crate) sequence: u64,
    /// The rest as it is: label, UUID, subsystem.
    raw: Vec<u8>,
}

/// Fields' places.
const SIZE: std::ops::Range<usize> = 8..16;
const SEQUENCE: std::ops::Range<usize> = 16..24;
const ALGORITHM: std::ops::Range<usize> = 72..104;
const SALT: std::ops::Range<usize> = 104..168;
const OFFSET: std::ops::Range<usize> = 256..264;
const CHECKSUM: std::ops::Range<usize> = 448..512;

fn number(bytes: &[u8], at: std::ops::Range<usize>) -> u64 {
    u64::from_be_bytes(bytes[at].try_into().expect("ranges of eight bytes"))
}

fn checksum(bytes: &[u8]) -> [u8; 32] {
    let mut state = Sha256::new();
    state.update(&bytes[..CHECKSUM.start]);
    state.update([0; 64]);
    state.update(&bytes[CHECKSUM.end..]);
    state.finalize().into()
}

impl Header {
    /// The size that a binary header claims, before the metadata are there to check it.
    pub(crate) fn claimed_size(binary: &[u8], copy: Copy) -> Result<u64, &'static str> {
        if binary.len() < BINARY {
            return Err("it ends early");
        }
        if &binary[..6] != copy.magic() {
            return Err("there is none");
        }
        if binary[6..8] != [0, 2] {
            return Err("it is not of version 2");
        }
        let size = number(binary, SIZE);
        if SIZES.contains(&size) {
            Ok(size)
        } else {
            Err("its size is none of those that the format allows")
        }
    }

    /// Reads a whole header, from the place where it stands.
    pub(crate) fn read(
        bytes: &[u8],
        copy: Copy,
        place: u64,
    ) -> Result<(Header, Metadata), &'static str> {
        let size = Header::claimed_size(bytes, copy)?;
        if usize::try_from(size).ok() != Some(bytes.len()) {
            return Err("it ends early");
        }
        if number(bytes, OFFSET) != place {
            return Err("it says that it stands elsewhere");
        }
        let algorithm = &bytes[ALGORITHM];
        let end = algorithm.iter().position(|byte| *byte == 0).unwrap_or(32);
        if &algorithm[..end] != b"sha256" {
            return Err("its checksum is not SHA-256");
        }
        if checksum(bytes)[..] != bytes[CHECKSUM][..32] {
            return Err("its checksum is wrong");
        }
        let json = &bytes[BINARY..];
        let end = json
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(json.len());
        let metadata = Metadata::from_json(&json[..end]);
        let metadata = metadata.map_err(|_| "its metadata are no JSON of the format")?;
        let header = Header {
            size,
            sequence: number(bytes, SEQUENCE),
            raw: bytes[..BINARY].to_vec(),
        };
        Ok((header, metadata))
    }

    /// Writes a whole copy for its place; none when the metadata do not fit.
    pub(crate) fn write(&self, copy: Copy, metadata: &Metadata) -> Option<Vec<u8>> {
        let mut bytes = self.raw.clone();
        bytes[..6].copy_from_slice(copy.magic());
        bytes[SIZE].copy_from_slice(&self.size.to_be_bytes());
        bytes[SEQUENCE].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[OFFSET].copy_from_slice(&copy.place(self.size).to_be_bytes());
        // Two copies of the same contents must not be the same bytes.
        getrandom::fill(&mut bytes[SALT]).expect("the system gives random bytes");
        let json = metadata.to_json();
        let size = usize::try_from(self.size).expect("a size of the list");
        // A zero ends the text.
        if BINARY + json.len() >= size {
            return None;
        }
        bytes.extend(json.into_bytes());
        bytes.resize(size, 0);
        bytes[CHECKSUM].fill(0);
        let sum = checksum(&bytes);
        bytes[CHECKSUM][..32].copy_from_slice(&sum);
        Some(bytes)
    }

    /// The volume's UUID.
    pub(crate) fn uuid(&self) -> String {
        let field = &self.raw[168..208];
        let end = field
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(field.len());
        String::from_utf8_lossy(&field[..end]).into_owned()
    }
}
