//! Any bytes as references (`.rsref`) or as a stub's note: what is read prints as the same bytes.
#![no_main]

use boot_stub_core::StubNote;
use boot_stub_core::reference::References;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(list) = References::parse(data) {
        assert_eq!(list.to_string().as_bytes(), data);
    }
    if let Ok(note) = StubNote::parse(data) {
        // Zeros behind a note are padding.
        assert!(data.starts_with(note.to_string().as_bytes()));
    }
});
