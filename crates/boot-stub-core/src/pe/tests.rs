//! Programs are laid out as their headers say, or refused with a reason.

use super::{Headers, Machine, PeError};
use alloc::vec::Vec;
use proptest::prelude::*;
use std::vec;

const PE: usize = 0x40;
const OPTIONAL: usize = PE + 24;
const TABLE: usize = OPTIONAL + 112 + 16 * 8;

fn put(file: &mut [u8], at: usize, value: u32) {
    file[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// A program with `.text` of 16 bytes at 0x1000 that holds an address of itself, and `.reloc` at 0x2000 that names it.
fn program() -> Vec<u8> {
    let mut file = vec![0; 0x600];
    file[..2].copy_from_slice(b"MZ");
    put(&mut file, 0x3c, PE as u32);
    file[PE..PE + 4].copy_from_slice(b"PE\0\0");
    put(&mut file, PE + 4, 0x0002_8664);
    file[PE + 20] = (TABLE - OPTIONAL) as u8;
    file[OPTIONAL..OPTIONAL + 2].copy_from_slice(&0x20b_u16.to_le_bytes());
    put(&mut file, OPTIONAL + 16, 0x1008); // entry point
    put(&mut file, OPTIONAL + 24, 0x40_0000); // image base
    put(&mut file, OPTIONAL + 56, 0x3000); // image size
    put(&mut file, OPTIONAL + 60, 0x200); // header size
    put(&mut file, OPTIONAL + 108, 16);
    put(&mut file, OPTIONAL + 112 + 5 * 8, 0x2000);
    put(&mut file, OPTIONAL + 112 + 5 * 8 + 4, 12);
    for (index, name, address, raw, flags) in [
        (0, b".text\0\0\0", 0x1000, 0x200, 0x6000_0020_u32),
        (1, b".reloc\0\0", 0x2000, 0x400, 0x4200_0040),
    ] {
        let at = TABLE + index * 40;
        file[at..at + 8].copy_from_slice(name);
        put(&mut file, at + 8, 16);
        put(&mut file, at + 12, address);
        put(&mut file, at + 16, 0x200);
        put(&mut file, at + 20, raw);
        put(&mut file, at + 36, flags);
    }
    put(&mut file, 0x200, 0x40_1008);
    put(&mut file, 0x400, 0x1000); // page
    put(&mut file, 0x404, 12); // length
    put(&mut file, 0x408, 0x0000_a000); // DIR64 at 0, padding
    file
}

fn load(file: &[u8], base: u64) -> Result<(u32, Vec<u8>), PeError> {
    let headers = Headers::parse(file)?;
    let mut memory = vec![0xcc; 0x3000];
    let loaded = headers.load(file, Machine::X64, &mut memory, base)?;
    Ok((loaded.entry_point, memory))
}

#[test]
fn a_program_is_laid_out_and_its_addresses_follow() {
    let file = program();
    let (entry, memory) = load(&file, 0x1234_0000_0000).unwrap();
    assert_eq!(entry, 0x1008);
    assert_eq!(memory[0x1000..0x1008], 0x1234_0000_1008_u64.to_le_bytes());
    assert_eq!(memory[..0x200], file[..0x200]);
    assert!(memory[0x1010..0x2000].iter().all(|byte| *byte == 0));
    let (_, memory) = load(&file, 0x40_0000).unwrap();
    assert_eq!(memory[0x1000..0x1008], 0x40_1008_u64.to_le_bytes());
    let headers = Headers::parse(&memory).unwrap();
    assert_eq!(headers.sections[0].name(), ".text");
    let text = headers.sections[0].in_memory(&memory).unwrap();
    assert_eq!(text[..8], 0x40_1008_u64.to_le_bytes());
}

#[test]
fn what_can_not_be_laid_out_is_refused() {
    let changed = |at: usize, value: u32| {
        let mut file = program();
        put(&mut file, at, value);
        load(&file, 0x1000).unwrap_err().to_string()
    };
    use std::string::ToString;
    for (at, value, told) in [
        (0, 0x5a4e, "DOS magic can't be 0x5a4e"),
        (PE, 0, "PE signature can't be 0x0"),
        (PE + 4, 0x0002_aa64, "machine can't be 0xaa64"),
        (PE + 4, 0xffff_8664, "section count can't be 0xffff"),
        (OPTIONAL, 0x10b, "optional header magic can't be 0x10b"),
        (OPTIONAL + 16, 0x3000, "entry point can't be 0x3000"),
        (OPTIONAL + 56, 0x4000, "image size can't be 0x4000"),
        (
            OPTIONAL + 60,
            0x601,
            "headers at offset 0x0 is outside the image",
        ),
        (
            TABLE + 12,
            0x2fff,
            "place of a section at offset 0x2fff is outside the image",
        ),
        (
            TABLE + 8,
            0x2001,
            "section at offset 0x1000 is outside the image",
        ),
        (
            TABLE + 20,
            0x5ff,
            "section data at offset 0x5ff is outside the image",
        ),
        (
            0x400,
            0x2ffc,
            "relocated address at offset 0x2ffc is outside the image",
        ),
        (0x404, 7, "length of a relocation block can't be 0x7"),
        (
            0x404,
            14,
            "relocation block at offset 0x0 is outside the image",
        ),
        (0x408, 0x3000, "relocation type can't be 0x3"),
    ] {
        assert_eq!(changed(at, value), told);
    }
    // Relocations taken away: good for the address that it was linked for alone.
    let mut file = program();
    put(&mut file, OPTIONAL + 112 + 5 * 8 + 4, 0);
    assert!(load(&file, 0x1000).is_ok());
    file[PE + 22] = 1;
    assert!(load(&file, 0x40_0000).is_ok());
    let error = load(&file, 0x1000).unwrap_err().to_string();
    assert_eq!(
        error,
        "load address of a program without relocations can't be 0x1000"
    );
}

proptest! {
    #[test]
    fn changed_bytes_never_panic(changes in proptest::collection::vec((0_usize..0x600, any::<u8>()), 1..12), cut in 0_usize..0x600) {
        let mut file = program();
        for (at, value) in changes {
            file[at] = value;
        }
        let _ = load(&file, 0x1000);
        let _ = load(&file[..cut], 0x1000);
    }
}
