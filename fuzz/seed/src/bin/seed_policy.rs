//! Any text as a policy: no panic, and an accepted policy gives a reason and one pin for every entry.
#![no_main]

use seed_graph::Policy;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(policy) = Policy::parse(text) {
        for allowed in &policy.allow {
            assert!(!allowed.reason.trim().is_empty());
            let pins = [&allowed.hash, &allowed.path, &allowed.host];
            assert_eq!(pins.into_iter().flatten().count(), 1);
        }
    }
});
