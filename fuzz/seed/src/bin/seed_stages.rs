//! Any text in the languages of S0, S1 and S2, as an annotated listing and as an instruction: no panic, and an error stands on a line
//! of the text.
#![no_main]

use seed_proof::assemble::assemble;
use seed_proof::hex::decode;
use seed_proof::link::link;
use seed_proof::listing::{Dialect, check, fill};
use seed_proof::x86::encode::encodings;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let lines = 1 + data.iter().filter(|byte| **byte == b'\n').count();
    let _ = decode(data);
    if let Err(error) = link(data) {
        assert!((1..=lines).contains(&error.line));
    }
    if let Err(error) = assemble(data) {
        assert!((1..=lines).contains(&error.line));
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = encodings(text);
        for dialect in [Dialect::Hex, Dialect::Linked] {
            let _ = check(text, dialect);
            let _ = fill(text, dialect);
        }
    }
});
