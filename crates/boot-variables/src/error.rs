//! What can be wrong with variables and lists; each variant names the place.

/// Why variable data could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Data ends inside a structure.
    #[error("{what} at offset {offset:#x} needs {needed} bytes, {left} are left")]
    Truncated {
        /// The structure.
        what: &'static str,
        /// Where it starts.
        offset: usize,
        /// Its length.
        needed: usize,
        /// What there is.
        left: usize,
    },
    /// A value that breaks a rule.
    #[error("{what} at offset {offset:#x}: {why}")]
    Invalid {
        /// The structure.
        what: &'static str,
        /// Where it stands.
        offset: usize,
        /// The rule.
        why: &'static str,
    },
    /// More than is read.
    #[error("{what} is {found}, more than the limit of {limit}")]
    Limit {
        /// What is counted.
        what: &'static str,
        /// What there is.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// A text that is no GUID.
    #[error("`{text}` is not a GUID such as d719b2cb-3d3a-4596-a3bc-dad00e67656f")]
    Guid {
        /// The text.
        text: String,
    },
    /// A signature could not be made or read.
    #[error(transparent)]
    Signature(#[from] boot_signature::Error),
    /// SBAT data of a machine or of shim is malformed.
    #[error(transparent)]
    Image(#[from] boot_pe::Error),
}

/// `length` bytes from `offset`.
pub(crate) fn take<'a>(
    bytes: &'a [u8],
    offset: usize,
    length: usize,
    what: &'static str,
) -> crate::Result<&'a [u8]> {
    let left = bytes.len().saturating_sub(offset);
    if length > left {
        return Err(Error::Truncated {
            what,
            offset,
            needed: length,
            left,
        });
    }
    Ok(&bytes[offset..offset + length])
}

/// A little-endian number of four bytes.
pub(crate) fn u32_at(bytes: &[u8], offset: usize, what: &'static str) -> crate::Result<usize> {
    let four = take(bytes, offset, 4, what)?;
    Ok(u32::from_le_bytes(four.try_into().expect("four bytes were taken")) as usize)
}
