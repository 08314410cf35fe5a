//! Each cause from an example of it, and trees on disk.

use super::*;

fn guess(left: &str, right: &str) -> Option<Cause> {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    cause(left, right, first_byte(left, right)?)
}

#[test]
fn causes_are_told_from_examples() {
    assert_eq!(
        guess(
            "built Nov 25 2026 10:11:12\0",
            "built Nov 26 2026 09:11:12\0"
        ),
        Some(Cause::TimeStamp)
    );
    assert_eq!(
        guess("stamp=1700000000;", "stamp=1700000777;"),
        Some(Cause::TimeStamp)
    );
    assert_eq!(
        guess("x\0/build/one/a.c\0", "x\0/build/two/a.c\0"),
        Some(Cause::Path)
    );
    assert_eq!(
        guess("a.o\nc.o\nb.o\n", "c.o\nb.o\na.o\n"),
        Some(Cause::Order)
    );
    assert_eq!(guess("B\na\nc\n", "a\nB\nc\n"), Some(Cause::Locale));
    assert_eq!(guess("pi 3.14 \n", "pi 3,14 \n"), Some(Cause::Locale));
    assert_eq!(guess("mov 1", "mov 2"), None);
}

#[test]
fn stamps_in_binary_are_seen() {
    let file = |stamp: u32| {
        [
            b"\x7fELF\0\0\0\0".as_slice(),
            &stamp.to_le_bytes(),
            b"\0\0\0\0",
        ]
        .concat()
    };
    let (left, right) = (file(1_700_000_000), file(1_700_000_001));
    assert_eq!(
        cause(&left, &right, first_byte(&left, &right).unwrap()),
        Some(Cause::TimeStamp)
    );
}

#[test]
fn the_first_differing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (left, right) = (folder.path().join("l"), folder.path().join("r"));
    for (root, text) in [(&left, "same A"), (&right, "same B")] {
        fs::create_dir_all(root.join("d")).unwrap();
        fs::write(root.join("a"), "equal").unwrap();
        fs::write(root.join("d/x"), text).unwrap();
    }
    let found = difference(&left, &right).unwrap().unwrap();
    assert_eq!(
        (found.file.as_path(), found.what),
        (Path::new("d/x"), What::Byte(5))
    );
    fs::write(right.join("d/x"), "same A").unwrap();
    assert_eq!(difference(&left, &right).unwrap(), None);
    fs::write(right.join("b"), "").unwrap();
    let found = difference(&left, &right).unwrap().unwrap();
    assert_eq!(
        (found.file.as_path(), found.what),
        (Path::new("b"), What::OnlyRight)
    );
}
