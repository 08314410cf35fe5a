//! LUKS2 volumes: any bytes as the metadata of a header whose checksum is right, and as a whole device. What is read is changed
//! by a token and read again.
#![no_main]

use boot_luks::Volume;
use sha2::{Digest, Sha256};
use std::io::Cursor;

const SIZE: usize = 0x4000;

fn header(json: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; SIZE];
    bytes[..8].copy_from_slice(b"LUKS\xba\xbe\0\x02");
    bytes[8..16].copy_from_slice(&(SIZE as u64).to_be_bytes());
    bytes[72..78].copy_from_slice(b"sha256");
    let end = (4096 + json.len()).min(SIZE);
    bytes[4096..end].copy_from_slice(&json[..end - 4096]);
    let sum = Sha256::digest(&bytes);
    bytes[448..480].copy_from_slice(&sum);
    bytes
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = Volume::read(Cursor::new(data.to_vec()));
    let mut device = header(data);
    device.resize(4 * SIZE, 0);
    if let Ok(mut volume) = Volume::read(Cursor::new(device)) {
        let _ = volume.segment();
        let token = serde_json::json!({"type": "fuzz", "keyslots": []});
        if let Ok(number) = volume.add_token(token.clone()) {
            assert_eq!(volume.metadata().tokens()[&number], token);
            volume.remove_token(number).expect("it was just added");
        }
    }
});
