//! How large the parts of an archive or narinfo may be; contents of files are never held whole.

/// Longest file name in bytes, as on Linux.
pub const MAX_NAME: usize = 255;
/// Longest target of a symbolic link in bytes, as on Linux.
pub const MAX_TARGET: usize = 4095;
/// Deepest nesting; a Linux path cannot express more.
pub const MAX_DEPTH: usize = 2048;
/// Most entries that a [`crate::Listing`] holds.
pub const MAX_LISTED: usize = 1 << 22;
/// Largest narinfo in bytes.
pub const MAX_NARINFO: usize = 4 << 20;
/// Longest name of a signing key in bytes.
pub const MAX_KEY_NAME: usize = 255;
