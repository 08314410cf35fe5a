//! The encoder against GNU `as`: what it assembles each annotation to is among the encodings.

use crate::sources;
use seed_proof::chain::Stage;
use seed_proof::prove_hex::prove_stage;
use seed_proof::x86::encode::{Item, encodings};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::Command;

#[test]
fn gnu_as_agrees_on_every_instruction_of_the_listings() {
    let sources = sources();
    let mut texts = BTreeSet::new();
    for stage in [Stage::S0, Stage::S1, Stage::S2] {
        let proof = prove_stage(stage, sources.text(stage)).unwrap();
        texts.extend(proof.listing.instructions.into_iter().map(|(_, text)| text));
    }
    // Labels would be resolved by `as` in its own way; the walk over all paths checks those.
    let fixed: Vec<(String, Vec<Vec<u8>>)> = texts
        .into_iter()
        .filter_map(|text| {
            let bytes = |encoding: Vec<Item>| {
                let byte = |item| match item {
                    Item::Byte(byte) => Some(byte),
                    _ => None,
                };
                encoding.into_iter().map(byte).collect::<Option<Vec<u8>>>()
            };
            let all: Option<Vec<Vec<u8>>> = encodings(&text).into_iter().map(bytes).collect();
            all.map(|all| (text, all))
        })
        .collect();
    assert!(fixed.len() > 150, "{}", fixed.len());
    let mut source = String::from(".intel_syntax noprefix\n");
    for (text, _) in &fixed {
        let text = text
            .replace("byte [", "byte ptr [")
            .replace("dword [", "dword ptr [");
        // `as` reads a bare number in brackets as an immediate; a segment prefix would be added otherwise.
        let text = text.replace("[0x", "ds:[0x");
        // Each instruction in 32 bytes of its own, marked at the end.
        let _ = writeln!(source, ".balign 32, 0xCC\n{text}");
    }
    let _ = writeln!(source, ".balign 32, 0xCC");
    let folder = tempfile::tempdir().unwrap();
    let (input, object, binary) = (
        folder.path().join("a.s"),
        folder.path().join("a.o"),
        folder.path().join("a.bin"),
    );
    std::fs::write(&input, source).unwrap();
    let status = Command::new("as")
        .arg("-o")
        .args([&object, &input])
        .status()
        .unwrap();
    assert!(status.success());
    let mut copy = Command::new("objcopy");
    copy.args(["-O", "binary", "-j", ".text"])
        .args([&object, &binary]);
    assert!(copy.status().unwrap().success());
    let assembled = std::fs::read(&binary).unwrap();
    for (chunk, (text, known)) in assembled.chunks(32).zip(&fixed) {
        let matches = |bytes: &Vec<u8>| {
            chunk.starts_with(bytes) && chunk[bytes.len()..].iter().all(|byte| *byte == 0xCC)
        };
        assert!(
            known.iter().any(matches),
            "{text}: as gives {chunk:02X?}, we know {known:02X?}"
        );
    }
}
