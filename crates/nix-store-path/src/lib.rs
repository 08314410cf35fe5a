//! Hashes, Nix base32 and store paths. Layer: ground floor, pure.
