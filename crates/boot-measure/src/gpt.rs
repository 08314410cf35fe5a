//! The partition table as firmware measures it (UEFI_GPT_DATA): header, count, and the entries that are used.

use std::io::{Read, Seek, SeekFrom};

/// Most entries of a table.
const MAX_ENTRIES: u32 = 1024;
/// Longest entry.
const MAX_ENTRY: u32 = 4096;
/// Bytes of the header that are measured.
const HEADER: usize = 92;
/// Sector sizes that are tried.
const SECTORS: [u64; 2] = [512, 4096];

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Its type.
    pub kind: [u8; 16],
    /// Its own GUID.
    pub unique: [u8; 16],
    /// First byte on the disk.
    pub start: u64,
    /// Bytes.
    pub length: u64,
}

/// A table that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpt {
    /// What is measured.
    pub measured: Vec<u8>,
    /// Used partitions, in the table's order.
    pub partitions: Vec<Partition>,
}

/// Why a table can't be read.
#[derive(Debug, thiserror::Error)]
pub enum GptError {
    /// The disk can't be read there.
    #[error("partition table")]
    Read(#[from] std::io::Error),
    /// A field that breaks a rule.
    #[error("partition table: {what} is {found}, {why}")]
    Field {
        /// Which.
        what: &'static str,
        /// What it is.
        found: u64,
        /// The rule.
        why: &'static str,
    },
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

impl Gpt {
    /// Reads the primary table of a disk; none when the disk has none.
    pub fn read(disk: &mut (impl Read + Seek)) -> Result<Option<Gpt>, GptError> {
        for sector in SECTORS {
            let mut header = [0; HEADER];
            disk.seek(SeekFrom::Start(sector))?;
            match disk.read_exact(&mut header) {
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
                result => result?,
            }
            if header.starts_with(b"EFI PART") {
                return table(disk, &header, sector).map(Some);
            }
        }
        Ok(None)
    }
}

fn table(
    disk: &mut (impl Read + Seek),
    header: &[u8; HEADER],
    sector: u64,
) -> Result<Gpt, GptError> {
    let field = |what, found: u64, why| GptError::Field { what, found, why };
    let (count, size) = (u32_at(header, 80), u32_at(header, 84));
    if count > MAX_ENTRIES {
        return Err(field(
            "the count of entries",
            count.into(),
            "more than 1024",
        ));
    }
    if !(128..=MAX_ENTRY).contains(&size) {
        return Err(field(
            "the size of an entry",
            size.into(),
            "not between 128 and 4096",
        ));
    }
    let first = u64_at(header, 72);
    let start = first.checked_mul(sector);
    let start =
        start.ok_or_else(|| field("the place of the entries", first, "outside of any disk"))?;
    let mut bytes = vec![0; (count * size) as usize];
    disk.seek(SeekFrom::Start(start))?;
    disk.read_exact(&mut bytes)?;
    let used: Vec<&[u8]> = bytes
        .chunks_exact(size as usize)
        .filter(|entry| entry[..16] != [0; 16])
        .collect();
    let mut measured = header.to_vec();
    measured.extend((used.len() as u64).to_le_bytes());
    let mut partitions = Vec::new();
    for entry in used {
        measured.extend(entry);
        let (first, last) = (u64_at(entry, 32), u64_at(entry, 40));
        let place = first.checked_mul(sector).zip(
            last.checked_sub(first)
                .and_then(|n| n.checked_add(1))
                .and_then(|n| n.checked_mul(sector)),
        );
        let (start, length) =
            place.ok_or_else(|| field("a partition's end", last, "before its start or outside"))?;
        partitions.push(Partition {
            kind: entry[..16].try_into().expect("sixteen bytes"),
            unique: entry[16..32].try_into().expect("sixteen bytes"),
            start,
            length,
        });
    }
    Ok(Gpt {
        measured,
        partitions,
    })
}
