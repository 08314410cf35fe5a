//! Options are split, text is tidied, any units are read.

use super::{Options, append, bytes, from_section};
use alloc::string::String;
use alloc::vec::Vec;
use proptest::prelude::*;

fn parse(text: &str) -> (Option<u32>, String) {
    let units: Vec<u16> = text.encode_utf16().collect();
    let options = Options::parse(&units);
    let line = String::from_utf16(&options.command_line).unwrap();
    (options.profile, line)
}

#[test]
fn a_profile_is_split_from_the_command_line() {
    for (text, profile, line) in [
        ("", None, ""),
        ("quiet  ", None, "quiet"),
        ("@0", Some(0), ""),
        ("@12 a\tb", Some(12), "a b"),
        ("@12 ", Some(12), ""),
        ("@ 1", None, "@ 1"),
        ("@1a", None, "@1a"),
        ("@99999999999", None, "@99999999999"),
        ("@2\0 hidden", Some(2), ""),
        ("\u{1}\u{2}binary", None, ""),
    ] {
        assert_eq!(parse(text), (profile, line.into()), "{text:?}");
    }
}

#[test]
fn text_of_a_section_is_tidied_and_joined() {
    let mut line = from_section(b" init=/x\nquiet\n\0after");
    append(&mut line, &from_section("\u{e4}\u{1f600}".as_bytes()));
    assert_eq!(
        String::from_utf16(&line).unwrap(),
        "init=/x quiet \u{e4}\u{1f600}"
    );
    assert_eq!(from_section(b"a\xffb"), [97, 0xfffd, 98]);
    append(&mut line, &[]);
    assert!(!line.ends_with(&[32]));
    assert_eq!(bytes(&[0x61, 0x100]), [0x61, 0, 0, 1, 0, 0]);
}

proptest! {
    #[test]
    fn any_options_are_read(units in proptest::collection::vec(any::<u16>(), 0..40)) {
        let options = Options::parse(&units);
        prop_assert!(options.command_line.iter().all(|unit| *unit >= 32));
    }

    #[test]
    fn any_profile_is_found(number: u32, rest in "[a-z]{0,5}") {
        let expected = (Some(number), rest.clone());
        prop_assert_eq!(parse(&std::format!("@{number} {rest}")), expected);
    }
}
