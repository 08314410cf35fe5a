//! The Authenticode image hash: which ranges of the file it covers, in which order.
//!
//! The ranges are those of EDK II's `HashPeImage`, which differs from the specification's prose in one point that matters
//! for odd files: bytes after the sections are taken from *the sum of the hashed lengths* on, not from the end of the last
//! section. For files without gaps both agree.

use crate::{Error, Image, Result};
use sha2::Digest;
use std::ops::Range;

/// The parts of the file that the image hash covers, in hashing order; checksum, certificate directory entry and
/// certificate table are left out.
pub fn hashed_ranges(image: &Image<'_>) -> Result<Vec<Range<usize>>> {
    let size = image.bytes.len();
    let headers = image.size_of_headers as usize;
    let checksum = image.checksum_offset() as usize;
    let mut ranges = Vec::with_capacity(image.sections.len() + 4);
    ranges.push(0..checksum);
    match image.certificate_directory_offset() {
        Some(entry) => {
            ranges.push(checksum + 4..entry as usize);
            ranges.push(entry as usize + 8..headers);
        }
        None => ranges.push(checksum + 4..headers),
    }
    let mut sections: Vec<_> = image.sections.iter().filter(|s| s.raw_size > 0).collect();
    sections.sort_by_key(|section| section.raw_offset);
    let mut hashed = headers;
    for section in sections {
        ranges.push(section.raw_offset as usize..section.raw_end() as usize);
        hashed += section.raw_size as usize;
    }
    let certificates = image.certificate_table().map_or(0, |d| d.size as usize);
    if certificates > 0 && hashed + certificates > size {
        return Err(Error::Field {
            what: "certificate table size",
            offset: image.certificate_directory_offset().unwrap_or_default() + 4,
            found: certificates as u64,
            why: "headers, sections and certificates together are longer than the file",
        });
    }
    if hashed < size - certificates {
        ranges.push(hashed..size - certificates);
    }
    Ok(ranges)
}

impl Image<'_> {
    /// The Authenticode hash of the file as it is; signed or not gives the same value when the unsigned file's length is a
    /// multiple of eight (signing pads it, and the padding is hashed).
    pub fn authenticode<D: Digest>(&self) -> Result<Vec<u8>> {
        let mut hash = D::new();
        for range in hashed_ranges(self)? {
            hash.update(&self.bytes[range]);
        }
        Ok(hash.finalize().to_vec())
    }
}
