//! Any bytes as a file: unpacking and splitting end, in order, and blocks play no part.
#![no_main]

use std::io::{Cursor, Read};
use tracker_record::feed::{Document, Feed, Skipped};
use tracker_record::unpack::unpack;

/// Gives its bytes in pieces of the given size.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(self.0.len()).min(into.len());
        into[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

type Parts = Vec<Result<Document, Skipped>>;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = unpack("feed", Cursor::new(data), |_, reader| {
        let Ok(reader) = reader else {
            return;
        };
        let mut content = Vec::new();
        // What comes out before something goes wrong is split all the same.
        let _ = reader.take(1 << 20).read_to_end(&mut content);
        let split = |size| Feed::open(Pieces(&content, size)).map(Iterator::collect::<Parts>);
        let whole = split(1 << 20);
        assert_eq!(split(7), whole);
        for (number, part) in whole.into_iter().flatten().enumerate() {
            let index = part.map_or_else(|skipped| skipped.index, |document| document.index);
            assert_eq!(index, number as u64);
        }
    });
});
