//! Any text as a triage query. Invariant: it is refused with a column, or prints to a text that parses to the same query;
//! completing it never panics.
#![no_main]

use tracker_triage::query::{Query, complete};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match Query::parse(text) {
        Ok(query) => {
            let printed = query.to_string();
            assert_eq!(Query::parse(&printed).as_ref(), Ok(&query), "{printed}");
        }
        Err(error) => assert!(error.column >= 1),
    }
    complete(text, &());
});
