//! A small chain on the real seed: built, known, damaged, signed, verified, explained; and hostile ones refused.

use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The seed makes itself, and a file of three bytes; the hashes are put in by `--record`.
const CHAIN: &str = r#"
chain = "small"
system = "x86_64-linux"
[calls]
stage = ["creat", "exit", "open", "read", "write"]
[[input]]
name = "seed"
hexadecimal = "seed.hex0"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
[[input]]
name = "seed.hex0"
file = "seed.hex0"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
[[input]]
name = "abc"
texts = { "abc.hex0" = "61 62 63 ; abc\n" }
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
[[step]]
name = "again"
program = "{seed}"
arguments = ["{seed.hex0}", "{out}"]
calls = ["stage"]
same-as = "seed"
[[step]]
name = "letters"
program = "{again}"
arguments = ["{abc}/*.hex0", "{out}"]
calls = ["stage"]
"#;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(chain: &str) -> Place {
        let folder = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir()
            .unwrap();
        let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bootstrap/amd64/S0/seed.hex0");
        fs::copy(seed, folder.path().join("seed.hex0")).unwrap();
        fs::write(folder.path().join("chain.toml"), chain).unwrap();
        Place { folder }
    }

    fn recorded() -> Place {
        let place = Place::new(CHAIN);
        assert_eq!(place.run("build", &["--record", "--offline"]).0, 0);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Exit code, and standard output and error.
    fn run(&self, command: &str, more: &[&str]) -> (i32, String) {
        let output: Output = Command::new(env!("CARGO_BIN_EXE_rootstock-seed"))
            .arg(command)
            .arg(self.path("chain.toml"))
            .arg("--store")
            .arg(self.path("store"))
            .args(more)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        (output.status.code().unwrap(), text)
    }

    fn files(&self, part: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("store").join(part)).unwrap();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    fn key(&self, name: &str, algorithm: &[&str]) -> String {
        let private = self.path(name).display().to_string();
        for arguments in [
            [&["genpkey", "-quiet", "-out", &private][..], algorithm].concat(),
            vec![
                "pkey",
                "-in",
                &private,
                "-pubout",
                "-out",
                &format!("{private}.pub"),
            ],
        ] {
            assert!(
                Command::new("openssl")
                    .args(arguments)
                    .status()
                    .unwrap()
                    .success()
            );
        }
        private
    }
}

fn change_byte(path: &Path, at: usize) {
    let mode = fs::metadata(path).unwrap().permissions();
    let mut bytes = fs::read(path).unwrap();
    let at = at % bytes.len();
    bytes[at] ^= 1;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, mode).unwrap();
}

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
    // Each object and each statement, with one byte changed: found, and named.
    for part in ["objects", "statements", "results"] {
        for file in place.files(part) {
            let file = if file.is_dir() {
                file.join("abc.hex0")
            } else {
                file
            };
            let original = fs::read(&file).unwrap();
            for at in [0, original.len() / 3, original.len() / 2] {
                change_byte(&file, at);
                let (code, text) = verify("2");
                let changed_record = part == "results";
                assert!(
                    code == 1 || changed_record,
                    "{} byte {at}: {text}",
                    file.display()
                );
                change_byte(&file, at);
            }
            assert_eq!(fs::read(&file).unwrap(), original);
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
