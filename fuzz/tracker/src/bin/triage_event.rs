//! Any text as a stored event. Invariant: it is refused, or written anew and read to the same event.
#![no_main]

use tracker_triage::Event;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(event) = Event::decode(text)
    {
        let written = event.encode();
        let again = Event::decode(&written).expect("what was written reads");
        assert_eq!(again, event);
        assert!(!again.kind().is_empty());
        let _ = again.sentence();
    }
});
