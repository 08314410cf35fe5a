//! A tree made by hand, and the same with changed bytes.

use super::{board, size};
use proptest::prelude::*;
use std::vec::Vec;

/// A tree whose root has `model` and then `compatible`.
fn tree(compatible: &[u8]) -> Vec<u8> {
    let strings = b"model\0compatible\0";
    let mut body = Vec::new();
    let mut word = |value: u32, more: &[u8]| {
        body.extend_from_slice(&value.to_be_bytes());
        body.extend_from_slice(more);
        body.resize(body.len().next_multiple_of(4), 0);
    };
    word(4, &[]);
    word(1, &[0]);
    word(3, &[]);
    word(2, &[]);
    word(0, b"m\0");
    word(3, &[]);
    word(compatible.len() as u32, &[]);
    word(6, compatible);
    word(2, &[]);
    word(9, &[]);
    let strings_at = 40 + body.len() as u32;
    let total = strings_at + strings.len() as u32;
    let mut tree = Vec::new();
    for value in [0xd00d_feed, total, 40, strings_at, 0, 17, 16, 0, 0, 0] {
        tree.extend_from_slice(&value.to_be_bytes());
    }
    tree.extend_from_slice(&body);
    tree.extend_from_slice(strings);
    tree
}

#[test]
fn a_board_is_found() {
    let bytes = tree(b"vendor,board\0vendor,chip\0");
    assert_eq!(size(&bytes), Some(bytes.len()));
    assert_eq!(board(&bytes), Some(&b"vendor,board"[..]));
    assert_eq!(board(&tree(b"\0")), None);
    assert_eq!(board(&tree(b"no end")), None);
    assert_eq!(board(&bytes[..bytes.len() - 1]), None);
    assert_eq!(size(b"\xd0\x0d\xfe\xee\0\0\0\x08"), None);
}

proptest! {
    #[test]
    fn changed_bytes_never_panic(changes in proptest::collection::vec((0_usize..100, any::<u8>()), 1..8)) {
        let mut bytes = tree(b"vendor,board\0");
        for (at, value) in changes {
            bytes[at] = value;
        }
        let _ = board(&bytes);
    }
}
