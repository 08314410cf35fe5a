//! What the tools of others say about the same things.

use crate::generations::{document, prepare};
use crate::{boot, run, text};
use boot_install::is_encrypted;
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

/// Good and bad documents, about every rule that a schema can say.
fn documents() -> Vec<Value> {
    let store = "/nix/store/00000000000000000000000000000000-x";
    let v1 = document(store);
    let mut v2 = json!({ "org.nixos.bootspec.v2": v1["org.nixos.bootspec.v1"].clone() });
    let fields = v2["org.nixos.bootspec.v2"].as_object_mut().unwrap();
    fields.remove("initrd");
    fields.insert("initrds".into(), json!([store]));
    let with = |base: &Value, pointer: &str, value: Value| {
        let mut document = base.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap()[key] = value;
        document
    };
    let system = "/org.nixos.bootspec.v2";
    let mut documents = vec![
        v1.clone(),
        v2.clone(),
        json!({}),
        json!([]),
        with(
            &v1,
            "/org.nixos.bootspec.v2",
            v2["org.nixos.bootspec.v2"].clone(),
        ),
        with(&v2, "/plain", json!(1)),
        with(&v2, "/org.example.thing.v1", json!({ "anything": null })),
        with(&v2, "/org.example.thing.v1", Value::Null),
        with(&v2, "/org.nixos.specialisation.v2", json!({ "a": v2 })),
        with(&v2, "/org.nixos.specialisation.v2", json!({ "a/b": v2 })),
        with(&v2, "/org.nixos.specialisation.v2", json!({ "a": v1 })),
        with(
            &v2,
            "/org.rootstock.verity.v1",
            json!({ "rootHash": "0".repeat(64) }),
        ),
        with(
            &v2,
            "/org.rootstock.verity.v1",
            json!({ "rootHash": "0".repeat(63) }),
        ),
        with(&v2, "/org.rootstock.verity.v1", json!({})),
        with(&v2, "/org.rootstock.build.v1", json!({ "builtAt": 0 })),
        with(&v2, "/org.rootstock.build.v1", json!({ "builtAt": -1 })),
        with(
            &v2,
            "/org.rootstock.credentials.v1",
            json!({ "a": "relative" }),
        ),
        with(
            &v2,
            "/org.nixos.initrd-secrets.v1",
            json!({ "/a": "/b/../c" }),
        ),
    ];
    for value in [
        json!("/boot/kernel"),
        json!(format!("{store}/a/b")),
        json!(format!("{store}/../b")),
        json!("/nix/store/short-x"),
        json!(""),
        json!(7),
        Value::Null,
    ] {
        documents.push(with(&v2, &format!("{system}/kernel"), value.clone()));
        documents.push(with(&v2, &format!("{system}/initrds"), json!([value])));
        documents.push(with(&v2, &format!("{system}/unknown"), value));
    }
    for value in [
        "x86_64-linux",
        "X86-linux",
        "linux",
        "a b",
        "a\"b c\"",
        "a\nb",
    ] {
        documents.push(with(&v2, &format!("{system}/system"), json!(value)));
        documents.push(with(&v2, &format!("{system}/kernelParams"), json!([value])));
        documents.push(with(&v2, &format!("{system}/label"), json!(value)));
    }
    documents
}

/// A document is valid for Python's jsonschema exactly when strict reading takes it.
#[test]
fn the_schema_and_the_strict_reader_agree() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let schema = text(&boot(folder, &["spec", "schema"]));
    fs::write(folder.join("schema.json"), schema).unwrap();
    let documents = documents();
    fs::write(
        folder.join("documents.json"),
        Value::from(documents.clone()).to_string(),
    )
    .unwrap();
    let script = "import json, jsonschema; v = jsonschema.Draft202012Validator(json.load(open('schema.json'))); \
                  v.check_schema(v.schema); print(json.dumps([v.is_valid(d) for d in json.load(open('documents.json'))]))";
    let theirs: Vec<bool> =
        serde_json::from_str(&run(folder, "/usr/bin/python3", &["-c", script])).unwrap();
    let ours: Vec<bool> = documents
        .iter()
        .map(|document| {
            boot_spec::read(
                document.to_string().as_bytes(),
                boot_spec::Strictness::Strict,
            )
            .is_ok()
        })
        .collect();
    for ((document, theirs), ours) in documents.iter().zip(&theirs).zip(&ours) {
        assert_eq!(theirs, ours, "{document}");
    }
    assert!(ours.iter().filter(|valid| **valid).count() > 8);
    assert!(ours.iter().filter(|valid| !**valid).count() > 20);
}

#[test]
fn an_installed_partition_is_what_dosfstools_and_mtools_can_hold() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    prepare(folder);
    let install = "install --esp esp --efivars efivars --root root --stub stub.efi --loader loader.efi --unsigned";
    let words: Vec<&str> = install.split_whitespace().collect();
    text(&boot(folder, &words));
    run(folder, "/usr/sbin/mkfs.fat", &["-C", "esp.img", "4096"]);
    for name in ["EFI", "loader"] {
        run(
            folder,
            "mcopy",
            &["-s", "-i", "esp.img", &format!("esp/{name}"), "::"],
        );
    }
    run(folder, "/usr/sbin/fsck.fat", &["-n", "esp.img"]);
    let listed = run(folder, "mdir", &["-b", "-/", "-i", "esp.img", "::"]);
    assert!(listed.contains("::/EFI/Linux/rootstock-2-"));
}

/// An image gets what a folder gets, and dosfstools finds nothing wrong with it.
#[test]
fn an_installation_into_an_image_is_the_one_into_a_folder() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    prepare(folder);
    run(folder, "/usr/sbin/mkfs.fat", &["-C", "esp.img", "4096"]);
    for place in ["esp", "esp.img"] {
        let line = format!(
            "install --esp {place} --efivars efivars --root root --stub stub.efi --loader loader.efi --unsigned"
        );
        let words: Vec<&str> = line.split_whitespace().collect();
        text(&boot(folder, &words));
    }
    run(folder, "/usr/sbin/fsck.fat", &["-n", "esp.img"]);
    fs::create_dir(folder.join("copy")).unwrap();
    for name in ["EFI", "loader"] {
        let from = format!("::/{name}");
        run(folder, "mcopy", &["-s", "-i", "esp.img", &from, "copy"]);
    }
    run(folder, "diff", &["-r", "esp", "copy"]);
    // A second run has nothing to do, and what can't be written is only read.
    let words = ["status", "--esp", "esp.img", "--verify"];
    let said = text(&boot(folder, &words));
    assert!(said.starts_with("esp.img: "), "{said}");
    assert!(said.contains("starts next"), "{said}");
}

/// systemd orders versions as the loader does.
#[test]
fn versions_are_ordered_as_systemd_orders_them() {
    let versions = [
        "1", "2", "10", "1.0", "1.0~rc1", "1.0^1", "1.0-1", "a", "1a", "1.a", "", "0", "00", "42",
        "42-x", "257.9", "258",
    ];
    for first in versions {
        for second in versions
            .into_iter()
            .filter(|v| !v.is_empty() && !first.is_empty())
        {
            let output = Command::new("systemd-analyze")
                .args(["compare-versions", first, second])
                .output()
                .unwrap();
            let theirs = match output.status.code() {
                Some(0) => std::cmp::Ordering::Equal,
                Some(11) => std::cmp::Ordering::Greater,
                Some(12) => std::cmp::Ordering::Less,
                other => panic!("{first} {second}: {other:?}"),
            };
            assert_eq!(
                uapi_version::strverscmp(first, second),
                theirs,
                "{first} {second}"
            );
        }
    }
}

/// What systemd-creds writes is recognised by its form, and refused when its key protects nothing.
#[test]
fn credentials_of_systemd_are_told_apart() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    fs::write(folder.join("plain"), "hunter2").unwrap();
    run(
        folder,
        "systemd-creds",
        &[
            "encrypt",
            "--with-key=tpm2-absent",
            "--name=plain",
            "plain",
            "plain.cred",
        ],
    );
    let text = fs::read(folder.join("plain.cred")).unwrap();
    assert!(!is_encrypted(b"hunter2"));
    assert!(!is_encrypted(&text), "a null key protects nothing");
    // The same file, made with another kind of key.
    let mut other = text;
    other[..4].copy_from_slice(b"Whxq");
    assert!(is_encrypted(&other));
}
