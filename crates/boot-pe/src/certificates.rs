//! The certificate table at the end of a signed image: reading its entries, replacing them, and the file's checksum.

use crate::bytes::Bytes;
use crate::{Error, Image, Result};

/// More signatures than any boot file carries.
pub const MAX_CERTIFICATES: usize = 64;
/// `WIN_CERT_TYPE_PKCS_SIGNED_DATA`.
const TYPE_PKCS: u16 = 0x0002;
/// `WIN_CERT_REVISION_2_0`.
const REVISION: u16 = 0x0200;
/// Length of the `WIN_CERTIFICATE` header.
const HEADER: u64 = 8;

/// One `WIN_CERTIFICATE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificateEntry<'a> {
    /// Where it starts in the file.
    pub offset: u64,
    /// 0x0200 in all known files.
    pub revision: u16,
    /// 0x0002 for PKCS signed data, 0x0ef1 for a GUID certificate.
    pub kind: u16,
    /// The content without header; for PKCS the DER `ContentInfo`, perhaps with padding behind it.
    pub data: &'a [u8],
}

impl CertificateEntry<'_> {
    /// True for the type that Authenticode uses.
    pub fn is_authenticode(&self) -> bool {
        self.kind == TYPE_PKCS
    }
}

impl<'a> Image<'a> {
    /// The entries of the certificate table, in file order.
    pub fn certificates(&self) -> Result<Vec<CertificateEntry<'a>>> {
        let Some(table) = self.certificate_table() else {
            return Ok(Vec::new());
        };
        let file = Bytes(self.bytes);
        let start = u64::from(table.address);
        let end = start + u64::from(table.size);
        file.get(start, table.size.into(), "certificate table")?;
        let mut entries = Vec::new();
        let mut at = start;
        while at < end {
            if entries.len() == MAX_CERTIFICATES {
                return Err(Error::Limit {
                    what: "count of signatures",
                    found: entries.len() as u64 + 1,
                    limit: MAX_CERTIFICATES as u64,
                });
            }
            let length = u64::from(file.u32(at, "certificate entry")?);
            if length < HEADER || length > end - at {
                return Err(Error::Field {
                    what: "certificate entry length",
                    offset: at,
                    found: length,
                    why: "it is shorter than its header or longer than the rest of the table",
                });
            }
            entries.push(CertificateEntry {
                offset: at,
                revision: file.u16(at + 4, "certificate entry")?,
                kind: file.u16(at + 6, "certificate entry")?,
                data: file.get(at + HEADER, length - HEADER, "certificate entry")?,
            });
            at += length.next_multiple_of(8);
        }
        Ok(entries)
    }
}

/// Appends zeros until the length is a multiple of eight, as signing needs; signers hash the padded file.
pub fn pad(file: &mut Vec<u8>) {
    file.resize(file.len().next_multiple_of(8), 0);
}

/// Replaces the certificate table by one entry for each of `signatures` (DER of a PKCS#7 `ContentInfo`); none strips the
/// file. The file must be padded ([`pad`]) if it is not signed yet, and its present table, if any, must be its end and lie
/// behind the headers and all sections.
pub fn replace_certificates(file: &mut Vec<u8>, signatures: &[&[u8]]) -> Result<()> {
    let image = Image::parse(file)?;
    let entry = image
        .certificate_directory_offset()
        .ok_or_else(|| Error::Field {
            what: "count of data directories",
            offset: u64::from(image.pe_offset) + 24 + 108,
            found: image.directories.len() as u64,
            why: "there is no room for a certificate table entry",
        })?;
    let checksum_at = image.checksum_offset() as usize;
    let body = match image.certificate_table() {
        Some(table) => {
            let end = u64::from(table.address) + u64::from(table.size);
            if end != file.len() as u64 {
                return Err(Error::Field {
                    what: "certificate table",
                    offset: entry,
                    found: end,
                    why: "it does not end where the file ends, so it can't be replaced without moving data",
                });
            }
            if u64::from(table.address) < image.content_end() {
                return Err(Error::Field {
                    what: "certificate table",
                    offset: entry,
                    found: table.address.into(),
                    why: "it overlaps the headers or a section, which replacing it would destroy",
                });
            }
            table.address as usize
        }
        None => file.len(),
    };
    if !signatures.is_empty() && !body.is_multiple_of(8) {
        return Err(Error::Field {
            what: "file length",
            offset: body as u64,
            found: body as u64,
            why: "a certificate table must start at a multiple of eight; pad the file before hashing it",
        });
    }
    file.truncate(body);
    for data in signatures {
        let length = u32::try_from(data.len() + HEADER as usize)
            .map_err(|_| too_long(data.len()))?
            .next_multiple_of(8);
        file.extend_from_slice(&length.to_le_bytes());
        file.extend_from_slice(&REVISION.to_le_bytes());
        file.extend_from_slice(&TYPE_PKCS.to_le_bytes());
        file.extend_from_slice(data);
        pad(file);
    }
    let total = u32::try_from(file.len() - body).map_err(|_| too_long(file.len()))?;
    let start = u32::try_from(body).map_err(|_| too_long(file.len()))?;
    let start = if total == 0 { 0 } else { start };
    let entry = entry as usize;
    file[entry..entry + 4].copy_from_slice(&start.to_le_bytes());
    file[entry + 4..entry + 8].copy_from_slice(&total.to_le_bytes());
    let sum = checksum(file, checksum_at);
    file[checksum_at..checksum_at + 4].copy_from_slice(&sum.to_le_bytes());
    Ok(())
}

fn too_long(found: usize) -> Error {
    Error::Limit {
        what: "signed file size",
        found: found as u64,
        limit: u32::MAX.into(),
    }
}

/// The PE checksum of `file`: 16-bit one's complement sum without the checksum field at `field`, plus the length.
pub fn checksum(file: &[u8], field: usize) -> u32 {
    // Sums four bytes at a time: 2^16 is 1 modulo 2^16 - 1, so halves may be folded at the end.
    let words = |part: &[u8]| -> u64 {
        let (quads, rest) = part.as_chunks::<4>();
        let body: u64 = quads
            .iter()
            .map(|quad| u64::from(u32::from_le_bytes(*quad)))
            .sum();
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        body + u64::from(u32::from_le_bytes(last))
    };
    // The field is at a multiple of two in every file that firmware loads; an odd place is summed byte-wise right too,
    // because the bytes before it are then padded to a whole word.
    let mut sum =
        words(&file[..field.min(file.len())]) + words(file.get(field + 4..).unwrap_or(&[]));
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (sum as u32).wrapping_add(file.len() as u32)
}
