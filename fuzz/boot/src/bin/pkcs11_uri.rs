//! Any text as a key reference: parsed or refused; a PKCS#11 URI prints back as itself.
#![no_main]

use boot_sign::Pkcs11Uri;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(uri) = text.parse::<Pkcs11Uri>() {
        assert_eq!(uri.to_string().parse::<Pkcs11Uri>().expect("it reads back"), uri);
    }
});
