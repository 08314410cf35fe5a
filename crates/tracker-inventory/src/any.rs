//! Which reader a package list is for: its first character and its first object say it.
//!
//! Invariant: the error of a list that none reads is that of the reader which got furthest.

use crate::debian::Debian;
use crate::error::InventoryError;
use crate::evaluation::EvaluationJobs;
use crate::inventory::{Header, Inventory};
use crate::nixpkgs::{NixEnv, Nixpkgs};
use crate::package::Package;
use crate::plain::PlainList;
use std::io::{self, Read};

/// Reads a list in any of the formats; `open` opens it (decompressed) from its beginning each time.
///
/// # Errors
/// When none of the readers can read it as a whole.
pub fn read_any<R: Read>(
    mut open: impl FnMut() -> io::Result<R>,
) -> Result<(Header, Vec<Package>), InventoryError> {
    let mut start = [0; 256];
    let length = fill(&mut open().map_err(InventoryError::Read)?, &mut start)?;
    let first = start[..length]
        .iter()
        .find(|byte| !byte.is_ascii_whitespace());
    let readers: &[&dyn Inventory] = match first {
        Some(b'{') => &[&Nixpkgs, &EvaluationJobs, &NixEnv],
        Some(b'[') => &[&PlainList],
        Some(first) if first.is_ascii_alphabetic() => &[&Debian],
        _ => &[&Nixpkgs],
    };
    let (last, others) = readers.split_last().expect("every list has a reader");
    for reader in others {
        match reader.read_all(&mut open().map_err(InventoryError::Read)?) {
            Err(InventoryError::Kind { .. }) => {}
            other => return other,
        }
    }
    let (header, packages) = last.read_all(&mut open().map_err(InventoryError::Read)?)?;
    // Objects of anything look like the last resort's format; one without a single package is none.
    if packages.is_empty() && header.rejected_count > 0 {
        return Err(InventoryError::Kind {
            expected: "a list of packages",
            found: format!("{} entries, none of them a package", header.rejected_count),
        });
    }
    Ok((header, packages))
}

/// Reads until the buffer is full or the input ends.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> Result<usize, InventoryError> {
    let mut length = 0;
    while length < buffer.len() {
        match input.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(InventoryError::from_read(error)),
        }
    }
    Ok(length)
}
