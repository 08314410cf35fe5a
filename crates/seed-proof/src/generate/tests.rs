//! The generator is deterministic and varied.

use super::program;

#[test]
fn same_seed_same_program() {
    assert_eq!(program(7), program(7));
    assert_ne!(program(7), program(8));
}

#[test]
fn programs_have_every_construct() {
    let all: String = (0..40).map(program).collect();
    for construct in [
        " : ",
        "va_arg",
        "setjmp",
        "goto",
        "switch",
        "union",
        "long double",
        "[3] = {",
        "continue",
        "##",
        "<<=",
        "do {",
        "_Complex",
        "#pragma pack",
        "(packed)",
        "goto *",
        "alloca",
        " ... ",
        "[n][m]",
        "_Generic",
    ] {
        assert!(all.contains(construct), "{construct}");
    }
}
