//! The NixOS module, evaluated by Nix against the stand-in in nix/tests, and whether the program takes what its hook passes.

use crate::{boot, run};
use serde_json::Value;
use std::path::Path;

/// Settings that are accepted.
const ACCEPTED: [&str; 7] = [
    "plain",
    "whole",
    "arm",
    "floored",
    "floored-in-the-tpm",
    "encrypted",
    "encrypted-whole",
];

fn evaluate() -> Value {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    for module in ["nix/modules/boot.nix", "nix/modules/boot-initrd.nix"] {
        run(root, "nix-instantiate", &["--parse", module]);
    }
    // An evaluation needs neither a store nor builders.
    let arguments = [
        "--option",
        "build-users-group",
        "",
        "--store",
        "dummy://",
        "--eval",
        "--strict",
        "--json",
        "nix/tests/boot-module.nix",
    ];
    serde_json::from_str(&run(root, "nix-instantiate", &arguments)).unwrap()
}

/// The words of a line in which every word is in single quotes or plain.
fn words(line: &str) -> Vec<String> {
    let plain = |text: &str| text.trim_matches('\'').to_owned();
    let mut words = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let end = match rest.strip_prefix('\'') {
            Some(inner) => inner.find('\'').unwrap() + 2,
            None => rest.find(' ').unwrap_or(rest.len()),
        };
        words.push(plain(&rest[..end]));
        rest = rest[end..].trim_start();
    }
    words
}

#[test]
fn the_module_says_what_it_is_told_and_refuses_what_it_must() {
    let answer = evaluate();
    assert_eq!(answer["off"]["hook"], Value::Null);
    for case in ACCEPTED {
        assert_eq!(answer[case]["failed"], Value::Array(Vec::new()), "{case}");
        assert_eq!(answer[case]["others"]["systemd-boot"], false, "{case}");
        assert_eq!(answer[case]["others"]["external"], true, "{case}");
    }
    for (case, word) in [
        (
            "key-without-certificate",
            "needs boot.rootstock.signing.certificate",
        ),
        ("key-in-store", "signing.key: a key in the store"),
        ("policy-key-in-store", "policy.key: a key in the store"),
        ("secrets-both-ways", "left out or appended"),
        ("floor-without-policy", "nothing is held to the floor"),
        ("floor-of-another-form", "expected a number"),
        ("uneven", "one for each EFI system partition"),
        ("volume-of-another-form", "expected a UUID"),
        ("store-elsewhere", "before the system starts: /nix."),
        ("root-in-memory", "must be a device"),
        ("systemd-too", "boot.initrd.systemd.enable must be off"),
    ] {
        let failed = answer[case]["failed"].as_array().unwrap();
        assert_eq!(failed.len(), 1, "{case}");
        assert!(failed[0].as_str().unwrap().contains(word), "{case}");
    }
    for (case, refused) in answer["refuses"].as_object().unwrap() {
        assert_eq!(refused, true, "{case}");
    }
    assert!(
        answer["arm"]["hook"]
            .as_str()
            .unwrap()
            .contains("rootstock-stub-aa64.efi")
    );
    // A policy in the TPM is stored anew where one is named.
    let hook = |case: &str| answer[case]["hook"].as_str().unwrap().to_owned();
    assert!(hook("whole").contains("'--stored-policy' '/var/lib/systemd/pcrlock.json'"));
    assert!(!hook("plain").contains("--stored-policy"));
    assert!(hook("whole").contains("'--stub' '/lib/stub.efi'"));
    assert_eq!(answer["whole"]["services"].as_array().unwrap().len(), 2);
    assert_eq!(answer["plain"]["services"], Value::Array(Vec::new()));
    let epoch = serde_json::json!({ "org.rootstock.epoch.v1": { "epoch": 3 } });
    assert_eq!(answer["whole"]["extensions"], epoch);
    assert_eq!(answer["plain"]["extensions"], serde_json::json!({}));
    assert_eq!(answer["plain"]["initrd"], Value::Null);
    let initrd = answer["encrypted-whole"]["initrd"].as_str().unwrap();
    let volume = "rd.luks.name=0fd5a7d5-1b2c-4c0d-9c61-5e1c4b1c8b11=system";
    let said = format!(
        "'{volume} rd.luks.options=discard root=/dev/disk/by-label/system rootfstype=btrfs rootflags=subvol=@,compress=zstd \
         rootwait=60'"
    );
    assert!(initrd.contains(&said), "{initrd}");
    // Without boot counting too, the floor follows what has started well.
    for (case, floor) in [
        ("whole", "'57@0x01d10701'"),
        ("floored", "'1'"),
        ("floored-in-the-tpm", "'1'"),
    ] {
        for line in ["hook", "bless"] {
            let line = answer[case][line].as_str().unwrap();
            assert!(line.contains(&format!("'--floor' {floor}")), "{line}");
        }
    }
}

#[test]
fn the_program_takes_what_the_modules_hook_and_service_pass() {
    let answer = evaluate();
    let scratch = tempfile::tempdir().unwrap();
    for case in ACCEPTED {
        for line in ["hook", "bless", "initrd"] {
            let Some(line) = answer[case][line].as_str() else {
                continue;
            };
            let line = line
                .trim()
                .trim_start_matches("mkdir \"$out\"\n")
                .trim_start_matches("exec ")
                .replace("\"$1\"", "/run/system")
                .replace("\"$out\"/initrd", "unwritten");
            let mut words = words(&line);
            // Without partitions or modules it fails, but not (exit code 2 with a usage text) over its arguments.
            words.remove(0);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let output = boot(scratch.path(), &words);
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(!error.contains("Usage:"), "{case}: {error}");
            assert!(!error.contains("error: "), "{case}: {error}");
        }
    }
}
