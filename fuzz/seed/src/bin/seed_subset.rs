//! Any bytes as a program of the subset: no panic, no deep recursion.
#![no_main]

use seed_proof::subset::{Source, check};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = check(&[Source { name: "fuzzed", text: data }]);
});
