//! Any bytes as signature lists or a signed update: what reads writes and reads again as the same.
#![no_main]

use boot_variables::{SignedUpdate, diff, read_lists, write_lists};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(entries) = read_lists(data) {
        let written = write_lists(&entries);
        assert_eq!(read_lists(&written).expect("what was written reads back"), entries);
        assert!(diff(&entries, &entries).is_empty());
        for entry in &entries {
            let _ = entry.describe();
        }
    }
    if let Ok(update) = SignedUpdate::read(data) {
        let _ = update.update("db", true).to_be_signed();
    }
});
