//! The interpreter on small programs: flags, faults, limits.

use crate::native::Native;
use seed_proof::assemble::assemble;
use seed_proof::engine::{Engine, Files, Interpreter};
use seed_proof::x86::decode::decode;
use seed_proof::x86::machine::{Fault, Machine};

/// Exits with the condition of `set` after `left` and `right` were compared.
fn compared(left: i64, right: i64, set: &str) -> Vec<u8> {
    let text = format!(
        " mov rcx, {left}\n mov rdx, {right}\n cmp rcx, rdx\n {set} al\n movzx rdi, al\n mov rax, 60\n syscall\n"
    );
    assemble(text.as_bytes()).expect("the text is right")
}

#[test]
fn conditions_are_those_of_the_processor() {
    for set in [
        "setb", "setae", "sete", "setne", "setbe", "seta", "setl", "setge", "setle", "setg",
    ] {
        for (left, right) in [
            (0, 0),
            (1, 2),
            (2, 1),
            (-1, 1),
            (1, -1),
            (-2_147_483_648, 2_147_483_647),
        ] {
            let program = compared(left, right, set);
            let native = Native.run(&program, &[], Files::new()).unwrap();
            let interpreted = Interpreter::default()
                .run(&program, &[], Files::new())
                .unwrap();
            assert_eq!(native.status, interpreted.status, "{set} {left} {right}");
        }
    }
}

#[test]
fn arithmetic_is_that_of_the_processor() {
    let operations = "add rax, rcx\nsub rax, r8\nimul rax, rcx\nxor rax, rdx\nand rdx, rax\nor rcx, rdx\nneg rcx\n\
                      not rdx\nshl rax, 7\nshr rcx, 3\nsar rdx, 5\ncqo\nidiv r8\ninc rax\ndec rdx\nmul rcx\n\
                      mov rcx, 37\nshl rax, cl\nsar rax, cl\nmovsx r9, cl\nlea r10, [rax+5]\nadd rax, r10\nadd rax, r9\n";
    for seed in 0..8 {
        let mut text = format!(
            "bss out 8\nmov rax, {}\nmov rcx, -{}\nmov rdx, 77\nmov r8, {}\n",
            seed * 123_456_789 % 2_000_000_000,
            seed * 987_654 + 3,
            seed * 17 + 1
        );
        text.push_str(operations);
        text.push_str("mov [out], rax\nmov rax, 1\nmov rdi, 1\nmov rsi, out\nmov rdx, 8\nsyscall\nmov rax, 60\nxor rdi, rdi\nsyscall\n");
        let program = assemble(text.as_bytes()).unwrap();
        let native = Native.run(&program, &[], Files::new()).unwrap();
        let interpreted = Interpreter::default()
            .run(&program, &[], Files::new())
            .unwrap();
        assert_eq!(native.output.len(), 8);
        assert_eq!(native.output, interpreted.output, "{seed}");
    }
}

#[test]
fn faults_say_where() {
    let run = |text: &str| {
        let program = assemble(text.as_bytes()).unwrap();
        Machine::load(&program, &[b"p"], Files::new())
            .unwrap()
            .run(1000)
            .unwrap_err()
    };
    assert_eq!(run(" jmp 0x1000"), Fault::Lost(0x1000));
    assert_eq!(run("a: jmp a"), Fault::Endless(1000));
    assert_eq!(
        run(" mov rax, [0x10]"),
        Fault::Access {
            at: 0x40_0078,
            address: 0x10
        }
    );
    assert_eq!(run(" xor rcx, rcx\n div rcx"), Fault::Division(0x40_007B));
    assert_eq!(
        run(" mov rax, 59\n syscall"),
        Fault::Call {
            at: 0x40_0081,
            number: 59
        }
    );
    assert!(matches!(
        run(" db 0x0F, 0x0B"),
        Fault::Unknown { at: 0x40_0078, .. }
    ));
    assert!(Machine::load(b"\x7fELF", &[], Files::new()).is_err());
}

#[test]
fn the_decoder_never_panics() {
    for first in 0..=255_u8 {
        for second in 0..=255_u8 {
            for length in 0..6 {
                let bytes = [
                    first, second, 0x84, 0xC0, 0x05, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                ];
                let _ = decode(&bytes[..length]);
            }
        }
    }
}
