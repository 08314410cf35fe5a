//! Two runs that differ: the step, the file, the byte and the likely cause, by `explain --other` and by `prove twice`.

use crate::place::Place;
use nix_store_path::encoding::to_base16;
use seed_build::build::{Builder, Circumstances};
use seed_build::chain::Chain;
use seed_build::input::Sources;
use seed_build::sandbox::Sandbox;
use seed_build::store::Store;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What a static program of glibc asks of the kernel.
const CALLS: &str = r#""arch_prctl", "brk", "close", "exit_group", "fstat", "getcwd", "getrandom", "getuid", "mmap", "mprotect", "munmap",
"newfstatat", "openat", "open", "prlimit64", "readlink", "readlinkat", "rseq", "set_robust_list", "set_tid_address", "time", "clock_gettime", "write""#;

/// One step that copies and one that varies, and the hash of the program.
fn place(what: &str) -> Place {
    let place = Place::new("");
    let program = place.path("vary");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/builder/vary.c");
    let status = Command::new("gcc")
        .args(["-static", "-O1", "-o"])
        .arg(&program)
        .arg(source)
        .status()
        .expect("gcc is there (package gcc)");
    assert!(status.success());
    let bytes = fs::read(&program).unwrap();
    fs::write(place.path("vary.hex0"), to_base16(&bytes).to_uppercase()).unwrap();
    let chain = format!(
        r#"
chain = "vary"
system = "x86_64-linux"
[[input]]
name = "vary"
hexadecimal = "vary.hex0"
sha256 = "{}"
[[step]]
name = "steady"
program = "{{vary}}"
arguments = ["nothing", "{{out}}"]
calls = [{CALLS}]
[[step]]
name = "varying"
program = "{{vary}}"
arguments = ["{what}", "{{out}}"]
calls = [{CALLS}]
"#,
        seed_proof::lineage::sha256(&bytes)
    );
    fs::write(place.path("chain.toml"), chain).unwrap();
    place
}

/// Builds the chain in the store `other`, in another directory, as another user, at another time.
fn build_elsewhere(place: &Place) {
    let chain = Chain::read(&place.path("chain.toml")).unwrap();
    let store = Store::open(&place.path("other")).unwrap();
    let sandbox = Sandbox::for_many(env!("CARGO_BIN_EXE_rootstock-seed").into());
    let builder = Builder {
        store: &store,
        sandbox: &sandbox,
        sources: Sources::default(),
        jobs: 1,
        circumstances: Circumstances {
            uid: 30_017,
            work: "/elsewhere".into(),
            clock: 1_700_000_000,
            processors: Vec::new(),
        },
    };
    let report = builder.build(&chain, &|_| ()).unwrap();
    assert_eq!(report.results.len(), 2);
}

#[test]
fn the_first_step_file_and_byte_that_differ_are_named_with_their_cause() {
    for (what, words) in [
        ("time", "byte 17; likely cause: a time stamp"),
        ("path", "byte 17; likely cause: a path"),
        (
            "order",
            "byte 13; likely cause: the order in which something was read",
        ),
        ("locale", "byte 22; likely cause: the locale"),
        ("user", "byte 18\n"),
    ] {
        let place = place(what);
        let (code, text) = place.run("build", &["--offline"]);
        assert_eq!(code, 0, "{text}");
        build_elsewhere(&place);
        let (code, text) = place.run("explain", &["--other", "other"]);
        assert!(
            code == 1 && text.starts_with("step varying: comparing ") && text.contains(words),
            "{what}: {text}"
        );
    }
}

#[test]
fn a_chain_that_varies_is_caught_when_it_is_built_twice() {
    let place = place("path");
    let output = Command::new(env!("CARGO_BIN_EXE_rootstock-seed"))
        .args(["prove", "twice", "--offline"])
        .arg(place.path("chain.toml"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.code() == Some(1)
            && text.starts_with("step varying: ")
            && text.contains("likely cause: a path"),
        "{text}"
    );
}

#[test]
fn a_run_that_is_equal_has_nothing_to_explain() {
    let place = place("nothing");
    assert_eq!(place.run("build", &["--offline"]).0, 0);
    build_elsewhere(&place);
    let (code, text) = place.run("explain", &["--other", "other"]);
    assert_eq!((code, text.trim()), (0, "nothing differs"));
    let (code, text) = place.run("explain", &["--other", "nowhere"]);
    assert_eq!(code, 2);
    assert!(text.contains("nowhere: there is no store"), "{text}");
    drop(Store::open(&place.path("empty")).unwrap());
    let (code, text) = place.run("explain", &["--other", "empty"]);
    let words = "step steady: comparing only one of the runs has it";
    assert_eq!((code, text.trim()), (1, words));
}

#[test]
fn where_nothing_was_built_nothing_is_called_equal() {
    let place = place("nothing");
    for command in ["explain", "verify"] {
        let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
        fs::write(place.path("key.pub"), public).unwrap();
        let more: &[&str] = if command == "verify" {
            &["--key", "key.pub"]
        } else {
            &[]
        };
        let (code, text) = place.run(command, more);
        assert_eq!(code, 2, "{text}");
        assert!(text.contains("store: there is no store"), "{text}");
        assert!(!place.path("store").exists());
    }
    drop(Store::open(&place.path("store")).unwrap());
    let (code, text) = place.run("explain", &[]);
    assert_eq!(code, 2);
    assert!(
        text.contains("no step of the chain was built there"),
        "{text}"
    );
}

#[test]
fn a_folder_that_an_export_would_fail_over_is_refused_before_anything_is_built() {
    let place = place("nothing");
    fs::create_dir(place.path("there")).unwrap();
    let (code, text) = place.run("nix-export", &["--to", "there"]);
    assert_eq!(code, 2);
    assert!(
        text.contains("there: it is there already; name a new folder"),
        "{text}"
    );
    assert!(!place.path("store").exists());
}

#[test]
fn progress_that_nobody_reads_ends_nothing() {
    let place = place("nothing");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut build = place.command("build");
    let status = build.arg("--offline").stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(0));
}
