//! Where the real data lies and how to open it: shared by the tests of this package, one file an area.
//!
//! `ROOTSTOCK_DATA` names the folder (`./test data` sets it). Invariant: a test here fails when the data is
//! absent; deciding whether to run at all is the stage's job, never a test's.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

/// The path of a file of the real data, relative to its root.
///
/// # Panics
/// When `ROOTSTOCK_DATA` is not set: these tests are run by `./test data`.
pub fn path(relative: &str) -> PathBuf {
    let root = std::env::var_os("ROOTSTOCK_DATA")
        .expect("ROOTSTOCK_DATA names the real data's folder; run these tests by ./test data");
    PathBuf::from(root).join(relative)
}

/// Opens a `.zst` file of the data; its frames need a window of 27 bits.
///
/// # Panics
/// When the file is absent or is no zstd stream.
pub fn open_zstd(relative: &str) -> impl BufRead {
    let path = path(relative);
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut decoder = zstd::Decoder::new(file).expect("a zstd stream");
    decoder
        .window_log_max(27)
        .expect("27 bits are within zstd's limit");
    BufReader::with_capacity(1 << 20, decoder)
}
