//! Any bytes as a tar archive, plain or packed as the first byte says: no panic, plain names only, and no more than the limits.
#![no_main]

use seed_build::archive::{MAX_DEPTH, MAX_NAME, Packing, Tar, UnpackLimits, unpacked};

const PACKINGS: [Packing; 5] = [Packing::Plain, Packing::Gzip, Packing::Bzip2, Packing::Xz, Packing::Zstd];

const LIMITS: UnpackLimits = UnpackLimits { entries: 50, bytes: 1 << 20 };

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((first, packed)) = data.split_first() else {
        return;
    };
    let Ok(stream) = unpacked(packed, PACKINGS[usize::from(*first) % PACKINGS.len()]) else {
        return;
    };
    let mut tar = Tar::new(stream, LIMITS);
    let (mut entries, mut bytes) = (0, 0);
    while let Ok(Some(entry)) = tar.next_entry() {
        entries += 1;
        assert!(entry.path.len() <= MAX_DEPTH);
        for part in &entry.path {
            assert!(part.len() <= MAX_NAME && !matches!(part.as_slice(), b"" | b"." | b".."));
            assert!(!part.contains(&b'/') && !part.contains(&0));
        }
        let mut contents = Vec::new();
        let whole = tar.contents(&mut contents, &entry.name);
        bytes += contents.len() as u64;
        if whole.is_err() {
            break;
        }
    }
    assert!(entries <= LIMITS.entries && bytes <= LIMITS.bytes);
});
