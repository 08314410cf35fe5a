//! Each rule of SUBSET.md with a program that breaks it and one that does not, and S4 itself.

use super::{Source, check};
use proptest::prelude::*;

fn refusals(text: &str) -> Vec<String> {
    let source = Source {
        name: "t.c",
        text: text.as_bytes(),
    };
    match check(&[source]) {
        Ok(_) => Vec::new(),
        Err(refusals) => refusals.iter().map(ToString::to_string).collect(),
    }
}

/// A program around the body of `start`.
fn body(text: &str) -> Vec<String> {
    refusals(&format!(
        "enum {{ BIG = 100000, TWO = 2 }};\nlong g;\nlong w[4];\nchar b[TWO];\nlong set() {{ g = 1; return g; }}\nlong get() {{ return g; }}\nlong pure(long x) {{ return x + 1; }}\nlong text(char *s) {{ return s[0]; }}\nlong start() {{ long x = 1;\n{text}\nreturn x; }}\n"
    ))
}

#[test]
fn accepts_each_construct() {
    let fine = "x = pure(x) * 2 - -x; w[1] = x << 3; b[0] = 'a'; { long y = w[x & 3]; x = y; }
        if (x < 3 && get()) x = 0; else if (!x) { x = ~x; } while (x > 0) { x = x - 1; if (x == 2) break; continue; }
        x = text(\"a\\n\\\"\") + text(b); x = set(); os_write(1, b, 0, 2); x = x & 0xffffffff;";
    assert_eq!(body(fine), Vec::<String>::new());
}

#[test]
fn refuses_with_file_and_line() {
    assert_eq!(
        refusals("long start() {\n  return y;\n}\n"),
        ["t.c:2: 'y' is not declared, or is a function"]
    );
}

#[test]
fn refuses_what_the_grammar_does_not_have() {
    for text in [
        "x++;",
        "x += 1;",
        "for (;;) {}",
        "x = (long)x;",
        "x = x ? 1 : 2;",
        "x = x, 1;",
        "char *p;",
        "x = *w;",
        "x = &x;",
        "int y;",
        "x = 010;",
        "x = 1L;",
        "x = 0xA;",
        "x = 'ab';",
        "x = text(\"a\" \"b\");",
        "return;",
        ";",
        "do x = 1; while (x);",
        "goto a;",
        "x = 1.5;",
        "long y[3];",
        "/* */",
        "#define A",
        "x = '\\x41';",
        "x = 9223372036854775808;",
        "unsigned y;",
        "switch (x) {}",
        "x = text(\"\\101\");",
    ] {
        assert_ne!(body(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn refuses_values_that_leave_an_int() {
    for (text, fine) in [
        ("x = BIG * BIG;", false),
        ("x = BIG * TWO;", true),
        ("x = 1 << 31;", false),
        ("x = 1 << 30;", true),
        ("x = 1 << x;", false),
        ("x = x << 63;", true),
        ("x = x << 64;", false),
        ("x = b[0] << 24;", false),
        ("x = (b[0] & 255) << 16;", true),
        ("x = b[0] * BIG * 100;", true),
        ("x = b[0] * BIG * 1000;", false),
        ("x = 0xffffffff;", true),
        ("x = ~0xffffffff;", false),
        ("x = 0xffffffff + 1;", false),
        ("x = 0x7fffffff + 1;", false),
        ("x = 1 / (TWO - 2);", false),
    ] {
        assert_eq!(body(text).is_empty(), fine, "{text}: {:?}", body(text));
    }
}

#[test]
fn refuses_results_that_depend_on_order() {
    for (text, fine) in [
        ("x = set() + get();", false),
        ("x = set() + g;", false),
        ("x = set() + x;", true),
        ("x = get() + g;", true),
        ("x = set() && get();", true),
        ("w[g] = set();", false),
        ("w[x] = set();", true),
        ("w[set()] = g;", false),
        ("x = pure(set()) + pure(3);", true),
        ("os_read(0, b, g, set());", false),
        ("x = w[set()];", true),
        ("x = os_arg(1, 0) + g;", true),
        ("x = os_write(1, b, 0, 1) + b[0];", false),
    ] {
        assert_eq!(body(text).is_empty(), fine, "{text}: {:?}", body(text));
    }
}

#[test]
fn refuses_wrong_names_and_calls() {
    for text in [
        "long x = 2;",
        "long g = 2;",
        "long set = 1;",
        "x = later(1);",
        "x = pure();",
        "x = pure(b);",
        "x = text(x);",
        "x = text(w);",
        "x = w;",
        "x = set;",
        "b = 1;",
        "x = x[0];",
        "break;",
        "if (x) long y = 1;",
        "TWO = 3;",
        "{ long y = 1; } x = y;",
    ] {
        assert_ne!(body(text), Vec::<String>::new(), "{text}");
    }
    for text in [
        "long f(long a); long start() { return f(1); }",
        "long f() { return 1; } long f() { return 2; } long start() { return 1; }",
        "long f(long a); long f(char *a) { return 1; } long start() { return 1; }",
        "long a[0]; long start() { return 1; }",
        "long a[300000000]; long start() { return 1; }",
        "long main() { return 1; }",
        "enum { A = 0x80000000 }; long start() { return 1; }",
        "long f(long a, long b, long c, long d, long e, long f1, long g) { return 1; } long start() { return 1; }",
    ] {
        assert_ne!(refusals(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn nesting_is_bounded() {
    let deep = |n| format!("x = {}1{};", "(".repeat(n), ")".repeat(n));
    assert!(body(&deep(31)).is_empty());
    assert!(!body(&deep(32)).is_empty());
    assert!(!body(&"if (x) ".repeat(40)).is_empty());
    assert!(!body(&format!("x = x{};", " + x".repeat(257))).is_empty());
    assert!(!body(&"-".repeat(100_000)).is_empty());
}

#[test]
fn s4_is_within_the_subset() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bootstrap/amd64/S4");
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with(|c: char| c.is_ascii_digit())
        })
        .map(|path| {
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                std::fs::read(path).unwrap(),
            )
        })
        .collect();
    files.sort();
    let sources: Vec<Source<'_>> = files
        .iter()
        .map(|(name, text)| Source { name, text })
        .collect();
    match check(&sources) {
        Ok(summary) => assert!(summary.functions > 300, "{summary:?}"),
        Err(refusals) => {
            let all: Vec<String> = refusals.iter().map(ToString::to_string).collect();
            panic!("{}", all.join("\n"));
        }
    }
}

proptest! {
    #[test]
    fn never_panics(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = check(&[Source { name: "x", text: &text }]);
    }

    #[test]
    fn never_panics_on_tokens(words in proptest::collection::vec(prop_oneof![
        Just("long"), Just("char"), Just("enum"), Just("if"), Just("else"), Just("while"), Just("return"), Just("start"), Just("x"),
        Just("("), Just(")"), Just("{"), Just("}"), Just("["), Just("]"), Just(";"), Just(","), Just("="), Just("+"), Just("-"),
        Just("<<"), Just("1"), Just("\"s\""), Just("'c'"), Just("*"),
    ], 0..60)) {
        let text = words.join(" ");
        let _ = check(&[Source { name: "x", text: text.as_bytes() }]);
    }
}
