//! Small ELF files made here, with one thing changed at a time.

use super::{What, compare};
use proptest::prelude::*;

/// An ELF file with a code section of functions, and a data section.
fn elf(functions: &[(&str, &[u8])], data: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut names = vec![0];
    let mut symbols = vec![0; 24];
    for (name, bytes) in functions {
        symbols.extend((names.len() as u32).to_le_bytes());
        symbols.extend([0x12, 0]);
        symbols.extend(1u16.to_le_bytes());
        symbols.extend((0x1000 + text.len() as u64).to_le_bytes());
        symbols.extend((bytes.len() as u64).to_le_bytes());
        names.extend(name.bytes());
        names.push(0);
        text.extend_from_slice(bytes);
    }
    let section_names = b"\0.text\0.data\0.symtab\0.strtab\0.shstrtab\0";
    let mut file = vec![0; 64];
    let mut headers = vec![0; 64];
    let mut section =
        |name: u32, kind: u32, flags: u64, address: u64, link: u32, bytes: &[u8], each: u64| {
            let offset = file.len() as u64;
            file.extend_from_slice(bytes);
            headers.extend(name.to_le_bytes());
            headers.extend(kind.to_le_bytes());
            for field in [flags, address, offset, bytes.len() as u64] {
                headers.extend(field.to_le_bytes());
            }
            headers.extend(link.to_le_bytes());
            headers.extend(1u32.to_le_bytes());
            headers.extend(1u64.to_le_bytes());
            headers.extend(each.to_le_bytes());
        };
    section(1, 1, 6, 0x1000, 0, &text, 0);
    section(7, 1, 3, 0x2000, 0, data, 0);
    section(13, 2, 0, 0, 4, &symbols, 24);
    section(21, 3, 0, 0, 0, &names, 0);
    section(29, 3, 0, 0, 0, section_names, 0);
    let at = file.len() as u64;
    file.extend(headers);
    file[..8].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0]);
    file[16] = 2;
    file[18] = 62;
    file[20] = 1;
    file[40..48].copy_from_slice(&at.to_le_bytes());
    file[52] = 64;
    file[58] = 64;
    file[60] = 6;
    file[62] = 5;
    file
}

const RETURN_ONE: &[u8] = &[0xb8, 1, 0, 0, 0, 0xc3];
const RETURN_TWO: &[u8] = &[0xb8, 2, 0, 0, 0, 0xc3];

#[test]
fn equal_files_are_equal() {
    let file = elf(&[("one", RETURN_ONE)], b"data");
    let comparison = compare(&file, &file).unwrap();
    assert!(comparison.equal && comparison.differences.is_empty());
    // Not even parsed.
    assert!(compare(b"x", b"x").unwrap().equal);
    assert!(compare(b"x", b"y").is_err());
}

#[test]
fn names_the_function_and_the_instruction() {
    let left = elf(&[("one", RETURN_ONE), ("same", RETURN_ONE)], b"data");
    let right = elf(&[("one", RETURN_TWO), ("same", RETURN_ONE)], b"data");
    let comparison = compare(&left, &right).unwrap();
    let first = &comparison.differences[0];
    assert_eq!(first.symbol.as_deref(), Some("one"));
    assert_eq!(
        (first.section.as_str(), first.what, first.offset),
        (".text", What::Content, 1)
    );
    assert_eq!(
        (first.left.as_str(), first.right.as_str()),
        ("mov eax,1", "mov eax,2")
    );
}

#[test]
fn a_changed_size_comes_first() {
    let left = elf(
        &[("a", RETURN_ONE), ("b", &[0xc3]), ("c", RETURN_ONE)],
        b"data",
    );
    let right = elf(
        &[("a", RETURN_TWO), ("b", &[0x90, 0xc3]), ("new", &[0xc3])],
        b"data",
    );
    let comparison = compare(&left, &right).unwrap();
    let sizes: Vec<_> = comparison
        .differences
        .iter()
        .map(|d| (d.symbol.clone(), d.what))
        .collect();
    assert!(sizes.contains(&(Some("b".to_owned()), What::Size)));
    assert!(sizes.contains(&(Some("c".to_owned()), What::OnlyLeft)));
    assert!(sizes.contains(&(Some("new".to_owned()), What::OnlyRight)));
    let content = sizes
        .iter()
        .position(|(_, what)| *what == What::Content)
        .unwrap();
    assert!(
        sizes[content..]
            .iter()
            .all(|(_, what)| *what == What::Content)
    );
}

#[test]
fn data_is_shown_as_bytes() {
    let comparison = compare(&elf(&[], b"abcd"), &elf(&[], b"abXd")).unwrap();
    let first = &comparison.differences[0];
    assert_eq!((first.section.as_str(), first.offset), (".data", 2));
    assert_eq!(
        (first.left.as_str(), first.right.as_str()),
        ("63 64", "58 64")
    );
}

#[test]
fn a_difference_outside_the_sections_is_reported() {
    let left = elf(&[("a", RETURN_ONE)], b"data");
    let mut right = left.clone();
    right[24] ^= 1;
    let comparison = compare(&left, &right).unwrap();
    assert!(!comparison.equal);
    assert_eq!(
        (
            comparison.differences[0].section.as_str(),
            comparison.differences[0].offset
        ),
        ("(file)", 24)
    );
}

proptest! {
    #[test]
    fn unequal_files_have_a_difference(at in 0usize..600, flip in 1u8..=255) {
        let left = elf(&[("one", RETURN_ONE), ("two", RETURN_TWO)], b"some data");
        let mut right = left.clone();
        let at = at % right.len();
        right[at] ^= flip;
        if let Ok(comparison) = compare(&left, &right) {
            prop_assert!(!comparison.equal && !comparison.differences.is_empty());
        }
    }
}
