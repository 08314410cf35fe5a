//! Any bytes as a boot file under review: rules and answers without a panic.
#![no_main]

use jiff::Timestamp;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = boot_review::lint(data, &boot_review::current_level(), Timestamp::UNIX_EPOCH);
    let _ = boot_review::questionnaire(data);
});
