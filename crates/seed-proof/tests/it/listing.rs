//! Listings: reading, checking, filling.

use seed_proof::listing::{Dialect, Problem, check, fill};

const SMALL: &str = ":start 31 C0                ; xor eax, eax          ; zero\n\
                     EB .start               ; jmp start\n";

#[test]
fn filling_what_is_right_changes_nothing() {
    let filled = fill(SMALL, Dialect::Linked).unwrap();
    assert_eq!(
        check(&filled, Dialect::Linked).unwrap().bytes,
        [0x31, 0xC0, 0xEB, 0xFC]
    );
    assert_eq!(fill(&filled, Dialect::Linked).unwrap(), filled);
}

#[test]
fn a_far_jump_is_filled_with_four_bytes() {
    let text = format!(":start ; jmp end\n{} ; zero 200\n:end\n", "");
    let filled = fill(&text, Dialect::Linked).unwrap();
    assert!(filled.contains("E9 %end"), "{filled}");
    assert_eq!(check(&filled, Dialect::Linked).unwrap().bytes.len(), 205);
}

#[test]
fn problems_have_their_lines() {
    for (text, line, problem) in [
        ("90 ; nop9", 1, Problem::Unknown("nop9".to_owned())),
        ("\n90", 2, Problem::Bare),
        (
            "; x\nC3 ; ret\nG3 ; ret",
            3,
            Problem::Token("G3".to_owned()),
        ),
        (
            ":a C3 ; ret\n:a C3 ; ret",
            2,
            Problem::Duplicate("a".to_owned()),
        ),
        ("EB .b ; jmp b", 1, Problem::Undefined("b".to_owned())),
        ("C3 ; ret ; caf\u{e9}", 1, Problem::Text),
    ] {
        let error = check(text, Dialect::Linked).unwrap_err();
        assert_eq!((error.line, error.problem), (line, problem), "{text}");
    }
    let error = check("C3 ; syscall", Dialect::Hex).unwrap_err();
    assert_eq!(error.to_string(), "line 1: `syscall` is `0F 05`, not `C3`");
}
