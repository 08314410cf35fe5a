//! A small chain on the real seed: built, known, damaged, signed, verified, explained; and hostile ones refused.

use crate::place::{Place, change_byte};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

#[test]
fn a_chain_is_built_once_and_then_known() {
    let place = Place::recorded();
    let (code, text) = place.run("build", &["--json", "--offline"]);
    assert_eq!(code, 0, "{text}");
    let document: Value = serde_json::from_str(&text).unwrap();
    let steps = document["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 2);
    assert!(steps.iter().all(|step| step["known"] == true));
    assert_eq!(steps[0]["record"]["calls"]["creat"], 1);
    let object = steps[1]["record"]["object"].as_str().unwrap();
    assert_eq!(
        fs::read(place.path("store/objects").join(object)).unwrap(),
        b"abc"
    );
    // A damaged result is made again, and is said to be.
    change_byte(&place.path("store/objects").join(object), 1);
    let (code, text) = place.run("build", &["--offline"]);
    assert!(
        code == 0 && text.contains("letters: the stored result is damaged"),
        "{text}"
    );
    assert_eq!(
        fs::read(place.path("store/objects").join(object)).unwrap(),
        b"abc"
    );
    // So is one whose record is not whole.
    for path in place.files("results") {
        fs::write(path, "{").unwrap();
    }
    let (code, text) = place.run("build", &["--offline"]);
    let damaged = text.matches("the stored result is damaged").count();
    assert_eq!((code, damaged), (0, 2), "{text}");
}

#[test]
fn wrong_and_absent_inputs_are_told() {
    let place = Place::recorded();
    change_byte(&place.path("seed.hex0"), 3);
    let (code, text) = place.run("build", &["--offline"]);
    assert!(
        code == 2 && text.contains("input seed.hex0: its SHA-256 is")
            || text.contains("input seed: "),
        "{text}"
    );
    let (code, text) = place.run("explain", &[]);
    assert!(
        code == 1 && text.contains("input seed.hex0") && text.contains("byte 3"),
        "{text}"
    );
    fs::remove_file(place.path("seed.hex0")).unwrap();
    let (code, text) = place.run("build", &["--offline"]);
    assert!(
        code == 1 && text.contains("input not obtainable: seed") && text.contains("blocked"),
        "{text}"
    );
}

#[test]
fn steps_that_do_what_they_must_not_are_ended() {
    let place = Place::recorded();
    let chain = fs::read_to_string(place.path("chain.toml")).unwrap();
    fs::write(place.path("chain.toml"), chain.replace("\"read\", ", "")).unwrap();
    let (code, text) = place.run("build", &["--offline"]);
    assert!(
        code == 1 && text.contains("step again: refused: the system call read"),
        "{text}"
    );
    let other = chain.replacen("same-as = \"seed\"", "same-as = \"seed.hex0\"", 1);
    fs::write(place.path("chain.toml"), other).unwrap();
    let (code, text) = place.run("build", &["--offline"]);
    assert!(
        code == 1 && text.contains("step again: its output's NAR has the SHA-256"),
        "{text}"
    );
    let (code, text) = place.run("explain", &[]);
    assert!(
        code == 1 && text.contains("step again: comparing seed.hex0 and again"),
        "{text}"
    );
}

#[test]
fn statements_are_signed_by_some_of_the_keys_and_every_change_is_found() {
    let place = Place::recorded();
    let first = place.key("first", &["-algorithm", "ed25519"]);
    let second = place.key(
        "second",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    );
    let third = place.key("third", &["-algorithm", "ed25519"]);
    assert_eq!(
        place
            .run("build", &["--offline", "--key", &first, "--key", &second])
            .0,
        0
    );
    let publics = [&first, &second, &third].map(|key| format!("{key}.pub"));
    let keys = [
        "--key",
        &publics[0],
        "--key",
        &publics[1],
        "--key",
        &publics[2],
        "--enough",
    ];
    let verify = |enough: &str| place.run("verify", &[&keys[..], &[enough]].concat());
    let (code, text) = verify("2");
    assert_eq!((code, text.trim()), (0, "5 of 5 items are right"));
    let (code, text) = verify("3");
    assert!(
        code == 1 && text.contains("again: its statement is signed by 2 of the keys, 3 are needed"),
        "{text}"
    );
    assert_eq!(verify("4").0, 2);
    // Each input, output and statement, with one byte changed: found, and the item named first.
    let mut named = BTreeSet::new();
    for part in ["objects", "statements"] {
        for path in place.files(part) {
            // HASH-NAME, or HASH-NAME.json.
            let file = path.file_name().unwrap().to_str().unwrap();
            let item = &file[file.find('-').unwrap() + 1..];
            let item = item.strip_suffix(".json").unwrap_or(item);
            let path = if path.is_dir() {
                path.join("abc.hex0")
            } else {
                path.clone()
            };
            let original = fs::read(&path).unwrap();
            for at in [0, original.len() / 3, original.len() / 2] {
                change_byte(&path, at);
                let (code, text) = verify("2");
                let starts = text.starts_with(&format!("{item}: "));
                assert!(code == 1 && starts, "{part} {item} byte {at}: {text}");
                change_byte(&path, at);
            }
            assert_eq!(fs::read(&path).unwrap(), original);
            named.insert((part, item.to_owned()));
        }
    }
    let parts = named.iter().map(|(part, item)| (*part, item.as_str()));
    assert_eq!(
        parts.collect::<Vec<_>>(),
        [
            ("objects", "abc"),
            ("objects", "again"),
            ("objects", "letters"),
            ("objects", "seed"),
            ("objects", "seed.hex0"),
            ("statements", "again"),
            ("statements", "letters"),
        ]
    );
    // A record says more than the statement that is signed: what it says of times and texts may change, the rest not.
    for path in place.files("results") {
        let original = fs::read(&path).unwrap();
        let document: Value = serde_json::from_slice(&original).unwrap();
        let item = document["name"].as_str().unwrap();
        for at in (0..original.len()).step_by(5) {
            change_byte(&path, at);
            let (code, text) = verify("2");
            let changed = serde_json::from_slice::<Value>(&fs::read(&path).unwrap());
            let same = changed.is_ok_and(|changed| {
                ["name", "derivation", "out", "object", "narSha256", "calls"]
                    .iter()
                    .all(|key| changed[key] == document[key])
            });
            let starts = text.starts_with(&format!("{item}: "));
            assert!(
                (code == 1 && starts) || (code == 0 && same),
                "{item} byte {at}: {text}"
            );
            change_byte(&path, at);
        }
    }
    assert_eq!(verify("2").0, 0);
}

#[test]
fn openssl_verifies_our_signatures() {
    use base64ct::{Base64, Encoding};
    let place = Place::recorded();
    let key = place.key(
        "key",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    );
    assert_eq!(place.run("build", &["--offline", "--key", &key]).0, 0);
    for file in place.files("statements") {
        let envelope: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let payload = Base64::decode_vec(envelope["payload"].as_str().unwrap()).unwrap();
        let statement: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
        assert_eq!(statement["predicateType"], "https://slsa.dev/provenance/v1");
        let kind = envelope["payloadType"].as_str().unwrap();
        let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
        fs::write(place.path("message"), [head.as_bytes(), &payload].concat()).unwrap();
        let signature =
            Base64::decode_vec(envelope["signatures"][0]["sig"].as_str().unwrap()).unwrap();
        fs::write(place.path("signature"), signature).unwrap();
        let output = Command::new("openssl")
            .args([
                "dgst",
                "-sha256",
                "-verify",
                "key.pub",
                "-signature",
                "signature",
                "message",
            ])
            .current_dir(place.folder.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
}
