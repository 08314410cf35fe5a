//! Any bytes as a document, seeded with Alpine's database: reading is a function, and its normal form survives storage.
#![no_main]

use tracker_record::{Record, Vulnerability, public_ids, read_document};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(reading) = read_document(data) else {
        return;
    };
    assert_eq!(read_document(data).as_ref(), Ok(&reading));
    let stored = serde_json::to_string(&reading.record).expect("a record is plain data");
    let back: Record = serde_json::from_str(&stored).expect("what was written is read");
    assert_eq!(back, reading.record);
    for id in public_ids(&reading.record) {
        let summary = Vulnerability::merge(id, [back.clone()]).summary();
        assert!(!summary.title.is_empty());
    }
});
