//! A small chain, and each rule broken.

use super::*;
use proptest::prelude::*;

const GOOD: &str = r#"
chain = "small"
system = "x86_64-linux"
[calls]
stage = ["open", "read", "write"]
[[input]]
name = "seed"
hexadecimal = "seed.hex0"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
[[input]]
name = "tree"
tree = "src"
only = ["*.c"]
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
[[step]]
name = "one"
program = "{seed}"
arguments = ["-I{tree}/include", "{tree}/sub/*-*.c", "{out}"]
calls = ["stage", "exit"]
"#;

fn refused(from: &str, to: &str) -> String {
    let text = GOOD.replacen(from, to, 1);
    assert_ne!(text, GOOD);
    let error = Chain::parse(&text, Path::new("chain.toml")).unwrap_err();
    let cause = std::error::Error::source(&error);
    cause.map_or(error.to_string(), |cause| format!("{error}: {cause}"))
}

#[test]
fn a_chain_is_read() {
    let chain = Chain::parse(GOOD, Path::new("chain.toml")).unwrap();
    let Made::Step(step) = &chain.items[2].made else {
        panic!("the third is a step")
    };
    assert_eq!(chain.items[2].made.needs(), [0, 1]);
    assert_eq!(step.arguments[1].pattern(), Some((1, "sub", "*-*.c")));
    assert_eq!(
        Vec::<String>::from(step.calls.clone()),
        ["exit", "open", "read", "write"]
    );
}

#[test]
fn broken_rules_are_named_with_file_and_key() {
    for (from, to, words) in [
        (
            "\"{seed}\"",
            "\"{sed}\"",
            "chain.toml: step[0].program: nothing before it is called 'sed'",
        ),
        (
            "program = \"{seed}\"",
            "program = \"/bin/sh\"",
            "step[0].program: it is '{NAME}' or '{NAME}/PATH'",
        ),
        (
            "name = \"one\"",
            "name = \"seed\"",
            "step[0].name: 'seed' is there twice",
        ),
        ("name = \"one\"", "name = \"../one\"", "step[0].name"),
        (
            "\"{out}\"",
            "\"{one}\"",
            "step[0].arguments[2]: nothing before it is called 'one'",
        ),
        ("\"{out}\"", "\"{out\"", "a brace is not closed"),
        ("\"{out}\"", "\"*.c\"", "a '*' is allowed only"),
        (
            "\"exit\"",
            "\"ptrace\"",
            "step[0].calls: 'ptrace' may not be allowed to any step",
        ),
        ("\"exit\"", "\"mount\"", "'mount' may not be allowed"),
        ("\"exit\"", "\"exot\"", "'exot' is no system call"),
        (
            "\"seed.hex0\"",
            "\"../seed.hex0\"",
            "input[0].hexadecimal: '../seed.hex0' leads out of the chain's folder",
        ),
        ("\"src\"", "\"/etc\"", "input[1].tree: '/etc' leads out"),
        (
            "hexadecimal",
            "only = [\"x\"]\nhexadecimal",
            "input[0].only: only a tree has patterns",
        ),
        (
            "hexadecimal",
            "file = \"x\"\nhexadecimal",
            "input[0]: exactly one of",
        ),
        ("0000000000", "00", "input[0].sha256"),
        (
            "calls = [\"stage\"",
            "memory-mib = 0\ncalls = [\"stage\"",
            "step[0].memory-mib: it is from 1 to",
        ),
        (
            "calls = [\"stage\"",
            "seconds = 999999\ncalls = [\"stage\"",
            "step[0].seconds: it is from 1 to 86400",
        ),
        (
            "calls = [\"stage\"",
            "colour = 1\ncalls = [\"stage\"",
            "unknown field `colour`",
        ),
        (
            "hexadecimal = \"seed.hex0\"",
            "foreign = { file = \"x\", apt = \"-oAPT::Update::Pre-Invoke::=id\" }",
            "input[0].foreign.apt: '-oAPT::Update::Pre-Invoke::=id' is no name of a Debian package",
        ),
        (
            "hexadecimal = \"seed.hex0\"",
            "foreign = { file = \"x\", url = \"file:///etc/passwd\" }",
            "input[0].foreign.url: 'file:///etc/passwd' is no address with https or http",
        ),
        (
            "hexadecimal = \"seed.hex0\"",
            "foreign = { file = \"../x\" }",
            "input[0].foreign.file: no plain file name",
        ),
        (
            "hexadecimal = \"seed.hex0\"",
            "version = \"1 -o x\"\nforeign = { file = \"x\" }",
            "input[0].version: '1 -o x' is no version",
        ),
        (
            "[calls]",
            "[environment]\nPATH = \"/bin\"\n[calls]",
            "environment.PATH: no name for a variable of one's own",
        ),
    ] {
        let said = refused(from, to);
        assert!(
            said.contains(words) && said.starts_with("chain.toml: "),
            "{said}, not {words}"
        );
    }
}

#[test]
fn patterns_fit_like_a_shells() {
    for (name, pattern, expected) in [
        ("01-base.c", "*-*.c", true),
        ("host.c", "*-*.c", false),
        ("a", "*", true),
        ("", "*", true),
        ("abc", "a*c*", true),
        ("ab", "a*c", false),
        ("a", "a*a", false),
        ("aXbXc", "a*b*c", true),
        ("acb", "a*b*c", false),
    ] {
        assert_eq!(fits(name, pattern), expected, "{name} {pattern}");
    }
    // With every way to share out the letters tried, this would not end.
    assert!(!fits(&"a".repeat(255), &("*a".repeat(100) + "*b*")));
}

proptest! {
    #[test]
    fn damaged_files_never_panic(at in 0..GOOD.len(), with in "\\PC{0,3}") {
        let mut text = GOOD.to_owned();
        text.replace_range(at..=at, &with);
        let _ = Chain::parse(&text, Path::new("chain.toml"));
    }
}
