//! Names, addons, and the order of what is measured. That archives and registers equal those of systemd's own stub is shown
//! in virtual machines (stage 57-boot-install).

use super::{
    Addon, AddonError, Companions, Event, Kind, Place, Settings, effects, event_data, handed_over,
    own_folder, utf16,
};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use proptest::prelude::*;
use std::vec;

#[test]
fn files_are_told_by_their_names() {
    for (name, kind) in [
        ("a.addon.efi", Some(Kind::Addon)),
        ("A.ADDON.EFI", Some(Kind::Addon)),
        ("a.efi", None),
        ("a.cred", Some(Kind::Credential)),
        (".hidden.cred", None),
        ("\u{e4}.cred", None),
        ("a.sysext.raw", Some(Kind::Sysext)),
        ("a.raw", Some(Kind::Sysext)),
        ("a.confext.raw", Some(Kind::Confext)),
        ("raw", None),
    ] {
        assert_eq!(Kind::of(name), kind, "{name}");
    }
    assert_eq!(Kind::of(&(String::from("x").repeat(251) + ".cred")), None);
}

#[test]
fn a_boot_counter_is_no_part_of_the_folders_name() {
    for (image, folder) in [
        ("\\EFI\\Linux\\a.efi", "\\EFI\\Linux\\a.efi.extra.d"),
        ("\\EFI\\Linux\\a+3.efi", "\\EFI\\Linux\\a.efi.extra.d"),
        ("\\EFI\\Linux\\a+02-1.EFI", "\\EFI\\Linux\\a.EFI.extra.d"),
        ("\\a+b+1.efi", "\\a+b.efi.extra.d"),
        ("\\a+b.efi", "\\a+b.efi.extra.d"),
        ("\\a+1-.efi", "\\a+1-.efi.extra.d"),
        ("\\a+1.img", "\\a+1.img.extra.d"),
        ("efi", "efi.extra.d"),
        ("\u{e4}\u{e4}\u{e4}", "\u{e4}\u{e4}\u{e4}.extra.d"),
    ] {
        assert_eq!(own_folder(image), folder);
    }
}

fn addon(name: &str, sections: &[(&str, &'static [u8])]) -> Result<Addon, AddonError> {
    let sections = sections.to_vec();
    let find = |wanted: &str| sections.iter().find(|(n, _)| *n == wanted).map(|(_, d)| *d);
    Addon::read(name, find, Some(b"6.12\0"))
}

#[test]
fn addons_that_are_none_are_refused() {
    assert_eq!(addon("a", &[(".linux", b"x")]), Err(AddonError::Kernel));
    assert_eq!(addon("a", &[(".rsref", b"x")]), Err(AddonError::Kernel));
    assert_eq!(addon("a", &[(".sbat", b"x")]), Err(AddonError::Nothing));
    assert_eq!(addon("a", &[(".cmdline", b"")]), Err(AddonError::Nothing));
    let other = addon("a", &[(".uname", b"6.1"), (".cmdline", b"x")]);
    assert_eq!(other, Err(AddonError::Release));
    assert!(addon("a", &[(".uname", b"6.12"), (".cmdline", b"x")]).is_ok());
}

#[test]
fn everything_is_measured_once_and_in_order() {
    let file = |name: &str| vec![(name.to_string(), b"data".to_vec())];
    let all = [
        (".cmdline", &b"one "[..]),
        (".dtb", b"tree"),
        (".initrd", b"first"),
        (".ucode", b"code"),
    ];
    let companions = Companions {
        addons: vec![
            addon("a.addon.efi", &all).unwrap(),
            addon("b.addon.efi", &[(".cmdline", b"two"), (".ucode", b"newer")]).unwrap(),
        ],
        credentials: file("c.cred"),
        global_credentials: file("g.cred"),
        sysexts: file("s.raw"),
        confexts: file("f.confext.raw"),
    };
    let given: Vec<u16> = "given".encode_utf16().collect();
    let settings = Settings {
        profile: Some(2),
        given: &given,
        embedded: Some(b"embedded"),
        secure_boot: false,
    };
    let found = effects(&settings, &companions).unwrap();
    let line = String::from_utf16(&found.command_line).unwrap();
    assert_eq!(line, "given one two");
    let list: Vec<(u8, &str, Place)> = found
        .list
        .iter()
        .map(|effect| (effect.register, effect.description.as_str(), effect.place))
        .collect();
    let expected = [
        (12, "2", Place::None),
        (12, "given", Place::None),
        (12, "one two", Place::None),
        (12, "a.addon.efi", Place::DeviceTree),
        (12, "Credentials initrd", Place::Middle),
        (12, "Global credentials initrd", Place::Middle),
        (13, "System extension initrd", Place::Middle),
        (12, "Configuration extension initrd", Place::Middle),
        (12, "b.addon.efi", Place::First),
        (12, "a.addon.efi", Place::First),
        (12, "a.addon.efi", Place::Last),
    ];
    assert_eq!(list, expected);
    assert_eq!(found.list[0].data, utf16("2"));
    assert_eq!(
        event_data(&found.list[0])[..8],
        [0xdb, 0xd6, 0xae, 0x13, 4, 0, 0, 0]
    );
    assert_eq!(found.list[1].event, Event::Ipl);

    // A signed command line stays, but addons are signed too.
    let secure = Settings {
        secure_boot: true,
        ..settings
    };
    assert!(secure.refuses_given() && secure.refuses_another());
    assert!(!settings.refuses_another());
    let found = effects(&secure, &companions).unwrap();
    let line = String::from_utf16(&found.command_line).unwrap();
    assert_eq!(line, "embedded one two");
    assert_eq!(found.list.len(), expected.len() - 1);
    // A loader that hands over the image's own line changes nothing, and nobody needs to hear of it.
    let own: Vec<u16> = "embedded".encode_utf16().collect();
    let same = Settings {
        given: &own,
        ..secure
    };
    assert!(same.refuses_given() && !same.refuses_another());
    assert_eq!(effects(&same, &companions).unwrap(), found);
    let none = effects(
        &Settings {
            profile: Some(0),
            given: &[],
            ..secure
        },
        &Companions::default(),
    );
    assert_eq!(none.unwrap().list, []);
}

#[test]
fn archives_hold_directory_file_and_trailer() {
    let sections = |name: &str| (name == ".pcrsig").then_some(&b"{}"[..]);
    let archives = handed_over(sections).unwrap();
    assert_eq!(archives.len(), 1);
    let text = String::from_utf8(archives[0].clone()).unwrap();
    assert!(text.starts_with("0707010000000100"), "{text}");
    assert!(
        text.contains("0000416d") && text.contains(".extra\0"),
        "{text}"
    );
    assert!(text.contains("00008124") && text.contains(".extra/tpm2-pcr-signature.json\0"));
    assert!(text.ends_with("TRAILER!!!\0\0\0\0"));
    assert_eq!(text.len() % 4, 0);
}

proptest! {
    #[test]
    fn any_name_has_a_folder(image: String) {
        prop_assert!(own_folder(&image).ends_with(".extra.d"));
        let _ = Kind::of(&image);
    }
}
