//! Any bytes as a stranger's Markdown. Invariants: what is shown is closed, holds no markup but the few elements that are
//! let through, and is bounded; plain text has no control character.
#![no_main]

use tracker_prose::{MAX_OUTPUT, check, html, line, plain};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let shown = html(&text);
    assert_eq!(check::problem(&shown), None, "{shown}");
    assert!(shown.len() < 4 * MAX_OUTPUT);
    assert!(!line(&text).contains(char::is_control));
    assert!(plain(&text).chars().all(|c| matches!(c, '\n' | '\t') || !c.is_control()));
});
