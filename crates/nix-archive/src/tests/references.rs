//! Scanning: against the naive search, for any content and any pieces.

use crate::{Scanner, SelfHash};
use nix_store_path::{Algorithm, Hash, Name, StorePath};
use proptest::collection::vec;
use proptest::prelude::*;
use std::io::Write;

fn path(i: u8) -> StorePath {
    StorePath::from_digest([i; 20], Name::new("x").unwrap())
}

/// Content with digests, halves of digests and other bytes.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        (0u8..6).prop_map(|i| path(i).digest_text().into_bytes()),
        (0u8..6, 0usize..32).prop_map(|(i, cut)| path(i).digest_text().as_bytes()[..cut].to_vec()),
        vec(any::<u8>(), 0..9),
        "[0-9a-z]{0,40}".prop_map(String::into_bytes),
    ];
    vec(part, 0..12).prop_map(|parts| parts.concat())
}

fn write_in_pieces(mut into: impl Write, bytes: &[u8], pieces: &[usize]) {
    let mut rest = bytes;
    for piece in pieces {
        let (now, later) = rest.split_at((*piece).min(rest.len()));
        into.write_all(now).unwrap();
        rest = later;
    }
    into.write_all(rest).unwrap();
}

fn occurs(bytes: &[u8], path: &StorePath) -> bool {
    bytes
        .windows(32)
        .any(|window| window == path.digest_text().as_bytes())
}

proptest! {
    #[test]
    fn every_reference_is_found_and_no_other(bytes in content(), pieces in vec(0usize..50, 0..10)) {
        let mut scanner = Scanner::new((0..6).map(path));
        write_in_pieces(&mut scanner, &bytes, &pieces);
        let expected = (0..6).map(path).filter(|path| occurs(&bytes, path)).collect();
        prop_assert_eq!(scanner.finish(), expected);
    }

    #[test]
    fn the_own_digest_does_not_matter(before in content(), after in content(), pieces in vec(0usize..50, 0..10)) {
        let (own, other) = (path(30), path(31));
        let hash = |own: &StorePath| {
            let bytes = [&before, own.digest_text().as_bytes(), &after].concat();
            let mut hash = SelfHash::new(Algorithm::Sha256, own);
            write_in_pieces(&mut hash, &bytes, &pieces);
            hash.finish()
        };
        prop_assert_eq!(hash(&own), hash(&other));
        let zeroed = [&before[..], &[0; 32], &after, format!("|{}", before.len()).as_bytes()].concat();
        prop_assert_eq!(hash(&own), (Hash::of(Algorithm::Sha256, &zeroed), true));
    }

    #[test]
    fn without_own_digest_it_is_the_plain_hash(bytes in content(), pieces in vec(0usize..50, 0..10)) {
        let mut hash = SelfHash::new(Algorithm::Sha256, &path(30));
        write_in_pieces(&mut hash, &bytes, &pieces);
        prop_assert_eq!(hash.finish(), (Hash::of(Algorithm::Sha256, &bytes), false));
    }
}
