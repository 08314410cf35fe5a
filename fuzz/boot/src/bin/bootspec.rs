//! Any bytes as a Bootspec document: what is read strictly is written, and read strictly again; conversions never fail.
#![no_main]

use boot_spec::{Any, Strictness, downgrade, read, upgrade};

/// Short enough that writing with indentation stays far below the length that is read.
const LONGEST: usize = 8 * 1024;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if data.len() > LONGEST {
        return;
    }
    for strictness in [Strictness::Strict, Strictness::Lenient] {
        let Ok(found) = read(data, strictness) else {
            continue;
        };
        match &found.document {
            Any::V1(document) => drop(upgrade(document)),
            Any::V2(document) => drop(downgrade(document)),
        }
        if strictness == Strictness::Strict {
            let json = found.document.to_json();
            let again = read(json.as_bytes(), strictness).expect("what was written is read");
            assert_eq!(again.document.version(), found.document.version());
        }
    }
});
