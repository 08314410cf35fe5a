//! The specifications of S0 to S2 on hostile texts: they end, and agree with the stages.

use crate::sources;
use proptest::prelude::*;
use seed_proof::assemble::{AssembleProblem, assemble};
use seed_proof::chain::{Stage, translate};
use seed_proof::engine::{Interpreter, specified};
use seed_proof::hex::{HexError, decode};
use seed_proof::link::{LinkProblem, link};
use seed_proof::x86::encode::{Item, encodings};
use std::sync::LazyLock;

static PROGRAMS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let built = sources()
        .build(&Interpreter::default())
        .expect("the chain builds");
    built.into_iter().map(|built| built.bytes).collect()
});

#[test]
fn hex_knows_its_errors() {
    assert_eq!(decode(b"41 42;x\n43").unwrap(), b"ABC");
    assert_eq!(
        decode(b"41 g"),
        Err(HexError::Byte {
            offset: 3,
            byte: b'g'
        })
    );
    assert_eq!(decode(b"41 4"), Err(HexError::Half { offset: 4 }));
    assert_eq!(decode(b"4;1"), Err(HexError::Half { offset: 1 }));
    assert!(matches!(
        decode(&vec![b' '; seed_proof::hex::LIMIT]),
        Err(HexError::Long(_))
    ));
}

#[test]
fn the_linker_knows_its_errors() {
    assert_eq!(
        link(b":a 90 .a %a &a #a \"hi\"").unwrap(),
        b"\x90\xfe\xfa\xff\xff\xff\0\0\x40\0\0\0\0\0hi"
    );
    let problem = |text: &[u8]| {
        let error = link(text).unwrap_err();
        (error.line, error.problem)
    };
    assert_eq!(
        problem(b"90\n.b"),
        (2, LinkProblem::Undefined("b".to_owned()))
    );
    assert_eq!(
        problem(b":b\n\n:b"),
        (3, LinkProblem::Duplicate("b".to_owned()))
    );
    assert_eq!(problem(b"\n$x"), (2, LinkProblem::Sign('$')));
    assert_eq!(problem(b": x"), (1, LinkProblem::Nameless));
    assert_eq!(problem(b"\"abc\n\""), (1, LinkProblem::Open));
    let far = [b".a ".as_slice(), &b"90 ".repeat(128), b":a"].concat();
    assert_eq!(problem(&far), (1, LinkProblem::Far("a".to_owned())));
}

#[test]
fn the_assembler_knows_its_errors() {
    let problem = |text: &str| {
        let error = assemble(text.as_bytes()).unwrap_err();
        (error.line, error.problem)
    };
    assert_eq!(
        problem("a:\na:"),
        (2, AssembleProblem::Duplicate("a".to_owned()))
    );
    assert_eq!(
        problem("\n jmp b"),
        (2, AssembleProblem::Undefined("b".to_owned()))
    );
    assert_eq!(
        problem(" mov rax, 0x80000000"),
        (1, AssembleProblem::Range(0x8000_0000))
    );
    assert_eq!(problem(" shl rax, 128"), (1, AssembleProblem::Range(128)));
    assert_eq!(problem(" db 256"), (1, AssembleProblem::Range(256)));
    assert_eq!(
        problem(" bss a 0x40000001"),
        (1, AssembleProblem::Range(0x4000_0001))
    );
    assert_eq!(
        problem(" mov al, 5"),
        (1, AssembleProblem::Instruction("mov".to_owned()))
    );
    assert_eq!(
        problem(" def a 0x9999999999999999"),
        (1, AssembleProblem::Large)
    );
    assert!(matches!(
        problem(" def a b\nb:"),
        (1, AssembleProblem::Expected(_))
    ));
    assert!(matches!(
        problem("%"),
        (1, AssembleProblem::Expected("a name"))
    ));
}

/// Every row of S2's table is an encoding of what its text says.
#[test]
fn the_assembler_encodes_what_it_reads() {
    let mut random = seed_proof::texts::Random(1);
    let mut checked = 0;
    for _ in 0..300 {
        let text = String::from_utf8(seed_proof::texts::assembly(&mut random)).unwrap();
        for line in text.lines().filter(|line| line.starts_with("  ")) {
            let line = line.trim();
            // Only what means the same alone: no labels, constants or distances.
            if ["label", "space", "size"]
                .iter()
                .any(|word| line.contains(word))
            {
                continue;
            }
            let bytes = assemble(line.as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}"));
            let bytes = &bytes[120..];
            // Memory is 8 bytes wide in S2 where its text does not say `byte`.
            let wide = line.replace('[', "qword [").replace("byte qword", "byte");
            let known: Vec<Vec<u8>> = [encodings(line), encodings(&wide)]
                .concat()
                .into_iter()
                .map(|encoding| {
                    let byte = |item| match item {
                        Item::Byte(byte) => byte,
                        other => panic!("{line}: {other:?}"),
                    };
                    encoding.into_iter().map(byte).collect()
                })
                .collect();
            // REX.W changes nothing where the operand is 8 bytes or a byte register anyway.
            let plain = match bytes {
                [rex, rest @ ..] if rex & 0xF8 == 0x48 => {
                    let rex = rex & 0xF7;
                    if rex == 0x40 {
                        rest.to_vec()
                    } else {
                        [&[rex], rest].concat()
                    }
                }
                _ => bytes.to_vec(),
            };
            assert!(
                known.iter().any(|known| known == bytes || *known == plain),
                "{line}: {bytes:02X?}"
            );
            checked += 1;
        }
    }
    assert!(checked > 500, "{checked}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Any bytes at all: the stage and its specification say the same.
    #[test]
    fn stages_are_their_specifications(
        text in proptest::collection::vec(prop_oneof![
            any::<u8>(),
            proptest::sample::select(b"0123456789ABCDEFxa :;.%&#\"'[]+-,\n\tmovraxjmpdefbssdb".to_vec()),
        ], 0..200),
        stage in 0..3_usize,
    ) {
        let stage = Stage::ALL[stage];
        let run = translate(&Interpreter::default(), stage, &PROGRAMS[stage as usize], &text).unwrap();
        let found = match run.files.get(&b"out"[..]) {
            Some(bytes) => Ok(bytes.clone()),
            None => Err(run.errors.clone()),
        };
        prop_assert_eq!(Some(found), specified(stage, &text));
    }
}
