//! Any bytes as a derivation graph. Invariant: read or refused; joining it counts no package as its own dependent.
#![no_main]

use tracker_inventory::{Derivations, Package};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(graph) = Derivations::read(data) {
        let mut packages: Vec<Package> = ["a", "b", "c"]
            .iter()
            .map(|name| Package {
                attribute: (*name).to_owned(),
                derivation: Some((*name).to_owned()),
                output: Some(format!("o{name}")),
                ..Package::default()
            })
            .collect();
        let found = graph.join(&mut packages);
        assert!(
            packages
                .iter()
                .filter_map(|p| p.dependents)
                .all(|n| (n as usize) < found.max(1))
        );
    }
});
