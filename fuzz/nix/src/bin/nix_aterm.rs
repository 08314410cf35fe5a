//! Any bytes as a `.drv` file: no panic, and what is accepted is written back unchanged.
#![no_main]

use nix_derivation::{Derivation, Outline, aterm, modulo::Hashes};
use nix_store_path::{Name, StoreDir};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let store = aterm::store_dir(data).unwrap_or_default();
    let name = Name::new("fuzzed").expect("a valid name");
    let read = Derivation::parse(&name, data, &store);
    let outline = Outline::parse(&name, data, &store);
    assert_eq!(read.is_ok(), outline.is_ok());
    if let Ok(derivation) = read {
        assert_eq!(derivation.to_aterm(&store), data);
        let _ = derivation.structured_attributes();
        let _ = derivation.store_path(&StoreDir::default());
        let missing = |path: &_| Err(nix_derivation::Error::Missing(Clone::clone(path)));
        let _ = Hashes::new(store).check(&derivation, &mut { missing });
    }
});
