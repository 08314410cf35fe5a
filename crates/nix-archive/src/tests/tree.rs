//! Trees on disk: round trips, refusals, and that no archive leads out of its target.

use super::archive::{Tree, trees};
use crate::tree::{Case, dump, restore};
use crate::{Error, Reader, Summary, hash};
use bstr::BString;
use nix_store_path::{Algorithm, Hash};
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

fn put(nar: &[u8], path: &Path, case: Case) -> Result<(), Error> {
    restore(&mut Reader::new(nar), path, case)
}

fn directory(entries: &[(&str, Tree)]) -> Tree {
    let entries = entries
        .iter()
        .map(|(name, node)| (BString::from(*name), node.clone()));
    Tree::Directory(entries.collect())
}

#[test]
fn links_are_made_but_never_followed() {
    let folder = tempfile::tempdir().unwrap();
    let outside = folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    // A link and, below it by name only, a file: the second entry cannot even be said in an archive.
    let nar = directory(&[
        ("escape", Tree::Link("../outside".into())),
        ("f", Tree::File(false, b"x".to_vec())),
    ])
    .to_nar();
    let target = folder.path().join("target");
    put(&nar, &target, Case::Kept).unwrap();
    assert_eq!(
        fs::read_link(target.join("escape")).unwrap(),
        Path::new("../outside")
    );
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    assert_eq!(dump(&target, Vec::new(), Case::Kept).unwrap(), nar);
    // Where something stands already, even a dangling link, nothing is written.
    for (name, tree) in [
        ("f", Tree::File(false, vec![])),
        ("l", Tree::Link("x".into())),
        ("d", directory(&[])),
    ] {
        let path = folder.path().join(name);
        symlink(outside.join("planted"), &path).unwrap();
        assert!(
            matches!(
                put(&tree.to_nar(), &path, Case::Kept),
                Err(Error::File { .. })
            ),
            "{name}"
        );
    }
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn the_executable_bit_is_the_owners() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    fs::write(&path, "x").unwrap();
    for (mode, executable) in [(0o644, false), (0o744, true), (0o655, false), (0o100, true)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let nar = dump(&path, Vec::new(), Case::Kept).unwrap();
        assert_eq!(
            nar,
            Tree::File(executable, b"x".to_vec()).to_nar(),
            "{mode:o}"
        );
        let restored = folder.path().join(format!("r{mode}"));
        put(&nar, &restored, Case::Kept).unwrap();
        assert_eq!(
            fs::metadata(restored).unwrap().permissions().mode() & 0o100 != 0,
            executable
        );
    }
}

#[test]
fn names_that_differ_by_case_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let file = |text: &str| Tree::File(false, text.into());
    let nar = directory(&[
        ("A", file("1")),
        ("a", file("2")),
        ("b", directory(&[("X", file("3")), ("x", file("4"))])),
    ])
    .to_nar();
    let target = folder.path().join("hacked");
    put(&nar, &target, Case::Hacked).unwrap();
    assert_eq!(
        fs::read_to_string(target.join("a~nix~case~hack~1")).unwrap(),
        "2"
    );
    assert_eq!(
        fs::read_to_string(target.join("b/x~nix~case~hack~1")).unwrap(),
        "4"
    );
    assert_eq!(dump(&target, Vec::new(), Case::Hacked).unwrap(), nar);
    assert_ne!(dump(&target, Vec::new(), Case::Kept).unwrap(), nar);
    fs::write(target.join("A~nix~case~hack~7"), "").unwrap();
    assert!(matches!(
        dump(&target, Vec::new(), Case::Hacked),
        Err(Error::Collision(_))
    ));
    let trick = directory(&[("a~nix~case~hack~1", file("1"))]).to_nar();
    assert!(matches!(
        put(&trick, &folder.path().join("trick"), Case::Hacked),
        Err(Error::Collision(_))
    ));
}

#[test]
fn what_no_archive_can_hold_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let error = dump(folder.path(), Vec::new(), Case::Kept).unwrap_err();
    assert!(
        matches!(&error, Error::Kind(path) if *path == socket),
        "{error}"
    );
    let absent = folder.path().join("absent");
    assert!(
        matches!(hash(&absent, Algorithm::Sha256, Case::Kept), Err(Error::File { path, .. }) if path == absent)
    );
}

#[test]
fn hashing_a_tree_hashes_its_archive() {
    let folder = tempfile::tempdir().unwrap();
    // Larger than all buffers that go round, and not a multiple of any.
    let large: Vec<u8> = (0..3_000_003u32).map(|i| (i * 7 % 251) as u8).collect();
    fs::write(folder.path().join("large"), &large).unwrap();
    fs::write(folder.path().join("small"), "x").unwrap();
    let nar = dump(folder.path(), Vec::new(), Case::Kept).unwrap();
    for algorithm in Algorithm::ALL {
        let expected = Summary {
            hash: Hash::of(algorithm, &nar),
            size: nar.len() as u64,
        };
        assert_eq!(
            hash(folder.path(), algorithm, Case::Kept).unwrap(),
            expected
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_tree_survives_the_disk(tree in trees()) {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("t");
        let nar = tree.to_nar();
        put(&nar, &target, Case::Kept).unwrap();
        prop_assert_eq!(dump(&target, Vec::new(), Case::Kept).unwrap(), nar);
    }
}
