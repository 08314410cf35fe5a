//! Any text as a narinfo, a key, a hash or a path: no panic, and what is accepted is printed and read back.
#![no_main]

use nix_archive::{NarInfo, PublicKey, SecretKey, Signature};
use nix_store_path::{ContentAddress, Hash, StoreDir, StorePath};

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(info) = NarInfo::parse(text) {
        assert_eq!(NarInfo::parse(&info.to_string()).as_ref(), Ok(&info));
        info.is_self_evident();
    }
    let _ = text.parse::<SecretKey>();
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string(), text.trim_end());
    }
    if let Ok(signature) = text.parse::<Signature>() {
        assert_eq!(signature.to_string(), text);
    }
    if let Ok(hash) = text.parse::<Hash>() {
        assert_eq!(hash.sri().parse::<Hash>(), Ok(hash));
    }
    if let Ok(path) = text.parse::<StorePath>() {
        assert_eq!(path.to_string(), text);
    }
    if let Ok(address) = text.parse::<ContentAddress>() {
        assert_eq!(address.to_string().parse::<ContentAddress>(), Ok(address));
    }
    let _ = StoreDir::split(text);
});
