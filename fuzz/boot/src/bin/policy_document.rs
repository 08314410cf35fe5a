//! Any bytes as `.pcrsig` JSON: what parses is written and parses again as the same.
#![no_main]

use boot_policy::SignedPolicies;

/// Far below the length that the parser refuses: writing adds a line end.
const LONGEST: usize = 64 * 1024;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(policies) = SignedPolicies::from_json(data)
        && data.len() < LONGEST
    {
        let json = policies.to_json().expect("what parsed is written");
        let again = SignedPolicies::from_json(json.as_bytes()).expect("what was written parses");
        assert_eq!(again, policies);
    }
});
