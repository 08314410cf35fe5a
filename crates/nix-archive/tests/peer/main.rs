//! The peer tests of the ground floor: everything that Debian's nix 2.8 can compute or check is compared with
//! it, in a private store of its own. Invariant: a missing `nix` fails these tests; none is passed over.

#![expect(
    clippy::unwrap_used,
    reason = "every file here is a test or its helper"
)]

mod archives;
mod derivations;
mod nix;
mod paths;
mod signatures;
