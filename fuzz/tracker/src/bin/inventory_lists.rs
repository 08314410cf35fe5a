//! Any bytes as a package list, however compressed. Invariant: read or refused, never a panic; attributes are unique.
#![no_main]

use std::collections::HashSet;
use tracker_inventory::{Inventory, Nixpkgs, PlainList, open_limited};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    for inventory in [&Nixpkgs as &dyn Inventory, &PlainList] {
        let Ok(mut input) = open_limited(data, 1 << 20) else {
            continue;
        };
        if let Ok((header, packages)) = inventory.read_all(&mut input) {
            assert_eq!(header.packages, packages.len());
            let mut seen = HashSet::new();
            assert!(
                packages
                    .iter()
                    .all(|package| seen.insert(&package.attribute))
            );
        }
    }
});
