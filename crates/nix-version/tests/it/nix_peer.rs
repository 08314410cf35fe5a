//! Differential test: our Nix order and name cutting against Nix itself, thousands of pairs in one evaluation.
//!
//! Invariant: no pair is left out; a machine without `nix-instantiate` fails here (stage 22 installs it).

use crate::versions::{TRICKY, version};
use nix_version::nix;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use std::process::Command;

/// Evaluates a Nix expression to JSON without touching a store.
fn evaluate(expression: &str) -> serde_json::Value {
    // Each evaluation has its own: tests of one process run side by side.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pairs.nix");
    std::fs::write(&file, expression).unwrap();
    let output = Command::new("nix-instantiate")
        .args(["--eval", "--strict", "--json", "--store", "dummy://"])
        .arg(&file)
        .env("NIX_STATE_DIR", folder.path())
        .env("HOME", folder.path())
        .output()
        .expect("nix-instantiate runs (Debian package nix-bin)");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A Nix string literal.
fn literal(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace("${", "\\${");
    format!("\"{escaped}\"")
}

fn generated(count: usize) -> Vec<String> {
    let mut runner = TestRunner::deterministic();
    (0..count)
        .map(|_| version().new_tree(&mut runner).unwrap().current())
        .filter(|text| !text.contains(['\0', '\r']))
        .collect()
}

#[test]
fn compare_versions_agrees_with_nix() {
    let mut pairs: Vec<(String, String)> = TRICKY
        .iter()
        .flat_map(|a| TRICKY.iter().map(|b| ((*a).to_owned(), (*b).to_owned())))
        .collect();
    let texts = generated(8000);
    pairs.extend(
        texts
            .chunks_exact(2)
            .map(|pair| (pair[0].clone(), pair[1].clone())),
    );
    let list: Vec<String> = pairs
        .iter()
        .map(|(a, b)| format!("(builtins.compareVersions {} {})\n", literal(a), literal(b)))
        .collect();
    let answers = evaluate(&format!("[{}]", list.concat()));
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), pairs.len());
    for ((a, b), answer) in pairs.iter().zip(answers) {
        assert_eq!(
            i64::from(nix::compare(a, b) as i8),
            answer.as_i64().unwrap(),
            "{a:?} {b:?}"
        );
    }
}

#[test]
fn split_name_agrees_with_nix() {
    let names: Vec<String> = TRICKY
        .iter()
        .map(|version| format!("hello-{version}"))
        .chain(
            [
                "python3.7-requests-2.22.0",
                "a52dec",
                "nix-js-",
                "x-1-y-2",
                "-",
                "-1",
                "a--1",
                "",
            ]
            .map(String::from),
        )
        .chain(generated(2000))
        .collect();
    let list: Vec<String> = names
        .iter()
        .map(|name| format!("(builtins.parseDrvName {})\n", literal(name)))
        .collect();
    let answers = evaluate(&format!("[{}]", list.concat()));
    for (name, answer) in names.iter().zip(answers.as_array().unwrap()) {
        let (left, right) = nix::split_name(name);
        assert_eq!(left, answer["name"].as_str().unwrap(), "{name:?}");
        assert_eq!(right, answer["version"].as_str().unwrap(), "{name:?}");
    }
}
