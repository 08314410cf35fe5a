//! Any bytes as SBAT data: what parses prints and parses again as the same.
#![no_main]

use boot_pe::sbat::{Sbat, SbatLevel};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let level = SbatLevel::parse(data);
    if let Ok(sbat) = Sbat::parse(data) {
        assert_eq!(Sbat::parse(sbat.to_string().as_bytes()).as_ref(), Ok(&sbat));
        assert_eq!(sbat.merge(&sbat), sbat);
        if let Ok(level) = &level {
            let _ = level.check(&sbat);
        }
    }
});
