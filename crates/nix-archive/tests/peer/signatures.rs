//! Binary caches: keys, narinfo files and signatures that nix made are ours, and it takes those we make.

use crate::nix::{Nix, text};
use nix_archive::{NarInfo, PublicKey, SecretKey};
use std::fs;
use std::path::PathBuf;

/// A store with three objects that refer to one another, and the last of them.
fn built(nix: &Nix) -> String {
    let drv = nix.instantiate(
        r#"let make = name: script: derivation { inherit name; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" script ]; };
           in make "top" "echo ${make "left" "echo l > $out"} ${builtins.toFile "right" "r"} $out > $out""#,
    );
    nix.run("nix-store", &["--realise", &nix.store().join(&drv[0])])
}

fn narinfos(cache: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(cache)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "narinfo")
        })
        .collect()
}

#[test]
fn what_nix_signed_is_read_checked_and_signed_the_same() {
    let nix = Nix::new();
    let top = built(&nix);
    let (secret, public, cache) = (nix.file("secret"), nix.file("public"), nix.file("cache"));
    nix.run(
        "nix-store",
        &[
            "--generate-binary-cache-key",
            "cache.example-1",
            text(&secret),
            text(&public),
        ],
    );
    let secret_text = fs::read_to_string(&secret).unwrap();
    let key: SecretKey = secret_text.parse().unwrap();
    assert_eq!(key.to_secret_text(), secret_text.trim_end());
    let public: PublicKey = fs::read_to_string(&public).unwrap().parse().unwrap();
    assert_eq!(key.public(), public);

    nix.run(
        "nix",
        &[
            "copy",
            "--to",
            &format!("file://{}?secret-key={}", text(&cache), text(&secret)),
            &top,
        ],
    );
    let files = narinfos(text(&cache));
    assert_eq!(files.len(), 3);
    for file in files {
        let written = fs::read_to_string(&file).unwrap();
        let mut info = NarInfo::parse(&written).unwrap();
        assert_eq!(info.to_string(), written);
        assert_eq!(
            info.signed_by(std::slice::from_ref(&public)),
            ["cache.example-1"]
        );
        assert_eq!(info.is_self_evident(), info.path.name().as_str() == "right");
        let theirs = info.signatures.clone();
        info.sign(&key);
        assert_eq!(info.signatures, theirs);
        let on_disk = nix.on_disk(&info.path);
        let ours = nix_archive::hash(
            &on_disk,
            nix_store_path::Algorithm::Sha256,
            nix_archive::tree::Case::Kept,
        )
        .unwrap();
        assert_eq!((ours.hash, ours.size), (info.nar_hash, info.nar_size));
    }
}

#[test]
fn nix_takes_what_we_signed_and_nothing_else() {
    let nix = Nix::new();
    let top = built(&nix);
    let cache = format!("file://{}", text(&nix.file("cache")));
    nix.run("nix", &["copy", "--to", &cache, &top]);
    let ours = SecretKey::from_seed("ours-1", &[7; 32]);
    for file in narinfos(text(&nix.file("cache"))) {
        let mut info = NarInfo::parse(&fs::read_to_string(&file).unwrap()).unwrap();
        info.sign(&ours);
        fs::write(&file, info.to_string()).unwrap();
    }
    // Into a second store of the same store directory, which trusts one key only.
    let copy = |root: &str, key: &SecretKey| {
        let (root, key) = (nix.file(root), key.public().to_string());
        let store = format!("local?root={}", text(&root));
        nix.try_run(
            "nix",
            &[
                "copy",
                "--from",
                &cache,
                "--to",
                &store,
                "--option",
                "trusted-public-keys",
                &key,
                &top,
            ],
        )
    };
    let stranger = SecretKey::from_seed("ours-1", &[8; 32]);
    let refused = copy("refusing", &stranger).unwrap_err();
    assert!(refused.contains("lacks a valid signature"), "{refused}");
    copy("trusting", &ours).unwrap();
    let copied = nix
        .file("trusting/nix/store")
        .join(top.rsplit('/').next().unwrap());
    assert_eq!(fs::read(&copied).unwrap(), fs::read(&top).unwrap());
}
