//! Any two byte strings as ELF files: no panic, and what is unequal has a difference.
#![no_main]

use seed_proof::compare::compare;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (left, right) = data.split_at(data.len() / 2);
    if let Ok(comparison) = compare(left, right) {
        assert_eq!(comparison.equal, left == right);
        assert!(comparison.equal || comparison.total > 0);
    }
});
