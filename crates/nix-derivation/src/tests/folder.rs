//! Folders: what is read, what is refused, and that one bad file costs only itself.

use crate::folder::Folder;
use crate::limits::MAX_DERIVATION;
use crate::{Derivation, Error, GraphBuilder, Outline};
use nix_store_path::StorePath;
use std::fs;

const STORE: &str = "/elsewhere/store";
const A: &str = "1b8m03r63zqhnjf7l5wnldhh7c134ap5-a.drv";
const B: &str = "26nci8mz5f9aldbsgmalpkj20xyqqd5c-b.drv";
const GONE: &str = "0fmibi09sjy2mxap87y4kibl1n7caidm-gone.drv";

fn drv(inputs: &[&str]) -> String {
    let inputs: Vec<String> = inputs
        .iter()
        .map(|input| format!(r#"("{STORE}/{input}",["out"])"#))
        .collect();
    format!(
        r#"Derive([("out","","","")],[{}],[],"s","b",[],[])"#,
        inputs.join(",")
    )
}

#[test]
fn the_closure_is_read_and_the_rest_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    write(A, drv(&[GONE, B]));
    write(B, drv(&[]));
    write(
        "0y839a054fcnhjcd2w1pb6a4k4fl38iw-bad.drv",
        "Derive(nonsense".into(),
    );
    write("not-a-store-path.drv", drv(&[]));
    write("unrelated.txt", String::new());
    std::os::unix::fs::symlink(
        "/dev/zero",
        folder
            .path()
            .join("0z839a054fcnhjcd2w1pb6a4k4fl38iw-link.drv"),
    )
    .unwrap();
    let huge = fs::File::create(
        folder
            .path()
            .join("11839a054fcnhjcd2w1pb6a4k4fl38iw-huge.drv"),
    )
    .unwrap();
    huge.set_len(MAX_DERIVATION as u64 + 1).unwrap();

    let opened = Folder::open(folder.path()).unwrap();
    assert_eq!(opened.store().as_str(), STORE);
    let (names, errors) = opened.names().unwrap();
    assert_eq!((names.len(), errors.len()), (5, 1));
    let all = opened.map(&names, |_, derivation: Result<Outline, Error>| {
        derivation.map_err(|error| error.to_string())
    });
    let errors: Vec<String> = all.into_iter().filter_map(Result::err).collect();
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(
        errors
            .iter()
            .any(|error| error.contains("bad.drv: offset 7: '['")),
        "{errors:?}"
    );
    assert!(
        errors.iter().any(|error| error.contains("no regular file")),
        "{errors:?}"
    );
    assert!(
        errors
            .iter()
            .any(|error| error.contains("larger than the limit")),
        "{errors:?}"
    );

    let mut graph = GraphBuilder::default();
    let mut missing = 0;
    let root = StorePath::new(A).unwrap();
    for (path, derivation) in opened.map_closure(&[root], |path, read| (path.clone(), read)) {
        let derivation: Result<Derivation, Error> = derivation;
        match derivation {
            Ok(derivation) => _ = graph.add(&path, (), derivation.inputs.derivations.keys()),
            Err(Error::Missing(_)) => missing += 1,
            Err(error) => panic!("{error}"),
        }
    }
    let graph = graph.build();
    assert_eq!((graph.len(), graph.missing().count(), missing), (3, 1, 1));
}

#[test]
fn many_files_keep_their_order() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..500u32 {
        let digest =
            nix_store_path::encoding::to_base32(&[&i.to_be_bytes()[..], &[0; 16]].concat());
        fs::write(folder.path().join(format!("{digest}-n{i}.drv")), drv(&[])).unwrap();
    }
    let opened = Folder::open(folder.path()).unwrap();
    let (names, _) = opened.names().unwrap();
    let read = opened.map(&names, |_, read: Result<Derivation, Error>| {
        read.unwrap().name
    });
    let expected: Vec<_> = names
        .iter()
        .map(|path| path.derivation_name().unwrap())
        .collect();
    assert_eq!(read, expected);
    assert!(matches!(
        Folder::open(folder.path().join("absent")),
        Err(Error::Io { .. })
    ));
}
