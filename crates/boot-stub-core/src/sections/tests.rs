//! The choice among sections: profiles over base, repeated sections, what can't be started.

use super::{Chosen, MEASURED, SectionError, choose};
use crate::pe::Headers;
use crate::reference::Part;
use alloc::string::ToString;
use alloc::vec::Vec;
use proptest::prelude::*;
use std::vec;

/// Where the section table starts: behind headers without data directories.
const TABLE: usize = 0x40 + 24 + 112;
const PAGE: usize = 0x1000;

/// An image in memory with these sections, a page each.
fn image(sections: &[(&str, &[u8])]) -> Vec<u8> {
    let mut memory = vec![0; PAGE * (sections.len() + 1)];
    let put = |memory: &mut Vec<u8>, at: usize, value: u32| {
        memory[at..at + 4].copy_from_slice(&value.to_le_bytes());
    };
    memory[..2].copy_from_slice(b"MZ");
    put(&mut memory, 0x3c, 0x40);
    memory[0x40..0x44].copy_from_slice(b"PE\0\0");
    memory[0x46] = sections.len() as u8;
    memory[0x54] = 112;
    memory[0x58..0x5a].copy_from_slice(&0x20b_u16.to_le_bytes());
    for (index, (name, data)) in sections.iter().enumerate() {
        let at = TABLE + 40 * index;
        let address = PAGE * (index + 1);
        memory[at..at + name.len()].copy_from_slice(name.as_bytes());
        put(&mut memory, at + 8, data.len() as u32);
        put(&mut memory, at + 12, address as u32);
        memory[address..address + data.len()].copy_from_slice(data);
    }
    memory
}

fn chosen(image: &[u8], profile: Option<u32>) -> Result<Chosen<'_>, SectionError> {
    let headers = Headers::parse(image).unwrap();
    choose(image, &headers, profile, |data| data == b"fits")
}

#[test]
fn a_profile_completes_and_overrides_the_base() {
    let image = image(&[
        (".linux", b"kernel"),
        (".cmdline", b"base"),
        (".profile", b"ID=a"),
        (".cmdline", b"a"),
        (".profile", b"ID=b"),
        (".initrd", b"b"),
        (".uname", b""),
    ]);
    let first = chosen(&image, None).unwrap();
    assert_eq!(first, chosen(&image, Some(0)).unwrap());
    let parts = [".linux", ".cmdline", ".profile", ".initrd", ".uname"];
    let told = |chosen: &Chosen<'_>| parts.map(|name| chosen.get(name).map(<[u8]>::to_vec));
    let some = |text: &str| Some(text.as_bytes().to_vec());
    assert_eq!(
        told(&first),
        [some("kernel"), some("a"), some("ID=a"), None, None]
    );
    let second = chosen(&image, Some(1)).unwrap();
    assert_eq!(
        told(&second),
        [some("kernel"), some("base"), some("ID=b"), some("b"), None]
    );
    let error = chosen(&image, Some(2)).unwrap_err();
    assert_eq!(error.to_string(), "there is no profile 2; the image has 2");
}

#[test]
fn an_image_without_profiles_has_the_first_alone() {
    let image = image(&[(".linux", b"kernel")]);
    assert!(chosen(&image, Some(0)).is_ok());
    assert_eq!(
        chosen(&image, Some(1)),
        Err(SectionError::Profile { index: 1, count: 0 })
    );
}

#[test]
fn of_device_trees_the_one_that_fits_counts_and_of_firmware_images_the_first() {
    let image = image(&[
        (".linux", b"kernel"),
        (".dtbauto", b"another"),
        (".dtbauto", b"fits"),
        (".efifw", b"one"),
        (".efifw", b"fits"),
    ]);
    let chosen = chosen(&image, None).unwrap();
    assert_eq!(chosen.get(".dtbauto"), Some(&b"fits"[..]));
    assert_eq!(chosen.get(".efifw"), Some(&b"one"[..]));
    assert_eq!(
        MEASURED.last(),
        Some(&".efifw"),
        "measured behind all others"
    );
}

#[test]
fn each_part_has_one_place() {
    let digest = "0".repeat(64);
    let linux = std::format!("linux {digest} 1 /k\n");
    let initrd = std::format!("initrd {digest} 1 /i\n");
    let told = |sections: &[(&str, &[u8])]| {
        let image = image(sections);
        chosen(&image, None).map(|chosen| chosen.references().is_some())
    };
    let (linux, initrd) = (linux.as_bytes(), initrd.as_bytes());
    assert_eq!(told(&[(".rsref", linux)]), Ok(true));
    assert_eq!(told(&[(".linux", b"k"), (".rsref", initrd)]), Ok(true));
    assert_eq!(told(&[(".initrd", b"i")]), Err(SectionError::NoKernel));
    assert_eq!(told(&[(".rsref", initrd)]), Err(SectionError::NoKernel));
    assert_eq!(
        told(&[(".linux", b"k"), (".rsref", linux)]),
        Err(SectionError::Both(Part::Linux))
    );
    assert_eq!(
        told(&[(".linux", b"k"), (".initrd", b"i"), (".rsref", initrd)]),
        Err(SectionError::Both(Part::Initrd))
    );
    let error = told(&[(".linux", b"k"), (".rsref", b"linux\n")]).unwrap_err();
    assert_eq!(error.to_string(), ".rsref, line 1: no digest");
}

proptest! {
    #[test]
    fn changed_headers_never_panic(changes in proptest::collection::vec((0x40_usize..0x200, any::<u8>()), 1..8)) {
        let mut image = image(&[(".linux", b"kernel"), (".profile", b"ID=a"), (".cmdline", b"a")]);
        for (at, value) in changes {
            image[at] = value;
        }
        if let Ok(headers) = Headers::parse(&image) {
            for profile in [None, Some(0), Some(1)] {
                let _ = choose(&image, &headers, profile, |_| true);
            }
        }
    }
}
