//! NAR archives, narinfo files, signatures and references. Layer: ground floor, pure over [`std::io`] streams;
//! only [`tree`] touches a file system.
//!
//! Invariants: no file's contents are ever held whole; every length is checked against [`limits`] before it is
//! believed; what [`Reader`] accepts, [`Writer`] writes back byte for byte; [`tree::restore`] creates everything
//! anew, so no link, in the archive or beside it, can lead it out of its target.
//!
//! # The NAR format, well enough to implement from
//! Source: the Nix manual, "Nix Archive (NAR) format"; checked against nix 2.8.
//!
//! ```text
//! nar    := str("nix-archive-1") node
//! node   := str("(") str("type") body str(")")
//! body   := str("regular") [ str("executable") str("") ] str("contents") str(BYTES)
//!         | str("symlink") str("target") str(BYTES)
//!         | str("directory") { str("entry") str("(") str("name") str(NAME) str("node") node str(")") }
//! str(s) := length of s as 64-bit little-endian, s, zero bytes up to a multiple of 8
//! ```
//! Entries are in strictly ascending byte order. NAME is not empty, `.` or `..` and has no `/` or NUL byte.
//! Nothing else of a file is kept: no owner, time or permission beyond the executable bit of the owner.
//!
//! **Case**: on file systems that ignore case, Nix appends `~nix~case~hack~N` to names that differ from an
//! earlier one by case only, and strips it when archiving; [`tree::Case`] does the same.
//!
//! **narinfo** ([`NarInfo`]): lines `Key: value`: StorePath, URL, Compression, FileHash, FileSize, NarHash,
//! NarSize, References (base names, separated by spaces), Deriver, System, any number of Sig, CA. A signature is
//! `KEYNAME:BASE64` over the fingerprint `1;PATH;NARHASH;NARSIZE;REFERENCES`, where PATH and REFERENCES are whole
//! paths (references separated by commas, sorted) and NARHASH is `sha256:BASE32`. Keys are `KEYNAME:BASE64`:
//! ed25519, 32 bytes public; secret is the 32-byte seed and the public key.
//!
//! **References** ([`Scanner`]) are found by the 32 base32 digits of each candidate's digest, anywhere in the
//! NAR's bytes.

mod error;
mod hashing;
mod keys;
mod listing;
mod narinfo;
mod read;
mod references;
mod write;

pub mod limits;
pub mod tree;

pub use error::Error;
pub use hashing::{HashWriter, Summary, hash};
pub use keys::{KeyError, PublicKey, SecretKey, Signature};
pub use listing::{Listing, list};
pub use narinfo::{NarInfo, NarInfoError};
pub use read::{Event, Reader};
pub use references::{Scanner, SelfHash};
pub use write::Writer;

#[cfg(test)]
mod tests;
