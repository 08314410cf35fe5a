//! Any bytes as a channel's packages.json, the source of declared provenance: no panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = seed_graph::Declarations::read(data);
});
