//! NARs: the same bytes, hashes, listings, store paths and references as nix, for a zoo of trees.

use crate::nix::{Nix, text};
use nix_archive::tree::{Case, dump, restore};
use nix_archive::{Reader, Scanner, SelfHash, hash, list};
use nix_store_path::computed::References;
use nix_store_path::{Algorithm, ContentAddress, Hash, Method, Name};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// The algorithms of nix 2.8.
const LEGACY: [Algorithm; 4] = [
    Algorithm::Md5,
    Algorithm::Sha1,
    Algorithm::Sha256,
    Algorithm::Sha512,
];

/// Trees with everything a tree can have.
fn zoo(root: &Path) -> Vec<PathBuf> {
    fs::create_dir(root).unwrap();
    let file = |name: &str, bytes: &[u8], mode: u32| {
        let path = root.join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    let mut all = vec![
        file("empty", b"", 0o644),
        file("script", b"#!/bin/sh\n", 0o755),
        file("odd-mode", b"x", 0o611),
    ];
    all.extend((1..=9).map(|size| file(&format!("size{size}"), &vec![b'x'; size], 0o644)));
    all.push(file("large", &vec![0xa5; 1_000_001], 0o644));
    symlink("nowhere/../at all", root.join("link")).unwrap();
    all.push(root.join("link"));
    let empty = root.join("empty-dir");
    fs::create_dir(&empty).unwrap();
    all.push(empty);
    let tree = root.join("tree");
    fs::create_dir_all(tree.join("deep/er/and/er")).unwrap();
    for name in [
        "a",
        "A",
        "a-",
        "a.b",
        "ä",
        "with space",
        ".hidden",
        "~",
        "-",
        "zz",
    ] {
        fs::write(tree.join(name), name).unwrap();
    }
    fs::write(tree.join(OsStr::from_bytes(b"latin-\xe9")), "x").unwrap();
    fs::write(tree.join("deep/er/and/er/file"), [0u8; 4096]).unwrap();
    symlink("deep", tree.join("to-directory")).unwrap();
    symlink("/absolute/nowhere", tree.join("dangling")).unwrap();
    all.push(tree);
    let many = root.join("many");
    fs::create_dir(&many).unwrap();
    for i in 0..1500 {
        fs::write(many.join(format!("{}", i * 7919 % 10007)), format!("{i}")).unwrap();
    }
    all.push(many);
    all
}

#[test]
fn a_zoo_of_trees_is_archived_as_nix_does() {
    let nix = Nix::new();
    let zoo = zoo(&nix.file("zoo"));
    for algorithm in LEGACY {
        let ours = |path: &PathBuf| hash(path, algorithm, Case::Kept).unwrap().hash.base32();
        let ours: Vec<_> = zoo.iter().map(ours).collect();
        let mut arguments = vec!["hash", "path", "--type", algorithm.name(), "--base32"];
        arguments.extend(zoo.iter().map(|path| text(path)));
        assert_eq!(ours, nix.run("nix", &arguments).lines().collect::<Vec<_>>());
    }
    for path in zoo {
        let nar = dump(&path, Vec::new(), Case::Kept).unwrap();
        let theirs = nix.bytes("nix-store", &["--dump", text(&path)]);
        assert!(nar == theirs, "{}", path.display());
        // What nix unpacks, and what we unpack, archive to the same bytes again.
        let file = nix.file("nar");
        fs::write(&file, &nar).unwrap();
        let (ours, theirs) = (nix.file("ours"), nix.file("theirs"));
        restore(&mut Reader::new(&nar[..]), &ours, Case::Kept).unwrap();
        let script = format!("nix-store --restore {} < {}", text(&theirs), text(&file));
        nix.run("sh", &["-c", &script]);
        assert!(nix.bytes("nix-store", &["--dump", text(&ours)]) == nar);
        assert!(dump(&theirs, Vec::new(), Case::Kept).unwrap() == nar);
        nix.run("rm", &["-rf", text(&ours), text(&theirs)]);
    }
}

#[test]
fn listings_are_those_of_nix() {
    let nix = Nix::new();
    for path in zoo(&nix.file("zoo")) {
        // Names that are not UTF-8 have no JSON.
        let _ = fs::remove_file(path.join(OsStr::from_bytes(b"latin-\xe9")));
        let nar = dump(&path, Vec::new(), Case::Kept).unwrap();
        let file = nix.file("nar");
        fs::write(&file, &nar).unwrap();
        let listing = list(&mut Reader::new(&nar[..])).unwrap();
        let theirs = nix.json(
            "nix",
            &["nar", "ls", "--json", "--recursive", text(&file), "/"],
        );
        assert_eq!(listing.to_json(), theirs, "{}", path.display());
    }
}

#[test]
fn objects_get_the_store_paths_that_nix_gives_them() {
    let nix = Nix::new();
    let zoo = zoo(&nix.file("zoo"));
    let plain_files = zoo
        .iter()
        .filter(|path| path.is_file() && !path.is_symlink());
    let plain_files: Vec<_> = plain_files.cloned().collect();
    let added = |how: &[&str], paths: &[PathBuf]| {
        let paths = paths.iter().map(|path| text(path));
        nix.paths(
            "nix-store",
            &how.iter().copied().chain(paths).collect::<Vec<_>>(),
        )
    };
    let computed = |path: &Path, method, hash| {
        let name = Name::new(path.file_name().unwrap().to_str().unwrap()).unwrap();
        let address = ContentAddress { method, hash };
        nix.store()
            .content_path(name, &address, &References::none())
            .unwrap()
    };
    let nar = |path: &PathBuf, algorithm| {
        computed(
            path,
            Method::Nar,
            hash(path, algorithm, Case::Kept).unwrap().hash,
        )
    };
    let flat = |path: &PathBuf, algorithm| {
        computed(
            path,
            Method::Flat,
            Hash::of(algorithm, &fs::read(path).unwrap()),
        )
    };
    let ours: Vec<_> = zoo
        .iter()
        .map(|path| nar(path, Algorithm::Sha256))
        .collect();
    assert_eq!(ours, added(&["--add"], &zoo));
    for algorithm in LEGACY {
        let ours: Vec<_> = zoo.iter().map(|path| nar(path, algorithm)).collect();
        assert_eq!(
            ours,
            added(&["--recursive", "--add-fixed", algorithm.name()], &zoo)
        );
        let ours: Vec<_> = plain_files
            .iter()
            .map(|path| flat(path, algorithm))
            .collect();
        assert_eq!(
            ours,
            added(&["--add-fixed", algorithm.name()], &plain_files)
        );
    }
}

#[test]
fn references_are_those_that_nix_registers() {
    let nix = Nix::new();
    let build = |expression: &str| {
        let drv = nix.store().join(&nix.instantiate(expression)[0]);
        nix.paths("nix-store", &["--realise", &drv]).remove(0)
    };
    let user = r#"
      let
        make = name: script: derivation {
          inherit name; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" script ];
        };
        a = make "a" "echo a > $out";
        b = make "b" "echo b > $out";
        c = make "c" "echo c > $out";
      in make "user" ''
        export PATH=/bin:/usr/bin; mkdir -p $out/bin; echo ${a}/x > $out/bin/one; ln -s ${b} $out/link
        echo $out > $out/self; : ${c}; printf 'x${builtins.substring 0 60 c.outPath}' > /dev/null
      ''"#;
    let user = build(user);
    let on_disk = nix.on_disk(&user);
    let mut candidates = nix.paths(
        "nix-store",
        &[
            "--query",
            "--requisites",
            "--include-outputs",
            &drv_of(&nix, &user),
        ],
    );
    candidates.push(user.clone());
    let scanned = dump(&on_disk, Scanner::new(candidates), Case::Kept)
        .unwrap()
        .finish();
    let registered = nix.paths("nix-store", &["--query", "--references", text(&on_disk)]);
    assert_eq!(registered.len(), 3);
    assert_eq!(scanned, registered.into_iter().collect());
    // The hash that nix registered is ours.
    let registered = nix.run("nix-store", &["--query", "--hash", text(&on_disk)]);
    assert_eq!(
        hash(&on_disk, Algorithm::Sha256, Case::Kept)
            .unwrap()
            .hash
            .to_string(),
        registered
    );

    // Rewritten to be content-addressed, the object with a reference to itself gets the path we compute.
    let alone = build(
        r#"derivation { name = "alone"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo me: $out > $out" ]; }"#,
    );
    let (modulo, itself) = dump(
        &nix.on_disk(&alone),
        SelfHash::new(Algorithm::Sha256, &alone),
        Case::Kept,
    )
    .unwrap()
    .finish();
    assert!(itself);
    let address = ContentAddress {
        method: Method::Nar,
        hash: modulo,
    };
    let references = References {
        itself,
        ..References::none()
    };
    let computed = nix
        .store()
        .content_path(alone.name().clone(), &address, &references)
        .unwrap();
    let rewritten = nix.json(
        "nix",
        &[
            "store",
            "make-content-addressed",
            "--json",
            text(&nix.on_disk(&alone)),
        ],
    );
    assert_eq!(
        rewritten["rewrites"][nix.store().join(&alone)],
        nix.store().join(&computed)
    );
}

fn drv_of(nix: &Nix, path: &nix_store_path::StorePath) -> String {
    nix.run(
        "nix-store",
        &["--query", "--deriver", text(&nix.on_disk(path))],
    )
}
