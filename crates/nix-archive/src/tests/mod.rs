//! Unit and property tests; the comparison with nix itself is in `tests/peer`.

mod archive;
mod narinfo;
mod references;
mod tree;
