//! Any bytes as a list in whichever format they look like, seeded with Debian's, Guix's and the evaluators'.
//! Invariant: read or refused, never a panic; attributes are unique.
#![no_main]

use std::collections::HashSet;
use tracker_inventory::{StorePaths, open_limited, read_any};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok((header, mut packages)) = read_any(|| open_limited(data, 1 << 20)) {
        assert_eq!(header.packages, packages.len());
        let mut seen = HashSet::new();
        assert!(
            packages
                .iter()
                .all(|package| seen.insert(package.attribute.clone()))
        );
        if let Ok(mut input) = open_limited(data, 1 << 20)
            && let Ok(paths) = StorePaths::read(&mut input)
        {
            assert!(paths.join(&mut packages) <= packages.len());
        }
    }
});
