//! The chain as a whole, and what a wrong program in it leads to.

use crate::native::Native;
use crate::sources;
use seed_proof::chain::{ChainError, Stage, translate};
use seed_proof::engine::{Engine, Files, Interpreter, specified};
use seed_proof::prove_hex::{self, HexProblem};
use std::fmt::Write;

#[test]
fn the_seed_rebuilds_itself() {
    let built = sources().build(&Native).unwrap();
    let text = sources().text(Stage::S0).to_vec();
    assert_eq!(built[0].bytes, seed_proof::hex::decode(&text).unwrap());
    let again = translate(&Native, Stage::S0, &built[0].bytes, &text).unwrap();
    assert_eq!(again.files[&b"out"[..]], built[0].bytes);
}

#[test]
fn a_wrong_byte_or_annotation_is_found_with_its_line() {
    let sources = sources();
    let text = String::from_utf8(sources.text(Stage::S0).to_vec()).unwrap();
    let line = 1 + text
        .lines()
        .position(|line| line.contains("; lodsb"))
        .unwrap();
    for changed in [
        text.replacen(
            "AC                      ; lodsb",
            "AA                      ; lodsb",
            1,
        ),
        text.replacen("; lodsb", "; stosb", 1),
    ] {
        let error = prove_hex::prove_stage(Stage::S0, changed.as_bytes()).unwrap_err();
        assert!(
            matches!(error.problem, HexProblem::Listing(ref error) if error.line == line),
            "{error}"
        );
    }
}

#[test]
fn a_seed_with_another_meaning_is_found() {
    // Consistent with its annotations, but 'B' becomes the first letter that is a digit.
    let text = String::from_utf8(sources().text(Stage::S0).to_vec()).unwrap();
    let changed = text.replace(
        "2C 11                   ; sub al, 17",
        "2C 12                   ; sub al, 18",
    );
    assert_ne!(text, changed);
    let error = prove_hex::prove(&sources().with(Stage::S0, changed.into_bytes())).unwrap_err();
    assert!(matches!(error.problem, HexProblem::Behaviour(_)), "{error}");
}

#[test]
fn an_error_leaves_no_output_not_even_an_old_one() {
    let sources = sources();
    let built = sources.build(&Interpreter::default()).unwrap();
    for (stage, text, message) in [
        (Stage::S0, "41\n4 1", " 1"),
        (Stage::S1, ":a 41\n.b", "line 2"),
        (Stage::S2, "a:\n jmp b", "line 2"),
        (
            Stage::S3,
            "long start() {\n return x; }",
            "in:2: not declared",
        ),
    ] {
        let program = &built[stage as usize].bytes;
        for engine in [&Native as &dyn Engine, &Interpreter::default()] {
            let run = translate(engine, stage, program, text.as_bytes()).unwrap();
            assert_ne!(run.status, 0);
            assert!(!run.files.contains_key(&b"out"[..]));
            let said = String::from_utf8_lossy(&run.errors);
            assert!(said.starts_with(message), "{}: {said:?}", stage.name());
        }
    }
}

#[test]
fn a_broken_source_names_the_stage_that_it_breaks() {
    let broken = sources().with(Stage::S2, b":start E9 %nowhere".to_vec());
    match broken.build(&Interpreter::default()) {
        Err(ChainError::Refused {
            stage: Stage::S2,
            status: 1,
            message,
        }) => {
            assert_eq!(message, "line 1");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn s3_reaches_the_limits_of_its_subset() {
    let s3 = sources()
        .build(&Interpreter::default())
        .unwrap()
        .remove(3)
        .bytes;
    let mut text = String::new();
    for number in 0..8000 {
        writeln!(text, "long global_variable_number_{number};").unwrap();
    }
    text.push_str("char big[0x10000000];\nlong deep(long a) {\n");
    for number in 0..63 {
        writeln!(text, "long x{number};").unwrap();
    }
    text.push_str("a = ");
    text.push_str(&"(1 + ".repeat(32));
    text.push('1');
    text.push_str(&")".repeat(32));
    text.push_str(";\n");
    text.push_str(&"if (a) {".repeat(32));
    text.push_str(&"}".repeat(32));
    text.push_str("return a;\n}\nlong start() { return deep(0); }\n");
    let engine = Interpreter::default();
    let run = translate(&engine, Stage::S3, &s3, text.as_bytes()).unwrap();
    assert_eq!(
        (run.status, String::from_utf8_lossy(&run.errors).as_ref()),
        (0, "")
    );
    let program = engine
        .run(&run.files[&b"out"[..]], &[], Files::new())
        .unwrap();
    assert_eq!(program.status, 33);
    let long = vec![b'\n'; 1 << 20];
    let message = translate(&engine, Stage::S3, &s3, &long).unwrap().errors;
    assert!(message.ends_with(b"long start() is not defined\n"));
}

#[test]
fn s3_names_what_it_refuses() {
    let s3 = sources()
        .build(&Interpreter::default())
        .unwrap()
        .remove(3)
        .bytes;
    for (text, message) in [
        ("long a;\nlong a;", "in:2: declared twice"),
        (
            "long f() { return 1; }\nlong f() { return 2; }",
            "in:2: declared twice",
        ),
        ("long f(long a, long a);", "in:1: declared twice"),
        (
            "long f();\nlong start() {\n return f(); }",
            "in:1: function is not defined",
        ),
        ("long f() { break; }", "in:1: outside a loop"),
        (
            "long f() { f = 1; }",
            "in:1: only variables can be assigned",
        ),
        ("long f() { return f[1]; }", "in:1: not an array"),
        ("long a; long f() { return a(); }", "in:1: not a function"),
        (
            "long f() { return 08; }",
            "in:1: not a number of the language",
        ),
        (
            "long f() { return 0x8000000000000000; }",
            "in:1: the number is larger",
        ),
        (
            "long f() { return 9223372036854775808; }",
            "in:1: the number is larger",
        ),
        ("long f() { return '\\q'; }", "in:1: not an escape"),
        ("long f() { f(\"abc\n\"); }", "in:1: a quote is not closed"),
        ("long f() { return 1 }", "in:1: expected ';'"),
        ("int f;", "in:1: expected long, char or enum"),
        ("char c;", "in:1: only arrays have elements of char"),
        (
            "long a[b];",
            "in:1: expected a number or the name of a constant",
        ),
        ("long a[0x20000000];", "in:1: too much memory"),
        ("long f() { for (;;) ; }", "in:1: not declared"),
        ("#define x", "in:1: not a byte of the language"),
        (
            "long f() { return \x01; }",
            "in:1: not a byte of the language",
        ),
    ] {
        let run = translate(&Interpreter::default(), Stage::S3, &s3, text.as_bytes()).unwrap();
        let said = String::from_utf8_lossy(&run.errors).into_owned();
        assert!(said.starts_with(message), "{text}: {said}");
        assert_eq!(
            (run.status, run.files.contains_key(&b"out"[..])),
            (1, false),
            "{text}"
        );
    }
    assert!(specified(Stage::S3, b"").is_none());
}
