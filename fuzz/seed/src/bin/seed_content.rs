//! Any bytes as a file of any kind, archives included: looking at them never panics and stays within its budget.
#![no_main]

use seed_graph::content::{Budget, Classifier};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let budget = Budget { depth: 3, members: 1000, bytes: 1 << 20 };
    let mut classifier = Classifier::new(budget);
    classifier.file("fuzzed", &mut &data[..]);
    let content = classifier.finish();
    let total: u64 = content.classes.values().map(|share| share.bytes).sum();
    assert!(total <= budget.bytes, "{total} bytes were counted");
});
