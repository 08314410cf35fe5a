//! Headers that nobody should believe: any bytes, and true headers with a value changed and the checksum made right.

use boot_luks::{Error, SECTOR, Volume};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::Cursor;

const SIZE: usize = 0x4000;

fn metadata() -> Value {
    json!({
        "keyslots": {"0": {
            "type": "luks2", "key_size": 64,
            "af": {"type": "luks1", "stripes": 4000, "hash": "sha256"},
            "area": {"type": "raw", "offset": "32768", "size": "258048", "encryption": "aes-xts-plain64", "key_size": 64},
            "kdf": {"type": "pbkdf2", "hash": "sha256", "iterations": 1000, "salt": "AAAA"},
        }},
        "tokens": {},
        "segments": {"0": {"type": "crypt", "offset": "1048576", "size": "dynamic", "iv_tweak": "0", "encryption": "aes-xts-plain64", "sector_size": SECTOR}},
        "digests": {"0": {"type": "pbkdf2", "keyslots": ["0"], "segments": ["0"], "hash": "sha256", "iterations": 1000, "salt": "AAAA", "digest": "AAAAAAAAAAAAAAAAAAAAAA=="}},
        "config": {"json_size": "12288", "keyslots_size": "520192"},
    })
}

/// A primary header around metadata, its checksum right.
fn header(json: &str) -> Vec<u8> {
    let mut bytes = vec![0; SIZE];
    bytes[..8].copy_from_slice(b"LUKS\xba\xbe\0\x02");
    bytes[8..16].copy_from_slice(&(SIZE as u64).to_be_bytes());
    bytes[72..78].copy_from_slice(b"sha256");
    let end = (4096 + json.len()).min(SIZE);
    bytes[4096..end].copy_from_slice(&json.as_bytes()[..end - 4096]);
    let sum = Sha256::digest(&bytes);
    bytes[448..480].copy_from_slice(&sum);
    bytes
}

/// Opens keyslot 0 of these metadata on a device of zeros.
fn unlock(metadata: &Value) -> Result<(), Error> {
    let mut device = header(&metadata.to_string());
    device.resize(1 << 20, 0);
    let mut volume = Volume::read(Cursor::new(device))?;
    volume.unlock(b"passphrase", &[0]).map(drop)
}

#[test]
fn a_value_that_breaks_its_rule_is_named() {
    let wrong = unlock(&metadata()).unwrap_err();
    assert!(matches!(wrong, Error::Wrong { .. }), "{wrong}");
    for (pointer, value, said) in [
        (
            "/keyslots/0/type",
            json!("luks1"),
            "keyslots.0.type: it is not luks2",
        ),
        ("/keyslots/0/key_size", json!(17), "keyslots.0.key_size"),
        ("/keyslots/0/af/stripes", json!(2), "keyslots.0.af"),
        ("/keyslots/0/af/hash", json!("md5"), "af.hash"),
        (
            "/keyslots/0/area/offset",
            json!("0"),
            "outside of the keyslots' space",
        ),
        (
            "/keyslots/0/area/offset",
            json!("18446744073709551615"),
            "outside of the keyslots' space",
        ),
        (
            "/keyslots/0/area/size",
            json!("4096"),
            "the split key does not fit",
        ),
        (
            "/keyslots/0/area/encryption",
            json!("null"),
            "keyslots.0.area",
        ),
        (
            "/keyslots/0/kdf/iterations",
            json!(0),
            "keyslots.0.kdf.iterations",
        ),
        ("/keyslots/0/kdf/hash", json!("md5"), "hash: it is not"),
        (
            "/keyslots/0/kdf",
            json!({"type": "argon2id", "time": 1, "memory": 4_194_305, "cpus": 1, "salt": "AAAA"}),
            "more than 4 GiB",
        ),
        (
            "/keyslots/0/kdf",
            json!({"type": "argon2id", "time": 0, "memory": 64, "cpus": 1, "salt": "AAAA"}),
            "Argon2 does not take",
        ),
        ("/digests/0/keyslots", json!([]), "it has no digest"),
        ("/digests/0/digest", json!(""), "none of a hash's"),
    ] {
        let mut metadata = metadata();
        *metadata.pointer_mut(pointer).unwrap() = value;
        let error = unlock(&metadata).unwrap_err().to_string();
        assert!(error.contains(said), "{pointer}: {error}");
    }
    let none = unlock(&json!({"keyslots": 1})).unwrap_err().to_string();
    assert!(none.contains("no JSON of the format"), "{none}");
    let none = Volume::read(Cursor::new(vec![0; 100]))
        .unwrap_err()
        .to_string();
    assert!(none.starts_with("this is no LUKS2 volume"), "{none}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..9000), place in 0_usize..600) {
        let mut device = header(&metadata().to_string());
        for (at, byte) in bytes.iter().enumerate() {
            if byte % 64 == 0 {
                let length = device.len();
                device[(place + at) % length] ^= byte;
            }
        }
        let _ = Volume::read(Cursor::new(device));
        let _ = Volume::read(Cursor::new(bytes));
    }

    #[test]
    fn any_metadata_are_read_without_a_panic(text in "[\\[\\]{}\":,0-9a-z_]{0,200}") {
        let _ = Volume::read(Cursor::new(header(&text)));
    }
}
