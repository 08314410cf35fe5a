//! LUKS2 tokens: any bytes; what is read, written and read again says the same.
#![no_main]

use boot_policy::Token;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(mut token) = Token::from_json(data) {
        // What is kept without being known may hold numbers that JSON rounds.
        token.other.clear();
        let written = token.to_json().to_string();
        if written.len() <= boot_policy::MAX_TOKEN {
            let again = Token::from_json(written.as_bytes()).expect("what was written parses");
            assert_eq!(again, token);
        }
    }
});
