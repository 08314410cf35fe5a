//! Any bytes as derivation JSON: no panic, and what is accepted is written in every shape that can say it and
//! read back as the same derivation.
#![no_main]

use nix_derivation::json::{Shape, read, write};
use nix_store_path::StoreDir;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let store = StoreDir::default();
    let mut all = Vec::new();
    let _ = read(data, &store, &mut |_, derivation| all.extend(derivation));
    for (path, derivation) in &all {
        // The flat shape takes the name from the path.
        if path.derivation_name().as_ref() != Some(&derivation.name) {
            continue;
        }
        for shape in [Shape::Flat, Shape::Methods] {
            let Ok(document) = write([(path, derivation)], shape, &store) else { continue };
            let text = document.to_string();
            let mut back = None;
            read(text.as_bytes(), &store, &mut |_, derivation| back = derivation.ok()).expect("our own document is read");
            assert_eq!(back.as_ref(), Some(&(path.clone(), derivation.clone())));
        }
    }
});
