//! Any bytes as pull requests in GitHub's shape. Invariant: read or refused, never a panic; nobody backports itself.
#![no_main]

use tracker_landing::request;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(read) = request::read(data) {
        for pull in read.requests {
            assert!(!pull.backport_of.contains(&pull.number));
        }
    }
});
