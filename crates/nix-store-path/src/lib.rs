//! Hashes, their encodings, and store paths: the vocabulary of everything that touches Nix.
//! Layer: ground floor, pure (no I/O, no async, no `unsafe`).
//!
//! Invariants: a [`StorePath`], [`Name`], [`StoreDir`] or [`struct@Hash`] that exists is valid; parsing is the only
//! way from foreign text, and every error names the text and the offset of what is wrong.
//!
//! # The formats, well enough to implement from
//! Source: the Nix manual, chapters "Store Path", "Content-addressing store objects" and "Complete Store Path
//! Calculation"; checked against nix 2.8 in the peer tests of `nix-archive`.
//!
//! **Nix base32** ([`encoding`]) reads a byte string as one little-endian number and writes its base-32 digits,
//! most significant first, in the alphabet `0123456789abcdfghijklmnpqrsvwxyz` (no `e`, `o`, `t`, `u`). `n` bytes
//! give `ceil(8n/5)` digits: 20 bytes 32, 32 bytes 52. Unused high bits of the first digit must be zero.
//!
//! **Hash text** ([`struct@Hash`]): `ALGO:DIGITS` where the number of digits tells base16, base32 or base64; or SRI,
//! `ALGO-BASE64`. Algorithms: md5, sha1, sha256, sha512, blake3.
//!
//! **Store path** ([`StorePath`]): `STOREDIR/DIGEST-NAME`; DIGEST is 20 bytes in base32, NAME 1 to 211
//! characters of `[0-9A-Za-z+-._?=]`, and neither `.`, `..`, nor starting with `.-` or `..-`.
//!
//! **Computed paths** ([`computed`]): DIGEST is the first-20-byte fold (`out[i % 20] ^= in[i]`) of the SHA-256
//! of the fingerprint `TYPE:sha256:HEX:STOREDIR:NAME`, where HEX is the base16 *inner digest*:
//!
//! | object | TYPE | inner digest |
//! |---|---|---|
//! | text file, `.drv` | `text:REF:REF...` | SHA-256 of the bytes |
//! | source tree, NAR + SHA-256 | `source:REF...[:self]` | SHA-256 of the NAR |
//! | other fixed output | `output:out` | SHA-256 of `fixed:out:[r:\|git:]ALGO:HEX:` |
//! | output ID of a derivation | `output:ID` | hash of the derivation modulo fixed outputs |
//!
//! References are whole store paths, sorted.

mod content_address;
mod error;
mod hash;
mod name;
mod path;

pub mod computed;
pub mod encoding;

pub use content_address::{ContentAddress, Method};
pub use error::Error;
pub use hash::{Algorithm, Hash, Hasher};
pub use name::{MAX_NAME, Name};
pub use path::{DERIVATION_SUFFIX, DIGEST_LEN, StoreDir, StorePath};

#[cfg(test)]
mod tests;
