//! References: what is read prints as the same bytes, and each rule refuses what breaks it.

use super::{MAX_PATH, MAX_REFERENCES, MAX_TEXT, Part, Reference, ReferenceError, References};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::num::NonZeroU32;
use proptest::prelude::*;
use std::format;

const HEX: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

#[test]
fn a_list_reads_and_prints() {
    let text = format!(
        "linux {HEX} 11600000 /EFI/rootstock/kernel-a\ninitrd {HEX} 1 /a\ninitrd {HEX} 4294967295 /b\n"
    );
    let list = References::parse(text.as_bytes()).unwrap();
    assert_eq!(list.to_string(), text);
    let kernel = list.kernel().unwrap();
    assert_eq!((kernel.sha256[1], kernel.size.get()), (0x11, 11_600_000));
    assert_eq!(kernel.path(), "/EFI/rootstock/kernel-a");
    let initrds: Vec<&str> = list.initrds().map(Reference::path).collect();
    assert_eq!(initrds, ["/a", "/b"]);
}

#[test]
fn what_is_not_of_the_form_is_refused_with_its_line() {
    let good = format!("initrd {HEX} 5 /a\n");
    let long = "x".repeat(MAX_PATH);
    for (second, why) in [
        (format!("kernel {HEX} 5 /a\n"), "kind"),
        (format!("linux {HEX} 5 /a"), "newline"),
        (format!("linux {} 5 /a\n", HEX.to_uppercase()), "digest"),
        (format!("linux {} 5 /a\n", &HEX[1..]), "digest"),
        (format!("linux {HEX}0 5 /a\n"), "digest"),
        (format!("linux {HEX} 0 /a\n"), "size"),
        (format!("linux {HEX} 05 /a\n"), "size"),
        (format!("linux {HEX} +5 /a\n"), "size"),
        (format!("linux {HEX} 4294967296 /a\n"), "size"),
        (format!("linux  {HEX} 5 /a\n"), "digest"),
        (format!("linux {HEX} 5\n"), "no path"),
        (format!("linux {HEX} 5 a\n"), "begin"),
        (format!("linux {HEX} 5 /\n"), "empty part"),
        (format!("linux {HEX} 5 /a/\n"), "empty part"),
        (format!("linux {HEX} 5 //a\n"), "empty part"),
        (format!("linux {HEX} 5 /../a\n"), "dot"),
        (format!("linux {HEX} 5 /a./b\n"), "dot"),
        (format!("linux {HEX} 5 /a b\n"), "character"),
        (format!("linux {HEX} 5 /a\\b\n"), "character"),
        (format!("linux {HEX} 5 /a\r\n"), "character"),
        (format!("linux {HEX} 5 /\u{e4}\n"), "character"),
        (format!("linux {HEX} 5 /{long}\n"), "longer"),
        ("\n".to_string(), "kind"),
    ] {
        let text = format!("{good}{second}");
        match References::parse(text.as_bytes()) {
            Err(ReferenceError::Line { line: 2, why: told }) => {
                assert!(told.contains(why), "{second:?}: {told}");
            }
            other => panic!("{second:?}: {other:?}"),
        }
    }
}

#[test]
fn lists_have_limits() {
    assert_eq!(References::parse(b""), Err(ReferenceError::Empty));
    let line = format!("initrd {HEX} 5 /a\n");
    assert!(References::parse(line.repeat(MAX_REFERENCES).as_bytes()).is_ok());
    assert_eq!(
        References::parse(line.repeat(MAX_REFERENCES + 1).as_bytes()),
        Err(ReferenceError::Many {
            count: MAX_REFERENCES + 1
        })
    );
    assert_eq!(
        References::parse(&std::vec![b'x'; MAX_TEXT + 1]),
        Err(ReferenceError::Long { size: MAX_TEXT + 1 })
    );
    assert_eq!(
        References::parse(b"linux \xff"),
        Err(ReferenceError::NotText { offset: 6 })
    );
    let two = format!("linux {HEX} 5 /a\nlinux {HEX} 5 /b\n");
    let error = References::parse(two.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), ".rsref, line 2: it is a second kernel");
}

prop_compose! {
    fn reference()(
        sha256: [u8; 32],
        size in 1..=u32::MAX,
        path in "(/[A-Za-z0-9+_.-]{0,12}[A-Za-z0-9+_-]){1,8}",
    ) -> Reference {
        Reference::new(Part::Initrd, sha256, NonZeroU32::new(size).unwrap(), &path).unwrap()
    }
}

proptest! {
    #[test]
    fn every_list_reads_back(list in proptest::collection::vec(reference(), 1..=MAX_REFERENCES), kernel: Option<prop::sample::Index>) {
        let mut list = list;
        if let Some(kernel) = kernel {
            kernel.get_mut(&mut list).part = Part::Linux;
        }
        let references = References::new(list).unwrap();
        prop_assert_eq!(References::parse(references.to_string().as_bytes()), Ok(references));
    }

    #[test]
    fn what_is_read_prints_as_it_was(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(list) = References::parse(&bytes) {
            prop_assert_eq!(list.to_string().into_bytes(), bytes);
        }
    }

    #[test]
    fn a_changed_character_is_noticed_or_kept(at in 0_usize..84, to in "[ -~\n]") {
        let mut text = format!("linux {HEX} 5 /EFI/a/b/c\n");
        text.replace_range(at..=at, &to);
        if let Ok(list) = References::parse(text.as_bytes()) {
            prop_assert_eq!(list.to_string(), text);
        }
    }

    #[test]
    fn any_text_is_judged_without_a_panic(text: String) {
        let _ = References::parse(text.as_bytes());
    }
}
