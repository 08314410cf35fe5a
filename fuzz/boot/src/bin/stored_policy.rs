//! Any bytes as `pcrlock.json` with the place of its policy, and as its credential: what parses is written and parses again as the
//! same, in both forms.
#![no_main]

use boot_policy::StoredPolicy;

/// Far below the length that the parser refuses: writing may be longer than what was read.
const LONGEST: usize = 64 * 1024;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(policy) = StoredPolicy::from_credential(data)
        && data.len() < LONGEST
    {
        let json = policy.to_json().expect("what parsed is written");
        let again = StoredPolicy::from_json(json.as_bytes()).expect("what was written parses");
        assert_eq!(again, policy);
        let credential = policy
            .to_credential("pcrlock.fuzz")
            .expect("what parsed is written");
        let again =
            StoredPolicy::from_credential(credential.as_bytes()).expect("what was written parses");
        assert_eq!(again, policy);
        let _ = policy.layout.digest();
        let _ = policy.layout.rules();
    }
});
